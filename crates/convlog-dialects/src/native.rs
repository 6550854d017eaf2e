//! convlog's own form of a record: one JSON object a line, and the rows of CSV exports.
//!
//! ```text
//! {"id", "kind", "dialect", "own_id", FIELDS…, "labels": {…}, "raw": …}
//! ```
//!
//! FIELDS are the canonical fields; a dot in a path is an object (`"time":{"request":…}`), and
//! `output`, `intents`, `entities` and `steps` are arrays of objects. `own_id` is the record's own
//! id or else its id, so that a second export says the same. `raw` is the raw body as it is kept.
//!
//! Reading gives back what was written but for `id` and `time.received`, which the engine gives:
//! the raw body is decoded by its dialect again, and only fields that differ from what it says are
//! kept beside it.

mod csv_rows;
mod fields;

use std::collections::BTreeMap;

use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::json::{Json, Text};
use convlog_model::record::{Canonical, Dialect, Draft, Kind, ReadBody, Record};

pub use self::csv_rows::{csv_header, csv_row};
pub(crate) use self::fields::open as branch;
use crate::{DecodeError, chatbotkit, lex, splice, watson};

/// A record as one line of JSON, without a line end.
#[must_use]
pub fn encode(record: &Record) -> String {
    let own_id = record.shown_id();
    let id = ("id".into(), Json::string(record.id.to_string()));
    let received = Json::string(record.received.to_micros_text());
    line(&record.draft, Some(id), Some(own_id), |canonical| {
        fields::set(canonical, "time.received", received);
    })
}

/// As [`encode`], of a record that no engine has taken in: without what engines give.
#[must_use]
pub fn encode_draft(draft: &Draft) -> String {
    line(draft, None, draft.own_id.clone(), |_| {})
}

type Members = Vec<(Text, Json)>;

fn line(
    draft: &Draft,
    id: Option<(Text, Json)>,
    own_id: Option<String>,
    add: impl FnOnce(&mut Members),
) -> String {
    let mut members: Members = id.into_iter().collect();
    members.push(("kind".into(), Json::string(draft.kind.as_str())));
    members.push(("dialect".into(), Json::string(draft.dialect.as_str())));
    members.extend(own_id.map(|id| ("own_id".into(), Json::string(id))));
    let mut canonical = fields::write(draft, &draft.flat());
    add(&mut canonical);
    members.extend(canonical);
    let labels = draft.labels.iter();
    let labels = labels.map(|(label, value)| (label.into(), Json::string(value.as_str())));
    members.push(("labels".into(), Json::Object(labels.collect())));
    let texts: Vec<(Text, String)> = members
        .into_iter()
        .map(|(key, value)| (key, value.to_string()))
        .collect();
    let raw = [("raw", draft.raw.as_str())];
    let others = texts
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    splice::object(others.chain(raw))
}

/// The draft of one line.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn decode(instance: &InstanceId, line: &str) -> Result<Draft, DecodeError> {
    let body = Json::parse(line.as_bytes())?;
    let Json::Object(members) = &body else {
        let message = format!("a record must be an object, not {}", body.type_name());
        return Err(DecodeError::new(message, None));
    };
    fields::check(members)?;
    let word = |key: &str| body.get(key).and_then(Json::as_str);
    let kind = match word("kind") {
        None => Kind::Turn,
        Some(name) => Kind::parse(name)
            .ok_or_else(|| DecodeError::new("must be `turn` or `event`", Some("kind")))?,
    };
    let dialect = match word("dialect") {
        None => Dialect::Convlog,
        Some(name) => Dialect::parse(name)
            .ok_or_else(|| DecodeError::new("is no dialect", Some("dialect")))?,
    };
    let raw = splice::member(line, "raw").unwrap_or("{}");
    let mut draft = base(instance, dialect, kind, raw)?;
    if let Some(own_id) = word("own_id").filter(|id| !id.is_empty()) {
        draft.own_id = Some(own_id.to_owned());
    }
    draft.labels = labels(&body)?;
    override_fields(&mut draft, &body);
    Ok(draft)
}

/// What the raw body says by itself.
fn base(
    instance: &InstanceId,
    dialect: Dialect,
    kind: Kind,
    raw: &str,
) -> Result<Draft, DecodeError> {
    let of_watson = matches!(dialect, Dialect::WatsonV1 | Dialect::WatsonV2);
    if of_watson
        && kind == Kind::Turn
        && let Ok(draft) = watson::decode::log(instance, dialect, raw)
    {
        return Ok(draft);
    }
    if dialect == Dialect::LexV1
        && kind == Kind::Turn
        && let Ok(draft) = lex::decode::entry(instance, raw)
    {
        return Ok(draft);
    }
    if dialect == Dialect::ChatBotKit
        && kind == Kind::Event
        && let Ok(draft) = chatbotkit::decode::event(instance, raw)
    {
        return Ok(draft);
    }
    Ok(Draft {
        instance: instance.clone(),
        kind,
        dialect,
        own_id: None,
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: ReadBody::read(raw)?.whole(),
    })
}

fn labels(body: &Json) -> Result<BTreeMap<String, String>, DecodeError> {
    let mut labels = BTreeMap::new();
    let members = match body.get("labels") {
        None | Some(Json::Null) => return Ok(labels),
        Some(Json::Object(members)) => members,
        Some(_) => return Err(DecodeError::new("must be an object", Some("labels"))),
    };
    for (label, value) in members {
        let Some(text) = value.as_str() else {
            let path = format!("labels.{label}");
            return Err(DecodeError::new("must be a string", Some(&path)));
        };
        labels.insert(label.to_string(), text.to_owned());
    }
    Ok(labels)
}

/// Keeps beside the raw body what differs from what it says.
fn override_fields(draft: &mut Draft, body: &Json) {
    let said = Json::Object(fields::write(draft, &Flat::of(draft)));
    for unit in fields::units() {
        let segments: Vec<&str> = unit.split('.').collect();
        let wanted = body.at(&segments).filter(|value| **value != Json::Null);
        if wanted == said.at(&segments) {
            continue;
        }
        let below = format!("{unit}.");
        draft
            .canonical
            .retain(|path| path != unit && !path.starts_with(&below));
        if let Some(value) = wanted {
            draft.set_value(unit, value.clone());
        }
    }
}

#[cfg(test)]
mod tests;
