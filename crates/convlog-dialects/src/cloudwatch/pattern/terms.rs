//! Unstructured patterns: terms that are, or are not, somewhere in a message.

use regex::Regex;

use super::PatternError;
use super::cursor::{Cursor, plain};
use super::value::parse_regex;

/// The terms of a pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    /// All of these.
    required: Vec<Term>,
    /// One of these, where there is no other term.
    optional: Vec<Term>,
    /// None of these.
    excluded: Vec<Term>,
}

#[derive(Clone, Debug)]
enum Term {
    Text(String),
    Regex(Regex),
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Term::Text(text) => message.contains(text.as_str()),
            Term::Regex(regex) => regex.is_match(message),
        }
    }
}

impl Terms {
    pub(super) fn matches(&self, message: &str) -> bool {
        let is_in = |term: &Term| term.is_in(message);
        if self.required.is_empty() && self.excluded.is_empty() {
            return self.optional.iter().any(is_in);
        }
        self.required.iter().all(is_in) && !self.excluded.iter().any(is_in)
    }

    /// Whether it is one phrase of white space, which is how clients ask for everything.
    pub(super) fn is_blank(&self) -> bool {
        let [Term::Text(text)] = self.required.as_slice() else {
            return false;
        };
        self.excluded.is_empty() && text.trim().is_empty()
    }
}

/// Reads terms up to the end.
pub(super) fn parse(cursor: &mut Cursor) -> Result<Terms, PatternError> {
    let mut terms = Terms::default();
    while cursor.peek().is_some() {
        cursor.count_term()?;
        let list = if cursor.take("-") {
            &mut terms.excluded
        } else if cursor.take("?") {
            &mut terms.optional
        } else {
            &mut terms.required
        };
        cursor.skip_spaces();
        list.push(parse_term(cursor)?);
        match cursor.peek() {
            Some(c) if !c.is_whitespace() => {
                return cursor.error("expected a space; signs in a term need quotes around it");
            }
            _ => cursor.skip_spaces(),
        }
    }
    Ok(terms)
}

fn parse_term(cursor: &mut Cursor) -> Result<Term, PatternError> {
    match cursor.peek() {
        Some('"') => Ok(Term::Text(plain(&cursor.quoted('"', "")?))),
        Some('%') => Ok(Term::Regex(parse_regex(cursor)?)),
        _ => {
            let word = cursor.take_while(|c| c.is_alphanumeric() || c == '_');
            if word.is_empty() {
                return cursor.error("expected a term; signs need quotes");
            }
            Ok(Term::Text(word))
        }
    }
}
