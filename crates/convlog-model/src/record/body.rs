//! Raw bodies: a text, and beside it the value that it holds where that is known already.
//!
//! A body is read where it comes in, and what it holds is asked for again at the door and in the
//! engine: whoever has read it passes the value on, so that nobody reads it twice.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::json::Json;

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
