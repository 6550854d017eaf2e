//! What the tests of the Watson dialect share: bots, messages, lists.

mod bad_input;
mod definitions;
mod erase;
mod filter;
mod lists;
mod message_v1;
mod message_v2;
mod settings;
mod tokens;
mod webhook;

use axum::body::Body;
use axum::http::{Request, header};
use convlog_model::json::Json;

use crate::harness::{ADMIN, Answer, Server};

pub(crate) const V1: &str = "version=2021-11-27";
pub(crate) const V2: &str = "version=2024-08-25";

/// Makes a bot of this document.
pub(crate) async fn bot(server: &Server, id: &str, body: &str) {
    let answer = server.put(&format!("/convlog/v1/bots/{id}"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A server with the bot `W1`, which says what it hears.
pub(crate) async fn with_echo() -> Server {
    let server = Server::start().await;
    bot(&server, "W1", r#"{"connector":{"kind":"echo"}}"#).await;
    server
}

/// Sends a request with headers of its own.
pub(crate) async fn send(
    server: &Server,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    server.send(request).await
}

/// A v1 message that is answered.
pub(crate) async fn say(server: &Server, bot: &str, body: &str) -> Json {
    say_as(server, bot, &[], body).await
}

/// A v1 message with headers of its own that is answered.
pub(crate) async fn say_as(
    server: &Server,
    bot: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Json {
    let uri = format!("/v1/workspaces/{bot}/message?{V1}");
    let answer = send(server, "POST", &uri, headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The logs of a list that is answered.
pub(crate) async fn logs(server: &Server, uri: &str) -> Vec<Json> {
    let answer = server.get(uri).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    body.get("logs").and_then(Json::as_array).unwrap().to_vec()
}

/// The logs of a workspace that match a filter.
pub(crate) async fn logs_of(server: &Server, bot: &str, filter: &str) -> Vec<Json> {
    let filter = encoded(filter);
    logs(
        server,
        &format!("/v1/workspaces/{bot}/logs?{V1}&filter={filter}"),
    )
    .await
}

/// A text in a query.
pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The text at a path.
pub(crate) fn text<'a>(json: &'a Json, path: &[&str]) -> &'a str {
    let found = json.at(path).and_then(Json::as_str);
    found.unwrap_or_else(|| panic!("no text at {path:?} in {json}"))
}

/// The error of an answer: status, `error`, first detail's message and path.
pub(crate) fn error(answer: &Answer) -> (u16, String, String, String) {
    let body = answer.json();
    assert_eq!(
        answer.header("content-type"),
        "application/json; charset=utf-8"
    );
    let status = answer.status.as_u16();
    assert_eq!(
        body.get("code"),
        Some(&Json::integer(status.into())),
        "{body}"
    );
    let detail = body
        .get("errors")
        .and_then(|errors| errors.as_array()?.first());
    let of = |key| {
        let text = detail.and_then(|detail| detail.get(key)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    (
        status,
        text(&body, &["error"]).to_owned(),
        of("message"),
        of("path"),
    )
}

/// Keeps records as an import does.
pub(crate) async fn import(server: &Server, dialect: &str, lines: &str) {
    let uri = format!("/convlog/v1/records?dialect={dialect}");
    let answer = server.post(&uri, lines).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let rejected = answer.json().get("rejected").cloned();
    assert_eq!(rejected, Some(Json::Array(Vec::new())), "{}", answer.text());
}
