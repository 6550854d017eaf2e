//! The in-memory control plane.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::control::{BODY_BYTES_MAX, ControlPlane, Document, Expect};
use crate::store::{ErrorKind, StoreError};

/// A [`ControlPlane`] in memory.
#[derive(Debug, Default)]
pub struct MemoryControl {
    documents: Mutex<Documents>,
}

#[derive(Debug, Default)]
struct Documents {
    /// By collection and id.
    all: BTreeMap<(String, String), Document>,
    /// One for all documents, so that no id ever sees a version twice.
    last_version: u64,
}

impl MemoryControl {
    /// An empty control plane.
    #[must_use]
    pub fn new() -> Self {
        MemoryControl::default()
    }

    fn lock(&self) -> MutexGuard<'_, Documents> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn conflict() -> StoreError {
    StoreError::new(ErrorKind::Conflict, "the document was changed meanwhile")
}

#[async_trait]
impl ControlPlane for MemoryControl {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        let key = (collection.to_owned(), id.to_owned());
        Ok(self.lock().all.get(&key).cloned())
    }

    async fn put(
        &self,
        collection: &str,
        id: &str,
        body: &[u8],
        expect: Expect,
    ) -> Result<u64, StoreError> {
        if body.len() > BODY_BYTES_MAX {
            let n_bytes = body.len();
            let text = format!("a document of {n_bytes} bytes, at most {BODY_BYTES_MAX}");
            return Err(StoreError::new(ErrorKind::Invalid, text));
        }
        let mut documents = self.lock();
        let key = (collection.to_owned(), id.to_owned());
        let expected = match expect {
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        if documents.all.get(&key).map(|old| old.version) != expected {
            return Err(conflict());
        }
        documents.last_version += 1;
        let document = Document {
            id: id.to_owned(),
            version: documents.last_version,
            body: body.to_vec(),
        };
        documents.all.insert(key, document);
        Ok(documents.last_version)
    }

    async fn delete(&self, collection: &str, id: &str, version: u64) -> Result<(), StoreError> {
        let mut documents = self.lock();
        let key = (collection.to_owned(), id.to_owned());
        if documents.all.get(&key).map(|old| old.version) != Some(version) {
            return Err(conflict());
        }
        documents.all.remove(&key);
        Ok(())
    }

    async fn list(
        &self,
        collection: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let documents = self.lock();
        let from = if after < prefix {
            Bound::Included((collection.to_owned(), prefix.to_owned()))
        } else {
            Bound::Excluded((collection.to_owned(), after.to_owned()))
        };
        let behind = documents.all.range((from, Bound::Unbounded));
        Ok(behind
            .take_while(|((name, id), _)| name == collection && id.starts_with(prefix))
            .take(limit)
            .map(|(_, document)| document.clone())
            .collect())
    }
}
