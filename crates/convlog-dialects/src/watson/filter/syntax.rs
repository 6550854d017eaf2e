//! The filter as written, before names mean anything.

use convlog_model::filter::CompareOp;

/// A filter as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf(Leaf),
    /// Conditions on one element of an array; the paths of `inner` are relative to `path`.
    Nested {
        path: String,
        column: usize,
        inner: Box<Node>,
    },
}

/// A condition on one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Leaf {
    pub(super) path: String,
    /// Where the location begins.
    pub(super) column: usize,
    pub(super) op: Op,
    pub(super) negated: bool,
    pub(super) value: Value,
}

/// An operator without its negation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Equals,
    Matches,
    Compare(CompareOp),
}

/// What stands behind an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Value {
    And(Vec<Value>),
    Or(Vec<Value>),
    Term(Term),
}

/// One term.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Term {
    /// Literal parts between the wildcards; one when there is none.
    pub(super) parts: Vec<String>,
    pub(super) quoted: bool,
    pub(super) edits: Option<u8>,
    /// Where it begins.
    pub(super) column: usize,
}

impl Term {
    /// Whether it is a lone `*`.
    pub(super) fn is_star(&self) -> bool {
        self.parts.len() == 2 && self.parts.iter().all(String::is_empty)
    }
}
