//! JSON out of a text in one pass, several times faster than the visitor: the value, and the text
//! without the white space between its tokens.
//!
//! It only ever says yes. Whatever it does not take (errors, deep nesting) goes to the visitor,
//! whose answer counts and whose errors name the position; the two are compared by a property test.

use std::ops::Range;

use super::{Json, NUMBER_TOKEN, Text};
use crate::number::is_number;

/// Levels that are read here, one call each.
const LEVELS_MAX: usize = 128;
/// Bytes of a string that are looked at together.
const WORD: usize = 8;

/// A text that was read.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) value: Json,
    /// The text without white space between tokens; `None` where it had none.
    pub(crate) compact: Option<String>,
    /// Where the members of an object stand in the text without white space, keys included.
    pub(crate) members: Vec<Range<usize>>,
}

/// Reads a text of at most `depth_max` levels; `None` where the visitor has to say.
pub(crate) fn scan(text: &[u8], depth_max: usize, wants_members: bool) -> Option<Scanned> {
    let text = std::str::from_utf8(text).ok()?;
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        compact: String::new(),
        copied: 0,
        items: Vec::new(),
        members: Vec::new(),
        spans: Vec::new(),
    };
    let levels = depth_max.min(LEVELS_MAX);
    let value = match wants_members {
        true => scanner.document(levels)?,
        false => scanner.value(levels)?,
    };
    scanner.skip_space();
    if scanner.at < scanner.bytes.len() {
        return None;
    }
    Some(Scanned {
        value,
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
    /// Elements and members of the arrays and objects that are open: each is made in one piece when
    /// it ends.
    items: Vec<Json>,
    members: Vec<(Text, Json)>,
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

    /// Where the next byte stands in the compact text.
    fn compact_at(&self) -> usize {
        self.compact.len() + self.at - self.copied
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
    fn document(&mut self, levels: usize) -> Option<Json> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return self.value(levels);
        }
        self.object(levels, |scanner, start| {
            let end = scanner.compact_at();
            scanner.spans.push(start..end);
        })
    }

    fn value(&mut self, levels: usize) -> Option<Json> {
        self.skip_space();
        match self.peek()? {
            b'"' => self.string().map(Json::String),
            b'{' => self.object(levels, |_, _| ()),
            b'[' => self.array(levels),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let rest = self.bytes.get(self.at..)?;
        rest.starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    fn array(&mut self, levels: usize) -> Option<Json> {
        let inner = levels.checked_sub(1)?;
        self.at += 1;
        let first = self.items.len();
        self.skip_space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Json::Array(Vec::new()));
        }
        loop {
            let item = self.value(inner)?;
            self.items.push(item);
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(Json::Array(self.items.drain(first..).collect()));
                }
                _ => return None,
            }
        }
    }

    /// `ended` is called after each member with the place where its key began.
    fn object(&mut self, levels: usize, ended: impl Fn(&mut Self, usize)) -> Option<Json> {
        let inner = levels.checked_sub(1)?;
        self.at += 1;
        let first = self.members.len();
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Json::Object(Vec::new()));
        }
        loop {
            self.skip_space();
            let start = self.compact_at();
            let key = self.string()?;
            self.skip_space();
            self.eat(b':')?;
            let value = self.value(inner)?;
            ended(self, start);
            self.skip_space();
            let next = self.peek()?;
            self.at += 1;
            // What the visitor takes for a number is one here too.
            if let (NUMBER_TOKEN, true, Json::String(text)) =
                (key.as_str(), self.members.len() == first, &value)
                && is_number(text)
            {
                return (next == b'}').then(|| Json::Number(text.clone()));
            }
            self.members.push((key, value));
            match next {
                b',' => {}
                b'}' => return Some(Json::Object(self.members.drain(first..).collect())),
                _ => return None,
            }
        }
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Option<Text> {
        let rest = self.text.get(self.at..)?;
        let inner = rest.strip_prefix('"')?;
        let len = plain_len(inner.as_bytes());
        if inner.as_bytes().get(len) == Some(&b'"') {
            self.at += len + 2;
            return Some(inner.get(..len)?.into());
        }
        let len = string_len(rest)?;
        self.at += len;
        let unescaped: String = serde_json::from_str(rest.get(..len)?).ok()?;
        Some(unescaped.into())
    }

    /// A number, as its text: an exponent gets `e` and a sign, as the visitor gives it.
    fn number(&mut self) -> Option<Json> {
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
            return Some(Json::Number(self.text.get(start..self.at)?.into()));
        };
        let mut text = Text::from(self.text.get(start..self.at)?);
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
        Some(Json::Number(text))
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
