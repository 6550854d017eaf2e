//! Conversation logs on their way outside.

use crate::deliveries::fake_aws::{FakeAws, Trouble};
use crate::deliveries::{config, flowers, say};
use crate::harness::Server;

/// The log group answers a few times as told, and then as it should.
async fn with_troubles(troubles: &[Trouble]) -> Server {
    let aws = FakeAws::start().await;
    aws.held().logs_trouble.extend(troubles);
    flowers(config(&aws)).await
}

pub(super) async fn with_group_that_fails_once() -> Server {
    with_troubles(&[Trouble::Status(503, "ServiceUnavailableException")]).await
}

pub(super) async fn with_group_that_refuses() -> Server {
    with_troubles(&[Trouble::Status(403, "AccessDeniedException"); 5]).await
}

pub(super) async fn with_dead_letter() -> Server {
    let server = with_group_that_refuses().await;
    say_roses(server.clone()).await;
    loop {
        let lanes = server.get("/convlog/v1/deliveries").await.text();
        if lanes.contains("\"dead_count\":1") {
            return server;
        }
        tokio::task::yield_now().await;
    }
}

pub(super) async fn say_roses(server: Server) {
    say(&server, "u1", "i want roses").await;
}

pub(super) async fn retry(server: Server) {
    let lanes = server.get("/convlog/v1/deliveries").await.json();
    let lane = lanes.get("lanes").unwrap().as_array().unwrap();
    let id = lane[0].get("id").unwrap().as_str().unwrap();
    let answer = server
        .post(&format!("/convlog/v1/deliveries/{id}/retry"), "")
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.text(), r#"{"retried":1}"#);
}
