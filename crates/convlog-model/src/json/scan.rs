//! JSON out of a text in one pass, several times faster than the visitor: marks of its values, and
//! the text without the white space between its tokens.
//!
//! It only ever says yes. Whatever it does not take (errors, deep nesting) goes to the visitor,
//! whose answer counts and whose errors name the position; the two are compared by a property test.

use std::ops::Range;

use super::NUMBER_TOKEN;
use super::marks::{MarkKind, Marks, Place, TEXT_LEN_MAX};
use super::value::Value;
use crate::number::is_number;

/// Levels that are read here, one call each.
const LEVELS_MAX: usize = 128;
/// Bytes of a string that are looked at together.
const WORD: usize = 8;

/// A text that was read.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) marks: Marks,
    /// The text without white space between tokens; `None` where it had none.
    pub(crate) compact: Option<String>,
    /// Where the members of an object stand in the text without white space, keys included.
    pub(crate) members: Vec<Range<usize>>,
}

impl Scanned {
    /// What the text holds that was read.
    pub(crate) fn value<'a>(&'a self, text: &'a str) -> Value<'a> {
        Value::marked(self.compact.as_deref().unwrap_or(text), &self.marks)
    }
}

/// Reads a text of at most `depth_max` levels; `None` where the visitor has to say.
pub(crate) fn scan(text: &str, depth_max: usize, wants_members: bool) -> Option<Scanned> {
    if text.len() > TEXT_LEN_MAX {
        return None;
    }
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        compact: String::new(),
        copied: 0,
        marks: Marks::for_text(text),
        spans: Vec::new(),
    };
    let levels = depth_max.min(LEVELS_MAX);
    match wants_members {
        true => scanner.document(levels)?,
        false => scanner.value(levels, Place::default())?,
    }
    scanner.skip_space();
    if scanner.at < scanner.bytes.len() {
        return None;
    }
    Some(Scanned {
        marks: std::mem::take(&mut scanner.marks),
        members: std::mem::take(&mut scanner.spans),
        compact: scanner.into_compact(),
    })
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// The text before `copied` without white space.
    compact: String,
    copied: usize,
    marks: Marks,
    spans: Vec<Range<usize>>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Passes over white space, which the compact text does not get.
    fn skip_space(&mut self) {
        let start = self.at;
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
        if self.at > start {
            let token = self.text.get(self.copied..start).unwrap_or_default();
            if self.compact.is_empty() {
                self.compact.reserve(self.text.len());
            }
            self.compact.push_str(token);
            self.copied = self.at;
        }
    }

    /// Where a byte of the present token stands in the compact text.
    fn compact_at(&self, at: usize) -> usize {
        self.compact.len() + at - self.copied
    }

    fn place(&self, range: Range<usize>) -> Place {
        Place::in_text(self.compact_at(range.start)..self.compact_at(range.end))
    }

    fn into_compact(mut self) -> Option<String> {
        if self.copied == 0 {
            return None;
        }
        let rest = self.text.get(self.copied..).unwrap_or_default();
        self.compact.push_str(rest);
        Some(self.compact)
    }

    /// The whole text; notes where the members of an object stand.
    fn document(&mut self, levels: usize) -> Option<()> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return self.value(levels, Place::default());
        }
        self.object(levels, Place::default(), |scanner, start| {
            let end = scanner.compact_at(scanner.at);
            scanner.spans.push(start..end);
        })
    }

    fn value(&mut self, levels: usize, key: Place) -> Option<()> {
        self.skip_space();
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                self.marks.push_text(MarkKind::String, key, text);
                Some(())
            }
            b'{' => self.object(levels, key, |_, _| ()),
            b'[' => self.array(levels, key),
            b'-' | b'0'..=b'9' => self.number(key),
            b't' => self.word("true", MarkKind::True, key),
            b'f' => self.word("false", MarkKind::False, key),
            b'n' => self.word("null", MarkKind::Null, key),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, kind: MarkKind, key: Place) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            self.marks.push(kind, key);
        })
    }

    fn array(&mut self, levels: usize, key: Place) -> Option<()> {
        let inner = levels.checked_sub(1)?;
        self.at += 1;
        let array = self.marks.open(MarkKind::Array, key);
        self.skip_space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(inner, Place::default())?;
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    self.marks.close(array);
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// `ended` is called after each member with the place where its key began.
    fn object(
        &mut self,
        levels: usize,
        key: Place,
        ended: impl Fn(&mut Self, usize),
    ) -> Option<()> {
        let inner = levels.checked_sub(1)?;
        self.at += 1;
        let object = self.marks.open(MarkKind::Object, key);
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.skip_space();
            let start = self.compact_at(self.at);
            let key = self.string()?;
            let is_first = self.marks.len() == object + 1;
            let is_token = is_first && self.said(key, self.at) == Some(NUMBER_TOKEN);
            self.skip_space();
            self.eat(b':')?;
            self.value(inner, key)?;
            ended(self, start);
            // What the visitor takes for a number is one here too.
            let string = self.marks.only_string(object).filter(|_| is_token);
            let number = string.and_then(|string| self.said(string, self.at));
            let is_number = number.is_some_and(is_number);
            self.skip_space();
            let next = self.peek()?;
            self.at += 1;
            if is_number {
                self.marks.become_number(object);
                return (next == b'}').then_some(());
            }
            match next {
                b',' => {}
                b'}' => {
                    self.marks.close(object);
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A string that was just read, up to and with the quote before `end`.
    fn said(&self, string: Place, end: usize) -> Option<&str> {
        if string.is_beside() {
            return Some(self.marks.str("", string));
        }
        let end = end.checked_sub(1)?;
        self.text.get(end.checked_sub(string.len())?..end)
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Option<Place> {
        let rest = self.text.get(self.at..)?;
        let inner = rest.strip_prefix('"')?;
        let len = plain_len(inner.as_bytes());
        if inner.as_bytes().get(len) == Some(&b'"') {
            let start = self.at + 1;
            self.at += len + 2;
            return Some(self.place(start..start + len));
        }
        let len = string_len(rest)?;
        self.at += len;
        let unescaped: String = serde_json::from_str(rest.get(..len)?).ok()?;
        Some(self.marks.write(&unescaped))
    }

    /// A number, as its text: an exponent gets `e` and a sign, as the visitor gives it.
    fn number(&mut self, key: Place) -> Option<()> {
        let start = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let Some(b'e' | b'E') = self.peek() else {
            // A digit here follows a leading zero, which whoever reads on finds wrong.
            let text = self.place(start..self.at);
            self.marks.push_text(MarkKind::Number, key, text);
            return Some(());
        };
        let mut text = self.text.get(start..self.at)?.to_owned();
        self.at += 1;
        let sign = match self.peek()? {
            sign @ (b'+' | b'-') => {
                self.at += 1;
                sign
            }
            _ => b'+',
        };
        let exponent = self.at;
        self.digits()?;
        text.push('e');
        text.push(char::from(sign));
        text.push_str(self.text.get(exponent..self.at)?);
        let text = self.marks.write(&text);
        self.marks.push_text(MarkKind::Number, key, text);
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// Bytes up to the next quote, backslash or control character.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<WORD>();
    let mut len = 0;
    for word in words {
        let special = special_bits(u64::from_le_bytes(*word));
        if special != 0 {
            // The lowest mark is exact; a carry can only set those above it.
            return len + usize::try_from(special.trailing_zeros() / 8).unwrap_or_default();
        }
        len += WORD;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    len + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Bytes of the string, quotes included, that a text begins with; its escapes may be wrong.
pub(crate) fn string_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        at += plain_len(bytes.get(at..)?);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

/// Whether a JSON string of this text is the text in quotes.
pub(crate) fn is_plain(text: &str) -> bool {
    plain_len(text.as_bytes()) == text.len()
}

/// The high bit of the lowest byte that is a quote, a backslash or a control character.
fn special_bits(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGH: u64 = ONES << 7;
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero_in(word ^ (ONES * 0x22));
    let backslash = zero_in(word ^ (ONES * 0x5C));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}

#[cfg(test)]
mod tests;
