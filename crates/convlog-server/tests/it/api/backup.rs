//! `POST /backup` on an engine that cannot be backed up, and on one that gives pieces.

use std::sync::Arc;

use async_trait::async_trait;
use convlog_model::maintenance::{BackupOrder, BackupStream, Maintenance};
use convlog_model::store::StoreError;
use convlog_server::{Deps, ServerConfig};

use crate::harness::{ADMIN, Server};

const URI: &str = "/convlog/v1/backup";

/// Says which order it got.
#[derive(Debug)]
struct Echo;

#[derive(Debug)]
struct Pieces(Vec<Vec<u8>>);

#[async_trait]
impl Maintenance for Echo {
    async fn backup(&self, order: &BackupOrder) -> Result<Box<dyn BackupStream>, StoreError> {
        let text = format!("{order:?}");
        Ok(Box::new(Pieces(vec![b"!".to_vec(), text.into_bytes()])))
    }
}

#[async_trait]
impl BackupStream for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.pop())
    }
}

async fn server() -> Server {
    let server = Server::start().await;
    let deps = Deps {
        maintenance: Some(Arc::new(Echo)),
        ..server.deps
    };
    Server::over(ServerConfig::default(), deps, server.clock)
}

#[tokio::test]
async fn an_engine_without_backups_says_so() {
    let server = Server::start().await;
    let answer = server.post(URI, "").await;
    assert_eq!(answer.status, 400);
    let text = answer.text_at("detail");
    assert_eq!(text, "the engine of this server cannot be backed up");
}

#[tokio::test]
async fn pieces_come_in_order_and_each_backup_is_in_the_audit() {
    let server = server().await;
    let answer = server.post(URI, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/x-tar");
    let text = "BackupOrder { ledger_only: false, is_sealed: false }!";
    assert_eq!(answer.text(), text);
    let answer = server.post(URI, r#"{"passphrase":"open sesame"}"#).await;
    let text = "BackupOrder { ledger_only: false, is_sealed: true }!";
    assert_eq!(answer.text(), text);
    server.post(URI, r#"{"ledger_only":true}"#).await;
    let audit = server.get("/convlog/v1/audit?limit=3").await.text();
    assert_eq!(audit.matches(r#""kind":"backup""#).count(), 3, "{audit}");
    assert!(audit.contains(r#""scope":"ledger""#) && audit.contains(r#""sealed":"yes""#));
    assert!(!audit.contains("sesame"), "{audit}");
}

#[tokio::test]
async fn bad_orders_name_the_field() {
    let server = server().await;
    for (body, wanted) in [
        (r#"{"passphrase":""}"#, "passphrase"),
        (r#"{"passphrase":"p","ledger_only":true}"#, "passphrase"),
        (r#"{"ledger_only":1}"#, "ledger_only"),
        (r#"{"full":true}"#, "full"),
    ] {
        let answer = server.post(URI, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(wanted), "{}", answer.text());
    }
    assert_eq!(server.call(ADMIN, "POST", URI, "{").await.status, 400);
}

#[tokio::test]
async fn with_several_instances_only_an_operator_gets_all_of_them() {
    let server = server().await;
    let admin = server.key(r#""admin""#, "").await;
    assert_eq!(server.call(&admin, "POST", URI, "").await.status, 200);
    let (_, other) = server.instance().await;
    for key in [&admin, &other] {
        let answer = server.call(key, "POST", URI, "").await;
        assert_eq!(answer.status, 403);
        assert!(
            answer.text().contains("the role operator"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(server.post(URI, "").await.status, 200);
}
