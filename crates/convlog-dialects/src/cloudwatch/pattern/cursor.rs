//! A place in a pattern: characters, quoted text, and what all kinds of patterns count.

use std::ops::{Deref, DerefMut};

use super::{PatternError, REGEXES_MAX, TERMS_MAX};
use crate::chars::Chars;

/// A place in a pattern.
#[derive(Debug)]
pub(super) struct Cursor {
    chars: Chars,
    n_terms: usize,
    n_regexes: usize,
}

/// A character of quoted text, and whether a backslash stood before it.
pub(super) type Quoted = (char, bool);

impl Deref for Cursor {
    type Target = Chars;

    fn deref(&self) -> &Chars {
        &self.chars
    }
}

impl DerefMut for Cursor {
    fn deref_mut(&mut self) -> &mut Chars {
        &mut self.chars
    }
}

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        Cursor {
            chars: Chars::new(text),
            n_terms: 0,
            n_regexes: 0,
        }
    }

    /// What `look` finds here, without taking it.
    pub(super) fn ahead<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let here = self.at();
        let found = look(self);
        self.go_to(here);
        found
    }

    /// The text from a column to here, as written.
    pub(super) fn since(&self, column: usize) -> String {
        self.slice(column - 1, self.at())
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T, PatternError> {
        Err(PatternError::new(message, self.column()))
    }

    /// Counts a term, condition or column that begins here.
    pub(super) fn count_term(&mut self) -> Result<(), PatternError> {
        self.n_terms += 1;
        match self.n_terms > TERMS_MAX {
            true => self.error(format!("a pattern has at most {TERMS_MAX} terms")),
            false => Ok(()),
        }
    }

    /// The text between quotes; `quote` stands here. A backslash counts before `quote`, before
    /// itself and before what is `escapable`, and stands for itself elsewhere.
    pub(super) fn quoted(
        &mut self,
        quote: char,
        escapable: &str,
    ) -> Result<Vec<Quoted>, PatternError> {
        let start = self.column();
        self.bump();
        let mut text = Vec::new();
        loop {
            match (self.bump(), self.peek()) {
                (None, _) => return Err(PatternError::new("this quote is not closed", start)),
                (Some(c), _) if c == quote => return Ok(text),
                (Some('\\'), Some(c)) if c == quote || c == '\\' || escapable.contains(c) => {
                    self.bump();
                    text.push((c, true));
                }
                (Some(c), _) => text.push((c, false)),
            }
        }
    }

    /// The source of a regular expression, whose `%` stands here.
    pub(super) fn regex_source(&mut self) -> Result<Vec<char>, PatternError> {
        let start = self.column();
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            return self.error(format!(
                "a pattern has at most {REGEXES_MAX} regular expressions"
            ));
        }
        self.bump();
        let mut source = Vec::new();
        loop {
            match self.bump() {
                None => {
                    let message = "this regular expression is not closed";
                    return Err(PatternError::new(message, start));
                }
                Some('%') => return Ok(source),
                Some('\\') => {
                    source.push('\\');
                    source.extend(self.bump());
                }
                Some(c) => source.push(c),
            }
        }
    }
}

/// Quoted text of which it does not matter what was escaped.
pub(super) fn plain(quoted: &[Quoted]) -> String {
    quoted.iter().map(|(c, _)| *c).collect()
}
