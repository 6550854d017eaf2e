//! The event log: what is listed, streamed, subscribed to and kept, and what is refused.

mod bad_input;
mod cursors;
mod filters;
mod forms;
mod resources;
mod subscribe;

use axum::body::Body;
use axum::http::{Request, header};
use convlog_model::json::Json;

use crate::harness::{ADMIN, Answer, Server};

pub(crate) const LIST: &str = "/api/v1/event/log/list";
pub(crate) const EXPORT: &str = "/api/v1/event/log/export";
pub(crate) const CREATE: &str = "/api/v1/event/log/create";

/// Keeps an event; returns its id.
pub(crate) async fn create(server: &Server, body: &str) -> String {
    let answer = server.post(CREATE, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text_at("id")
}

/// A server with `n` foreign events `e000`… of type `t.even` and `t.odd`.
pub(crate) async fn with_events(n: usize) -> Server {
    let server = Server::start().await;
    for i in 0..n {
        let parity = if i % 2 == 0 { "even" } else { "odd" };
        let body = format!(r#"{{"id":"e{i:03}","type":"t.{parity}","meta":{{"n":{i}}}}}"#);
        create(&server, &body).await;
    }
    server
}

/// The items of a page.
pub(crate) fn items(answer: &Answer) -> Vec<Json> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    json.get("items").and_then(Json::as_array).unwrap().to_vec()
}

/// The ids of the items of a page.
pub(crate) fn ids(answer: &Answer) -> Vec<String> {
    items(answer).iter().map(|item| text(item, "id")).collect()
}

/// A text member.
pub(crate) fn text(item: &Json, name: &str) -> String {
    let text = item.get(name).and_then(Json::as_str);
    text.unwrap_or_else(|| panic!("no {name} in {item}"))
        .to_owned()
}

/// Sends a GET that accepts `accept`.
pub(crate) async fn accepting(server: &Server, uri: &str, accept: &str) -> Answer {
    let request = Request::builder()
        .uri(uri)
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
        .header(header::ACCEPT, accept);
    server.send(request.body(Body::empty()).unwrap()).await
}

/// The items of a stream of lines.
pub(crate) fn lines(text: &str) -> Vec<Json> {
    let lines = text.lines().map(|line| {
        let line = Json::parse(line.as_bytes()).unwrap();
        assert_eq!(text_of(&line), "item");
        line.get("data").unwrap().clone()
    });
    lines.collect()
}

fn text_of(line: &Json) -> String {
    text(line, "type")
}

/// All items of a walk in pages of `take`, until the empty page.
pub(crate) async fn walk(server: &Server, order: &str, take: usize, rest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let uri = format!("{LIST}?order={order}&take={take}&cursor={cursor}{rest}");
        let answer = server.get(&uri).await;
        let page = ids(&answer);
        assert!(page.len() <= take);
        cursor = answer.text_at("cursor");
        assert_eq!(cursor.is_empty(), page.is_empty());
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}
