//! Values of a query: what they count as, how they compare and sort, how they print.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use convlog_model::time::Timestamp;

use super::syntax::Comparison;

/// A value. What a message holds is text, also numbers and booleans, so that it prints as it was
/// written; text that reads as a number counts as one.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Absent,
    Text(Arc<str>),
    /// Computed; finite.
    Number(f64),
    /// Milliseconds since the epoch.
    Time(i64),
}

/// Longest text that is read as a number.
const NUMBER_LEN_MAX: usize = 64;

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Value::Text(text.into())
    }

    pub(super) fn truth(value: bool) -> Self {
        Value::Number(if value { 1.0 } else { 0.0 })
    }

    /// A computed number; what is no number is absent.
    pub(super) fn number(value: f64) -> Self {
        if value.is_finite() {
            Value::Number(value)
        } else {
            Value::Absent
        }
    }

    /// A moment `millis` after the epoch, rounded down.
    pub(super) fn time(millis: f64) -> Self {
        Value::Time(whole(millis))
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Value::Absent)
    }

    /// The number that it is or reads as; of a moment its milliseconds.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Value::Absent => None,
            Value::Text(text) => number_of(text),
            Value::Number(number) => Some(*number),
            Value::Time(millis) => Some(float(*millis)),
        }
    }

    /// As it prints; `None` for what is absent.
    pub(super) fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Absent => None,
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Number(number) => Some(Cow::Owned(print_number(*number))),
            Value::Time(millis) => Some(Cow::Owned(print_time(*millis))),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        self.as_number().is_some_and(|number| number != 0.0)
    }

    /// Numbers by value, everything else by text; `None` where one is absent.
    pub(super) fn ordering(&self, other: &Value) -> Option<Ordering> {
        match (self.as_number(), other.as_number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(self.as_text()?.cmp(&other.as_text()?)),
        }
    }

    /// The order of `sort`: absent, then text, then numbers.
    pub(super) fn sort_ordering(&self, other: &Value) -> Ordering {
        match (self.as_number(), other.as_number()) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            (left, right) => match (self.as_text(), other.as_text()) {
                (Some(a), Some(b)) if left.is_none() && right.is_none() => natural_ordering(&a, &b),
                (a, b) => (a.is_some(), left.is_some()).cmp(&(b.is_some(), right.is_some())),
            },
        }
    }

    /// About how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        match self {
            Value::Text(text) => size_of::<Value>() + text.len(),
            _ => size_of::<Value>(),
        }
    }
}

impl Comparison {
    /// Whether it holds; never where a value is absent.
    pub(super) fn holds(self, left: &Value, right: &Value) -> bool {
        let Some(ordering) = left.ordering(right) else {
            return false;
        };
        match self {
            Comparison::Eq => ordering.is_eq(),
            Comparison::Ne => ordering.is_ne(),
            Comparison::Lt => ordering.is_lt(),
            Comparison::Le => ordering.is_le(),
            Comparison::Gt => ordering.is_gt(),
            Comparison::Ge => ordering.is_ge(),
        }
    }
}

/// A number as JSON writes it. `007` is none, as it is somebody's id.
fn number_of(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let starts_well = match unsigned {
        [b'0', second, ..] => !second.is_ascii_digit(),
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    if !starts_well || text.len() > NUMBER_LEN_MAX {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of any real year are exact"
)]
fn float(value: i64) -> f64 {
    value as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers out of range become the ends of it"
)]
pub(super) fn whole(value: f64) -> i64 {
    value.floor() as i64
}

/// Four decimals, and all of them for numbers that would become 0.
fn print_number(number: f64) -> String {
    if number.fract() == 0.0 {
        // Adding zero takes the sign off a negative one.
        return format!("{}", number + 0.0);
    }
    let rounded = format!("{number:.4}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if matches!(short, "0" | "-0") {
        number.to_string()
    } else {
        short.to_owned()
    }
}

/// `2026-01-02 03:04:05.678`, UTC.
fn print_time(millis: i64) -> String {
    let text = Timestamp::from_millis(millis).to_millis_text();
    text.trim_end_matches('Z').replace('T', " ")
}

/// Runs of digits by length, then value; everything between them by code point.
fn natural_ordering(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let ((a, left_rest), (b, right_rest)) = (first_run(left), first_run(right));
        let are_digits = [a, b].iter().all(|run| run.starts_with(is_digit));
        let by_length = if are_digits {
            a.len().cmp(&b.len())
        } else {
            Ordering::Equal
        };
        let ordering = by_length.then_with(|| a.cmp(b));
        if ordering.is_ne() || a.is_empty() {
            return ordering;
        }
        (left, right) = (left_rest, right_rest);
    }
}

/// The digits, or the other characters, at the front.
fn first_run(text: &str) -> (&str, &str) {
    let is_digits = text.starts_with(is_digit);
    let end = text.find(|c| is_digit(c) != is_digits);
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
