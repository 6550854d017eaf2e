//! Filter patterns of CloudWatch Logs: which log events `FilterLogEvents`, metric filters and
//! subscription filters take.
//!
//! ```text
//! pattern    = [ terms | json | columns ]              an empty one is every event
//! terms      = term *( space term )
//! term       = [ "?" | "-" ] ( word | phrase | regex )
//! word       = 1*( letter | digit | "_" )
//! phrase     = DQUOTE *( any but DQUOTE | "\" DQUOTE | "\\" ) DQUOTE
//! regex      = "%" 1*( any but "%" | "\%" ) "%"        at most two in a pattern
//!
//! json       = "{" or( condition ) "}"
//! condition  = selector ( test | "IS" ( "NULL" | "TRUE" | "FALSE" ) | "NOT" "EXISTS" )
//! selector   = "$" ( "." name | "[" quoted "]" ) *( "." name | "[" quoted "]" | "[" digits "]" )
//!
//! columns    = "[" column *( "," column ) "]"
//! column     = [ "..." | name | or( name test ) ]      "..." once: any number of fields
//!
//! or(x)      = and(x) *( "||" and(x) )
//! and(x)     = prim(x) *( "&&" prim(x) )
//! prim(x)    = x | "(" or(x) ")"
//! test       = ( "=" | "!=" | "=!" ) ( value | regex ) | ( "<" | "<=" | ">" | ">=" ) number
//! value      = phrase | bare                           bare: letters, digits and _ - + . * : / @ #
//! number     = as JSON writes it, also with "+" before it
//! ```
//!
//! Terms are looked for anywhere in the message, case-sensitively and in any order. All must be
//! there; of `?` terms one; of `-` terms none. Beside any other term the `?` terms do not count.
//! Keywords may have any case. White space may stand between all parts, also behind `?` and `-`,
//! but not inside of selectors. In regular expressions `\d`, `\s` and `\w` mean ASCII alone.
//!
//! A `*` at the beginning or the end of a value stands for any text; between others it is itself,
//! and so is `\*` in a phrase. A bare number equals numbers by value and texts by how it is
//! written; everything else is compared with how a value is written. Missing fields, `null`,
//! objects and arrays pass no test, not even `!=`. Only a message that is a JSON object passes a
//! JSON pattern.

mod boolean;
mod columns;
mod cursor;
mod json;
mod selector;
mod terms;
mod value;

use std::collections::BTreeMap;

use convlog_model::filter::Filter;
use convlog_model::json::{Json, Value};

use self::boolean::Expr;
use self::columns::Columns;
use self::cursor::Cursor;
use self::json::Condition;
use self::terms::Terms;

/// Most characters of a pattern.
pub const LENGTH_MAX: usize = 1_024;
/// Deepest nesting of parentheses.
pub const DEPTH_MAX: usize = 50;
/// Most terms, conditions and columns of a pattern, together.
pub const TERMS_MAX: usize = 128;
/// Most regular expressions of a pattern.
pub const REGEXES_MAX: usize = 2;

/// Why a pattern is refused, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct PatternError {
    /// What was expected, without any of the pattern's text.
    pub message: String,
    /// Position in characters, from 1.
    pub column: usize,
}

impl PatternError {
    fn new(message: impl Into<String>, column: usize) -> Self {
        PatternError {
            message: message.into(),
            column,
        }
    }
}

/// A filter pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    All,
    Terms(Terms),
    Json(Expr<Condition>),
    Columns(Columns),
}

impl Pattern {
    /// Reads a pattern. An empty one, or one phrase of nothing but white space, is every event.
    ///
    /// # Errors
    /// [`PatternError`] with the column; none of the pattern's text is in it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut cursor = Cursor::new(text);
        if cursor.len() > LENGTH_MAX {
            let message = format!("a pattern has at most {LENGTH_MAX} characters");
            return Err(PatternError::new(message, LENGTH_MAX + 1));
        }
        cursor.skip_spaces();
        let kind = match cursor.peek() {
            None => Kind::All,
            Some('{') => Kind::Json(json::parse(&mut cursor)?),
            Some('[') => Kind::Columns(columns::parse(&mut cursor)?),
            Some(_) => match terms::parse(&mut cursor)? {
                terms if terms.is_blank() => Kind::All,
                terms => Kind::Terms(terms),
            },
        };
        Ok(Pattern(kind))
    }

    /// Whether an event with this message passes.
    #[must_use]
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::All => true,
            Kind::Terms(terms) => terms.matches(message),
            Kind::Json(expr) => {
                read_object(message).is_some_and(|json| json::matches(expr, Value::from(&json)))
            }
            Kind::Columns(columns) => columns.matches(message),
        }
    }

    /// What `TestMetricFilter` shows as extracted from a message. JSON patterns: the values of
    /// their selectors, by selector as written. Space-delimited patterns: every field of the
    /// message, by `$` and its name, or `$` and its number from 1 where it has no name; of fields
    /// with the same name the last. Nothing for terms, and nothing where the message does not pass.
    #[must_use]
    pub fn extracted(&self, message: &str) -> BTreeMap<String, String> {
        match &self.0 {
            Kind::All | Kind::Terms(_) => BTreeMap::new(),
            Kind::Json(expr) => match read_object(message) {
                Some(json) => json::extracted(expr, Value::from(&json)),
                None => BTreeMap::new(),
            },
            Kind::Columns(columns) => columns.extracted(message),
        }
    }

    /// A filter in normal form over the paths of the event's JSON, taken as the raw body of a
    /// record, which every JSON event passes that matches. Others may pass too, so that what it
    /// finds is still to be matched. [`Filter::All`] where nothing can be said.
    #[must_use]
    pub fn narrow(&self) -> Filter {
        match &self.0 {
            Kind::All | Kind::Terms(_) | Kind::Columns(_) => Filter::All,
            Kind::Json(expr) => json::narrow(expr).normal(),
        }
    }
}

/// The message as JSON, where it is an object: others have no members to select.
fn read_object(message: &str) -> Option<Json> {
    // Most messages that are no JSON show it at once.
    let is_candidate = message.trim_start().starts_with('{');
    let read = is_candidate.then(|| Json::parse(message.as_bytes()).ok());
    read.flatten()
}

#[cfg(test)]
mod tests;
