//! A place in a pattern: characters, quoted text, and what all kinds of patterns count.

use super::{PatternError, REGEXES_MAX, TERMS_MAX};

/// A place in a pattern.
#[derive(Debug)]
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
    n_terms: usize,
    n_regexes: usize,
}

/// A character of quoted text, and whether a backslash stood before it.
pub(super) type Quoted = (char, bool);

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        Cursor {
            chars: text.chars().collect(),
            at: 0,
            n_terms: 0,
            n_regexes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Column of the next character.
    pub(super) fn column(&self) -> usize {
        self.at + 1
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes `wanted` if it stands here.
    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let mut ahead = self.chars.iter().skip(self.at);
        let stands = wanted.chars().all(|c| ahead.next() == Some(&c));
        if stands {
            self.at += wanted.chars().count();
        }
        stands
    }

    /// Takes what stands here as long as it is `wanted`; perhaps nothing.
    pub(super) fn run(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let ahead = self.chars.iter().skip(self.at).copied();
        let run: String = ahead.take_while(|c| wanted(*c)).collect();
        self.at += run.chars().count();
        run
    }

    /// What `look` finds here, without taking it.
    pub(super) fn ahead<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let here = self.at;
        let found = look(self);
        self.at = here;
        found
    }

    /// The text from a column to here, as written.
    pub(super) fn since(&self, column: usize) -> String {
        let written = self.chars.get(column - 1..self.at);
        written.unwrap_or_default().iter().collect()
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
        self.at += 1;
        let mut text = Vec::new();
        loop {
            match (self.bump(), self.peek()) {
                (None, _) => return Err(PatternError::new("this quote is not closed", start)),
                (Some(c), _) if c == quote => return Ok(text),
                (Some('\\'), Some(c)) if c == quote || c == '\\' || escapable.contains(c) => {
                    self.at += 1;
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
        self.at += 1;
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
