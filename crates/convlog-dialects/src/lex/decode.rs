//! Entries of conversation logs as drafts: live ones, and lines of a bulk request.

use std::collections::BTreeMap;

use convlog_model::ids::InstanceId;
use convlog_model::json::{Json, Value};
use convlog_model::record::{Body, Canonical, Dialect, Draft, Kind, ReadBody};
use convlog_model::time::Timestamp;

use crate::DecodeError;

/// Longest id of a customer that is taken from an attribute.
const CUSTOMER_BYTES_MAX: usize = 256;

/// The draft of an entry. The id of the request is its own id and stays in the body, where readers
/// of logs look for it. A `customer_id`, which entries have no place for and exports carry along, is
/// taken out of it: the entry of a turn is the same with and without.
///
/// # Errors
/// [`DecodeError`] naming the key.
pub fn entry(instance: &InstanceId, raw: &str) -> Result<Draft, DecodeError> {
    let read = ReadBody::read(raw)?;
    let body = read.value();
    if !matches!(body, Value::Object(_)) {
        let message = format!("an entry must be an object, not {}", body.type_name());
        return Err(DecodeError::new(message, None));
    }
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Turn,
        dialect: Dialect::LexV1,
        own_id: text(body, "requestId")?.map(str::to_owned),
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: Body::default(),
    };
    if text(body, "botName")?.is_none() {
        return Err(DecodeError::new("is missing", Some("botName")));
    }
    for (field, key) in super::fields::NAMES {
        if text(body, key)?.is_some() {
            draft.set_ref(field, &[key]);
        }
    }
    if let Some(locale) = text(body, "locale")? {
        let language = locale.split(['-', '_']).next().unwrap_or(locale);
        draft.set_text("language", &language.to_lowercase());
    }
    time(body, &mut draft)?;
    let mut left_out = Vec::new();
    if let Some(customer) = text(body, "customer_id")? {
        draft.set_text("customer", customer);
        left_out.push("customer_id");
    }
    understood(body, &mut draft)?;
    draft.raw = read.without(&left_out);
    Ok(draft)
}

/// Names the customer of an entry after a request attribute, unless the entry names one. An
/// attribute that no customer can be called after is none.
pub fn name_customer(draft: &mut Draft, attribute: &str) {
    if draft.canonical.contains_key("customer") {
        return;
    }
    let held = draft.raw.read();
    let attributes = held
        .as_ref()
        .and_then(|held| held.value().get("requestAttributes"));
    let id = attributes.and_then(|attributes| attributes.get(attribute)?.as_str());
    let is_id = |id: &&str| {
        (1..=CUSTOMER_BYTES_MAX).contains(&id.len()) && !id.chars().any(char::is_control)
    };
    if id.filter(is_id).is_some() {
        draft.set_ref("customer", &["requestAttributes", attribute]);
    }
}

fn time(body: Value<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    let Some(written) = text(body, "timestamp")? else {
        return Ok(());
    };
    let wrong = || DecodeError::new("must be a time of ISO 8601", Some("timestamp"));
    Timestamp::parse_rfc3339(written).ok_or_else(wrong)?;
    for field in ["time.request", "time.response"] {
        draft.set_ref(field, &["timestamp"]);
    }
    Ok(())
}

/// What was said and what was made of it.
fn understood(body: Value<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    if let Some(said) = text(body, "inputTranscript")? {
        let length = i64::try_from(said.chars().count()).unwrap_or(i64::MAX);
        draft.set_value("input.length", Json::integer(length));
    }
    if text(body, "botResponse")?.is_some() {
        draft.set_ref("output.text", &["botResponse"]);
    }
    intents(body, draft)?;
    entities(body, draft)?;
    let missed = match body.get("missedUtterance") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(missed)) => missed,
        Some(other) => {
            return Err(DecodeError::wrong_type(
                "a boolean",
                other,
                "missedUtterance",
            ));
        }
    };
    draft.set_value("outcome.missed", Json::Bool(missed));
    let state = text(body, "dialogState")?.unwrap_or_default();
    let is_completed = matches!(state, "Fulfilled" | "ReadyForFulfillment");
    draft.set_value("outcome.completed", Json::Bool(is_completed));
    Ok(())
}

/// The intent and its alternatives by falling confidence, as they stand there.
fn intents(body: Value<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    let mut intents = Vec::new();
    if let Some(name) = text(body, "intent")? {
        intents.push(intent(name, body.get("nluIntentConfidence")));
    }
    match body.get("alternativeIntents") {
        None | Some(Value::Null) => {}
        Some(Value::Array(items)) => {
            for (i, item) in items.enumerate() {
                let name = item.get("name").and_then(Value::as_str);
                let path = format!("alternativeIntents[{i}].name");
                let name = name.ok_or_else(|| DecodeError::new("must be a string", Some(&path)))?;
                intents.push(intent(name, item.get("nluIntentConfidence")));
            }
        }
        Some(other) => {
            return Err(DecodeError::wrong_type(
                "an array",
                other,
                "alternativeIntents",
            ));
        }
    }
    if !intents.is_empty() {
        draft.set_value("intents", Json::Array(intents));
    }
    Ok(())
}

