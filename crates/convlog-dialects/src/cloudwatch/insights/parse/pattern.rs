//! Patterns: of `parse`, and regular expressions anywhere.

use regex::{Regex, RegexBuilder};

use super::Parser;
use crate::cloudwatch::insights::QueryError;
use crate::cloudwatch::insights::lex::Token;
use crate::cloudwatch::insights::syntax::{Extraction, Slot};

/// Most regular expressions of a query, and most bytes of a compiled one.
const REGEX_MAX: usize = 20;
const REGEX_SIZE_MAX: usize = 1 << 20;

impl Parser {
    pub(super) fn extraction(&mut self) -> Result<Extraction, QueryError> {
        let name = self.name("expected the field to parse")?;
        let source = self.names.read(&name);
        if self.is_symbol("/") {
            let start = self.current.start;
            let regex = self.regex()?;
            let names: Vec<Option<&str>> = regex.capture_names().collect();
            let named = names.iter().enumerate();
            let named = named.filter_map(|(group, name)| Some((group, (*name)?)));
            let groups: Vec<(usize, Slot)> = named
                .map(|(group, name)| (group, self.names.bind(name)))
                .collect();
            if groups.is_empty() {
                let message = "expected a group with a name, as in (?<name>...)";
                return self.lexer.error(message, start, self.last_end);
            }
            return Ok(Extraction {
                source,
                regex,
                groups,
            });
        }
        let Token::Text(pattern) = self.current.token.clone() else {
            return self.error("expected a pattern in quotes or a regular expression");
        };
        let (start, end) = (self.current.start, self.current.end);
        self.advance()?;
        let n_stars = pattern.matches('*').count();
        if n_stars == 0 {
            return self
                .lexer
                .error("a pattern has at least one `*`", start, end);
        }
        let regex = self.compile(&regex_of(&pattern), start, end)?;
        if !self.take_word("as")? {
            return self.error("expected `as`");
        }
        let slots = self.list(Self::bound_name)?;
        if slots.len() != n_stars {
            let message = "a pattern has as many `*` as there are names behind `as`";
            return self.lexer.error(message, start, self.last_end);
        }
        let groups = slots.into_iter().enumerate();
        Ok(Extraction {
            source,
            regex,
            groups: groups.map(|(i, slot)| (i + 1, slot)).collect(),
        })
    }

    /// The regular expression that begins at the current token, a slash.
    pub(super) fn regex(&mut self) -> Result<Regex, QueryError> {
        let start = self.current.start;
        let pattern = self.lexer.regex(start)?;
        let end = self.lexer.at();
        self.current.end = end;
        self.advance()?;
        self.compile(&pattern, start, end)
    }

    pub(super) fn compile(
        &mut self,
        pattern: &str,
        start: usize,
        end: usize,
    ) -> Result<Regex, QueryError> {
        self.n_regexes += 1;
        if self.n_regexes > REGEX_MAX {
            let message = format!("a query has at most {REGEX_MAX} patterns");
            return self.lexer.error(message, start, end);
        }
        let built = RegexBuilder::new(pattern)
            .size_limit(REGEX_SIZE_MAX)
            .dfa_size_limit(REGEX_SIZE_MAX)
            .build();
        match built {
            Ok(regex) => Ok(regex),
            Err(regex::Error::CompiledTooBig(_)) => {
                let message = "this regular expression is too large";
                self.lexer.error(message, start, end)
            }
            Err(_) => {
                let message = "this regular expression is not valid";
                self.lexer.error(message, start, end)
            }
        }
    }
}

/// A pattern as a regular expression: stars take as little as they can, one at the end all.
fn regex_of(pattern: &str) -> String {
    let parts: Vec<String> = pattern.split('*').map(regex::escape).collect();
    let lazy = format!("(?s){}", parts.join("(.*?)"));
    match lazy.strip_suffix("(.*?)") {
        Some(start) if pattern.ends_with('*') => format!("{start}(.*)"),
        _ => lazy,
    }
}
