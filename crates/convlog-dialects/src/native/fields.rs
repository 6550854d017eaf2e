//! Canonical fields as nested JSON, and the check of such JSON.

use convlog_model::fields::{self as model, FieldRef, FieldType};
use convlog_model::flatten::{Flat, Scalar};
use convlog_model::json::{Json, Text};
use convlog_model::record::{Draft, Source};
use convlog_model::time::Timestamp;

use crate::DecodeError;

/// Fields that stand at the top of the line by themselves, or are given by the engine.
const NOT_HERE: [&str; 6] = [
    "id",
    "kind",
    "dialect",
    "own_id",
    "time.received",
    "labels.*",
];

/// What is written and compared as one value: a field, a group, or an open branch.
pub(super) fn units() -> Vec<&'static str> {
    let mut units: Vec<&str> = Vec::new();
    for field in model::FIELDS {
        if NOT_HERE.contains(&field.path) {
            continue;
        }
        let group = model::GROUPS
            .iter()
            .find(|group| is_below(field.path, group));
        let unit = match group {
            Some(group) => group,
            None => field.path.trim_end_matches(".*"),
        };
        if units.last() != Some(&unit) {
            units.push(unit);
        }
    }
    units
}

fn is_below(path: &str, branch: &str) -> bool {
    path.strip_prefix(branch)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// The canonical fields of a draft as members of an object.
pub(super) fn write(draft: &Draft, flat: &Flat) -> Vec<(Text, Json)> {
    let mut members = Vec::new();
    for unit in units() {
        let value = if model::GROUPS.contains(&unit) {
            Some(flat.group(unit))
                .filter(|items| !items.is_empty())
                .map(Json::Array)
        } else if model::lookup(unit).is_some() {
            single(flat, unit)
        } else {
            open(draft, flat, unit)
        };
        if let Some(value) = value {
            set(&mut members, unit, value);
        }
    }
    members
}

/// The value of a plain field; several values are an array.
fn single(flat: &Flat, path: &str) -> Option<Json> {
    let field = FieldRef::canonical(path);
    let values = flat.values(&field).map(|leaf| &leaf.value);
    let mut values: Vec<Json> = values
        .filter(|value| **value != Scalar::Null)
        .map(Scalar::to_json)
        .collect();
    match values.len() {
        0 => None,
        1 => values.pop(),
        _ => Some(Json::Array(values)),
    }
}

/// A branch of free names.
pub(crate) fn open(draft: &Draft, flat: &Flat, branch: &str) -> Option<Json> {
    let mut members = Vec::new();
    for (path, source) in &draft.canonical {
        let value = match source {
            Source::Value(value) => Some(value.clone()),
            Source::Raw(_) => single(flat, path),
        };
        if path == branch {
            return value;
        }
        if let (true, Some(value)) = (is_below(path, branch), value) {
            let name = path.strip_prefix(branch).unwrap_or_default();
            set(&mut members, name.trim_start_matches('.'), value);
        }
    }
    (!members.is_empty()).then_some(Json::Object(members))
}

/// Sets the value at a dotted path; objects on the way are made.
pub(super) fn set(members: &mut Vec<(Text, Json)>, path: &str, value: Json) {
    let (key, rest) = match path.split_once('.') {
        Some((key, rest)) => (key, Some(rest)),
        None => (path, None),
    };
    let index = match members.iter().position(|(name, _)| name == key) {
        Some(index) => index,
        None => {
            members.push((key.into(), Json::Object(Vec::new())));
            members.len() - 1
        }
    };
    match (rest, members.get_mut(index)) {
        (None, Some((_, place))) => *place = value,
        (Some(rest), Some((_, Json::Object(inner)))) => set(inner, rest, value),
        _ => {}
    }
}

/// Checks that every member is known and of its type.
pub(super) fn check(members: &[(Text, Json)]) -> Result<(), DecodeError> {
    for (key, value) in members {
        if !matches!(key.as_str(), "labels" | "raw") {
            check_value(key, value)?;
        }
    }
    Ok(())
}

fn check_value(path: &str, value: &Json) -> Result<(), DecodeError> {
    let fail = |message: &str| {
        // The name is the client's own: what is shown of it is bounded.
        let shown: String = path.chars().take(100).collect();
        Err(DecodeError::new(message, Some(&shown)))
    };
    if *value == Json::Null {
        return Ok(());
    }
    if let Some(field) = model::lookup(path) {
        let several = value.as_array();
        let values = several.unwrap_or(std::slice::from_ref(value));
        // Names below an open branch may hold anything, numbers and lists included.
        let is_open = field.path.ends_with('*');
        let wrong = values
            .iter()
            .find(|value| !is_open && !is_of_type(value, field.kind));
        return match (wrong, field.kind) {
            (None, _) => Ok(()),
            (Some(_), FieldType::Number) => fail("must be a number"),
            (Some(_), FieldType::Bool) => fail("must be true or false"),
            (Some(_), FieldType::Time) => fail("must be a time in RFC 3339"),
            (Some(_), FieldType::Keyword | FieldType::Text) => fail("must be a string"),
        };
    }
    if !model::is_canonical(path) {
        return fail("is no field of a record");
    }
    match value {
        Json::Object(members) => members
            .iter()
            .try_for_each(|(key, value)| check_value(&format!("{path}.{key}"), value)),
        Json::Array(items) if model::GROUPS.contains(&path) => {
            items.iter().try_for_each(|item| match item {
                Json::Object(_) => check_value(path, item),
                _ => fail("must be an array of objects"),
            })
        }
        _ if model::GROUPS.contains(&path) => fail("must be an array of objects"),
        _ => fail("must be an object"),
    }
}

fn is_of_type(value: &Json, kind: FieldType) -> bool {
    match kind {
        FieldType::Number => matches!(value, Json::Number(_)),
        FieldType::Bool => matches!(value, Json::Bool(_)),
        FieldType::Time => value.as_str().and_then(Timestamp::parse_rfc3339).is_some(),
        // An entity's value may be a number or a boolean where its dialect says so.
        FieldType::Keyword | FieldType::Text => !matches!(value, Json::Array(_) | Json::Object(_)),
    }
}
