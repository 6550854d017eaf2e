//! JSON as it was written: number text (but for the sign of an exponent), key order and duplicate
//! keys are kept.

pub(crate) mod marks;
mod read;
pub(crate) mod scan;
mod value;

use std::fmt;

use serde::de::DeserializeSeed;

pub use self::marks::Marks;
pub(crate) use self::read::NUMBER_TOKEN;
use self::read::Tree;
pub use self::value::{Items, Members, Value};

/// A string of a JSON value: short ones, which most keys and many values are, take no allocation.
pub type Text = compact_str::CompactString;

/// A JSON value that loses nothing but white space and string escapes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(Text),
    /// A string, unescaped.
    String(Text),
    /// An array.
    Array(Vec<Json>),
    /// An object: members in order, duplicate keys included.
    Object(Vec<(Text, Json)>),
}

/// Levels of nesting that are read unless a caller asks for less.
pub const DEPTH_MAX: usize = 100;

/// Levels of a raw body that is read again: far above what any limit lets in.
pub(crate) const BODY_DEPTH_MAX: usize = 65_535;

/// Why a text is no JSON, and where (line and column count from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at line {line} column {column}")]
pub struct JsonError {
    /// What is wrong, without any of the text.
    pub message: String,
    /// Line of the position.
    pub line: usize,
    /// Column of the position, in bytes.
    pub column: usize,
}

impl JsonError {
    /// The error of the parsing library, without the position that it writes into its text.
    #[must_use]
    pub fn from_serde(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        JsonError {
            message,
            line: error.line(),
            column: error.column(),
        }
    }
}

impl Json {
    /// Parses one JSON text, at most [`DEPTH_MAX`] levels deep.
    ///
    /// # Errors
    /// [`JsonError`] with the position; lone surrogates are refused, NUL is kept.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        Self::parse_within(text, DEPTH_MAX)
    }

    /// Parses one JSON text, at most `depth_max` levels deep.
    ///
    /// # Errors
    /// As [`Json::parse`].
    pub fn parse_within(text: &[u8], depth_max: usize) -> Result<Self, JsonError> {
        let scanned = std::str::from_utf8(text).ok().and_then(|text| {
            let scanned = scan::scan(text, depth_max, false)?;
            Some(scanned.value(text).to_json())
        });
        match scanned {
            Some(value) => Ok(value),
            None => Self::visited(text, depth_max),
        }
    }

    /// As [`Json::parse_within`], by the visitor: slower, and the one that names positions.
    fn visited(text: &[u8], depth_max: usize) -> Result<Self, JsonError> {
        let mut source = serde_json::Deserializer::from_slice(text);
        source.disable_recursion_limit();
        let seed = Tree {
            depth_left: depth_max,
            depth_max,
        };
        let value = seed
            .deserialize(&mut source)
            .map_err(|e| JsonError::from_serde(&e))?;
        source.end().map_err(|e| JsonError::from_serde(&e))?;
        Ok(value)
    }

    /// Parses a raw body that was accepted before, whose depth was bounded then; `None` for what is
    /// no JSON.
    #[must_use]
    pub fn of_body(raw: &str) -> Option<Self> {
        Self::parse_within(raw.as_bytes(), BODY_DEPTH_MAX).ok()
    }

    /// Reads one value out of a parser, at most `depth_max` levels deep.
    pub(crate) fn seed(depth_max: usize) -> impl for<'de> DeserializeSeed<'de, Value = Json> {
        Tree {
            depth_left: depth_max,
            depth_max,
        }
    }

    /// A string value.
    #[must_use]
    pub fn string(text: impl Into<Text>) -> Self {
        Json::String(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn integer(value: i64) -> Self {
        Json::Number(value.to_string().into())
    }

    /// An object of `members` in the order given.
    #[must_use]
    pub fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Json::Object(
            members
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    /// The member `key` of an object; of duplicate keys the last, as most readers take it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The value behind a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Json> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Sets the member `key` of an object, in place of an older one or at the end.
    /// Does nothing to other values.
    pub fn set(&mut self, key: &str, value: Json) {
        if let Json::Object(members) = self {
            match members.iter_mut().rev().find(|(name, _)| name == key) {
                Some((_, old)) => *old = value,
                None => members.push((key.into(), value)),
            }
        }
    }

    /// Removes and returns the member `key` of an object.
    pub fn take(&mut self, key: &str) -> Option<Json> {
        match self {
            Json::Object(members) => {
                let index = members.iter().rposition(|(name, _)| name == key)?;
                Some(members.remove(index).1)
            }
            _ => None,
        }
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth of a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A number that fits into `i64` exactly.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Json::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A number as a float, rounded as needed.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The elements of an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(Text, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// What kind of value this is, for error texts.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        Value::from(self).type_name()
    }

    /// The same value with the members of every object sorted by key (stable for duplicates):
    /// what the hash that recognises a resend is taken over.
    #[must_use]
    pub fn key_sorted(&self) -> Json {
        match self {
            Json::Array(items) => Json::Array(items.iter().map(Json::key_sorted).collect()),
            Json::Object(members) => {
                let mut sorted: Vec<_> = members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.key_sorted()))
                    .collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Object(sorted)
            }
            other => other.clone(),
        }
    }
}

/// Appends `text` as a JSON string, quotes and escapes included.
pub fn write_string(text: &str, out: &mut String) {
    // A string always serialises; the fallback only keeps the signature free of errors.
    if scan::is_plain(text) {
        out.reserve(text.len() + 2);
        out.push('"');
        out.push_str(text);
        out.push('"');
        return;
    }
    out.push_str(&serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()));
}

