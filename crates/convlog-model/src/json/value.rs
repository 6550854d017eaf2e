//! A JSON value where it stands: in a tree, or in a text by its marks.

use std::fmt;

use super::marks::{Mark, MarkKind, Marks};
use super::{Json, Text, write_string};

/// A value that is only looked at; copied for nothing.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(&'a str),
    /// A string, unescaped.
    String(&'a str),
    /// An array.
    Array(Items<'a>),
    /// An object: members in order, duplicate keys included.
    Object(Members<'a>),
}

/// The elements of an array that are still to come.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a>(Inside<'a, Json>);

/// The members of an object that are still to come.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a>(Inside<'a, (Text, Json)>);

impl Default for Items<'_> {
    /// None.
    fn default() -> Self {
        Items(Inside::Tree(&[]))
    }
}

#[derive(Debug)]
enum Inside<'a, T> {
    Tree(&'a [T]),
    Marked(Marked<'a>),
}

impl<T> Clone for Inside<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Inside<'_, T> {}

/// Marks from `at` to `end`.
#[derive(Clone, Copy, Debug)]
struct Marked<'a> {
    text: &'a str,
    marks: &'a Marks,
    at: u32,
    end: u32,
}

impl<'a> Marked<'a> {
    fn next(&mut self) -> Option<(&'a Mark, Value<'a>)> {
        if self.at >= self.end {
            return None;
        }
        let mark = self.marks.get(self.at)?;
        let inside = Marked {
            at: self.at + 1,
            end: mark.end,
            ..*self
        };
        self.at = mark.end.max(self.at + 1);
        Some((mark, inside.value(mark)))
    }

    /// The last member of that name.
    fn member(self, key: &str) -> Option<Value<'a>> {
        let mut found = None;
        let mut at = self.at;
        while at < self.end {
            let mark = self.marks.get(at)?;
            if mark.key.len() == key.len() && self.marks.str(self.text, mark.key) == key {
                found = Some(at);
            }
            at = mark.end.max(at + 1);
        }
        let mut only = Marked { at: found?, ..self };
        only.next().map(|(_, value)| value)
    }

    /// The value of a mark, which these are inside of.
    fn value(self, mark: &Mark) -> Value<'a> {
        match mark.kind {
            MarkKind::Null => Value::Null,
            MarkKind::False => Value::Bool(false),
            MarkKind::True => Value::Bool(true),
            MarkKind::Number => Value::Number(self.marks.str(self.text, mark.text)),
            MarkKind::String => Value::String(self.marks.str(self.text, mark.text)),
            MarkKind::Array => Value::Array(Items(Inside::Marked(self))),
            MarkKind::Object => Value::Object(Members(Inside::Marked(self))),
        }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match &mut self.0 {
            Inside::Tree(items) => items.split_off_first().map(Value::from),
            Inside::Marked(marked) => marked.next().map(|(_, value)| value),
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<(&'a str, Value<'a>)> {
        match &mut self.0 {
            Inside::Tree(members) => {
                let (key, value) = members.split_off_first()?;
                Some((key, value.into()))
            }
            Inside::Marked(marked) => {
                let (mark, value) = marked.next()?;
                Some((marked.marks.str(marked.text, mark.key), value))
            }
        }
    }
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(tree: &'a Json) -> Self {
        match tree {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(text) => Value::Number(text),
            Json::String(text) => Value::String(text),
            Json::Array(items) => Value::Array(Items(Inside::Tree(items))),
            Json::Object(members) => Value::Object(Members(Inside::Tree(members))),
        }
    }
}

impl<'a> Value<'a> {
    /// The value of a text without white space.
    pub(crate) fn marked(text: &'a str, marks: &'a Marks) -> Self {
        let mut whole = Marked {
            text,
            marks,
            at: 0,
            end: 1,
        };
        whole.next().map_or(Value::Null, |(_, value)| value)
    }

    /// The member `key` of an object; of duplicate keys the last, as most readers take it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        match self {
            Value::Object(Members(Inside::Marked(marked))) => marked.member(key),
            Value::Object(Members(Inside::Tree(members))) => {
                let found = members.iter().rev().find(|(name, _)| name == key);
                found.map(|(_, value)| value.into())
            }
            _ => None,
        }
    }

    /// The value behind a path of keys.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// What kind of value this is, for error texts.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The value as a tree of its own.
    #[must_use]
    pub fn to_json(self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(value),
            Value::Number(text) => Json::Number(text.into()),
            Value::String(text) => Json::string(text),
            Value::Array(items) => Json::Array(items.map(Value::to_json).collect()),
            Value::Object(members) => {
                let members = members.map(|(key, value)| (key.into(), value.to_json()));
                Json::Object(members.collect())
            }
        }
    }

    /// The compact text with the members of every object sorted by key (stable for duplicates):
    /// what the hash that recognises a resend is taken over.
    #[must_use]
    pub fn key_sorted_text(self) -> String {
        let mut out = String::with_capacity(self.len_hint());
        self.write_sorted(&mut out, &mut Vec::new());
        out
    }

    /// About as long as its text.
    fn len_hint(self) -> usize {
        match self {
            Value::Array(Items(Inside::Marked(marked)))
            | Value::Object(Members(Inside::Marked(marked))) => marked.text.len(),
            _ => 0,
        }
    }

    /// `room` is where members are sorted; what stands there already is left alone.
    fn write_sorted(self, out: &mut String, room: &mut Vec<(&'a str, u32)>) {
        match self {
            Value::Array(items) => {
                write_list(['[', ']'], items, out, |item, out| {
                    item.write_sorted(out, room)
                });
            }
            Value::Object(Members(Inside::Marked(marked))) => marked.write_sorted(out, room),
            Value::Object(members) => {
                let mut sorted: Vec<_> = members.collect();
                sorted.sort_by_key(|(key, _)| *key);
                write_list(['{', '}'], sorted, out, |(key, value), out| {
                    write_key(key, out);
                    value.write_sorted(out, room);
                });
            }
            scalar => scalar.write(out),
        }
    }

    pub(super) fn write(self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(text) => out.push_str(text),
            Value::String(text) => write_string(text, out),
            Value::Array(items) => write_list(['[', ']'], items, out, Value::write),
            Value::Object(members) => write_list(['{', '}'], members, out, |(key, value), out| {
                write_key(key, out);
                value.write(out);
            }),
        }
    }
}

