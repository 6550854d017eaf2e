//! Reads JSON objects that clients send: every mistake names its field, unknown and repeated
//! fields are refused.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use convlog_model::json::{Json, Text};

use crate::error::Fault;

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} {message}")]
pub struct FieldError {
    /// Path of the field, such as `connector.intents[2].name`.
    pub path: String,
    /// What is wrong with it; reads as a sentence after the path.
    pub message: String,
}

impl FieldError {
    /// An error at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        FieldError {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl From<FieldError> for Fault {
    fn from(error: FieldError) -> Self {
        let message = error.to_string();
        Fault::bad_at(error.path, message)
    }
}

/// One object while it is read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    path: String,
    members: &'a [(Text, Json)],
    known: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    /// Begins to read the object at `path`; the empty path is the document itself.
    ///
    /// # Errors
    /// When the value is no object or has a key twice.
    pub(crate) fn new(value: &'a Json, path: &str) -> Result<Self, FieldError> {
        let Some(members) = value.as_object() else {
            let whole = if path.is_empty() { "the body" } else { path };
            let message = format!("must be an object, not {}", value.type_name());
            return Err(FieldError::new(whole, message));
        };
        let mut seen = BTreeSet::new();
        if let Some((key, _)) = members.iter().find(|(key, _)| !seen.insert(key.as_str())) {
            return Err(FieldError::new(join(path, key), "stands there twice"));
        }
        Ok(Reader {
            path: path.to_owned(),
            members,
            known: BTreeSet::new(),
        })
    }

    /// The path of a member.
    #[must_use]
    pub(crate) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Any value; `null` counts as missing.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'a Json> {
        self.known.insert(key);
        self.members
            .iter()
            .find(|(name, value)| name == key && *value != Json::Null)
            .map(|(_, value)| value)
    }

    /// Accepts and ignores a field that only answers carry, so that an answer can be sent back.
    pub(crate) fn ignore(&mut self, key: &'static str) {
        self.known.insert(key);
    }

    /// A text of 1 to `max_len` bytes.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn text(
        &mut self,
        key: &'static str,
        max_len: usize,
    ) -> Result<Option<String>, FieldError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let text = value
            .as_str()
            .ok_or_else(|| self.wrong(key, "a string", value))?;
        if text.is_empty() || text.len() > max_len {
            let message = format!("must have 1 to {max_len} bytes");
            return Err(FieldError::new(self.path_of(key), message));
        }
        if text.chars().any(|c| c.is_control()) {
            let message = "must not hold control characters";
            return Err(FieldError::new(self.path_of(key), message));
        }
        Ok(Some(text.to_owned()))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub(crate) fn required_text(
        &mut self,
        key: &'static str,
        max_len: usize,
    ) -> Result<String, FieldError> {
        self.text(key, max_len)?
            .ok_or_else(|| FieldError::new(self.path_of(key), "is required"))
    }

    /// A boolean.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, FieldError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        match value.as_bool() {
            Some(flag) => Ok(Some(flag)),
            None => Err(self.wrong(key, "true or false", value)),
        }
    }

    /// A whole number within `range`.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn whole(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, FieldError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        whole_number(value, &self.path_of(key), range).map(Some)
    }

    /// An array of at most `max_len` elements, each with its path.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn array(
        &mut self,
        key: &'static str,
        max_len: usize,
    ) -> Result<Vec<(String, &'a Json)>, FieldError> {
        let Some(value) = self.value(key) else {
            return Ok(Vec::new());
        };
        let items = value
            .as_array()
            .ok_or_else(|| self.wrong(key, "an array", value))?;
        let path = self.path_of(key);
        if items.len() > max_len {
            let message = format!("must have at most {max_len} elements");
            return Err(FieldError::new(path, message));
        }
        let numbered = items.iter().enumerate();
        Ok(numbered
            .map(|(i, item)| (format!("{path}[{i}]"), item))
            .collect())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When the object has a field that nobody asked for.
    pub(crate) fn finish(self) -> Result<(), FieldError> {
        let unknown = self
            .members
            .iter()
            .find(|(key, _)| !self.known.contains(key.as_str()));
        match unknown {
            Some((key, _)) => {
                let names: Vec<&str> = self.known.iter().copied().collect();
                let message = format!("is unknown; known are {}", names.join(", "));
                Err(FieldError::new(join(&self.path, key), message))
            }
            None => Ok(()),
        }
    }

    fn wrong(&self, key: &str, expected: &str, value: &Json) -> FieldError {
        let message = format!("must be {expected}, not {}", value.type_name());
        FieldError::new(self.path_of(key), message)
    }
}

/// A whole number within `range`.
///
/// # Errors
/// When the value is something else.
pub(crate) fn whole_number(
    value: &Json,
    path: &str,
    range: RangeInclusive<u32>,
) -> Result<u32, FieldError> {
    value
        .as_i64()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| {
            let message = format!(
                "must be a whole number from {} to {}",
                range.start(),
                range.end()
            );
            FieldError::new(path, message)
        })
}

// Keys come from the client: long or odd ones are cut and cleaned before they stand in a text.
fn join(path: &str, key: &str) -> String {
    let key: String = key.chars().filter(|c| !c.is_control()).take(64).collect();
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn members_are_read_by_type() {
        let value = json(r#"{"a":"x","b":true,"c":7,"d":[1],"e":null}"#);
        let mut reader = Reader::new(&value, "").unwrap();
        assert_eq!(reader.required_text("a", 10).unwrap(), "x");
        assert_eq!(reader.flag("b").unwrap(), Some(true));
        assert_eq!(reader.whole("c", 0..=9).unwrap(), Some(7));
        assert_eq!(reader.array("d", 3).unwrap().len(), 1);
        assert_eq!(reader.text("e", 3).unwrap(), None);
        reader.finish().unwrap();
    }

    fn error(text: &str, read: impl FnOnce(&mut Reader<'_>) -> Result<(), FieldError>) -> String {
        let value = json(text);
        let outcome = Reader::new(&value, "bot").and_then(|mut reader| {
            read(&mut reader)?;
            reader.finish()
        });
        outcome.unwrap_err().to_string()
    }

    #[test]
    fn mistakes_name_the_field() {
        assert_eq!(
            error("[]", |_| Ok(())),
            "bot must be an object, not an array"
        );
        assert_eq!(
            error(r#"{"a":1,"a":2}"#, |_| Ok(())),
            "bot.a stands there twice"
        );
        assert_eq!(
            error(r#"{"a":1}"#, |r| r.text("a", 3).map(|_| ())),
            "bot.a must be a string, not a number"
        );
        assert_eq!(
            error(r#"{"a":1,"z":2}"#, |r| r.whole("a", 0..=9).map(|_| ())),
            "bot.z is unknown; known are a"
        );
        assert_eq!(
            error(r#"{"a":10.5}"#, |r| r.whole("a", 0..=9).map(|_| ())),
            "bot.a must be a whole number from 0 to 9"
        );
        assert_eq!(
            error("{}", |r| r.required_text("a", 3).map(|_| ())),
            "bot.a is required"
        );
    }
}
