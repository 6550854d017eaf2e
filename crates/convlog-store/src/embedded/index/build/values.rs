//! The values of records as terms: whole, and texts by their words too.

use convlog_model::flatten::{ScalarRef, Space};
use convlog_model::text::{fold, words};

use super::super::KEY_HEAD;
use super::super::term::{self, Kind};
use super::Builder;
use crate::embedded::bytes::{to_u32, to_usize};

/// A number of at most 16 bytes, as it is written; 0 for any other.
pub(super) type ShortNumber = u128;

fn short_number(text: &str) -> ShortNumber {
    match text.len() <= size_of::<ShortNumber>() {
        true => text
            .bytes()
            .fold(0, |all, byte| all << 8 | u128::from(byte)),
        false => 0,
    }
}

/// How a text is looked at: by what refers to it, and in which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    has_words: bool,
    is_keyword: bool,
    /// Whether it is a time that has a column.
    has_column: bool,
    language: u8,
}

impl Builder {
    pub(super) fn leaf(
        &mut self,
        space: Space,
        path: &[u8],
        at: u32,
        value: ScalarRef<'_>,
        language: u8,
    ) {
        if value == ScalarRef::Null {
            return;
        }
        let path = self.leaf_path(space, path);
        let present = self.only_term(path, Kind::Present, |facts| &mut facts.present);
        self.occurrences.push((present, at));
        match value {
            ScalarRef::Null => {}
            ScalarRef::Bool(truth) => {
                let value = [u8::from(truth)];
                if !self.is_again(path, Kind::Bool, &value, at) {
                    let term = self.intern(path, Kind::Bool, &value);
                    self.occurrences.push((term, at));
                    self.remember(path, term, 0);
                }
            }
            ScalarRef::Number(text) => self.number(path, text, at),
            ScalarRef::Text(text) => self.text(path, text, language, at),
        }
    }

    /// Adds the term that `put` makes of a text, and returns it.
    fn made(&mut self, path: u32, text: &str, put: fn(&mut Vec<u8>, &str) -> Kind, at: u32) -> u32 {
        let term = self.intern_with(path, |key| put(key, text));
        self.occurrences.push((term, at));
        term
    }

    /// Adds the value that last stood at a path if it is this one: what stands in many records stands in
    /// those that follow each other.
    fn is_again(&mut self, path: u32, kind: Kind, value: &[u8], at: u32) -> bool {
        let Some(last) = self.facts(path).last else {
            return false;
        };
        let key = self.terms.get(last).get(KEY_HEAD - 1..);
        let is_again = key.and_then(<[u8]>::split_first) == Some((&kind.code(), value));
        if is_again {
            self.occurrences.push((last, at));
        }
        is_again
    }

    fn number(&mut self, path: u32, text: &str, at: u32) {
        let number = short_number(text);
        let known = self.facts(path);
        if let Some(last) = known.last
            && number != 0
            && known.number == number
        {
            self.occurrences.push((last, at));
            return;
        }
        let term = self.made(path, text, term::put_number, at);
        self.remember(path, term, number);
    }

    /// Notes what [`Builder::is_again`] and [`Builder::number`] look for.
    fn remember(&mut self, path: u32, term: u32, number: ShortNumber) {
        let known = self.facts(path);
        known.last = Some(term);
        known.number = number;
    }

    /// Adds a text as a whole and, if it is one, as a moment and as words.
    fn text(&mut self, path: u32, text: &str, language: u8, at: u32) {
        let row = self.rows + 1;
        let known = *self.facts(path);
        let whole = match known.last {
            Some(last) if self.is_again(path, Kind::Text, text.as_bytes(), at) => last,
            _ => {
                let whole = self.made(path, text, term::put_text, at);
                self.remember(path, whole, 0);
                whole
            }
        };
        let view = View {
            has_words: known.is_text || known.text_row == row,
            is_keyword: !known.is_text || known.other_row == row,
            has_column: known.time_row == row && at & 0xFFFF == 0,
            language,
        };
        let place = to_usize(whole.into());
        match self.views.get(place) {
            Some(Some((known, start, end))) if *known == view => {
                let terms = to_usize((*start).into())..to_usize((*end).into());
                let terms = self.viewed.get(terms).unwrap_or_default();
                self.occurrences
                    .extend(terms.iter().map(|term| (*term, at)));
            }
            _ => {
                let before = self.occurrences.len();
                self.look(path, text, view, at);
                let start = to_u32(self.viewed.len());
                let new = self.occurrences.iter().skip(before);
                self.viewed.extend(new.map(|(term, _)| *term));
                if self.views.len() <= place {
                    self.views.resize(place + 1, None);
                }
                self.views[place] = Some((view, start, to_u32(self.viewed.len())));
            }
        }
    }

    /// Adds what a text is beside its exact form.
    fn look(&mut self, path: u32, text: &str, view: View, at: u32) {
        let may_fold = |byte: u8| byte.is_ascii_uppercase() || !byte.is_ascii();
        if view.is_keyword && text.bytes().any(may_fold) {
            let folded = fold(text);
            if folded != text {
                let (bytes, _) = term::of_folded(&folded);
                self.term(path, Kind::Folded, &bytes, at);
            }
        }
        if !view.has_column
            && let Some(micros) = term::moment(text)
        {
            self.term(path, Kind::Time, &term::of_time(micros), at);
        }
        if view.has_words {
            for word in words(text) {
                self.word(path, &word, view.language, at);
            }
        }
    }

    fn word(&mut self, path: u32, word: &str, language: u8, at: u32) {
        let term = self.made(path, word, term::put_word, at);
        if language == 0 {
            return;
        }
        let stem = match self.stems.get(&(term, language)) {
            Some(stem) => *stem,
            None => {
                let stem = self.stem(path, word, language);
                self.stems.insert((term, language), stem);
                stem
            }
        };
        if let Some(stem) = stem {
            self.occurrences.push((stem, at));
        }
    }

    /// The term of a word's stem; `None` where the stem is the word.
    fn stem(&mut self, path: u32, word: &str, class: u8) -> Option<u32> {
        let value = self.stemmed.of(word, class)?;
        Some(self.intern(path, Kind::Stem, &value))
    }
}
