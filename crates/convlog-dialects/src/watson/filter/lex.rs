//! Characters of a filter: names, operators, terms.

use std::ops::{Deref, DerefMut};

use convlog_model::filter::CompareOp;

use super::FilterError;
use super::syntax::{Op, Term};
use crate::chars::Chars;

/// What a backslash may stand before, besides white space; behind other characters it would hide a
/// typing error.
const ESCAPABLE: &str = "\"\\()[],|^~:<>=!*.";

/// A place in a filter.
#[derive(Debug)]
pub(super) struct Lexer {
    chars: Chars,
}

/// One character of a word.
enum Piece {
    /// As it stands or escaped: only itself.
    Literal(char),
    /// An unescaped `*`.
    Star,
    /// An unescaped `~`.
    Tilde,
}

impl Deref for Lexer {
    type Target = Chars;

    fn deref(&self) -> &Chars {
        &self.chars
    }
}

impl DerefMut for Lexer {
    fn deref_mut(&mut self) -> &mut Chars {
        &mut self.chars
    }
}

impl Lexer {
    pub(super) fn new(text: &str) -> Self {
        Lexer {
            chars: Chars::new(text),
        }
    }

    /// The closing bracket of an opening one that stands here, which is taken.
    pub(super) fn open(&mut self) -> Option<char> {
        let close = match self.peek()? {
            '(' => ')',
            '[' => ']',
            _ => return None,
        };
        self.bump();
        Some(close)
    }

    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T, FilterError> {
        Err(FilterError::new(message, self.column()))
    }

    /// A location: segments joined by dots.
    pub(super) fn location(&mut self) -> Result<String, FilterError> {
        let mut path = self.segment(true)?;
        while self.peek() == Some('.') {
            self.bump();
            path.push('.');
            path.push_str(&self.segment(false)?);
        }
        Ok(path)
    }

    fn segment(&mut self, first: bool) -> Result<String, FilterError> {
        if self.peek() == Some('"') {
            let column = self.column();
            let segment = self.phrase()?;
            if segment.is_empty() {
                return Err(FilterError::new("empty name", column));
            }
            return Ok(segment);
        }
        let mut name = String::new();
        while let Some(c) = self.peek() {
            let legal = c.is_alphabetic()
                || c == '_'
                || (c.is_numeric() || c == '-') && !(first && name.is_empty());
            if !legal {
                break;
            }
            name.push(c);
            self.bump();
        }
        if name.is_empty() {
            return self.error("expected the name of a field");
        }
        Ok(name)
    }

    /// An operator and whether it is negated.
    pub(super) fn operator(&mut self) -> Option<(Op, bool)> {
        const OPERATORS: [(&str, Op, bool); 8] = [
            ("::!", Op::Equals, true),
            ("::", Op::Equals, false),
            (":!", Op::Matches, true),
            (":", Op::Matches, false),
            ("<=", Op::Compare(CompareOp::Le), false),
            ("<", Op::Compare(CompareOp::Lt), false),
            (">=", Op::Compare(CompareOp::Ge), false),
            (">", Op::Compare(CompareOp::Gt), false),
        ];
        let found = OPERATORS.into_iter().find(|(text, ..)| self.take(text));
        found.map(|(_, op, negated)| (op, negated))
    }

    /// Whether a location and an operator stand here, behind opening brackets or not, or an empty
    /// group: then what stands here is a condition and no value.
    pub(super) fn looks_like_condition(&mut self) -> bool {
        let here = self.at();
        let found = self.passes_condition();
        self.go_to(here);
        found
    }

    fn passes_condition(&mut self) -> bool {
        let mut close = None;
        loop {
            self.skip_spaces();
            if let Some(opened) = self.open() {
                close = Some(opened);
            } else if close.is_some() && self.peek() == close {
                return true;
            } else if !self.take("!") {
                break;
            }
        }
        if self.location().is_err() {
            return false;
        }
        self.skip_spaces();
        self.operator().is_some()
    }

    /// Text between quotes.
    fn phrase(&mut self) -> Result<String, FilterError> {
        let start = self.column();
        self.bump();
        let mut text = String::new();
        loop {
            match (self.bump(), self.peek()) {
                (None, _) => return Err(FilterError::new("this quote is not closed", start)),
                (Some('"'), _) => return Ok(text),
                (Some('\\'), Some(escaped @ ('"' | '\\'))) => {
                    self.bump();
                    text.push(escaped);
                }
                (Some(c), _) => text.push(c),
            }
        }
    }

