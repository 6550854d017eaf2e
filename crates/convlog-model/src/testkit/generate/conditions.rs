//! Kinds of conditions, told by looking at a filter: what a comparison of engines has covered.

use std::collections::BTreeSet;

use super::rich::FAMILIES;
use crate::fields::{FieldRef, FieldType, GROUPS};
use crate::filter::{Bound, CompareOp, Filter, Literal, Scope, Test};
use crate::text::{fold, words};

macro_rules! with_names {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a filter may hold.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Condition {
            $($(#[$doc])* $name,)*
        }

        impl Condition {
            /// Every kind.
            pub const ALL: &[Condition] = &[$(Condition::$name,)*];
        }
    };
}

with_names! {
    /// `::`, no quotes, no text field.
    EqualsBare,
    /// `::` in quotes, no text field.
    EqualsQuoted,
    /// `::` on a text field.
    EqualsText,
    /// `:` on no text field.
    MatchesValue,
    /// One word on a text field.
    Word,
    /// One word that others have the stem of, on a text field.
    Stem,
    /// Several words.
    Phrase,
    /// A literal with symbols on a text field.
    Symbol,
    /// A pattern over the words of a text field.
    GlobWord,
    /// A pattern over folded values.
    GlobValue,
    /// A pattern over whole values.
    GlobWhole,
    /// One edit, one word of a text field.
    FuzzyOne,
    /// Two edits, one word of a text field.
    FuzzyTwo,
    /// Several words, each with its edits.
    FuzzyPhrase,
    /// Edits of folded values.
    FuzzyValue,
    /// Edits of whole values.
    FuzzyWhole,
    /// A number is less.
    NumberLt,
    /// A number is at most.
    NumberLe,
    /// A number is greater.
    NumberGt,
    /// A number is at least.
    NumberGe,
    /// A time is before.
    TimeLt,
    /// A time is at the latest.
    TimeLe,
    /// A time is after.
    TimeGt,
    /// A time is at the earliest.
    TimeGe,
    /// Something is there.
    Exists,
    /// The empty text.
    Empty,
    /// The record's id.
    Id,
    /// A conjunction of several.
    And,
    /// A disjunction of several.
    Or,
    /// A negation.
    Not,
    /// A negation with a phrase, a symbol or a stem in it.
    NotPhrase,
    /// One element of an array.
    Element,
    /// A negation inside of it.
    ElementNot,
    /// An element inside of an element.
    ElementNested,
    /// A canonical field.
    Canonical,
    /// A canonical field that records give by reference.
    Reference,
    /// A raw path.
    Raw,
    /// A canonical group or a field of one.
    Group,
    /// A label, or a detail of an event.
    Open,
}

/// Canonical fields that generated records refer to their bodies for.
const REFERRED: &[&str] = &["input.text", "output.", "intents.", "entities."];

/// All that a filter holds.
#[must_use]
pub fn conditions(filter: &Filter) -> BTreeSet<Condition> {
    let mut found = BTreeSet::new();
    gather(filter, 0, &mut found);
    found
}

fn gather(filter: &Filter, n_elements: usize, found: &mut BTreeSet<Condition>) {
    match filter {
        Filter::All => {}
        Filter::And(parts) | Filter::Or(parts) => {
            let kind = match filter {
                Filter::And(_) => Condition::And,
                _ => Condition::Or,
            };
            found.extend((parts.len() > 1).then_some(kind));
            for part in parts {
                gather(part, n_elements, found);
            }
        }
        Filter::Not(inner) => {
            found.insert(Condition::Not);
            found.extend((n_elements > 0).then_some(Condition::ElementNot));
            let mut negated = BTreeSet::new();
            gather(inner, n_elements, &mut negated);
            let unsure = [Condition::Phrase, Condition::Symbol, Condition::Stem];
            let is_unsure = unsure.iter().any(|kind| negated.contains(kind));
            found.extend(is_unsure.then_some(Condition::NotPhrase));
            found.extend(negated);
        }
        Filter::Test { field, test } => {
            of_field(field, found);
            of_test(field, test, found);
        }
        Filter::Element { field, inner } => {
            of_field(field, found);
            found.insert(Condition::Element);
            found.extend((n_elements > 0).then_some(Condition::ElementNested));
            gather(inner, n_elements + 1, found);
        }
    }
}

fn of_field(field: &FieldRef, found: &mut BTreeSet<Condition>) {
    let FieldRef::Canonical(path) = field else {
        found.insert(Condition::Raw);
        return;
    };
    found.insert(Condition::Canonical);
    let is_referred = REFERRED.iter().any(|start| path.starts_with(start));
    found.extend(is_referred.then_some(Condition::Reference));
    let head = path.split('.').next().unwrap_or_default();
    found.extend(GROUPS.contains(&head).then_some(Condition::Group));
    let is_open = path.starts_with("labels.") || path.starts_with("event.meta.");
    found.extend(is_open.then_some(Condition::Open));
    found.extend((path == "id").then_some(Condition::Id));
}

fn of_test(field: &FieldRef, test: &Test, found: &mut BTreeSet<Condition>) {
    let is_text = field.kind() == FieldType::Text;
    let kind = match test {
        Test::Equals(literal) | Test::Matches(literal) if literal.text.is_empty() => {
            Condition::Empty
        }
        Test::Equals(_) if is_text => Condition::EqualsText,
        Test::Equals(literal) if literal.quoted => Condition::EqualsQuoted,
        Test::Equals(_) => Condition::EqualsBare,
        Test::Matches(_) if !is_text => Condition::MatchesValue,
        Test::Matches(literal) => of_words(literal),
        Test::Glob { scope, .. } => match scope {
            Scope::Whole => Condition::GlobWhole,
            Scope::Word if is_text => Condition::GlobWord,
            Scope::Word => Condition::GlobValue,
        },
        Test::Fuzzy { text, edits, scope } => match scope {
            Scope::Whole => Condition::FuzzyWhole,
            Scope::Word if !is_text => Condition::FuzzyValue,
            Scope::Word if words(text).count() > 1 => Condition::FuzzyPhrase,
            Scope::Word if *edits == 1 => Condition::FuzzyOne,
            Scope::Word => Condition::FuzzyTwo,
        },
        Test::Compare { op, bound } => match (bound, op) {
            (Bound::Number(_), CompareOp::Lt) => Condition::NumberLt,
            (Bound::Number(_), CompareOp::Le) => Condition::NumberLe,
            (Bound::Number(_), CompareOp::Gt) => Condition::NumberGt,
            (Bound::Number(_), CompareOp::Ge) => Condition::NumberGe,
            (Bound::Time(_), CompareOp::Lt) => Condition::TimeLt,
            (Bound::Time(_), CompareOp::Le) => Condition::TimeLe,
            (Bound::Time(_), CompareOp::Gt) => Condition::TimeGt,
            (Bound::Time(_), CompareOp::Ge) => Condition::TimeGe,
        },
        Test::Exists => Condition::Exists,
    };
    found.insert(kind);
}

fn of_words(literal: &Literal) -> Condition {
    let folded = fold(&literal.text);
    let family = |(_, forms): &(&str, &[&str])| forms.iter().any(|form| fold(form) == folded);
    let is_symbol = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    if literal.text.contains(is_symbol) {
        Condition::Symbol
    } else if words(&literal.text).count() > 1 {
        Condition::Phrase
    } else if FAMILIES.iter().any(family) {
        Condition::Stem
    } else {
        Condition::Word
    }
}
