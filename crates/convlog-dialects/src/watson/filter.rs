//! The filter language: Watson's, as docs/filter.md shows it to users.
//!
//! ```text
//! filter      = [ or ]                                    an empty filter is every record
//! or          = and *( "|" and )
//! and         = prim *( "," prim )                        "," binds tighter than "|"
//! prim        = group | condition | "!" group             "!" only in the own API
//! group       = "(" or ")" | "[" or "]" | "()" | "[]"     "()" every record, only in the own API
//! condition   = location compare operand
//!             | location match value
//!             | location ":" group                        location is an array of objects: some
//!                                                         single element passes the group
//!             | location ":" sub ( compare | match ) …    the same for one field of an array or
//!                                                         object; negated: no element
//! location    = segment *( "." segment )
//! segment     = name | phrase                             name: letter or "_", then also digits,
//!                                                         "-"; behind a dot also a digit first
//! match       = "::!" | "::" | ":!" | ":"                 longest first
//! compare     = "<=" | "<" | ">=" | ">"
//! value       = term | "(" terms ")" | "[" terms "]"      terms as above with "|" and ","
//! term        = ( phrase | word ) [ "~1" | "~2" ] | "*"
//! phrase      = DQUOTE *( any but DQUOTE | "\" DQUOTE | "\\" ) DQUOTE
//! word        = 1*( "\" escapable | any but , | ( ) [ ] DQUOTE )    trimmed, spaces kept inside
//! escapable   = " \ ( ) [ ] , | ^ ~ : < > = ! * . and white space
//! ```
//!
//! A `*` in a word is a wildcard. A bare `:` in a value is literal, as times need it. Operands of
//! comparisons are numbers or times, never in quotes. What the operators mean is defined by
//! [`convlog_model::filter::eval`]; what the names mean, by [`super::fields`].

mod lex;
mod lower;
mod names;
mod parse;
mod syntax;

use convlog_model::filter::Filter;

use self::syntax::{Node, Op};

/// Whose names a filter uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Names {
    /// Those of `/v1/…/logs`.
    V1,
    /// Those of `/v2/…/logs`.
    V2,
    /// Those of convlog's own API: canonical paths, else raw ones; `raw.` forces raw.
    Own,
}

/// Why a filter is refused, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct FilterError {
    /// What is wrong.
    pub message: String,
    /// Position in characters, from 1.
    pub column: usize,
}

impl FilterError {
    fn new(message: impl Into<String>, column: usize) -> Self {
        FilterError {
            message: message.into(),
            column,
        }
    }
}

/// Most characters of a filter.
pub const LENGTH_MAX: usize = 16_384;
/// Deepest nesting of groups.
pub const DEPTH_MAX: usize = 50;

/// The filter that a text means, in normal form; an empty text is every record. `fallback` says whether paths
/// under `request.`, `response.`, `meta.` and `context.` that the table does not know address the
/// raw body; [`Names::Own`] always has them.
///
/// # Errors
/// [`FilterError`] with the column.
pub fn parse(text: &str, names: Names, fallback: bool) -> Result<Filter, FilterError> {
    let resolver = names::Resolver::new(names, fallback);
    match parse::parse(text, resolver)? {
        Some(tree) => Ok(lower::lower(&tree, resolver)?.normal()),
        None => Ok(Filter::All),
    }
}

/// The names of which `/v1/logs` demands one.
const ID_TERMS: [&str; 3] = [
    "request.context.system.assistant_id",
    "workspace_id",
    "request.context.metadata.deployment",
];

/// Whether a filter has the terms that `/v1/logs` demands: `language::` and one of the three ids.
///
/// # Errors
/// [`FilterError`] that says which is missing, or that the filter itself is wrong.
pub fn check_mandatory(text: &str) -> Result<(), FilterError> {
    let tree = parse::parse(text, names::Resolver::new(Names::V1, true))?;
    let mut terms: Vec<&str> = Vec::new();
    if let Some(tree) = &tree {
        collect_terms(tree, &mut terms);
    }
    let mut missing = Vec::new();
    if !terms.contains(&"language") {
        missing.push("language::".to_owned());
    }
    if !terms.iter().any(|term| ID_TERMS.contains(term)) {
        let ids: Vec<String> = ID_TERMS.iter().map(|id| format!("{id}::")).collect();
        missing.push(format!("one of {}", ids.join(", ")));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the filter must contain {}", missing.join(" and "));
    Err(FilterError::new(message, 1))
}

/// Locations of the exact terms of the outermost conjunction.
fn collect_terms<'a>(node: &'a Node, terms: &mut Vec<&'a str>) {
    match node {
        Node::And(parts) => parts.iter().for_each(|part| collect_terms(part, terms)),
        Node::Or(parts) => {
            if let [only] = parts.as_slice() {
                collect_terms(only, terms);
            }
        }
        Node::Leaf(leaf) if leaf.op == Op::Equals && !leaf.negated => terms.push(&leaf.path),
        Node::Leaf(_) | Node::Nested { .. } | Node::Not(_) => {}
    }
}

#[cfg(test)]
mod tests;
