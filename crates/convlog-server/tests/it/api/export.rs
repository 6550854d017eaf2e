//! Exports, and what comes back from them.

use convlog_model::json::Json;

use super::{EXPORT, RECORDS, load, log, problem};
use crate::harness::Server;

async fn lines(server: &Server, query: &str) -> Vec<String> {
    let answer = server.get(&format!("{EXPORT}?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().lines().map(ToOwned::to_owned).collect()
}

/// A line without what a new instance gives anew.
fn without_receipt(line: &str) -> Json {
    let mut json = Json::parse(line.as_bytes()).unwrap();
    assert!(json.take("id").is_some(), "{line}");
    let mut time = json.take("time").unwrap();
    assert!(time.take("received").is_some(), "{line}");
    json.set("time", time);
    json
}

#[tokio::test]
async fn an_export_that_is_imported_elsewhere_is_the_same() {
    let server = Server::start().await;
    let mut logs: Vec<_> = (1..=200).map(log).collect();
    logs[3].customer = Some("ada");
    load(&server, &logs).await;
    let first = lines(&server, "format=jsonl").await;
    assert_eq!(first.len(), 200);
    let (_, other) = server.instance().await;
    let path = format!("{RECORDS}?dialect=convlog");
    let answer = server.call(&other, "POST", &path, &first.join("\n")).await;
    assert!(
        answer.text().starts_with(r#"{"accepted":200,"#),
        "{}",
        answer.text()
    );
    let again = server.call(&other, "GET", EXPORT, "").await.text();
    let again: Vec<Json> = again.lines().map(without_receipt).collect();
    let first: Vec<Json> = first.iter().map(|line| without_receipt(line)).collect();
    assert_eq!(again, first);
}

#[tokio::test]
async fn a_customer_of_an_import_can_be_erased_there() {
    let server = Server::start().await;
    let mut ada = log(1);
    ada.customer = Some("ada");
    load(&server, &[ada, log(2)]).await;
    let all = lines(&server, "").await;
    let (_, other) = server.instance().await;
    let path = format!("{RECORDS}?dialect=convlog");
    server.call(&other, "POST", &path, &all.join("\n")).await;
    let body = r#"{"customer_id":"ada"}"#;
    let erased = server
        .call(&other, "POST", "/convlog/v1/erasures", body)
        .await;
    assert_eq!(erased.json().get("records"), Some(&Json::integer(1)));
    assert_eq!(
        lines(&server, "").await.len(),
        2,
        "the first instance keeps its own"
    );
}

#[tokio::test]
async fn a_watson_export_is_one_array_with_customers() {
    let server = Server::start().await;
    let mut ada = log(1);
    ada.customer = Some("ada");
    load(&server, &[ada, log(2)]).await;
    for shape in ["v1", "v2"] {
        let answer = server
            .get(&format!("{EXPORT}?format=watson-json&shape={shape}"))
            .await;
        assert_eq!(answer.header("content-type"), "application/json");
        let json = answer.json();
        let logs = json.as_array().unwrap();
        assert_eq!(logs.len(), 2);
        assert_eq!(
            logs[0].get("customer_id"),
            Some(&Json::string("ada")),
            "{shape}"
        );
        assert_eq!(
            logs[0].get("log_id"),
            Some(&Json::string("log-1")),
            "{shape}"
        );
    }
    let none = server
        .get(&format!("{EXPORT}?format=watson-json&filter=bot::none"))
        .await;
    assert_eq!(none.json(), Json::Array(Vec::new()));
}

#[tokio::test]
async fn a_table_has_the_columns_of_the_export_script() {
    let server = Server::start().await;
    load(&server, &[log(1)]).await;
    let table = lines(&server, "format=csv").await;
    assert_eq!(table.len(), 2);
    assert_eq!(
        table[0],
        "conversation_id,request_timestamp,response_timestamp,User Input,Output,Intent,\
         Confidence,Exit Reason,Logging,Context"
    );
    assert!(
        table[1].starts_with("c-log-1,2026-03-02T08:00:01.000Z,"),
        "{}",
        table[1]
    );
}

#[tokio::test]
async fn what_opted_out_is_left_out_for_improvement() {
    let server = Server::start().await;
    load(&server, &[log(1)]).await;
    let settings = r#"{"learning_opt_out":true}"#;
    assert_eq!(
        server.put("/convlog/v1/settings", settings).await.status,
        200
    );
    load(&server, &[log(2)]).await;
    assert_eq!(lines(&server, "").await.len(), 2);
    let for_training = lines(&server, "purpose=improvement").await;
    assert_eq!(for_training.len(), 1);
    assert!(for_training[0].contains("log-1"));
}

#[tokio::test]
async fn wrong_exports_name_the_parameter() {
    let server = Server::start().await;
    for (query, detail) in [
        ("format=parquet", "format: parquet is not supported yet"),
        ("format=xml", "format: must be jsonl, csv or watson-json"),
        ("shape=v2", "shape: is for the format watson-json only"),
        ("format=watson-json&shape=v3", "shape: must be v1 or v2"),
        ("purpose=fun", "purpose: must be improvement or left out"),
    ] {
        let refused = server.get(&format!("{EXPORT}?{query}")).await;
        assert_eq!(problem(&refused), (400, detail.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn an_export_shows_what_was_there_when_it_began() {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    let server = Server::start().await;
    let logs: Vec<_> = (1..=300).map(log).collect();
    load(&server, &logs).await;
    let request = Request::builder()
        .uri(EXPORT)
        .header("authorization", format!("Bearer {}", crate::harness::ADMIN))
        .body(Body::empty())
        .unwrap();
    let router = convlog_server::router(server.app.clone());
    let mut body = router.oneshot(request).await.unwrap().into_body();
    let head = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let later: Vec<_> = (301..=400).map(log).collect();
    load(&server, &later).await;
    let rest = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8([head, rest].concat()).unwrap();
    assert_eq!(text.lines().count(), 300);
}

#[tokio::test]
async fn an_export_that_fails_on_the_way_breaks_off() {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    let (server, store) = Server::closable().await;
    let logs: Vec<_> = (1..=1500).map(log).collect();
    load(&server, &logs).await;
    let request = axum::http::Request::builder()
        .uri(EXPORT)
        .header("authorization", format!("Bearer {}", crate::harness::ADMIN))
        .body(axum::body::Body::empty())
        .unwrap();
    let router = convlog_server::router(server.app.clone());
    let mut body = router.oneshot(request).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    store.close();
    let end = body.collect().await;
    assert!(end.is_err(), "a broken export must not look complete");
    assert!(
        server
            .deps
            .control
            .get("bots", "default/shop")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn exports_beyond_the_limit_wait() {
    use tower::ServiceExt as _;

    let mut config = convlog_server::ServerConfig::default();
    config.limits.exports_at_once = 1;
    let server = Server::with(config).await;
    let request = axum::http::Request::builder()
        .uri(EXPORT)
        .header("authorization", format!("Bearer {}", crate::harness::ADMIN))
        .body(axum::body::Body::empty())
        .unwrap();
    let router = convlog_server::router(server.app.clone());
    let running = router.oneshot(request).await.unwrap();
    let refused = server.get(EXPORT).await;
    assert_eq!(
        problem(&refused),
        (429, "too many exports run at present".to_owned())
    );
    drop(running);
    assert_eq!(server.get(EXPORT).await.status, 200);
}

#[tokio::test]
async fn an_export_is_an_event_of_the_audit() {
    let server = Server::start().await;
    lines(&server, "format=csv").await;
    let audit = server.get("/convlog/v1/audit").await;
    let text = audit.text();
    assert!(text.contains(r#""type":"file.download""#), "{text}");
    assert!(text.contains(r#""format":"csv""#), "{text}");
}
