//! The control plane behind the contract: reads where they are asked, writes one after the other.

use std::sync::Arc;

use async_trait::async_trait;
use convlog_model::control::{ControlPlane, Document, Expect};
use convlog_model::store::StoreError;

use super::engine::Engine;

/// The control plane of an open data directory.
#[derive(Debug)]
pub(crate) struct Control(pub(crate) Arc<Engine>);

#[async_trait]
impl ControlPlane for Control {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        self.0.documents.get(collection, id)
    }

    async fn put(
        &self,
        collection: &str,
        id: &str,
        body: &[u8],
        expect: Expect,
    ) -> Result<u64, StoreError> {
        let documents = Arc::clone(&self.0.documents);
        let (collection, id, body) = (collection.to_owned(), id.to_owned(), body.to_vec());
        let work = move || documents.put(&collection, &id, &body, expect);
        self.0.catalog_thread.run(work).await
    }

    async fn delete(&self, collection: &str, id: &str, version: u64) -> Result<(), StoreError> {
        let documents = Arc::clone(&self.0.documents);
        let (collection, id) = (collection.to_owned(), id.to_owned());
        let work = move || documents.delete(&collection, &id, version);
        self.0.catalog_thread.run(work).await
    }

    async fn list(
        &self,
        collection: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        self.0.documents.list(collection, prefix, after, limit)
    }
}
