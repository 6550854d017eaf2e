//! Event items as drafts: what others send, and lines of a bulk request.
//!
//! The raw body is kept as it came but for white space and `id`, which becomes the own id.

use std::collections::BTreeMap;

use convlog_model::flatten::LeafPath;
use convlog_model::ids::InstanceId;
use convlog_model::json::Value;
use convlog_model::record::{Body, Canonical, Dialect, Draft, Kind, ReadBody, Source};
use convlog_model::time::Timestamp;

use super::ids::IDS;
use crate::DecodeError;

/// Most bytes of an item: with every character escaped, one line stays below the 1 MiB that the Go
/// client reads.
pub const ITEM_BYTES_MAX: usize = 320 << 10;
/// Most bytes of a type.
const TYPE_BYTES_MAX: usize = 256;
/// Most bytes of an id.
const ID_BYTES_MAX: usize = 512;
/// Most values of `meta` that get a canonical name; filters find the others by their raw path.
const META_NAMES_MAX: usize = 64;

/// The draft of an event item.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn event(instance: &InstanceId, raw: &str) -> Result<Draft, DecodeError> {
    if raw.len() > ITEM_BYTES_MAX {
        let message = format!("an event must have at most {ITEM_BYTES_MAX} bytes");
        return Err(DecodeError::new(message, None));
    }
    let read = ReadBody::read(raw)?;
    let body = read.value();
    if !matches!(body, Value::Object(_)) {
        let message = format!("an event must be an object, not {}", body.type_name());
        return Err(DecodeError::new(message, None));
    }
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Event,
        dialect: Dialect::ChatBotKit,
        own_id: text(body, "id", ID_BYTES_MAX)?.map(str::to_owned),
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: Body::default(),
    };
    if text(body, "type", TYPE_BYTES_MAX)?.is_none() {
        return Err(DecodeError::new("is missing", Some("type")));
    }
    draft.set_ref("event.type", &["type"]);
    for name in ["name", "description"] {
        text(body, name, ITEM_BYTES_MAX)?;
    }
    resources(body, &mut draft)?;
    if text(body, "actor", ID_BYTES_MAX)?.is_some() {
        draft.set_ref("event.actor", &["actor"]);
        draft.set_ref("user", &["actor"]);
    }
    if let Some(outcome) = text(body, "outcome", ID_BYTES_MAX)? {
        if !matches!(outcome, "ok" | "error") {
            return Err(DecodeError::new("must be `ok` or `error`", Some("outcome")));
        }
        draft.set_ref("event.outcome", &["outcome"]);
    }
    match body.get("value") {
        None | Some(Value::Null) => {}
        Some(Value::Number(_)) => draft.set_ref("event.value", &["value"]),
        Some(other) => return Err(DecodeError::wrong_type("a number", other, "value")),
    }
    match body.get("meta") {
        None | Some(Value::Null) => {}
        Some(meta @ Value::Object(_)) => {
            names(meta, &LeafPath::of(&["meta"]), &mut draft, &mut 0);
        }
        Some(other) => return Err(DecodeError::wrong_type("an object", other, "meta")),
    }
    created(body, &mut draft)?;
    let left_out: &[&str] = match draft.own_id {
        Some(_) => &["id"],
        None => &[],
    };
    draft.raw = read.without(left_out);
    Ok(draft)
}

fn resources(body: Value<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    for name in IDS {
        if text(body, name, ID_BYTES_MAX)?.is_none() {
            continue;
        }
        refer(draft, name);
    }
    // A contact is the customer, unless the line says who else is.
    if text(body, "customer_id", ID_BYTES_MAX)?.is_some() {
        draft.set_ref("customer", &["customer_id"]);
    }
    Ok(())
}

/// Lets the fields that carry an id of an event refer to it.
pub(super) fn refer(draft: &mut Draft, id: &str) {
    draft.set_ref(&format!("event.refs.{id}"), &[id]);
    if let Some(field) = super::ids::of_turn(id) {
        draft.set_ref(field, &[id]);
    }
}

/// Gives the values of `meta` their canonical names.
fn names(value: Value<'_>, path: &LeafPath, draft: &mut Draft, n_named: &mut usize) {
    let Value::Object(members) = value else {
        return;
    };
    for (key, member) in members {
        if *n_named >= META_NAMES_MAX {
            return;
        }
        let path = path.child(key);
        match member {
            Value::Object(_) => names(member, &path, draft, n_named),
            Value::Null => {}
            _ => {
                *n_named += 1;
                let name = format!("event.{}", path.dotted());
                draft.canonical.insert(name.into(), Source::Raw(path));
            }
        }
    }
}

