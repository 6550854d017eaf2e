//! Aggregates of `stats`: what they count, and what they keep while they do.

use std::collections::HashSet;
use std::sync::Arc;

use super::RunError;
use super::budget::Budget;
use super::syntax::Expr;
use super::value::Value;

/// One aggregate as written.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) kind: AggregateKind,
    /// `None` stands for the rows themselves, as in `count(*)`.
    pub(super) of: Option<Expr>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum AggregateKind {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    /// The smallest value that at least so many percent are not above.
    Percentile(f64),
    StdDev,
    Earliest,
    Latest,
    SortsFirst,
    SortsLast,
}

use AggregateKind::*;

/// The aggregate of a name in any case; a percentile still without its percentage.
pub(super) fn lookup(name: &str) -> Option<AggregateKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "count" => Count,
        "count_distinct" => CountDistinct,
        "sum" => Sum,
        "avg" => Avg,
        "min" => Min,
        "max" => Max,
        "pct" => Percentile(f64::NAN),
        "median" => Percentile(50.0),
        "stddev" => StdDev,
        "earliest" => Earliest,
        "latest" => Latest,
        "sortsfirst" => SortsFirst,
        "sortslast" => SortsLast,
        _ => return None,
    })
}

/// What one aggregate has seen of one group.
#[derive(Clone, Debug)]
pub(super) enum Tally {
    Count(f64),
    Distinct(HashSet<Arc<str>>),
    Sum(Moments),
    Avg(Moments),
    StdDev(Moments),
    Percentile(f64, Vec<f64>),
    /// The best value by what its kind looks at, with the time of its row.
    Best(AggregateKind, Value, i64),
}

/// Number, mean and sum of squared distances from it, by Welford's method: differences of great
/// sums would lose digits.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Moments {
    n: f64,
    sum: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, number: f64) {
        self.n += 1.0;
        self.sum += number;
        let distance = number - self.mean;
        self.mean += distance / self.n;
        self.squares += distance * (number - self.mean);
    }
}

impl Tally {
    pub(super) fn new(kind: AggregateKind) -> Self {
        match kind {
            Count => Tally::Count(0.0),
            CountDistinct => Tally::Distinct(HashSet::new()),
            Sum => Tally::Sum(Moments::default()),
            Avg => Tally::Avg(Moments::default()),
            StdDev => Tally::StdDev(Moments::default()),
            Percentile(percent) => Tally::Percentile(percent, Vec::new()),
            Min | Max | Earliest | Latest | SortsFirst | SortsLast => {
                Tally::Best(kind, Value::Absent, 0)
            }
        }
    }

    /// Counts one value of a row of that time.
    pub(super) fn add(
        &mut self,
        value: Value,
        time_ms: i64,
        budget: &mut Budget,
    ) -> Result<(), RunError> {
        if value.is_absent() {
            return Ok(());
        }
        match self {
            Tally::Count(n) => *n += 1.0,
            Tally::Distinct(seen) => {
                let text = value.as_text().unwrap_or_default();
                if !seen.contains(&*text) {
                    budget.take_value(text.len())?;
                    seen.insert(text.into());
                }
            }
            Tally::Sum(moments) | Tally::Avg(moments) | Tally::StdDev(moments) => {
                if let Some(number) = value.as_number() {
                    moments.add(number);
                }
            }
            Tally::Percentile(_, numbers) => {
                if let Some(number) = value.as_number() {
                    budget.take_value(0)?;
                    numbers.push(number);
                }
            }
            Tally::Best(kind, best, best_ms) => {
                if is_better(*kind, (&value, time_ms), (best, *best_ms)) {
                    budget.swap_bytes(best.size(), value.size())?;
                    *best = without_moment(*kind, value);
                    *best_ms = time_ms;
                }
            }
        }
        Ok(())
    }

    pub(super) fn result(self) -> Value {
        match self {
            Tally::Count(n) => Value::number(n),
            Tally::Distinct(seen) => super::functions::count(seen.len()),
            Tally::Sum(moments) if moments.n > 0.0 => Value::number(moments.sum),
            Tally::Avg(moments) if moments.n > 0.0 => Value::number(moments.sum / moments.n),
            Tally::StdDev(moments) if moments.n > 0.0 => {
                Value::number((moments.squares / moments.n).sqrt())
            }
            Tally::Sum(_) | Tally::Avg(_) | Tally::StdDev(_) => Value::Absent,
            Tally::Percentile(percent, numbers) => percentile(percent, numbers),
            Tally::Best(_, best, _) => best,
        }
    }
}

fn is_better(kind: AggregateKind, new: (&Value, i64), best: (&Value, i64)) -> bool {
    if best.0.is_absent() {
        return !matches!(kind, Min | Max) || new.0.as_number().is_some();
    }
    let numbers = new.0.as_number().zip(best.0.as_number());
    match kind {
        Min => numbers.is_some_and(|(new, best)| new < best),
        Max => numbers.is_some_and(|(new, best)| new > best),
        // Newer events come first, so that of one moment the last to come is the earliest.
        Earliest => new.1 <= best.1,
        Latest => new.1 > best.1,
        SortsFirst => new.0.sort_ordering(best.0).is_lt(),
        SortsLast => new.0.sort_ordering(best.0).is_gt(),
        _ => false,
    }
}

/// The least and greatest of moments are numbers, as `fromMillis` takes them.
fn without_moment(kind: AggregateKind, value: Value) -> Value {
    match (kind, &value) {
        (Min | Max, Value::Time(_)) => value.as_number().map_or(value, Value::number),
        _ => value,
    }
}

fn percentile(percent: f64, mut numbers: Vec<f64>) -> Value {
    numbers.sort_unstable_by(f64::total_cmp);
    let n = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let rank = super::value::whole((percent / 100.0 * f64::from(n)).ceil());
    let index = usize::try_from(rank - 1).unwrap_or(0);
    let found = numbers.get(index).or(numbers.last());
    found.map_or(Value::Absent, |number| Value::number(*number))
}
