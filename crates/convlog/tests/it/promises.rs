//! What ChatBotKit's manual promises of event logs, one test a promise, against the real process.
//! A test is named after its promise: `p09_…` is the ninth.

mod find;
mod happen;
mod keep;
mod pages;
mod record;

use serde_json::{Value, json};

use crate::events_log::{LIST, ids, items};
use crate::harness::{Client, Server};

/// Ids of the events that a query finds, in commit order; at most a page.
pub(crate) fn found(client: &Client, query: &[(&str, &str)]) -> Vec<String> {
    ids(&found_items(client, query))
}

/// The events that a query finds, in commit order; at most a page.
pub(crate) fn found_items(client: &Client, query: &[(&str, &str)]) -> Vec<Value> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs([("order", "asc"), ("take", "500")]);
    form.extend_pairs(query);
    let page = client.get(&format!("{LIST}?{}", form.finish()));
    items(&page).clone()
}

/// A further instance: its id and its first key.
pub(crate) fn instance(server: &Server) -> (String, String) {
    let made = server.send("POST", "/convlog/v1/instances", &json!({"name": "other"}));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// Says something to the echo bot of this name.
pub(crate) fn tell(server: &Server, bot: &str, words: &str, customer: &str) {
    let path = format!("/v1/workspaces/{bot}/message?version=2021-11-27");
    let header = format!("customer_id={customer}");
    let headers = [("X-Watson-Metadata", header.as_str())];
    let body = json!({"input": {"text": words}}).to_string();
    let answer = server.client().request_with("POST", &path, &body, &headers);
    let (status, text) = answer.unwrap();
    assert_eq!(status, 200, "{text}");
}