/// `createdAt`, in milliseconds or as a time of ISO 8601, as older answers write it.
fn created(body: Value<'_>, draft: &mut Draft) -> Result<(), DecodeError> {
    const FIELD: &str = "createdAt";
    let refused = || DecodeError::new("must be milliseconds since 1970", Some(FIELD));
    match body.get(FIELD) {
        None | Some(Value::Null) => {}
        Some(Value::Number(text)) => {
            let millis: i64 = text.parse().map_err(|_| refused())?;
            let bounds = 0..=253_402_300_799_999;
            if !bounds.contains(&millis) {
                return Err(refused());
            }
            let moment = Timestamp::from_millis(millis);
            draft.set_text("time.request", &moment.to_micros_text());
        }
        Some(Value::String(text)) => {
            Timestamp::parse_rfc3339(text).ok_or_else(refused)?;
            draft.set_ref("time.request", &[FIELD]);
        }
        Some(other) => return Err(DecodeError::wrong_type("a number", other, FIELD)),
    }
    Ok(())
}

/// The text of a member, unless it is missing, `null` or empty.
fn text<'a>(body: Value<'a>, name: &str, bytes_max: usize) -> Result<Option<&'a str>, DecodeError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() > bytes_max => {
            let message = format!("must have at most {bytes_max} bytes");
            Err(DecodeError::new(message, Some(name)))
        }
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(other) => Err(DecodeError::wrong_type("a string", other, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(raw: &str) -> Result<Draft, String> {
        event(&InstanceId::default_instance(), raw).map_err(|error| error.to_string())
    }

    #[test]
    fn an_item_is_an_event_with_its_resources_and_details() {
        let draft = decode(
            r#"{"id":"e1","type":"api.error","botId":"b","contactId":"k","actor":"a","value":1.5,
                "meta":{"a":{"b.c":1},"tags":["x"],"n":null},"createdAt":1760000003000}"#,
        )
        .unwrap();
        assert_eq!(draft.own_id.as_deref(), Some("e1"));
        let flat = draft.flat();
        for (field, expected) in [
            ("event.type", "api.error"),
            ("event.refs.botId", "b"),
            ("bot", "b"),
            ("customer", "k"),
            ("user", "a"),
            ("event.value", "1.5"),
            ("event.meta.a.b.c", "1"),
            ("event.meta.tags", "x"),
            ("time.request", "2025-10-09T08:53:23.000000Z"),
        ] {
            assert_eq!(flat.text(field), Some(expected), "{field}");
        }
        assert!(!draft.raw.as_str().contains("e1"), "{:?}", draft.raw);
    }

    #[test]
    fn mistakes_name_the_field() {
        for (raw, error) in [
            ("[]", "an event must be an object, not an array"),
            (r#"{"name":"x"}"#, "type: is missing"),
            (r#"{"type":""}"#, "type: is missing"),
            (r#"{"type":1}"#, "type: must be a string, not a number"),
            (
                r#"{"type":"x","botId":[]}"#,
                "botId: must be a string, not an array",
            ),
            (
                r#"{"type":"x","meta":"y"}"#,
                "meta: must be an object, not a string",
            ),
            (
                r#"{"type":"x","value":"1"}"#,
                "value: must be a number, not a string",
            ),
            (
                r#"{"type":"x","outcome":"bad"}"#,
                "outcome: must be `ok` or `error`",
            ),
            (
                r#"{"type":"x","createdAt":1.5}"#,
                "createdAt: must be milliseconds since 1970",
            ),
            (
                r#"{"type":"x","createdAt":"now"}"#,
                "createdAt: must be milliseconds since 1970",
            ),
        ] {
            assert_eq!(decode(raw).unwrap_err(), error, "{raw}");
        }
        let long = format!(
            r#"{{"type":"x","meta":{{"a":"{}"}}}}"#,
            "y".repeat(ITEM_BYTES_MAX)
        );
        assert_eq!(
            decode(&long).unwrap_err(),
            "an event must have at most 327680 bytes"
        );
    }
}
