//! Characters of a query: names, literals, symbols, comments.

use std::ops::{Deref, DerefMut};

use super::QueryError;
use crate::chars::Chars;

/// What a query is made of.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A word: keyword, function or field.
    Word(String),
    /// A field between backticks.
    Quoted(String),
    Text(String),
    Number(f64),
    Symbol(&'static str),
    End,
}

/// A token and where it stands, in characters from 0; the end is exclusive.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Longest first.
const SYMBOLS: [&str; 19] = [
    "!=", "<=", ">=", "=~", "=", "<", ">", "|", ",", "(", ")", "[", "]", "+", "-", "*", "/", "%",
    "^",
];

/// A place in a query.
#[derive(Debug)]
pub(super) struct Lexer {
    chars: Chars,
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

    pub(super) fn error<T>(
        &self,
        message: impl Into<String>,
        start: usize,
        end: usize,
    ) -> Result<T, QueryError> {
        let (line, column) = self.line_and_column(start);
        Err(QueryError {
            message: message.into(),
            line,
            column,
            start,
            end,
        })
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Result<Spanned, QueryError> {
        self.skip_blanks();
        let start = self.at();
        let token = match self.peek() {
            None => Token::End,
            Some('`') => Token::Quoted(self.backticked()?),
            Some(quote @ ('"' | '\'')) => Token::Text(self.quoted(quote)?),
            Some(c) if c.is_ascii_digit() => self.number()?,
            Some(c) if is_word(c) && c != '.' => Token::Word(self.take_while(is_word)),
            Some(_) => self.symbol()?,
        };
        Ok(Spanned {
            token,
            start,
            end: self.at(),
        })
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                self.take_while(|c| c != '\n');
            } else if c.is_whitespace() {
                self.bump();
            } else {
                break;
            }
        }
    }

    fn symbol(&mut self) -> Result<Token, QueryError> {
        if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| self.take(symbol)) {
            return Ok(Token::Symbol(symbol));
        }
        let at = self.at();
        self.error("this character is no part of a query", at, at + 1)
    }

    fn backticked(&mut self) -> Result<String, QueryError> {
        let start = self.at();
        self.bump();
        let name = self.take_while(|c| c != '`');
        if self.bump().is_none() {
            return self.error("this backtick is not closed", start, start + 1);
        }
        if name.is_empty() {
            return self.error("empty name", start, self.at());
        }
        Ok(name)
    }

    /// Text between quotes. A backslash stands for itself unless a quote, another backslash or the
    /// letter of a control character follows.
    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let start = self.at();
        self.bump();
        let mut text = String::new();
        while let Some(c) = self.bump() {
            if c == quote {
                return Ok(text);
            }
            let escaped = match self.peek() {
                Some(e @ ('"' | '\'' | '\\')) if c == '\\' => Some(e),
                Some('n') if c == '\\' => Some('\n'),
                Some('t') if c == '\\' => Some('\t'),
                _ => None,
            };
            if escaped.is_some() {
                self.bump();
            }
            text.push(escaped.unwrap_or(c));
        }
        self.error("this quote is not closed", start, start + 1)
    }

    fn number(&mut self) -> Result<Token, QueryError> {
        let start = self.at();
        let is_digit = |c: char| c.is_ascii_digit();
        let mut text = self.take_while(is_digit);
        if self.peek() == Some('.') {
            self.bump();
            text.push('.');
            text.push_str(&self.take_while(is_digit));
        }
        let second = self.peek_nth(1).unwrap_or(' ');
        let third = self.peek_nth(2).unwrap_or(' ');
        let is_signed = matches!(second, '+' | '-') && is_digit(third);
        if matches!(self.peek(), Some('e' | 'E')) && (is_digit(second) || is_signed) {
            text.push('e');
            self.bump();
            text.extend(self.bump());
            text.push_str(&self.take_while(is_digit));
        }
        match text.parse() {
            Ok(number) if f64::is_finite(number) => Ok(Token::Number(number)),
            _ => self.error("this is no number", start, self.at()),
        }
    }

    /// Reads a regular expression instead of the token that starts at `start`, a slash. A slash in
    /// it has a backslash before it.
    pub(super) fn regex(&mut self, start: usize) -> Result<String, QueryError> {
        self.go_to(start + 1);
        let mut pattern = String::new();
        while let Some(c) = self.bump() {
            match (c, self.peek()) {
                ('/', _) => return Ok(pattern),
                ('\\', Some('/')) => {
                    self.bump();
                    pattern.push('/');
                }
                ('\\', Some(escaped)) => {
                    self.bump();
                    pattern.extend(['\\', escaped]);
                }
                _ => pattern.push(c),
            }
        }
        self.error("this regular expression is not closed", start, start + 1)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '@')
}
