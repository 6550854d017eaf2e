//! A filter judged by what is known of a row without reading it: yes, no, or it must be read.

use convlog_model::fields::FieldRef;
use convlog_model::filter::{Bound, CompareOp, Filter, Test, TimeBound};
use convlog_model::ids::RecordId;
use convlog_model::query::SortKey;
use convlog_model::record::Kind;

use super::facts::COLUMNS;
use super::tail::{CELL_NONE, CELL_OTHER, Meta, Tail};

/// What is known about a row and a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    No,
    Maybe,
    Yes,
}

impl Verdict {
    fn of(holds: bool) -> Self {
        if holds { Verdict::Yes } else { Verdict::No }
    }
}

/// A filter with its terms looked up.
#[derive(Debug)]
pub(crate) enum Judge {
    Always(Verdict),
    And(Vec<Judge>),
    Or(Vec<Judge>),
    Not(Box<Judge>),
    /// Equality with one column; without a cell no record has the text.
    Cell {
        column: usize,
        cell: Option<u32>,
        /// What the row passes if its cell is another one.
        otherwise: Verdict,
    },
    Kind(Kind),
    Id(RecordId),
    Time {
        key: SortKey,
        op: CompareOp,
        bound: TimeBound,
    },
}

impl Judge {
    /// Looks a filter up in the rows as they are now.
    pub(crate) fn new(filter: &Filter, tail: &Tail) -> Self {
        match filter {
            Filter::All => Judge::Always(Verdict::Yes),
            Filter::And(parts) => Judge::And(parts.iter().map(|p| Self::new(p, tail)).collect()),
            Filter::Or(parts) => Judge::Or(parts.iter().map(|p| Self::new(p, tail)).collect()),
            Filter::Not(inner) => Judge::Not(Box::new(Self::new(inner, tail))),
            Filter::Test {
                field: FieldRef::Canonical(path),
                test,
            } => Self::of_test(path, test, tail),
            Filter::Test { .. } | Filter::Element { .. } => Judge::Always(Verdict::Maybe),
        }
    }

    fn of_test(path: &str, test: &Test, tail: &Tail) -> Self {
        let literal = match test {
            Test::Equals(literal) | Test::Matches(literal) if !literal.text.is_empty() => literal,
            Test::Compare {
                op,
                bound: Bound::Time(bound),
            } => return Self::of_time(path, *op, bound),
            _ => return Judge::Always(Verdict::Maybe),
        };
        let is_exact = matches!(test, Test::Equals(_));
        if is_exact && path == "kind" {
            let kind = Kind::parse(&literal.text);
            return kind.map_or(Judge::Always(Verdict::No), Judge::Kind);
        }
        if is_exact && path == "id" {
            let id: Option<RecordId> = literal.text.parse().ok();
            let same = id.filter(|id| id.to_string() == literal.text);
            return same.map_or(Judge::Always(Verdict::No), Judge::Id);
        }
        match COLUMNS.iter().position(|column| *column == path) {
            Some(column) => Judge::Cell {
                column,
                cell: tail.cell(&literal.text),
                otherwise: if is_exact {
                    Verdict::No
                } else {
                    Verdict::Maybe
                },
            },
            None => Judge::Always(Verdict::Maybe),
        }
    }

    fn of_time(path: &str, op: CompareOp, bound: &TimeBound) -> Self {
        let times = [SortKey::Request, SortKey::Response, SortKey::Received];
        match times.into_iter().find(|key| key.as_str() == path) {
            Some(key) => Judge::Time {
                key,
                op,
                bound: bound.clone(),
            },
            None => Judge::Always(Verdict::Maybe),
        }
    }

    /// What is known about a row.
    pub(crate) fn of(&self, meta: &Meta) -> Verdict {
        match self {
            Judge::Always(verdict) => *verdict,
            Judge::And(parts) => {
                let mut worst = Verdict::Yes;
                for part in parts {
                    match part.of(meta) {
                        Verdict::No => return Verdict::No,
                        Verdict::Maybe => worst = Verdict::Maybe,
                        Verdict::Yes => {}
                    }
                }
                worst
            }
            Judge::Or(parts) => {
                let mut best = Verdict::No;
                for part in parts {
                    match part.of(meta) {
                        Verdict::Yes => return Verdict::Yes,
                        Verdict::Maybe => best = Verdict::Maybe,
                        Verdict::No => {}
                    }
                }
                best
            }
            Judge::Not(inner) => match inner.of(meta) {
                Verdict::Yes => Verdict::No,
                Verdict::No => Verdict::Yes,
                Verdict::Maybe => Verdict::Maybe,
            },
            Judge::Cell {
                column,
                cell,
                otherwise,
            } => match meta.cells.get(*column).copied() {
                None | Some(CELL_OTHER) => Verdict::Maybe,
                Some(CELL_NONE) => Verdict::No,
                held if held == *cell => Verdict::Yes,
                Some(_) => *otherwise,
            },
            Judge::Kind(kind) => Verdict::of(meta.kind == *kind),
            Judge::Id(id) => Verdict::of(meta.id == *id),
            Judge::Time { key, op, bound } => judge_time(meta, *key, *op, bound),
        }
    }
}

fn judge_time(meta: &Meta, key: SortKey, op: CompareOp, bound: &TimeBound) -> Verdict {
    if meta.has_odd_times() {
        return Verdict::Maybe;
    }
    let edge = match op {
        CompareOp::Lt | CompareOp::Ge => bound.start_us,
        CompareOp::Le | CompareOp::Gt => bound.end_us,
    };
    let value = meta.sort_value(key);
    Verdict::of(value.is_some_and(|value| op.holds(value.micros().cmp(&edge))))
}
