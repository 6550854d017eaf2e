//! Changes of the model at once, over an engine that lets others go ahead at each of its calls, as
//! one that works on disk does.

use std::sync::Arc;

use async_trait::async_trait;
use convlog_model::control::{ControlPlane, Document, Expect};
use convlog_model::store::StoreError;
use convlog_server::{Deps, ServerConfig};

use super::{assert_error, each, order, shop};
use crate::harness::Server;

#[derive(Debug)]
struct Yielding(Arc<dyn ControlPlane>);

#[async_trait]
impl ControlPlane for Yielding {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        tokio::task::yield_now().await;
        self.0.get(collection, id).await
    }

    async fn put(
        &self,
        collection: &str,
        id: &str,
        body: &[u8],
        expect: Expect,
    ) -> Result<u64, StoreError> {
        tokio::task::yield_now().await;
        self.0.put(collection, id, body, expect).await
    }

    async fn delete(&self, collection: &str, id: &str, version: u64) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        self.0.delete(collection, id, version).await
    }

    async fn list(
        &self,
        collection: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        tokio::task::yield_now().await;
        self.0.list(collection, prefix, after, limit).await
    }
}

async fn yielding() -> Server {
    let server = Server::start().await;
    let deps = Deps {
        control: Arc::new(Yielding(server.deps.control)),
        ..server.deps
    };
    Server::over(ServerConfig::default(), deps, server.clock)
}

#[tokio::test]
async fn one_of_names_that_differ_by_case_alone_is_made() {
    let server = yielding().await;
    let uris = ["roses", "Roses", "ROSES", "rOSES"]
        .map(|name| format!("/slottypes/{name}/versions/$LATEST"));
    let sent = uris.iter().map(|uri| server.put(uri, "{}"));
    let answers = futures::future::join_all(sent).await;
    let mut statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    let shown = server.found("/slottypes").await;
    assert_eq!(each(&shown, "slotTypes", "name").len(), 1);
}

/// Deletes something after a number of turns of the executor.
async fn deleted(server: &Server, uri: &str, n_turns: usize) -> crate::harness::Answer {
    for _ in 0..n_turns {
        tokio::task::yield_now().await;
    }
    server.delete(uri).await
}

#[tokio::test]
async fn what_begins_to_be_used_is_not_deleted() {
    for n_turns in 0..12 {
        let server = yielding().await;
        server.made("/slottypes/Kinds/versions/$LATEST", "{}").await;
        let intent = order("$LATEST", "NONE");
        let (put, deleted) = tokio::join!(
            server.put("/intents/Order/versions/$LATEST", &intent),
            deleted(&server, "/slottypes/Kinds", n_turns),
        );
        match put.status.as_u16() {
            200 => assert_error(&deleted, 400, "ResourceInUseException"),
            409 => assert_error(&put, 409, "ConflictException"),
            _ => assert_error(&put, 400, "BadRequestException"),
        }
        let kinds = server.get("/slottypes/Kinds/versions/$LATEST").await;
        assert_eq!(kinds.status, if put.status == 200 { 200 } else { 404 });
    }
}

#[tokio::test]
async fn what_an_alias_begins_to_name_is_not_deleted() {
    for n_turns in 0..12 {
        for uri in ["/bots/Shop", "/bots/Shop/versions/1"] {
            let server = yielding().await;
            server.made("/slottypes/Kinds/versions/$LATEST", "{}").await;
            server.numbered("/slottypes/Kinds").await;
            server
                .made("/intents/Order/versions/$LATEST", &order("1", "NONE"))
                .await;
            server.numbered("/intents/Order").await;
            server
                .made("/bots/Shop/versions/$LATEST", &shop("1", false))
                .await;
            server.numbered("/bots/Shop").await;
            let (put, deleted) = tokio::join!(
                server.put("/bots/Shop/aliases/LIVE", r#"{"botVersion":"1"}"#),
                deleted(&server, uri, n_turns),
            );
            match put.status.as_u16() {
                200 => assert_error(&deleted, 400, "ResourceInUseException"),
                _ => assert_eq!(deleted.status, 204, "{}", deleted.text()),
            }
            let version = server.get("/bots/Shop/versions/1").await;
            assert_eq!(version.status, if put.status == 200 { 200 } else { 404 });
        }
    }
}