/// The compact JSON text.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::from(self).fmt(f)
    }
}

impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.to_string())
            .map_err(serde::ser::Error::custom)?;
        raw.serialize(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> String {
        Json::parse(text.as_bytes()).unwrap().to_string()
    }

    #[test]
    fn order_duplicates_and_number_text_are_kept() {
        for text in [
            r#"{"b":1,"a":2,"b":3}"#,
            r#"[1.0,1e+400,-0,123456789012345678901234567890]"#,
            r#"{"x":{"y":[null,true,"\u0000\n"]}}"#,
        ] {
            assert_eq!(round(text), text);
        }
        let sorted = Json::parse(br#"{"b":{"z":1,"y":2},"a":[]}"#)
            .unwrap()
            .key_sorted();
        assert_eq!(sorted.to_string(), r#"{"a":[],"b":{"y":2,"z":1}}"#);
    }

    #[test]
    fn depth_is_bounded_and_a_number_is_no_level() {
        assert!(Json::parse_within(b"[[1]]", 2).is_ok());
        let error = Json::parse_within(b"[[[1]]]", 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nested deeper than 2 levels at line 1 column 3"
        );
        let deep = "[".repeat(200_000);
        assert!(Json::parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_number_of_any_length_is_a_number_and_a_text_in_its_place_is_none() {
        let long = format!(r#"{{"a":{}}}"#, "9".repeat(5000));
        assert_eq!(round(&long), long);
        let text = r#"{"$serde_json::private::Number":"1},{"}"#;
        assert_eq!(round(text), text);
        let error = Json::parse_within(format!("[{text}]").as_bytes(), 1).unwrap_err();
        assert!(error.message.starts_with("nested deeper"), "{error}");
    }

    #[test]
    fn errors_name_the_position_and_not_the_text() {
        let error = Json::parse(b"{\"a\":\n  secret}").unwrap_err();
        assert_eq!(error.to_string(), "expected value at line 2 column 3");
        let error = Json::parse(br#""\ud800""#).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("unexpected end of hex escape"),
            "{error}"
        );
        assert!(Json::parse(b"{} {}").is_err());
    }
}
