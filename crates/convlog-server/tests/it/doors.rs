//! What stands around handlers: ids, CORS, limits, compression, audit, metrics, health.

use axum::body::Body;
use axum::http::{Request, header};
use convlog_model::json::Json;
use convlog_server::ServerConfig;

use crate::harness::{ADMIN, Server};

const KEYS: &str = "/convlog/v1/keys";
const AUDIT: &str = "/convlog/v1/audit";

#[tokio::test]
async fn a_browser_may_ask_before_it_sends() {
    let server = Server::start().await;
    let request = Request::builder()
        .method("OPTIONS")
        .uri("/v1/workspaces/x/message")
        .header("origin", "https://example.org")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-watson-metadata");
    let answer = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(
        answer
            .header("access-control-allow-headers")
            .contains("x-watson-metadata")
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .contains("DELETE")
    );
    assert_eq!(answer.header("access-control-max-age"), "3600");
}

#[tokio::test]
async fn ids_of_transactions_are_ours_and_differ() {
    let server = Server::start().await;
    let request = || {
        let request = Request::builder().uri("/health/live");
        let request = request.header("x-global-transaction-id", "mine");
        server.send(request.body(Body::empty()).unwrap())
    };
    let name = "x-global-transaction-id";
    let (first, second) = (request().await, request().await);
    assert_eq!(first.header(name).len(), 36);
    assert_ne!(first.header(name), second.header(name));
}

async fn post_encoded(server: &Server, encoding: &str, body: Vec<u8>) -> (u16, String) {
    let request = Request::builder()
        .method("POST")
        .uri(KEYS)
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
        .header(header::CONTENT_ENCODING, encoding);
    let answer = server.send(request.body(Body::from(body)).unwrap()).await;
    (answer.status.as_u16(), answer.text())
}

async fn gzip(plain: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncReadExt as _;
    let mut packed = Vec::new();
    let mut encoder = async_compression::tokio::bufread::GzipEncoder::new(plain);
    encoder.read_to_end(&mut packed).await.unwrap();
    packed
}

async fn zstd(plain: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncReadExt as _;
    let mut packed = Vec::new();
    let mut encoder = async_compression::tokio::bufread::ZstdEncoder::new(plain);
    encoder.read_to_end(&mut packed).await.unwrap();
    packed
}

#[tokio::test]
async fn compressed_bodies_are_read() {
    let server = Server::start().await;
    let body = br#"{"roles":["read"]}"#;
    let (status, text) = post_encoded(&server, "gzip", gzip(body).await).await;
    assert_eq!(status, 201, "{text}");
    let (status, text) = post_encoded(&server, "zstd", zstd(body).await).await;
    assert_eq!(status, 201, "{text}");
    let (status, text) = post_encoded(&server, "identity", body.to_vec()).await;
    assert_eq!(status, 201, "{text}");
}

#[tokio::test]
async fn bodies_beyond_a_bound_and_of_unknown_encoding_are_refused() {
    let server = Server::start().await;
    let bomb = vec![b' '; (4 << 20) + 1];
    let (status, text) = post_encoded(&server, "gzip", gzip(&bomb).await).await;
    assert_eq!(status, 413);
    assert!(
        text.contains("the body is larger than 4194304 bytes after decompression"),
        "{text}"
    );
    let (status, _) = post_encoded(&server, "zstd", zstd(&bomb).await).await;
    assert_eq!(status, 413);
    let (status, text) = post_encoded(&server, "identity", bomb).await;
    assert_eq!(status, 413);
    assert!(
        text.contains("the body is larger than 1048576 bytes"),
        "{text}"
    );
    for encoding in ["br", "deflate", "gzip, gzip", "compress"] {
        let (status, text) = post_encoded(&server, encoding, b"{}".to_vec()).await;
        assert_eq!(status, 415, "{encoding}");
        assert!(text.contains("Content-Encoding must be gzip, zstd or identity"));
    }
    let (status, text) = post_encoded(&server, "gzip", b"not gzip".to_vec()).await;
    assert_eq!(status, 400);
    assert!(text.contains("its compression is broken"), "{text}");
}

#[tokio::test]
async fn deep_nesting_is_refused_with_its_position() {
    let server = Server::start().await;
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let answer = server.post(KEYS, &deep).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.text_at("detail"),
        "the body is not valid JSON: nested deeper than 64 levels at line 1 column 65"
    );
}

#[tokio::test]
async fn list_calls_beyond_the_limit_wait() {
    let mut config = ServerConfig::default();
    config.limits.list_per_minute = 2;
    let server = Server::with(config).await;
    let first = server.get(AUDIT).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("x-ratelimit-limit"), "2");
    assert_eq!(first.header("x-ratelimit-remaining"), "1");
    assert_eq!(server.get(AUDIT).await.status, 200);
    let refused = server.get(AUDIT).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "30");
    assert_eq!(refused.header("x-ratelimit-limit"), "2");
    assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    assert_eq!(refused.text_at("detail"), "Rate limit exceeded");
    let other = server.key(r#""admin""#, "").await;
    assert_eq!(server.call(&other, "GET", AUDIT, "").await.status, 200);
    server.clock.step(30_000_000);
    assert_eq!(server.get(AUDIT).await.status, 200);
}

