//! The naive evaluator: what every operator means, by looking at one record.
//!
//! `null` counts as missing. A field with several values passes a test when one of them does;
//! engines lower a filter however they like and must come to the same answer.

mod value;
mod words;

#[cfg(test)]
mod tests;

use self::value::Probe;
pub use self::value::glob;
use super::{Filter, Test};
use crate::fields::FieldRef;
use crate::flatten::{Flat, Leaf, Scalar};

/// A test of one field, prepared for values of records in one language: what engines ask about the
/// entries of their dictionaries.
pub struct ValueTest<'a>(Probe<'a>);

impl std::fmt::Debug for ValueTest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ValueTest")
    }
}

impl<'a> ValueTest<'a> {
    /// Prepares a test. One for existence passes every value.
    #[must_use]
    pub fn new(field: &FieldRef, test: &'a Test, language: Option<&str>) -> Self {
        ValueTest(Probe::new(field, test, language))
    }

    /// Whether a value passes.
    #[must_use]
    pub fn passes(&self, value: &Scalar) -> bool {
        self.0.passes(value)
    }
}

/// Whether a record passes a filter.
#[must_use]
pub fn matches(filter: &Filter, flat: &Flat) -> bool {
    passes(filter, flat, None)
}

/// Whether the record, or what lies inside of its element `within`, passes.
fn passes(filter: &Filter, flat: &Flat, within: Option<u32>) -> bool {
    match filter {
        Filter::All => true,
        Filter::And(parts) => parts.iter().all(|part| passes(part, flat, within)),
        Filter::Or(parts) => parts.iter().any(|part| passes(part, flat, within)),
        Filter::Not(inner) => !passes(inner, flat, within),
        Filter::Test { field, test } => field_passes(field, test, flat, within),
        Filter::Element { field, inner } => {
            let elements = flat.group_elements(field);
            let mut candidates = elements
                .into_iter()
                .filter(|element| is_within(flat, *element, within));
            candidates.any(|element| passes(inner, flat, Some(element)))
        }
    }
}

fn field_passes(field: &FieldRef, test: &Test, flat: &Flat, within: Option<u32>) -> bool {
    match test {
        Test::Exists => return flat.exists(field, within),
        Test::Equals(literal) | Test::Matches(literal)
            if literal.text.is_empty() && !flat.exists(field, within) =>
        {
            return true;
        }
        _ => {}
    }
    let probe = Probe::new(field, test, flat.text("language"));
    let seen = |leaf: &&Leaf| leaf.value != Scalar::Null && is_within(flat, leaf.element, within);
    flat.values(field)
        .filter(seen)
        .any(|leaf| probe.passes(&leaf.value))
}

fn is_within(flat: &Flat, element: u32, within: Option<u32>) -> bool {
    within.is_none_or(|outer| flat.is_inside(element, outer))
}
