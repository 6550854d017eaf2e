//! One value against one test.

use super::words::{self, Phrase};
use crate::fields::{FieldRef, FieldType};
use crate::filter::{Bound, CompareOp, Literal, Scope, Test, TimeBound};
use crate::flatten::Scalar;
use crate::number::Decimal;
use crate::text::fold;
use crate::time::{Span, Timestamp};

/// A test, prepared for the values of one field of one record.
pub(super) enum Probe<'a> {
    Equals(Whole<'a>),
    /// The whole value after case folding.
    Folded(Whole<'a>, String),
    /// Words on strings, the whole folded value on what is no string.
    Words(Phrase, Whole<'a>, String),
    /// The pattern, and whether it is laid over words.
    Glob(Vec<String>, Over),
    Fuzzy(String, usize, Over),
    Number(CompareOp, Option<Decimal>),
    Time(CompareOp, &'a TimeBound),
    /// Answered before values are looked at.
    Exists,
}

/// What a pattern or a fuzzy text is laid over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Words,
    FoldedValue,
    Value,
}

/// A literal with all that it may stand for.
pub(super) struct Whole<'a> {
    text: &'a str,
    number: Option<Decimal>,
    truth: Option<bool>,
    span: Option<Span>,
}

impl<'a> Whole<'a> {
    /// `by_time` is whether a string that is a moment equals it by value; `truth_text` is the text
    /// as far as its case counts.
    fn new(literal: &'a Literal, by_time: bool, truth_text: &str) -> Self {
        let bare = Some(literal.text.as_str()).filter(|_| !literal.quoted);
        Whole {
            text: &literal.text,
            number: bare.and_then(Decimal::parse),
            truth: match truth_text {
                "true" if !literal.quoted => Some(true),
                "false" if !literal.quoted => Some(false),
                _ => None,
            },
            span: by_time
                .then(|| Timestamp::parse_loose(&literal.text))
                .flatten(),
        }
    }

    /// `same` compares the value with the literal where both are strings.
    fn equals(&self, value: &Scalar, same: impl Fn(&str) -> bool) -> bool {
        match value {
            Scalar::Null => false,
            Scalar::Bool(truth) => self.truth == Some(*truth),
            Scalar::Number(text) => self.number.is_some() && self.number == Decimal::parse(text),
            Scalar::Text(text) => same(text) || self.holds_moment(text),
        }
    }

    fn holds_moment(&self, text: &str) -> bool {
        let moment = || Timestamp::parse_rfc3339(text);
        self.span
            .is_some_and(|span| moment().is_some_and(|m| span.start <= m && m <= span.end))
    }
}

impl<'a> Probe<'a> {
    pub(super) fn new(field: &FieldRef, test: &'a Test, language: Option<&str>) -> Self {
        let kind = field.kind();
        let over = |scope: Scope| match (scope, kind) {
            (Scope::Whole, _) => Over::Value,
            (Scope::Word, FieldType::Text) => Over::Words,
            (Scope::Word, _) => Over::FoldedValue,
        };
        match test {
            Test::Matches(literal) if !literal.text.is_empty() => {
                let folded = fold(&literal.text);
                let whole = Whole::new(literal, kind != FieldType::Text, &folded);
                if kind == FieldType::Text {
                    Probe::Words(Phrase::new(&literal.text, language), whole, folded)
                } else {
                    Probe::Folded(whole, folded)
                }
            }
            Test::Equals(literal) | Test::Matches(literal) => {
                let by_time = kind == FieldType::Time;
                Probe::Equals(Whole::new(literal, by_time, &literal.text))
            }
            Test::Glob { parts, scope } => {
                let over = over(*scope);
                let part = |part: &String| match over {
                    Over::Value => part.clone(),
                    Over::Words | Over::FoldedValue => fold(part),
                };
                Probe::Glob(parts.iter().map(part).collect(), over)
            }
            Test::Fuzzy { text, edits, scope } => {
                let over = over(*scope);
                let text = match over {
                    Over::Value => text.clone(),
                    Over::Words | Over::FoldedValue => fold(text),
                };
                Probe::Fuzzy(text, usize::from(*edits), over)
            }
            Test::Compare { op, bound } => match bound {
                Bound::Number(text) => Probe::Number(*op, Decimal::parse(text)),
                Bound::Time(bound) => Probe::Time(*op, bound),
            },
            Test::Exists => Probe::Exists,
        }
    }

    pub(super) fn passes(&self, value: &Scalar) -> bool {
        match self {
            Probe::Equals(whole) => whole.equals(value, |text| text == whole.text),
            Probe::Folded(whole, folded) => whole.equals(value, |text| fold(text) == *folded),
            Probe::Words(phrase, whole, folded) => match value {
                Scalar::Text(text) => phrase.is_in(text),
                other => whole.equals(other, |text| fold(text) == *folded),
            },
            Probe::Glob(parts, over) => laid_over(*over, value, |text| glob(parts, text)),
            Probe::Fuzzy(wanted, edits, over) => match (over, value) {
                (Over::Words, Scalar::Text(text)) => words::fuzzy_phrase(wanted, *edits, text),
                _ => laid_over(*over, value, |text| words::is_near(wanted, text, *edits)),
            },
            Probe::Number(op, bound) => {
                let Scalar::Number(text) = value else {
                    return false;
                };
                let ordering = Decimal::parse(text).zip(bound.as_ref());
                ordering.is_some_and(|(number, bound)| op.holds(number.cmp(bound)))
            }
            Probe::Time(op, bound) => {
                let Scalar::Text(text) = value else {
                    return false;
                };
                let edge = match op {
                    CompareOp::Lt | CompareOp::Ge => bound.start_us,
                    CompareOp::Le | CompareOp::Gt => bound.end_us,
                };
                Timestamp::parse_rfc3339(text)
                    .is_some_and(|moment| op.holds(moment.micros().cmp(&edge)))
            }
            Probe::Exists => true,
        }
    }
}

/// Whether a word of the value passes, or the value itself where words do not count: on other
/// fields, and for what is no string.
fn laid_over(over: Over, value: &Scalar, test: impl Fn(&str) -> bool) -> bool {
    let Some(text) = value.as_text() else {
        return false;
    };
    match over {
        Over::Value => test(text),
        Over::Words if matches!(value, Scalar::Text(_)) => {
            crate::text::words(text).any(|word| test(&word))
        }
        Over::Words | Over::FoldedValue => test(&fold(text)),
    }
}

/// Whether a text begins with the first part, ends with the last, and holds the others between
/// them in order, none overlapping.
#[must_use]
pub fn glob(parts: &[String], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return text == first;
    };
    let Some(mut left) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in middle {
        match left.split_once(part.as_str()) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(last.as_str())
}