impl<'a> Marked<'a> {
    /// Writes an object, the members of each sorted by key.
    fn write_sorted(self, out: &mut String, room: &mut Vec<(&'a str, u32)>) {
        let start = room.len();
        let mut at = self.at;
        while at < self.end
            && let Some(mark) = self.marks.get(at)
        {
            room.push((self.marks.str(self.text, mark.key), at));
            at = mark.end.max(at + 1);
        }
        let mine = room.get_mut(start..).unwrap_or_default();
        if !mine.is_sorted_by_key(|(key, _)| *key) {
            mine.sort_by_key(|(key, _)| *key);
        }
        let places = start..room.len();
        write_list(['{', '}'], places, out, |place, out| {
            let Some((key, at)) = room.get(place).copied() else {
                return;
            };
            match self
                .marks
                .get(at)
                .and_then(|mark| mark.as_written(self.text))
            {
                Some(written) => out.push_str(written),
                None => {
                    write_key(key, out);
                    let mut one = Marked { at, ..self };
                    let value = one.next().map_or(Value::Null, |(_, value)| value);
                    value.write_sorted(out, room);
                }
            }
        });
        room.truncate(start);
    }
}

fn write_list<T>(
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    out: &mut String,
    mut write: impl FnMut(T, &mut String),
) {
    out.push(open);
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

fn write_key(key: &str, out: &mut String) {
    write_string(key, out);
    out.push(':');
}

/// The compact JSON text.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::ReadBody;
    use crate::testkit::generate::{self, Choices};

    proptest! {
        #[test]
        fn a_text_is_sorted_as_its_tree_is(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let draft = generate::draft(&mut Choices::new(&bytes));
            let tree = Json::of_body(&draft.raw).unwrap();
            for body in [
                ReadBody::read(&draft.raw).unwrap().whole(),
                ReadBody::read(&draft.raw).unwrap().without(&["text", "a"]),
            ] {
                let known = body.known().unwrap().key_sorted_text();
                let tree = Json::of_body(&body).unwrap();
                prop_assert_eq!(known, Value::from(&tree).key_sorted_text());
            }
            let sorted = Json::of_body(&Value::from(&tree).key_sorted_text()).unwrap();
            prop_assert_eq!(Value::from(&sorted).key_sorted_text(), sorted.to_string());
        }
    }

    #[test]
    fn members_are_sorted_whatever_they_are_written_with() {
        let text =
            r#"{"":1,"c":"","b":"\u0041","\u0061":{"z":-0.50,"y":[{"b":true,"a":null}]},"d":1E5}"#;
        let sorted = r#"{"":1,"a":{"y":[{"a":null,"b":true}],"z":-0.50},"b":"A","c":"","d":1e+5}"#;
        let body = ReadBody::read(text).unwrap().whole();
        assert_eq!(body.known().unwrap().key_sorted_text(), sorted);
        let body = ReadBody::read(text).unwrap().without(&["c"]);
        let sorted = sorted.replace(r#""c":"","#, "");
        assert_eq!(body.known().unwrap().key_sorted_text(), sorted);
    }

    #[test]
    fn a_tree_and_marks_are_looked_at_alike() {
        let text = r#"{"a":[1.0,null,"\u00e9",{"b":true}],"b":{},"a":{"c":false,"é":"x"},"n":1e5}"#;
        let tree = Json::parse(text.as_bytes()).unwrap();
        let read = ReadBody::read(text).unwrap();
        for value in [Value::from(&tree), read.value()] {
            assert_eq!(value.to_json(), tree);
            assert_eq!(value.to_string(), tree.to_string());
            let last = value.get("a").unwrap();
            assert_eq!(last.to_string(), r#"{"c":false,"é":"x"}"#);
            assert_eq!(value.at(&["a", "é"]).and_then(Value::as_str), Some("x"));
            assert!(matches!(value.get("n"), Some(Value::Number("1e+5"))));
            assert!(value.get("c").is_none() && last.get("a").is_none());
            let sorted =
                r#"{"a":[1.0,null,"é",{"b":true}],"a":{"c":false,"é":"x"},"b":{},"n":1e+5}"#;
            assert_eq!(value.key_sorted_text(), sorted);
        }
    }
}