/// Confidences are numbers, or texts that hold one.
fn intent(name: &str, confidence: Option<Value<'_>>) -> Json {
    let mut intent = Json::object([("name", Json::string(name))]);
    let written = match confidence {
        Some(Value::Number(text)) => Some(text),
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let is_number = |text: &&str| text.parse::<f64>().is_ok_and(f64::is_finite);
    if let Some(number) = written.filter(is_number).and_then(as_number) {
        intent.set("confidence", number);
    }
    intent
}

fn as_number(text: &str) -> Option<Json> {
    let parsed = Json::parse(text.as_bytes()).ok()?;
    matches!(parsed, Json::Number(_)).then_some(parsed)
}

/// The slots that have a value.
fn entities(body: Value<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    let slots = match body.get("slots") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(slots)) => slots,
        Some(other) => return Err(DecodeError::wrong_type("an object", other, "slots")),
    };
    let mut entities = Vec::new();
    for (slot, value) in slots {
        match value {
            Value::Null => {}
            Value::String(value) => entities.push(Json::object([
                ("entity", Json::string(slot)),
                ("value", Json::string(value)),
            ])),
            other => {
                let path = format!("slots.{slot}");
                return Err(DecodeError::wrong_type("a string", other, &path));
            }
        }
    }
    let n_entities = i64::try_from(entities.len()).unwrap_or(i64::MAX);
    draft.set_value("entities_count", Json::integer(n_entities));
    if !entities.is_empty() {
        draft.set_value("entities", Json::Array(entities));
    }
    Ok(())
}

/// The text of a key, unless it is missing, `null` or empty.
fn text<'a>(body: Value<'a>, key: &str) -> Result<Option<&'a str>, DecodeError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(other) => Err(DecodeError::wrong_type("a string", other, key)),
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests {
    use super::*;

    const HIT: &str = r#"{"messageVersion":"1.0","botName":"OrderFlowers","botAlias":"PROD",
        "botVersion":"3","inputTranscript":"send 12 roses","botResponse":"When?",
        "intent":"OrderFlowers","nluIntentConfidence":"0.91",
        "slots":{"count":"12","day":null},"alternativeIntents":[{"name":"Cancel",
        "nluIntentConfidence":0.2,"slots":{}}],"missedUtterance":false,
        "inputDialogMode":"Speech","requestId":"6f6d","userId":"u1","sessionId":"s1",
        "dialogState":"ElicitSlot","slotToElicit":"day","locale":"en-US",
        "timestamp":"2026-01-02T03:04:05.678Z","customer_id":"k1"}"#;

    fn decode(raw: &str) -> Result<Draft, String> {
        entry(&InstanceId::default_instance(), raw).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_has_its_canonical_fields_and_its_body() {
        let draft = decode(HIT).unwrap();
        assert_eq!(draft.own_id.as_deref(), Some("6f6d"));
        let flat = draft.flat();
        for (field, expected) in [
            ("bot", "OrderFlowers"),
            ("environment", "PROD"),
            ("version", "3"),
            ("conversation", "s1"),
            ("user", "u1"),
            ("customer", "k1"),
            ("language", "en"),
            ("locale", "en-US"),
            ("time.request", "2026-01-02T03:04:05.678Z"),
            ("input.text", "send 12 roses"),
            ("input.mode", "Speech"),
            ("output.text", "When?"),
            ("top_intent", "OrderFlowers"),
            ("intents.name", "OrderFlowers"),
            ("intents.confidence", "0.91"),
            ("entities.entity", "count"),
            ("entities.value", "12"),
            ("steps.name", "day"),
        ] {
            assert_eq!(flat.text(field), Some(expected), "{field}");
        }
        assert!(draft.raw.as_str().contains(r#""requestId":"6f6d""#));
    }

    #[test]
    fn mistakes_name_the_key() {
        for (raw, error) in [
            ("[]", "an entry must be an object, not an array"),
            ("{}", "botName: is missing"),
            (
                r#"{"botName":1}"#,
                "botName: must be a string, not a number",
            ),
            (
                r#"{"botName":"b","timestamp":"now"}"#,
                "timestamp: must be a time of ISO 8601",
            ),
            (
                r#"{"botName":"b","slots":[]}"#,
                "slots: must be an object, not an array",
            ),
            (
                r#"{"botName":"b","slots":{"a":1}}"#,
                "slots.a: must be a string, not a number",
            ),
            (
                r#"{"botName":"b","missedUtterance":"true"}"#,
                "missedUtterance: must be a boolean, not a string",
            ),
            (
                r#"{"botName":"b","alternativeIntents":[{}]}"#,
                "alternativeIntents[0].name: must be a string",
            ),
        ] {
            assert_eq!(decode(raw).unwrap_err(), error, "{raw}");
        }
    }
}
