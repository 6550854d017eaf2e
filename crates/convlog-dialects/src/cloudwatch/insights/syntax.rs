//! A query as a tree: commands, expressions, and the slots that names stand for.

use regex::Regex;

use super::aggregate::Aggregate;
use super::functions::Function;
use super::period::Period;
use super::value::Value;

/// Where a row keeps the value of a name; an index into [`Names`].
pub(super) type Slot = usize;

/// Slots of the fields that every event has, in the order in which [`Names::new`] makes them.
pub(super) const TIMESTAMP: Slot = 0;
pub(super) const MESSAGE: Slot = 1;
pub(super) const PTR: Slot = 2;
pub(super) const LOG_STREAM: Slot = 3;
pub(super) const LOG: Slot = 4;
pub(super) const INGESTION_TIME: Slot = 5;

/// Every name of a query.
#[derive(Clone, Debug)]
pub(super) struct Names {
    names: Vec<String>,
    /// Whether some expression or column reads the name, so that it must be looked for in events.
    is_read: Vec<bool>,
}

impl Names {
    pub(super) fn new() -> Self {
        let names = [
            "@timestamp",
            "@message",
            "@ptr",
            "@logStream",
            "@log",
            "@ingestionTime",
        ];
        Names {
            names: names.map(str::to_owned).to_vec(),
            is_read: vec![false; names.len()],
        }
    }

    /// The slot of a name that is given a value.
    pub(super) fn bind(&mut self, name: &str) -> Slot {
        let known = self.names.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.is_read.push(false);
            self.names.len() - 1
        })
    }

    /// The slot of a name whose value is asked for.
    pub(super) fn read(&mut self, name: &str) -> Slot {
        let slot = self.bind(name);
        self.mark_read(slot);
        slot
    }

    pub(super) fn mark_read(&mut self, slot: Slot) {
        if let Some(is_read) = self.is_read.get_mut(slot) {
            *is_read = true;
        }
    }

    pub(super) fn is_read(&self, slot: Slot) -> bool {
        self.is_read.get(slot).copied().unwrap_or(false)
    }

    pub(super) fn name(&self, slot: Slot) -> &str {
        self.names.get(slot).map_or("", String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The path in a message's JSON that a slot stands for unless a command has bound it; `None`
    /// for what no message holds. `@@a` is the key `@a`.
    pub(super) fn json_path(&self, slot: Slot) -> Option<&str> {
        let name = self.name(slot);
        match name.strip_prefix('@') {
            None => Some(name),
            Some(rest) => rest.starts_with('@').then_some(rest),
        }
    }
}

/// One step between the bars of a query.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// `fields` and `display`: what they compute gets names.
    Bind(Vec<Column>),
    Filter(Expr),
    Parse(Extraction),
    Stats(Stats),
    Sort(Vec<SortKey>),
    Dedup(Vec<Expr>),
    Limit(usize),
}

/// An expression with the name of its value.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) slot: Slot,
    pub(super) expr: Expr,
}

/// `parse`: groups of a pattern get names.
#[derive(Clone, Debug)]
pub(super) struct Extraction {
    pub(super) source: Slot,
    pub(super) regex: Regex,
    /// Number of the group, and its name's slot.
    pub(super) groups: Vec<(usize, Slot)>,
}

/// `stats`.
#[derive(Clone, Debug)]
pub(super) struct Stats {
    /// What the columns' [`Expr::Aggregate`] count through.
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) columns: Vec<Column>,
    pub(super) by: Vec<Column>,
}

/// One key of `sort`.
#[derive(Clone, Debug)]
pub(super) struct SortKey {
    pub(super) expr: Expr,
    pub(super) is_descending: bool,
}

/// What has a value.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Literal(Value),
    Field(Slot),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
        is_negated: bool,
    },
    /// `like` with a string.
    Contains {
        value: Box<Expr>,
        text: Box<Expr>,
        is_negated: bool,
    },
    /// `like` and `=~` with a regular expression.
    Matches {
        value: Box<Expr>,
        regex: Regex,
        is_negated: bool,
    },
    Call(Function, Vec<Expr>),
    /// Start of the period that a moment lies in; with `true` the end.
    Floor(Box<Expr>, Period, bool),
    /// Of the aggregates of the surrounding `stats`, the one with that index.
    Aggregate(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}