#[tokio::test]
async fn list_calls_of_all_keys_count_for_the_instance() {
    let mut config = ServerConfig::default();
    config.limits.list_per_minute_instance = 1;
    let server = Server::with(config).await;
    let other = server.key(r#""admin""#, "").await;
    assert_eq!(server.get(AUDIT).await.status, 200);
    assert_eq!(server.call(&other, "GET", AUDIT, "").await.status, 429);
}

#[tokio::test]
async fn administrative_actions_are_told_by_whom_and_about_what() {
    let server = Server::start().await;
    let key = server.key(r#""read""#, "").await;
    let (id, secret) = key.split_once('.').unwrap();
    server
        .call(ADMIN, "DELETE", &format!("{KEYS}/{id}"), "")
        .await;
    let answer = server.get(AUDIT).await;
    assert!(!answer.text().contains(secret));
    let json = answer.json();
    let entries = json.get("entries").and_then(Json::as_array).unwrap();
    let told: Vec<String> = entries
        .iter()
        .map(|entry| {
            let text = |path: &[&str]| {
                let value = entry.at(path).and_then(Json::as_str);
                value.unwrap_or_default().to_owned()
            };
            format!(
                "{} {} {}",
                text(&["type"]),
                text(&["actor"]),
                text(&["refs", "keyId"])
            )
        })
        .collect();
    let (admin, _) = ADMIN.split_once('.').unwrap();
    assert_eq!(
        told,
        [
            format!("key.delete {admin} {id}"),
            format!("key.create {admin} {id}"),
            format!("key.create local {admin}"),
            "instance.create local ".to_owned(),
        ]
    );
}

#[tokio::test]
async fn the_audit_is_paged() {
    let server = Server::start().await;
    for _ in 0..3 {
        server.key(r#""read""#, "").await;
    }
    let mut seen = 0;
    let mut uri = format!("{AUDIT}?limit=2");
    loop {
        let answer = server.get(&uri).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let json = answer.json();
        seen += json.get("entries").and_then(Json::as_array).unwrap().len();
        match json.get("cursor").and_then(Json::as_str) {
            Some(cursor) => uri = format!("{AUDIT}?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, 5);
    let answer = server.get(&format!("{AUDIT}?cursor=nonsense")).await;
    assert_eq!(answer.text_at("detail"), "cursor: is not a cursor");
    let answer = server.get(&format!("{AUDIT}?limit=many")).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.text().contains(r#""path":"limit""#),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn health_needs_no_key_and_tells_of_a_stop() {
    let server = Server::start().await;
    assert_eq!(
        server.call("", "GET", "/health/live", "").await.text(),
        r#"{"status":"ok"}"#
    );
    assert_eq!(
        server.call("", "GET", "/health/ready", "").await.status,
        200
    );
    server.app.jobs().stop();
    let answer = server.call("", "GET", "/health/ready", "").await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.text(),
        r#"{"status":"unavailable","reason":"stopping"}"#
    );
}

#[tokio::test]
async fn metrics_name_routes_and_nobody() {
    let server = Server::start().await;
    server.get(&format!("{KEYS}?secret=words")).await;
    let open = server.call("", "GET", "/metrics", "").await;
    assert!(open.header("content-type").starts_with("text/plain"));
    let text = open.text();
    let line =
        r#"convlog_http_requests_total{method="GET",route="/convlog/v1/keys",status="200"} 1"#;
    assert!(text.contains(line), "{text}");
    assert!(!text.contains("words") && !text.contains("convlog_bot_records_total"));
    assert_eq!(server.get("/metrics").await.status, 200);
    let write = server.key(r#""write""#, "").await;
    assert_eq!(server.call(&write, "GET", "/metrics", "").await.status, 403);
}

#[tokio::test]
async fn series_of_bots_are_for_keys_that_may_read_them() {
    let server = Server::start().await;
    for bot in ["b1", "b2"] {
        let body = r#"{"name":"Bot","connector":{"kind":"echo"}}"#;
        server.put(&format!("/convlog/v1/bots/{bot}"), body).await;
        let uri = format!("/v1/workspaces/{bot}/message?version=2021-11-27");
        let said = server.post(&uri, r#"{"input":{"text":"hi"}}"#).await;
        assert_eq!(said.status, 200, "{}", said.text());
    }
    let series =
        |bot: &str| format!(r#"convlog_bot_records_total{{bot="{bot}",instance="default"}} 1"#);
    let all = server.get("/metrics").await.text();
    assert!(
        all.contains(&series("b1")) && all.contains(&series("b2")),
        "{all}"
    );
    let scoped = server.key(r#""read""#, r#""b1""#).await;
    let some = server.call(&scoped, "GET", "/metrics", "").await.text();
    assert!(
        some.contains(&series("b1")) && !some.contains(&series("b2")),
        "{some}"
    );
    let (_, other) = server.instance().await;
    let none = server.call(&other, "GET", "/metrics", "").await;
    assert_eq!(none.status, 200);
    assert!(
        !none.text().contains("convlog_bot_records_total"),
        "{}",
        none.text()
    );
}
