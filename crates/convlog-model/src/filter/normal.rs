//! The normal form: one tree for all trees that differ only in how they were written.

#[cfg(test)]
mod tests;

use super::{Filter, Literal, Test};
use crate::number::Decimal;
use crate::text::fold;

impl Filter {
    /// The same condition in normal form.
    ///
    /// Conjunctions and disjunctions are flat and have at least two parts; no negation stands
    /// before a negation; [`Filter::All`] and `Or` of nothing (no record) stand alone or as all
    /// that an element must pass; a literal counts as quoted only if it would otherwise read as a
    /// number or a boolean; a pattern has no two stars side by side.
    #[must_use]
    pub fn normal(&self) -> Filter {
        match self {
            Filter::All => Filter::All,
            Filter::And(parts) => all_of(parts),
            Filter::Or(parts) => any_of(parts),
            Filter::Not(inner) => match inner.normal() {
                Filter::All => Filter::Or(Vec::new()),
                Filter::Or(parts) if parts.is_empty() => Filter::All,
                Filter::Not(inner) => *inner,
                inner => inner.negate(),
            },
            Filter::Test { field, test } => Filter::Test {
                field: field.clone(),
                test: normal_test(test),
            },
            Filter::Element { field, inner } => Filter::Element {
                field: field.clone(),
                inner: Box::new(inner.normal()),
            },
        }
    }
}

fn all_of(parts: &[Filter]) -> Filter {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part.normal() {
            Filter::All => {}
            Filter::And(inner) => flat.extend(inner),
            Filter::Or(inner) if inner.is_empty() => return Filter::Or(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        0 => Filter::All,
        1 => flat.remove(0),
        _ => Filter::And(flat),
    }
}

fn any_of(parts: &[Filter]) -> Filter {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part.normal() {
            Filter::All => return Filter::All,
            Filter::Or(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.len() {
        1 => flat.remove(0),
        _ => Filter::Or(flat),
    }
}

fn normal_test(test: &Test) -> Test {
    match test {
        Test::Equals(literal) => Test::Equals(normal_literal(literal)),
        Test::Matches(literal) => Test::Matches(normal_literal(literal)),
        Test::Glob { parts, scope } => {
            let last = parts.len().saturating_sub(1);
            let is_inner = |i: usize| 0 < i && i < last;
            let numbered = parts.iter().enumerate();
            let kept = numbered.filter(|(i, part)| !(is_inner(*i) && part.is_empty()));
            Test::Glob {
                parts: kept.map(|(_, part)| part.clone()).collect(),
                scope: *scope,
            }
        }
        other => other.clone(),
    }
}

fn normal_literal(literal: &Literal) -> Literal {
    let has_other_meaning = Decimal::parse(&literal.text).is_some()
        || ["true", "false"].contains(&fold(&literal.text).as_str());
    Literal {
        text: literal.text.clone(),
        quoted: literal.quoted && has_other_meaning,
    }
}
