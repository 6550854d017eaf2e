//! The log webhook: a live cloud assistant posts what it logs.

use std::collections::BTreeMap;

use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::record::{Canonical, Dialect, Draft, Kind};
use convlog_model::time::Timestamp;

use super::decode;
use crate::{DecodeError, splice};

/// The draft of a `message_logged` (a v2 turn) or `cdr_logged` (an event) body.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn parse(instance: &InstanceId, body: &[u8]) -> Result<Draft, DecodeError> {
    let value = Json::parse(body)?;
    let text =
        std::str::from_utf8(body).map_err(|_| DecodeError::new("the body is not UTF-8", None))?;
    let payload = match splice::member(text, "payload") {
        Some(payload) if payload.starts_with('{') => payload,
        Some(_) => return Err(DecodeError::new("must be an object", Some("payload"))),
        None => return Err(DecodeError::new("is missing", Some("payload"))),
    };
    match value.at(&["event", "name"]).and_then(Json::as_str) {
        Some("message_logged") => {
            let draft = decode::log(instance, Dialect::WatsonV2, payload);
            draft.map_err(|mut error| {
                error.path = error.path.map(|path| format!("payload.{path}"));
                error
            })
        }
        Some("cdr_logged") => Ok(call(instance, &value, payload)),
        _ => Err(DecodeError::new(
            "must be `message_logged` or `cdr_logged`",
            Some("event.name"),
        )),
    }
}

/// A phone call as an event that names the logs of its turns.
fn call(instance: &InstanceId, body: &Json, payload: &str) -> Draft {
    let text = |path: &[&str]| body.get("payload")?.at(path)?.as_str();
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Event,
        dialect: Dialect::Convlog,
        own_id: text(&["global_session_id"]).map(str::to_owned),
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: splice::compact(payload).into(),
    };
    draft.set_text("event.type", "cdr_logged");
    for (field, key) in [
        ("time.request", "start_timestamp"),
        ("time.response", "stop_timestamp"),
    ] {
        let time = text(&["call", key]).and_then(Timestamp::parse_loose);
        if let Some(time) = time {
            draft.set_text(field, &time.start.to_micros_text());
        }
    }
    if let Some(reason) = text(&["call", "end_reason"]) {
        draft.set_text("event.meta.end_reason", reason);
    }
    let list = |value: Option<&Json>| value.and_then(Json::as_array).unwrap_or_default().to_vec();
    let summaries = list(body.at(&["payload", "assistant_interaction_summaries"]));
    let mut logs = Vec::new();
    for summary in &summaries {
        let turns = list(summary.get("turns"));
        let ids = turns
            .iter()
            .filter_map(|turn| turn.at(&["assistant", "log_id"]));
        logs.extend(ids.filter(|id| id.as_str().is_some()).cloned());
    }
    if !logs.is_empty() {
        draft.set_value("event.refs.log_id", Json::Array(logs));
    }
    for (field, key) in [
        ("conversation", "session_id"),
        ("assistant", "assistant_id"),
    ] {
        let first = summaries
            .first()
            .and_then(|summary| summary.get(key)?.as_str());
        if let Some(value) = first {
            draft.set_text(field, value);
        }
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> InstanceId {
        InstanceId::default_instance()
    }

    #[test]
    fn a_logged_message_is_the_v2_log_it_holds() {
        let body = br#"{"event":{"name":"message_logged"},"payload":{"log_id":"l","session_id":"s",
            "request":{"input":{"text":"hi"}},"response":{"output":{}},"x":1.0}}"#;
        let draft = parse(&instance(), body).unwrap();
        assert_eq!(draft.own_id.as_deref(), Some("l"));
        assert_eq!(draft.dialect, Dialect::WatsonV2);
        assert!(draft.raw.ends_with(r#""x":1.0}"#), "{}", draft.raw);
    }

    #[test]
    fn a_logged_call_is_an_event_with_its_logs() {
        let body = br#"{"event":{"name":"cdr_logged"},"payload":{"global_session_id":"g",
            "call":{"start_timestamp":"2026-03-02T09:00:00Z","end_reason":"caller_hangup"},
            "assistant_interaction_summaries":[{"session_id":"s","turns":[
            {"assistant":{"log_id":"l1"}},{"assistant":{"log_id":"l2"}},{}]}]}}"#;
        let draft = parse(&instance(), body).unwrap();
        assert_eq!(draft.kind, Kind::Event);
        assert_eq!(draft.own_id.as_deref(), Some("g"));
        let flat = draft.flat();
        assert_eq!(flat.text("event.type"), Some("cdr_logged"));
        assert_eq!(flat.text("event.refs.log_id"), Some("l1"));
        assert_eq!(flat.text("conversation"), Some("s"));
        assert!(flat.time("time.request").is_some());
    }

    #[test]
    fn other_bodies_name_the_field() {
        for (body, error) in [
            (
                r#"{"event":{"name":"x"},"payload":{}}"#,
                "event.name: must be `message_logged` or `cdr_logged`",
            ),
            (
                r#"{"event":{"name":"message_logged"}}"#,
                "payload: is missing",
            ),
            (
                r#"{"event":{"name":"message_logged"},"payload":{}}"#,
                "payload.request: is missing",
            ),
            (
                r#"{"event":{"name":"cdr_logged"},"payload":1}"#,
                "payload: must be an object",
            ),
        ] {
            let got = parse(&instance(), body.as_bytes()).unwrap_err();
            assert_eq!(got.to_string(), error);
        }
    }
}
