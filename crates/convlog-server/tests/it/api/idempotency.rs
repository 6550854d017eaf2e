//! `Idempotency-Key`.

use axum::body::Body;
use axum::http::Request;

use super::{RECORDS, problem, records};
use crate::harness::{ADMIN, Answer, Server};

async fn post(server: &Server, key: &str, path: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("idempotency-key", key)
        .header("content-type", "application/json");
    server
        .send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

const KEYS: &str = "/convlog/v1/keys";

#[tokio::test]
async fn the_same_request_is_answered_as_the_first_time() {
    let server = Server::start().await;
    let body = r#"{"name":"a","roles":["read"]}"#;
    let first = post(&server, "k1", KEYS, body).await;
    let second = post(&server, "k1", KEYS, body).await;
    assert_eq!(first.status, 201);
    assert_eq!((second.status, second.text()), (first.status, first.text()));
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(second.header("idempotency-replayed"), "true");
    let other = post(&server, "k2", KEYS, body).await;
    assert_ne!(other.text(), first.text());
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused() {
    let server = Server::start().await;
    post(&server, "k1", KEYS, r#"{"name":"a","roles":["read"]}"#).await;
    let text = "this Idempotency-Key was used for another request".to_owned();
    let refused = post(&server, "k1", KEYS, r#"{"name":"b","roles":["read"]}"#).await;
    assert_eq!(problem(&refused), (409, text.clone()));
    let refused = post(
        &server,
        "k1",
        "/convlog/v1/erasures",
        r#"{"customer_id":"a"}"#,
    )
    .await;
    assert_eq!(problem(&refused), (409, text));
    let refused = post(&server, "", KEYS, "{}").await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn after_a_failure_the_request_runs_again() {
    let server = Server::start().await;
    assert_eq!(post(&server, "k1", KEYS, "{}").await.status, 400);
    let body = r#"{"name":"a","roles":["read"]}"#;
    assert_eq!(post(&server, "k1", KEYS, body).await.status, 201);
}

#[tokio::test]
async fn after_a_day_the_key_means_a_new_request() {
    let server = Server::start().await;
    let body = r#"{"name":"a","roles":["read"]}"#;
    let first = post(&server, "k1", KEYS, body).await;
    server.clock.step(24 * 3600 * 1_000_000);
    let later = post(&server, "k1", KEYS, body).await;
    assert_eq!(later.status, 201);
    assert_ne!(later.text_at("id"), first.text_at("id"));
}

#[tokio::test]
async fn lines_without_an_id_are_stored_once() {
    let server = Server::start().await;
    let path = format!("{RECORDS}?dialect=watson-v1");
    let line = super::log(1).line().replace(r#""log_id":"log-1","#, "");
    let first = post(&server, "k1", &path, &line).await;
    assert!(
        first.text().starts_with(r#"{"accepted":1,"#),
        "{}",
        first.text()
    );
    assert_eq!(post(&server, "k1", &path, &line).await.text(), first.text());
    assert_eq!(records(&server.get(RECORDS).await).len(), 1);
    // The answer got lost with the process: the document is as it was before the request ended.
    let kept = server
        .deps
        .control
        .list("idempotency", "", "", 10)
        .await
        .unwrap();
    let (kept, version) = (kept[0].clone(), kept[0].version);
    let mut json = convlog_model::json::Json::parse(&kept.body).unwrap();
    let mut doc = json.take("doc").unwrap();
    doc.set("answer", convlog_model::json::Json::Null);
    json.set("doc", doc);
    let expect = convlog_model::control::Expect::Version(version);
    let body = json.to_string().into_bytes();
    server
        .deps
        .control
        .put("idempotency", &kept.id, &body, expect)
        .await
        .unwrap();
    let again = post(&server, "k1", &path, &line).await;
    assert!(
        again.text().starts_with(r#"{"accepted":0,"duplicates":1,"#),
        "{}",
        again.text()
    );
    assert_eq!(records(&server.get(RECORDS).await).len(), 1);
}

#[tokio::test]
async fn what_a_broken_request_has_stored_is_not_stored_again() {
    let server = Server::start().await;
    let path = format!("{RECORDS}?dialect=watson-v1");
    let line = super::log(1).line().replace(r#""log_id":"log-1","#, "");
    let pieces = [
        Ok(format!("{line}\n")),
        Err(std::io::Error::other("the client went away")),
    ];
    let request = Request::builder()
        .method("POST")
        .uri(&path)
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("idempotency-key", "k1")
        .body(Body::from_stream(futures::stream::iter(pieces)))
        .unwrap();
    assert_eq!(server.send(request).await.status, 400);
    assert_eq!(records(&server.get(RECORDS).await).len(), 1);
    let again = post(&server, "k1", &path, &line).await;
    assert!(
        again.text().starts_with(r#"{"accepted":0,"duplicates":1,"#),
        "{}",
        again.text()
    );
}

#[tokio::test]
async fn an_erasure_is_asked_for_once() {
    let server = Server::start().await;
    let path = "/convlog/v1/erasures";
    let body = r#"{"customer_id":"ada"}"#;
    let first = post(&server, "k1", path, body).await;
    assert_eq!(first.status, 202);
    assert_eq!(post(&server, "k1", path, body).await.text(), first.text());
    let text = server.get(path).await.text();
    assert_eq!(text.matches("requested_at").count(), 1, "{text}");
}

#[tokio::test]
async fn a_request_that_still_runs_is_not_run_twice() {
    let server = Server::start().await;
    let path = format!("{RECORDS}?dialect=watson-v1");
    let (lines, body) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let body = futures::stream::unfold(body, |mut body| async move {
        body.recv().await.map(|line| (line, body))
    });
    let request = Request::builder()
        .method("POST")
        .uri(&path)
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("idempotency-key", "k1")
        .body(Body::from_stream(body))
        .unwrap();
    let line = super::log(1).line();
    let first = server.send(request);
    let others = async {
        // The handler runs once it has taken a second piece off the channel.
        for _ in 0..2 {
            lines.send(Ok(format!("{line}\n"))).await.unwrap();
        }
        let refused = post(&server, "k1", &path, &line).await;
        drop(lines);
        refused
    };
    let (first, refused) = futures::join!(first, others);
    let text = "a request with this Idempotency-Key is still running";
    assert_eq!(problem(&refused), (409, text.to_owned()));
    assert!(
        first.text().starts_with(r#"{"accepted":1,"duplicates":1,"#),
        "{}",
        first.text()
    );
}
