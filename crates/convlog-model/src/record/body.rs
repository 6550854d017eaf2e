//! Raw bodies: a text, and beside it the value that it holds where that is known already.
//!
//! A body is read where it comes in, and what it holds is asked for again at the door and in the
//! engine: whoever has read it passes the value on, so that nobody reads it twice.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::json::{DEPTH_MAX, Json, JsonError, scan, write_string};

/// The raw body of a record. It cannot be changed, only replaced: text and value never differ.
/// Two bodies are equal when their texts are.
#[derive(Clone, Default)]
pub struct Body {
    text: String,
    value: Option<Arc<Json>>,
}

impl Body {
    /// A text with the value that it holds: what [`Json::of_body`] makes of it.
    #[must_use]
    pub fn parsed(text: String, value: Json) -> Self {
        debug_assert_eq!(Json::of_body(&text).as_ref(), Some(&value));
        let value = Some(Arc::new(value));
        Body { text, value }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text alone.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// The value, where it is known without reading the text.
    #[must_use]
    pub fn known(&self) -> Option<&Json> {
        self.value.as_deref()
    }

    /// The value: the one that came with the text, else read from it now, which is not kept.
    /// `None` for what is no JSON (none was ever accepted).
    #[must_use]
    pub fn value(&self) -> Option<Cow<'_, Json>> {
        match &self.value {
            Some(value) => Some(Cow::Borrowed(value)),
            None => Json::of_body(&self.text).map(Cow::Owned),
        }
    }

    /// Forgets the value, for who keeps many bodies.
    pub fn forget_value(&mut self) {
        self.value = None;
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body { text, value: None }
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for Body {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Body {}

impl PartialEq<str> for Body {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for Body {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that was read once, before it is said what of it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadBody {
    /// Without white space between tokens.
    text: String,
    value: Json,
    /// Where the members of an object stand in `text`.
    members: Vec<Range<usize>>,
}

impl ReadBody {
    /// Reads one JSON text, at most [`DEPTH_MAX`] levels deep.
    ///
    /// # Errors
    /// As [`Json::parse`].
    pub fn read(text: &str) -> Result<Self, JsonError> {
        if let Some(scanned) = scan::scan(text.as_bytes(), DEPTH_MAX, true) {
            return Ok(ReadBody {
                text: scanned.compact.unwrap_or_else(|| text.to_owned()),
                value: scanned.value,
                members: scanned.members,
            });
        }
        // What is no error here has a number's private form as its deepest level.
        Err(Json::parse(text.as_bytes()).err().unwrap_or(JsonError {
            message: format!("nested deeper than {DEPTH_MAX} levels"),
            line: 1,
            column: text.len(),
        }))
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Json {
        &self.value
    }

    /// The text without white space between its tokens, with its value.
    #[must_use]
    pub fn into_parts(self) -> (String, Json) {
        (self.text, self.value)
    }

    /// The body: all of it but the members of these names, values verbatim, and keys with no more
    /// escapes than they need.
    #[must_use]
    pub fn without(self, names: &[&str]) -> Body {
        let ReadBody {
            text,
            mut value,
            members: spans,
        } = self;
        let Json::Object(members) = &mut value else {
            return Body::parsed(text, value);
        };
        let mut kept = String::with_capacity(text.len());
        for ((key, _), span) in members.iter().zip(spans) {
            if names.contains(&key.as_str()) {
                continue;
            }
            kept.push(if kept.is_empty() { '{' } else { ',' });
            let member = text.get(span).unwrap_or_default();
            let written = scan::string_len(member).unwrap_or_default();
            match written == key.len() + 2 {
                true => kept.push_str(member),
                false => {
                    write_string(key, &mut kept);
                    kept.push_str(member.get(written..).unwrap_or_default());
                }
            }
        }
        kept.push_str(if kept.is_empty() { "{}" } else { "}" });
        members.retain(|(key, _)| !names.contains(&key.as_str()));
        Body::parsed(kept, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"b":1.0,"a":[null],"b":2}"#;

    #[test]
    fn the_value_comes_with_the_text_or_is_read_from_it() {
        let value = Json::of_body(TEXT).unwrap();
        let mut known = Body::parsed(TEXT.to_owned(), value.clone());
        assert!(matches!(known.value(), Some(Cow::Borrowed(v)) if *v == value));
        let unknown = Body::from(TEXT);
        assert!(matches!(unknown.value(), Some(Cow::Owned(v)) if v == value));
        assert_eq!(known, unknown);
        known.forget_value();
        assert!(matches!(known.value(), Some(Cow::Owned(v)) if v == value));
        assert_eq!(Body::from("{").value(), None);
    }

    #[test]
    fn a_body_is_read_once_and_loses_members_and_white_space() {
        let text =
            "{ \"a\" : 1.0 , \"\\u0062\\/\\\"\":{\"\\u0062\": [ ]}, \"a\":2,\"c\" : \" \" }\n";
        let read = || ReadBody::read(text).unwrap();
        assert_eq!(read().value(), &Json::of_body(text).unwrap());
        let compact = r#"{"a":1.0,"\u0062\/\"":{"\u0062":[]},"a":2,"c":" "}"#;
        assert_eq!(read().into_parts().0, compact);
        let whole = r#"{"a":1.0,"b/\"":{"\u0062":[]},"a":2,"c":" "}"#;
        for (names, kept) in [
            (&[][..], whole),
            (&["a"], r#"{"b/\"":{"\u0062":[]},"c":" "}"#),
            (&["b/\"", "c"], r#"{"a":1.0,"a":2}"#),
            (&["a", "b/\"", "c"], "{}"),
        ] {
            let body = read().without(names);
            assert_eq!(body, kept);
            assert_eq!(body.known(), Json::of_body(kept).as_ref());
        }
        assert_eq!(ReadBody::read("[ 1 ]").unwrap().without(&["a"]), "[1]");
        assert_eq!(
            ReadBody::read("{\"a\":}").unwrap_err().to_string(),
            "expected value at line 1 column 6"
        );
    }

    #[test]
    fn a_body_shows_as_its_text() {
        let body = Body::from(TEXT);
        assert_eq!(format!("{body}"), TEXT);
        assert_eq!(format!("{body:?}"), format!("{TEXT:?}"));
        assert_eq!(
            (body.len(), body.clone().into_text()),
            (TEXT.len(), TEXT.to_owned())
        );
        assert_ne!(body, "{}");
    }
}
