//! What our own log says of requests: method, route, status, time; and what it never says.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::harness::{ADMIN, Server};

/// Keeps every event of one thread as text. It listens everywhere: whoever listens in one place
/// alone is not asked while others come and go.
#[derive(Clone, Debug)]
struct Kept(Arc<Mutex<String>>, ThreadId);

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
        if thread::current().id() != self.1 {
            return;
        }
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
    let kept = Kept(Arc::default(), thread::current().id());
    tracing::subscriber::set_global_default(kept.clone()).unwrap();
    let (id, secret) = ADMIN.split_once('.').unwrap();
    {
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
    }
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
