//! What our own log says of requests: method, route, status, time; and what it never says.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::harness::{ADMIN, Server};

/// Keeps every event as text.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        event.record(&mut Line(&mut text));
        text.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn requests_are_logged_without_queries_bodies_and_keys() {
    let server = Server::start().await;
    // Another test may be the first to come to the place that logs a request, and see nobody who
    // listens: it has been there, and is asked again once somebody does.
    server.get("/health/live").await;
    let kept = Kept::default();
    let (id, secret) = ADMIN.split_once('.').unwrap();
    let calls = async {
        tracing::callsite::rebuild_interest_cache();
        let bot = r#"{"name":"secretname","connector":{"kind":"echo"}}"#;
        server.put("/convlog/v1/bots/secretbot", bot).await;
        let uri = "/v1/workspaces/secretbot/message?version=2021-11-27";
        let said =
            r#"{"input":{"text":"secretwords"},"context":{"metadata":{"user_id":"secretuser"}}}"#;
        assert_eq!(server.post(uri, said).await.status, 200);
        server
            .get("/convlog/v1/records?filter=input.text:secretwords")
            .await;
        server
            .get("/convlog/v1/records?filter=input.text:(((secretwords")
            .await;
        server
            .get("/v1/logs?version=2021-11-27&filter=secretwords")
            .await;
        server.post(uri, r#"{"input":{"text":secretwords"#).await;
        server.get("/unknown/secretwords?secretwords").await;
        server
            .call("secret.key", "GET", "/convlog/v1/keys", "")
            .await;
    };
    calls.with_subscriber(kept.clone()).await;
    let text = kept.0.lock().unwrap().clone();
    let requests: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("message=request"))
        .collect();
    assert_eq!(requests.len(), 8, "{text}");
    let message = requests.get(1).unwrap();
    for part in [
        "method=\"POST\"",
        "route=\"/v1/workspaces/{id}/message\"",
        "status=200",
        "duration_us=",
    ] {
        assert!(message.contains(part), "{message}");
    }
    for word in ["secret", id, secret] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}
