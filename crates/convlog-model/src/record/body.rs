//! Raw bodies: a text, and beside it the marks of what it holds where these are known already.
//!
//! A body is read where it comes in, and what it holds is asked for again at the door and in the
//! engine: whoever has read it passes the marks on, so that nobody reads it twice.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::json::{BODY_DEPTH_MAX, DEPTH_MAX, Json, JsonError, Marks, Value, scan, write_string};

/// The raw body of a record. It cannot be changed, only replaced: text and marks always fit.
/// Two bodies are equal when their texts are.
#[derive(Clone, Default)]
pub struct Body {
    text: String,
    marks: Option<Arc<Marks>>,
}

/// What a body holds.
#[derive(Clone, Debug)]
pub struct Holding<'a> {
    text: Cow<'a, str>,
    marks: Cow<'a, Marks>,
}

impl Holding<'_> {
    /// The value.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        Value::marked(&self.text, &self.marks)
    }
}

impl Body {
    /// A text without white space, with its marks.
    fn marked(text: String, marks: Marks) -> Self {
        let marks = Some(Arc::new(marks));
        let body = Body { text, marks };
        debug_assert_eq!(
            body.known().map(Value::to_json),
            Json::of_body(&body.text),
            "marks that fit"
        );
        body
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
    pub fn known(&self) -> Option<Value<'_>> {
        let marks = self.marks.as_deref()?;
        Some(Value::marked(&self.text, marks))
    }

    /// What it holds: what is known, else read from the text now, which is not kept. `None` for
    /// what is no JSON (none was ever accepted).
    #[must_use]
    pub fn read(&self) -> Option<Holding<'_>> {
        if let Some(marks) = &self.marks {
            return Some(Holding {
                text: Cow::Borrowed(&self.text),
                marks: Cow::Borrowed(marks),
            });
        }
        match scan::scan(&self.text, BODY_DEPTH_MAX, false) {
            Some(scanned) => Some(Holding {
                text: match scanned.compact {
                    Some(compact) => Cow::Owned(compact),
                    None => Cow::Borrowed(&self.text),
                },
                marks: Cow::Owned(scanned.marks),
            }),
            // Deeper than any limit lets in.
            None => Json::of_body(&self.text).map(|tree| Holding {
                text: Cow::Borrowed(""),
                marks: Cow::Owned(Marks::of_tree(&tree)),
            }),
        }
    }

    /// Forgets the marks, for who keeps many bodies.
    pub fn forget_marks(&mut self) {
        self.marks = None;
    }

    /// About how much memory the marks take, in bytes.
    #[must_use]
    pub fn marks_memory(&self) -> usize {
        self.marks.as_deref().map_or(0, Marks::memory)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Body { text, marks: None }
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
#[derive(Clone, Debug)]
pub struct ReadBody {
    /// Without white space between tokens.
    text: String,
    marks: Marks,
    /// Where the members of an object stand in `text`.
    members: Vec<Range<usize>>,
}

impl ReadBody {
    /// Reads one JSON text, at most [`DEPTH_MAX`] levels deep.
    ///
    /// # Errors
    /// As [`Json::parse`].
    pub fn read(text: &str) -> Result<Self, JsonError> {
        if let Some(scanned) = scan::scan(text, DEPTH_MAX, true) {
            return Ok(ReadBody {
                text: scanned.compact.unwrap_or_else(|| text.to_owned()),
                marks: scanned.marks,
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
    pub fn value(&self) -> Value<'_> {
        Value::marked(&self.text, &self.marks)
    }

    /// The body: all of it, keys as they are.
    #[must_use]
    pub fn whole(self) -> Body {
        Body::marked(self.text, self.marks)
    }

    /// The body: all of it but the members of these names, values verbatim, and keys with no more
    /// escapes than they need.
    #[must_use]
    pub fn without(self, names: &[&str]) -> Body {
        let Value::Object(members) = self.value() else {
            return self.whole();
        };
        let mut kept = String::with_capacity(self.text.len());
        let mut moves = Vec::with_capacity(self.members.len());
        for ((key, _), span) in members.zip(&self.members) {
            if names.contains(&key) {
                moves.push(None);
                continue;
            }
            kept.push(if kept.is_empty() { '{' } else { ',' });
            let member = self.text.get(span.clone()).unwrap_or_default();
            let written = scan::string_len(member).unwrap_or_default();
            if written == key.len() + 2 {
                kept.push_str(member);
            } else {
                write_string(key, &mut kept);
                kept.push_str(member.get(written..).unwrap_or_default());
            }
            moves.push(Some(moved(span.end, kept.len())));
        }
        kept.push_str(if kept.is_empty() { "{}" } else { "}" });
        let mut moves = moves.into_iter();
        let marks = self.marks.keep_members(|| moves.next().flatten());
        Body::marked(kept, marks)
    }
}

/// How far it is from one place to another.
fn moved(from: usize, to: usize) -> i64 {
    let place = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    place(to) - place(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"b":1.0,"a":[null],"b":2}"#;

    #[test]
    fn the_value_comes_with_the_text_or_is_read_from_it() {
        let value = Json::of_body(TEXT).unwrap();
        let held = |body: &Body| body.read().map(|holding| holding.value().to_json());
        let mut known = ReadBody::read(TEXT).unwrap().whole();
        assert_eq!(known.known().map(Value::to_json).as_ref(), Some(&value));
        let unknown = Body::from(TEXT);
        assert!(unknown.known().is_none() && known.marks_memory() > 0);
        assert_eq!(known, unknown);
        for body in [&known, &unknown, &Body::from(format!(" {TEXT}\n"))] {
            assert_eq!(held(body).as_ref(), Some(&value));
        }
        known.forget_marks();
        assert!(known.known().is_none());
        assert_eq!(held(&Body::from("{")), None);
        let deep = format!("{}1e5{}", "[".repeat(1_000), "]".repeat(1_000));
        assert_eq!(held(&Body::from(deep.as_str())), Json::of_body(&deep));
    }

    #[test]
    fn a_body_is_read_once_and_loses_members_and_white_space() {
        let text =
            "{ \"a\" : 1.0 , \"\\u0062\\/\\\"\":{\"\\u0062\": [ ]}, \"a\":2,\"c\" : \" \" }\n";
        let read = || ReadBody::read(text).unwrap();
        assert_eq!(read().value().to_json(), Json::of_body(text).unwrap());
        let compact = r#"{"a":1.0,"\u0062\/\"":{"\u0062":[]},"a":2,"c":" "}"#;
        assert_eq!(read().whole(), compact);
        let whole = r#"{"a":1.0,"b/\"":{"\u0062":[]},"a":2,"c":" "}"#;
        for (names, kept) in [
            (&[][..], whole),
            (&["a"], r#"{"b/\"":{"\u0062":[]},"c":" "}"#),
            (&["b/\"", "c"], r#"{"a":1.0,"a":2}"#),
            (&["a", "b/\"", "c"], "{}"),
        ] {
            let body = read().without(names);
            assert_eq!(body, kept);
            assert_eq!(body.known().map(Value::to_json), Json::of_body(kept));
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
