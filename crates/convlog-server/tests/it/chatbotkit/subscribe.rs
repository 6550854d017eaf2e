//! Subscriptions: replay, then what comes, without a gap or a double, until somebody stops.

use axum::body::BodyDataStream;
use futures::StreamExt as _;

use super::*;

const SUBSCRIBE: &str = "/api/v1/event/log/subscribe";

/// A subscription under way.
struct Lines {
    body: BodyDataStream,
    text: String,
}

impl Lines {
    async fn start(server: &Server, body: &str) -> Self {
        let request = Request::builder()
            .method("POST")
            .uri(SUBSCRIBE)
            .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/jsonl");
        let answer = server
            .response(request.body(Body::from(body.to_owned())).unwrap())
            .await;
        assert_eq!(answer.status(), 200);
        Lines {
            body: answer.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next line; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Json> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let line = Json::parse(line.as_bytes()).unwrap();
                self.text = rest.to_owned();
                return Some(line);
            }
            let piece = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    async fn id(&mut self) -> String {
        let line = self.next().await.unwrap();
        text(line.get("data").unwrap(), "id")
    }
}

#[tokio::test]
async fn the_last_items_come_first_and_then_each_new_one() {
    let server = with_events(5).await;
    let mut lines = Lines::start(&server, r#"{"historyLength":2,"type":"t.*"}"#).await;
    assert_eq!(lines.id().await, "e003");
    create(&server, r#"{"id":"n1","type":"t.new"}"#).await;
    create(&server, r#"{"id":"other","type":"u"}"#).await;
    assert_eq!(lines.id().await, "e004");
    assert_eq!(lines.id().await, "n1");
    create(&server, r#"{"id":"n2","type":"t.new"}"#).await;
    assert_eq!(lines.id().await, "n2");
}

#[tokio::test]
async fn a_history_may_begin_within_a_turn() {
    let server = Server::start().await;
    super::cursors::bot(&server).await;
    super::cursors::say(&server, "hello").await;
    let all = walk(&server, "asc", 500, "").await;
    for n in 0..all.len() {
        let body = format!(r#"{{"historyLength":{n}}}"#);
        let mut lines = Lines::start(&server, &body).await;
        for expected in &all[all.len() - n..] {
            assert_eq!(lines.id().await, *expected, "{n}");
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_where_a_reader_was() {
    let server = with_events(4).await;
    let mut lines = Lines::start(&server, r#"{"cursor":"e001","type":"t.*"}"#).await;
    assert_eq!(lines.id().await, "e002");
    assert_eq!(lines.id().await, "e003");
    let mut lines = Lines::start(&server, r#"{"cursor":"e003","meta":{"n":7}}"#).await;
    create(&server, r#"{"id":"n6","type":"t","meta":{"n":6}}"#).await;
    create(&server, r#"{"id":"n7","type":"t","meta":{"n":7}}"#).await;
    assert_eq!(lines.id().await, "n7");
}

#[tokio::test(start_paused = true)]
async fn an_idle_subscription_says_that_it_lives() {
    let server = with_events(0).await;
    let mut lines = Lines::start(&server, "{}").await;
    for _ in 0..3 {
        let line = lines.next().await.unwrap();
        assert_eq!(line.to_string(), r#"{"type":"ping","data":{}}"#);
    }
}

#[tokio::test]
async fn it_ends_cleanly_when_the_server_stops() {
    let server = with_events(1).await;
    let mut lines = Lines::start(&server, r#"{"historyLength":1}"#).await;
    assert_eq!(lines.id().await, "e000");
    server.app.jobs().stop();
    assert_eq!(lines.next().await, None);
}

#[tokio::test]
async fn no_more_subscriptions_than_are_allowed() {
    let mut config = convlog_server::ServerConfig::default();
    config.limits.subscriptions_at_once = 2;
    let server = Server::with(config).await;
    let first = Lines::start(&server, "{}").await;
    let _second = Lines::start(&server, "{}").await;
    let answer = server.post(SUBSCRIBE, "{}").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.text_at("code"), "LIMITS_REACHED");
    assert_eq!(answer.header("retry-after"), "10");
    drop(first);
    Lines::start(&server, "{}").await;
}
