//! Where the values of a JSON text stand in it: no string is copied to know what a body holds.

use std::ops::Range;

use super::Json;

/// Marks of a text without white space: one for each value, in the order of the text.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    marks: Vec<Mark>,
    /// What the text does not hold as it is meant: strings with escapes, numbers with an exponent.
    written: String,
}

/// One value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) kind: MarkKind,
    /// Of a member of an object.
    pub(super) key: Place,
    /// Of a string, without its quotes, or of a number.
    pub(super) text: Place,
    /// Number of the mark behind this one and all that lies in it.
    pub(super) end: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum MarkKind {
    Null,
    False,
    True,
    Number,
    String,
    Array,
    Object,
}

/// A part of the text, or of what is written beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// With the highest bit for what is written beside the text.
    start: u32,
    len: u32,
}

const BESIDE: u32 = 1 << 31;
/// Longest text that is marked.
pub(super) const TEXT_LEN_MAX: usize = (BESIDE - 1) as usize;

impl Place {
    pub(super) fn in_text(range: Range<usize>) -> Self {
        Place {
            start: number(range.start),
            len: number(range.len()),
        }
    }

    pub(super) fn len(self) -> usize {
        index(self.len)
    }

    pub(super) fn is_beside(self) -> bool {
        self.start & BESIDE != 0
    }

    fn moved(self, by: i64) -> Self {
        if self.is_beside() || self.len == 0 {
            return self;
        }
        let start = u32::try_from(i64::from(self.start) + by).unwrap_or(0);
        Place { start, ..self }
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn index(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

impl Mark {
    /// A member whose value holds no others, key and value as the text has them where that is how they
    /// would be written.
    pub(super) fn as_written<'a>(&self, text: &'a str) -> Option<&'a str> {
        let quotes = match self.kind {
            MarkKind::String => 1,
            MarkKind::Number => 0,
            _ => return None,
        };
        let is_empty = self.key.len == 0 || self.text.len == 0;
        if is_empty || self.key.is_beside() || self.text.is_beside() {
            return None;
        }
        // Nothing but a quote, a colon and perhaps another quote is between them.
        let key_end = index(self.key.start) + self.key.len();
        let start = index(self.text.start);
        if start != key_end + 2 + quotes {
            return None;
        }
        text.get(index(self.key.start).checked_sub(1)?..start + self.text.len() + quotes)
    }
}

impl Marks {
    /// Room for the marks of a text.
    pub(super) fn for_text(text: &str) -> Self {
        Marks {
            // Rarely more: a value with its key takes some 20 bytes.
            marks: Vec::with_capacity(text.len() / 20 + 4),
            written: String::new(),
        }
    }

    /// The marks of a tree, which need no text.
    pub(crate) fn of_tree(tree: &Json) -> Self {
        let mut marks = Marks::default();
        marks.add_tree(Place::default(), tree);
        marks
    }

    fn add_tree(&mut self, key: Place, tree: &Json) {
        match tree {
            Json::Null => self.push(MarkKind::Null, key),
            Json::Bool(false) => self.push(MarkKind::False, key),
            Json::Bool(true) => self.push(MarkKind::True, key),
            Json::Number(text) => self.push_written(MarkKind::Number, key, text),
            Json::String(text) => self.push_written(MarkKind::String, key, text),
            Json::Array(items) => {
                let at = self.open(MarkKind::Array, key);
                items
                    .iter()
                    .for_each(|item| self.add_tree(Place::default(), item));
                self.close(at);
            }
            Json::Object(members) => {
                let at = self.open(MarkKind::Object, key);
                for (key, member) in members {
                    let key = self.write(key);
                    self.add_tree(key, member);
                }
                self.close(at);
            }
        }
    }

    /// Writes a text beside the text.
    pub(super) fn write(&mut self, text: &str) -> Place {
        let start = number(self.written.len()) | BESIDE;
        self.written.push_str(text);
        Place {
            start,
            len: number(text.len()),
        }
    }

    pub(super) fn push(&mut self, kind: MarkKind, key: Place) {
        self.push_text(kind, key, Place::default());
    }

    fn push_written(&mut self, kind: MarkKind, key: Place, text: &str) {
        let text = self.write(text);
        self.push_text(kind, key, text);
    }

    pub(super) fn push_text(&mut self, kind: MarkKind, key: Place, text: Place) {
        self.marks.push(Mark {
            kind,
            key,
            text,
            end: number(self.marks.len() + 1),
        });
    }

    /// Begins an array or an object; its number.
    pub(super) fn open(&mut self, kind: MarkKind, key: Place) -> usize {
        self.push(kind, key);
        self.marks.len() - 1
    }

    /// Ends an array or an object.
    pub(super) fn close(&mut self, at: usize) {
        let end = number(self.marks.len());
        if let Some(mark) = self.marks.get_mut(at) {
            mark.end = end;
        }
    }

    /// The string that is all there is so far of the object that began at `at`.
    pub(super) fn only_string(&self, at: usize) -> Option<Place> {
        match self.marks.get(at + 1..)? {
            [only] if only.kind == MarkKind::String => Some(only.text),
            _ => None,
        }
    }

    /// Makes the object that began at `at`, and has one string, the number that the string is.
    pub(super) fn become_number(&mut self, at: usize) {
        let text = self.only_string(at);
        self.marks.truncate(at + 1);
        if let (Some(mark), Some(text)) = (self.marks.get_mut(at), text) {
            *mark = Mark {
                kind: MarkKind::Number,
                text,
                end: number(at + 1),
                ..*mark
            };
        }
    }

    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    pub(super) fn get(&self, at: u32) -> Option<&Mark> {
        self.marks.get(index(at))
    }

    pub(super) fn str<'a>(&'a self, text: &'a str, place: Place) -> &'a str {
        let from = match place.is_beside() {
            false => text,
            true => self.written.as_str(),
        };
        let start = index(place.start & !BESIDE);
        from.get(start..start + index(place.len))
            .unwrap_or_default()
    }

    /// The marks of an object and of those of its members that stay: `kept` says of one after the
    /// other how far their text moves, or nothing where they go.
    pub(crate) fn keep_members(self, mut kept: impl FnMut() -> Option<i64>) -> Self {
        let mut out = Vec::with_capacity(self.marks.len());
        out.extend(self.marks.first().copied());
        let mut at = 1;
        while let Some(member) = self.marks.get(at) {
            let end = index(member.end).max(at + 1);
            if let Some(by) = kept() {
                // Numbers of marks move as the marks do.
                let back = at - out.len();
                let inside = self.marks.get(at..end).unwrap_or_default().iter();
                out.extend(inside.map(|mark| Mark {
                    key: mark.key.moved(by),
                    text: mark.text.moved(by),
                    end: mark.end - number(back),
                    kind: mark.kind,
                }));
            }
            at = end;
        }
        let end = number(out.len());
        if let Some(whole) = out.first_mut() {
            whole.end = end;
        }
        Marks {
            marks: out,
            written: self.written,
        }
    }

    /// About how much memory they take, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.marks.capacity() * size_of::<Mark>() + self.written.capacity()
    }
}