    /// A term, with white space around it taken.
    pub(super) fn term(&mut self) -> Result<Term, FilterError> {
        self.skip_spaces();
        let column = self.column();
        let term = match self.peek() {
            Some('"') => self.quoted_term(column)?,
            Some('<' | '>') => return self.error("a value that begins so needs a backslash"),
            _ => self.word(column)?,
        };
        self.skip_spaces();
        Ok(term)
    }

    fn quoted_term(&mut self, column: usize) -> Result<Term, FilterError> {
        let text = self.phrase()?;
        let edits = match self.peek() {
            Some('~') => {
                let at = self.column();
                self.bump();
                let digits = self.take_while(|c| c.is_ascii_digit());
                Some(parse_edits(&digits, at)?)
            }
            _ => None,
        };
        if edits.is_some() && text.is_empty() {
            return Err(FilterError::new("`~` needs a text before it", column));
        }
        Ok(Term {
            parts: vec![text],
            quoted: true,
            edits,
            column,
        })
    }

    fn word(&mut self, column: usize) -> Result<Term, FilterError> {
        let mut pieces = self.pieces()?;
        while matches!(pieces.last(), Some((Piece::Literal(c), _, false)) if c.is_whitespace()) {
            pieces.pop();
        }
        if pieces.is_empty() {
            return Err(FilterError::new("expected a value", column));
        }
        let edits = split_edits(&mut pieces)?;
        if edits.is_some() && pieces.is_empty() {
            return Err(FilterError::new("`~` needs a text before it", column));
        }
        let mut parts = vec![String::new()];
        for (piece, ..) in pieces {
            let last = parts.len() - 1;
            match (piece, parts.get_mut(last)) {
                (Piece::Star, _) => parts.push(String::new()),
                (Piece::Literal(c), Some(part)) => part.push(c),
                (Piece::Tilde, Some(part)) => part.push('~'),
                (_, None) => {}
            }
        }
        Ok(Term {
            parts,
            quoted: false,
            edits,
            column,
        })
    }

    /// The pieces of a word with their columns and whether they were escaped.
    fn pieces(&mut self) -> Result<Vec<(Piece, usize, bool)>, FilterError> {
        let mut pieces = Vec::new();
        while let Some(c) = self.peek() {
            let column = self.column();
            let piece = match c {
                ',' | '|' | '(' | ')' | '[' | ']' => break,
                '"' => return self.error("a quote inside of a value needs a backslash"),
                '\\' => {
                    let is_escapable = |c: &char| ESCAPABLE.contains(*c) || c.is_whitespace();
                    let escaped = self.peek_nth(1).filter(is_escapable);
                    let Some(escaped) = escaped else {
                        return self.error("a backslash stands only before an operator character");
                    };
                    self.bump();
                    (Piece::Literal(escaped), column, true)
                }
                '*' => (Piece::Star, column, false),
                '~' => (Piece::Tilde, column, false),
                other => (Piece::Literal(other), column, false),
            };
            self.bump();
            pieces.push(piece);
        }
        Ok(pieces)
    }
}

/// Takes a `~n` off the end of a word.
fn split_edits(pieces: &mut Vec<(Piece, usize, bool)>) -> Result<Option<u8>, FilterError> {
    let is_digit = |piece: &(Piece, usize, bool)| matches!(piece, (Piece::Literal(c), _, false) if c.is_ascii_digit());
    let digits_from = pieces.iter().rposition(|piece| !is_digit(piece));
    let Some(tilde_at) = digits_from else {
        return Ok(None);
    };
    let Some((Piece::Tilde, column, _)) = pieces.get(tilde_at) else {
        return Ok(None);
    };
    let column = *column;
    let tail = pieces.split_off(tilde_at);
    let digits: String = tail
        .into_iter()
        .filter_map(|(piece, ..)| match piece {
            Piece::Literal(c) => Some(c),
            Piece::Star | Piece::Tilde => None,
        })
        .collect();
    parse_edits(&digits, column).map(Some)
}

fn parse_edits(digits: &str, column: usize) -> Result<u8, FilterError> {
    match digits {
        "1" => Ok(1),
        "2" => Ok(2),
        _ => Err(FilterError::new("`~` must be followed by 1 or 2", column)),
    }
}
