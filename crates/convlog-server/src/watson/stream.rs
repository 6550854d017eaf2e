//! A v2 answer as server-sent events: each item, then the whole.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use convlog_model::json::Json;

/// The events of an answer that is complete: a turn is answered only once it is kept, so nothing
/// can be sent before its end.
pub(super) fn events(response: &str) -> Response {
    let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
    let cache = HeaderValue::from_static("no-store");
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)];
    (StatusCode::OK, headers, text(response)).into_response()
}

fn text(response: &str) -> String {
    let mut out = String::new();
    let mut id = 0;
    let mut event = |data: &str| {
        id += 1;
        out.push_str(&format!("id: {id}\nevent: message\ndata: {data}\n\n"));
    };
    let parsed = Json::parse(response.as_bytes()).ok();
    let items = parsed
        .as_ref()
        .and_then(|body| body.at(&["output", "generic"])?.as_array());
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        let number = i64::try_from(index + 1).unwrap_or(i64::MAX);
        let metadata = Json::object([("id", Json::integer(number))]);
        if let Some(text) = item.get("text").and_then(Json::as_str) {
            let partial = Json::object([
                (
                    "response_type",
                    item.get("response_type").cloned().unwrap_or(Json::Null),
                ),
                ("text", Json::string(text)),
                ("streaming_metadata", metadata.clone()),
            ]);
            event(&Json::object([("partial_item", partial)]).to_string());
        }
        let mut complete = item.clone();
        complete.set("streaming_metadata", metadata);
        event(&Json::object([("complete_item", complete)]).to_string());
    }
    // The answer is one line: JSON as it is written here has no line ends outside of strings, and
    // an upstream server's is written anew where it has.
    let whole = match response.contains(['\n', '\r']) {
        true => parsed.map_or_else(String::new, |body| body.to_string()),
        false => response.to_owned(),
    };
    event(&format!("{{\"final_response\":{whole}}}"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_comes_before_the_whole() {
        let response = r#"{"output":{"generic":[{"response_type":"text","text":"a"},
{"response_type":"pause","time":10}]}}"#;
        let expected = r#"id: 1
event: message
data: {"partial_item":{"response_type":"text","text":"a","streaming_metadata":{"id":1}}}

id: 2
event: message
data: {"complete_item":{"response_type":"text","text":"a","streaming_metadata":{"id":1}}}

id: 3
event: message
data: {"complete_item":{"response_type":"pause","time":10,"streaming_metadata":{"id":2}}}

id: 4
event: message
data: {"final_response":{"output":{"generic":[{"response_type":"text","text":"a"},{"response_type":"pause","time":10}]}}}

"#;
        assert_eq!(text(response), expected);
    }
}
