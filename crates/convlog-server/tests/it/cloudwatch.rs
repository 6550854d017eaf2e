//! CloudWatch Logs: groups, streams, events, and what readers of Lex conversations ask for.

mod errors;
mod events;
mod filters;
mod groups;
mod insights;
mod read;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::{Canonical, Dialect, Draft, Kind};
use convlog_model::time::Timestamp;
use convlog_server::Caller;

use crate::harness::{ADMIN, Answer, Server};

/// Sends a request of an operation.
pub(crate) async fn ask(server: &Server, key: &str, operation: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method("POST")
        .uri("/")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.1")
        .header("x-amz-target", format!("Logs_20140328.{operation}"));
    let answer = server.send(request.body(Body::from(body.to_owned())).unwrap());
    let answer = answer.await;
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    answer
}

/// A request that is answered.
pub(crate) async fn call(server: &Server, operation: &str, body: &str) -> Json {
    let answer = ask(server, ADMIN, operation, body).await;
    assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
    answer.json()
}

/// A request that is refused with this code.
pub(crate) async fn refused(server: &Server, operation: &str, body: &str, code: &str) -> String {
    let answer = ask(server, ADMIN, operation, body).await;
    assert_eq!(answer.status, 400, "{operation}: {}", answer.text());
    assert_eq!(answer.text_at("__type"), code, "{}", answer.text());
    assert_eq!(answer.header("x-amzn-errortype"), code);
    answer.text_at("message")
}

/// A server with the group `lex` and the stream `s`.
async fn with_stream() -> Server {
    let server = Server::start().await;
    call(&server, "CreateLogGroup", r#"{"logGroupName":"lex"}"#).await;
    make_stream(&server, "lex", "s").await;
    server
}

async fn make_stream(server: &Server, group: &str, stream: &str) {
    let body = format!(r#"{{"logGroupName":"{group}","logStreamName":"{stream}"}}"#);
    call(server, "CreateLogStream", &body).await;
}

/// Milliseconds of now and so many more.
fn now(server: &Server, more: i64) -> i64 {
    server.app.now().millis() + more
}

/// Puts events, each so many milliseconds from now.
async fn put(server: &Server, group: &str, stream: &str, events: &[(i64, &str)]) -> Json {
    let events = events.iter().map(|(more, message)| {
        Json::object([
            ("timestamp", Json::integer(now(server, *more))),
            ("message", Json::string(*message)),
        ])
    });
    let body = Json::object([
        ("logGroupName", Json::string(group)),
        ("logStreamName", Json::string(stream)),
        ("logEvents", Json::Array(events.collect())),
    ]);
    call(server, "PutLogEvents", &body.to_string()).await
}

/// Keeps a turn of Lex as the runtime does; its raw body is `raw`.
async fn turn(server: &Server, instance: &str, stream: &str, more_ms: i64, raw: &str) {
    let instance = InstanceId::new(instance).unwrap();
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Turn,
        dialect: Dialect::LexV1,
        own_id: None,
        canonical: Canonical::new(),
        labels: BTreeMap::from([
            ("log_group".to_owned(), "lex".to_owned()),
            ("log_stream".to_owned(), stream.to_owned()),
        ]),
        raw: raw.to_owned().into(),
    };
    let at = Timestamp::from_millis(now(server, more_ms));
    draft.set_text("time.request", &at.to_micros_text());
    draft.set_ref("bot", &["botName"]);
    let caller = Caller::system(instance);
    let kept = server.app.ingest().live(&caller, draft, None);
    kept.await.unwrap().unwrap();
}

/// The texts of a member of each item of a list.
fn texts(answer: &Json, list: &str, member: &str) -> Vec<String> {
    let items = answer.get(list).and_then(Json::as_array).unwrap();
    let texts = items.iter().map(|item| {
        let text = item.get(member).and_then(Json::as_str);
        text.unwrap_or_else(|| panic!("no {member} in {item}"))
            .to_owned()
    });
    texts.collect()
}

fn text<'a>(json: &'a Json, member: &str) -> &'a str {
    let text = json.get(member).and_then(Json::as_str);
    text.unwrap_or_else(|| panic!("no {member} in {json}"))
}
