//! Forms of values: what may be written in the file and in the environment, and what it becomes.

use std::path::Path;
use std::time::Duration;

use convlog_model::redaction::RuleSpec;
use serde::Serialize;

use super::tables::Table;
use crate::out::wrong_use;

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Value {
    /// `"text"`
    Text(String),
    /// `1`
    Number(u64),
    /// `true`
    Bool(bool),
    /// `["a", "b"]`
    List(Vec<String>),
    /// `[[redaction.rules]]`
    Rules(Vec<RuleSpec>),
    /// `[[aws.roles]]`
    Tables(Vec<Table>),
}

/// The form of a setting's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Any text that its setter takes.
    Text,
    /// A whole number, at least this.
    Number(u64),
    /// `true` or `false`
    Bool,
    /// Several texts; separated by commas in the environment. A single one needs no brackets.
    List,
    /// Rules of redaction: a table each in the file, a JSON list in the environment.
    Rules,
    /// Tables with members of these keys, a JSON list of objects in the environment.
    Tables(&'static [&'static str]),
}

/// What is wrong with a value.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    /// Where, should that be inside of the value.
    place: Option<String>,
    /// What of the value, as it goes on behind the key.
    member: String,
    text: String,
}

impl Wrong {
    /// Something inside of the value.
    pub(super) fn inside(place: &str, member: String, text: impl Into<String>) -> Self {
        Wrong {
            place: Some(place.to_owned()),
            member,
            text: text.into(),
        }
    }

    /// The error, for a value of that key at that place.
    pub(super) fn error(self, place: &str, key: &str) -> anyhow::Error {
        let Wrong {
            place: inner,
            member,
            text,
        } = self;
        let place = inner.as_deref().unwrap_or(place);
        wrong_use(format!("{place}: `{key}{member}` {text}"))
    }
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Wrong {
            text,
            ..Wrong::default()
        }
    }
}

impl From<&str> for Wrong {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// What a number of the file can become.
pub(super) trait Numeric: Sized {
    fn of(number: u64) -> Option<Self>;
    fn number(&self) -> u64;
}

impl Numeric for u64 {
    fn of(number: u64) -> Option<Self> {
        Some(number)
    }
    fn number(&self) -> u64 {
        *self
    }
}

impl Numeric for u32 {
    fn of(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
    fn number(&self) -> u64 {
        u64::from(*self)
    }
}

impl Numeric for usize {
    fn of(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
    fn number(&self) -> u64 {
        u64::try_from(*self).unwrap_or(u64::MAX)
    }
}

/// Durations are written in seconds.
impl Numeric for Duration {
    fn of(number: u64) -> Option<Self> {
        (number <= 1 << 40).then(|| Duration::from_secs(number))
    }
    fn number(&self) -> u64 {
        self.as_secs()
    }
}

/// The number of a value.
pub(super) fn to_number<T: Numeric>(value: &Value) -> Result<T, String> {
    match value {
        Value::Number(number) => T::of(*number).ok_or_else(|| "is too large".to_owned()),
        _ => Err("must be a number".to_owned()),
    }
}

/// The text of a value, not empty.
pub(super) fn to_text(value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) if text.is_empty() => Err("must not be empty".to_owned()),
        Value::Text(text) => Ok(text),
        _ => Err("must be a text".to_owned()),
    }
}

/// The truth of a value.
pub(super) fn to_bool(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(is_true) => Ok(*is_true),
        _ => Err("must be true or false".to_owned()),
    }
}

/// The texts of a value.
pub(super) fn to_list(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::List(list) => Ok(list),
        Value::Text(text) if !text.is_empty() => Ok(vec![text]),
        _ => Err("must be a text or a list of texts".to_owned()),
    }
}

/// The rules of a value.
pub(super) fn to_rules(value: Value) -> Result<Vec<RuleSpec>, String> {
    match value {
        Value::Rules(rules) => Ok(rules),
        _ => Err("must be a list of tables".to_owned()),
    }
}

/// The tables of a value.
pub(super) fn to_tables(value: Value) -> Result<Vec<Table>, String> {
    match value {
        Value::Tables(tables) => Ok(tables),
        _ => Err("must be a list of tables".to_owned()),
    }
}

/// A path as a value.
pub(super) fn path_text(path: &Path) -> Value {
    Value::Text(path.to_string_lossy().into_owned())
}
