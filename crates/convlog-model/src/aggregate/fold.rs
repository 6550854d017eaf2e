//! Aggregates computed record by record: what groups and metrics mean. Engines must agree.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Aggregate, GROUPS_MAX, GroupBy, Metric, Row, Table};
use crate::fields::FieldRef;
use crate::flatten::{Flat, Scalar};
use crate::json::Json;
use crate::number::Decimal;
use crate::store::{ErrorKind, StoreError};
use crate::time::Timestamp;

/// Groups and metrics over records that have passed the filter of `request` already.
///
/// A record counts once in each group that one of its values names. Values of terms are told
/// apart by type, numbers by exact value; `null` and missing make the group `null`, which comes
/// last among equals and behind all intervals.
///
/// # Errors
/// `Invalid` beyond [`GROUPS_MAX`] groups, also of those that a limit would cut, naming the field;
/// for a limit or an interval below 1.
pub fn fold(request: &Aggregate, records: &[Flat]) -> Result<Table, StoreError> {
    let mut table = Folding {
        metrics: &request.metrics,
        rows: Vec::new(),
    };
    let all: Vec<&Flat> = records.iter().collect();
    table.level(&request.by, &all, &[])?;
    Ok(Table { rows: table.rows })
}

/// A value by which records are grouped; the order is that of ties.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Value {
    Start(Timestamp),
    Bool(bool),
    Number(Decimal),
    Text(String),
    Missing,
}

impl Value {
    fn of(scalar: &Scalar) -> Option<Self> {
        match scalar {
            Scalar::Null => None,
            Scalar::Bool(truth) => Some(Value::Bool(*truth)),
            // Longer ones than are compared by value count as their text.
            Scalar::Number(text) => Some(match Decimal::parse(text) {
                Some(number) => Value::Number(number),
                None => Value::Text(text.clone()),
            }),
            Scalar::Text(text) => Some(Value::Text(text.clone())),
        }
    }
}

#[derive(Default)]
struct Group<'a> {
    /// Of equal numbers written differently the smallest text, so that no order decides.
    shown: Option<String>,
    records: Vec<&'a Flat>,
}

struct Folding<'a> {
    metrics: &'a [Metric],
    rows: Vec<Row>,
}

impl Folding<'_> {
    fn level(
        &mut self,
        by: &[GroupBy],
        records: &[&Flat],
        keys: &[Json],
    ) -> Result<(), StoreError> {
        let Some((first, rest)) = by.split_first() else {
            let metrics = self.metrics.iter().map(|metric| compute(metric, records));
            self.rows.push(Row {
                keys: keys.to_vec(),
                count: count(records),
                metrics: metrics.collect(),
                approximate: false,
            });
            return Ok(());
        };
        let groups = match first {
            GroupBy::Terms { field, limit } => terms(field, *limit, records)?,
            GroupBy::Interval { field, every_us } => intervals(field, *every_us, records)?,
        };
        for (key, members) in groups {
            let keys = [keys, &[key]].concat();
            self.level(rest, &members, &keys)?;
            if self.rows.len() > GROUPS_MAX {
                return Err(too_many(field_of(first)));
            }
        }
        Ok(())
    }
}

fn field_of(by: &GroupBy) -> &FieldRef {
    match by {
        GroupBy::Terms { field, .. } | GroupBy::Interval { field, .. } => field,
    }
}

fn too_many(field: &FieldRef) -> StoreError {
    let text = format!(
        "more than {GROUPS_MAX} groups by {}: narrow the filter",
        field.path()
    );
    StoreError::new(ErrorKind::Invalid, text)
}

type Groups<'a> = Vec<(Json, Vec<&'a Flat>)>;

fn terms<'a>(
    field: &FieldRef,
    limit: usize,
    records: &[&'a Flat],
) -> Result<Groups<'a>, StoreError> {
    if limit == 0 {
        let text = format!("the limit of groups by {} is below 1", field.path());
        return Err(StoreError::new(ErrorKind::Invalid, text));
    }
    let mut groups: Vec<_> = group(field, records, Value::of)?.into_iter().collect();
    // A stable sort: among equals the order of the values stays.
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.records.len()));
    groups.truncate(limit);
    let key = |value: Value, shown: Option<String>| match value {
        Value::Bool(truth) => Json::Bool(truth),
        Value::Number(_) => shown.map_or(Json::Null, Json::Number),
        Value::Text(text) => Json::String(text),
        Value::Start(_) | Value::Missing => Json::Null,
    };
    Ok(groups
        .into_iter()
        .map(|(value, group)| (key(value, group.shown), group.records))
        .collect())
}

fn intervals<'a>(
    field: &FieldRef,
    every_us: i64,
    records: &[&'a Flat],
) -> Result<Groups<'a>, StoreError> {
    if every_us < 1 {
        let text = format!("the interval of {} is below 1 microsecond", field.path());
        return Err(StoreError::new(ErrorKind::Invalid, text));
    }
    let value_of = |scalar: &Scalar| {
        let Scalar::Text(text) = scalar else {
            return None;
        };
        let micros = Timestamp::parse_rfc3339(text)?.micros();
        let start = micros.saturating_sub(micros.rem_euclid(every_us));
        Some(Value::Start(Timestamp::from_micros(start)))
    };
    let groups = group(field, records, value_of)?;
    let key = |value: Value| match value {
        Value::Start(start) => Json::string(start.to_micros_text()),
        _ => Json::Null,
    };
    Ok(groups
        .into_iter()
        .map(|(value, group)| (key(value), group.records))
        .collect())
}

fn group<'a>(
    field: &FieldRef,
    records: &[&'a Flat],
    value_of: impl Fn(&Scalar) -> Option<Value>,
) -> Result<BTreeMap<Value, Group<'a>>, StoreError> {
    let mut groups: BTreeMap<Value, Group<'a>> = BTreeMap::new();
    for record in records {
        let mut values: BTreeMap<Value, Option<&str>> = BTreeMap::new();
        for leaf in record.values(field) {
            if let Some(value) = value_of(&leaf.value) {
                let shown = values.entry(value).or_insert(leaf.value.as_text());
                *shown = (*shown).min(leaf.value.as_text());
            }
        }
        if values.is_empty() {
            values.insert(Value::Missing, None);
        }
        for (value, shown) in values {
            let group = groups.entry(value).or_default();
            group.records.push(record);
            if group.shown.as_deref().is_none_or(|old| shown < Some(old)) {
                group.shown = shown.map(str::to_owned);
            }
        }
        if groups.len() > GROUPS_MAX {
            return Err(too_many(field));
        }
    }
    Ok(groups)
}

fn count(records: &[&Flat]) -> u64 {
    u64::try_from(records.len()).unwrap_or(u64::MAX)
}

fn compute(metric: &Metric, records: &[&Flat]) -> Json {
    match metric {
        Metric::Count => Json::Number(count(records).to_string()),
        Metric::Distinct(field) => {
            let values = records.iter().flat_map(|record| record.values(field));
            let distinct: BTreeSet<Value> =
                values.filter_map(|leaf| Value::of(&leaf.value)).collect();
            Json::Number(distinct.len().to_string())
        }
        Metric::Average(field) => average(&numbers(field, records)),
        Metric::Percentiles(field) => percentiles(numbers(field, records)),
    }
}

fn numbers<'a>(field: &'a FieldRef, records: &[&'a Flat]) -> Vec<(Decimal, &'a str)> {
    let mut numbers = Vec::new();
    for record in records {
        for leaf in record.values(field) {
            if let Scalar::Number(text) = &leaf.value
                && let Some(number) = Decimal::parse(text)
            {
                numbers.push((number, text.as_str()));
            }
        }
    }
    numbers
}

/// `null` of no numbers, or when the sum is beyond a float.
fn average(numbers: &[(Decimal, &str)]) -> Json {
    let mut sum = 0.0;
    let mut n_numbers = 0.0;
    for (_, text) in numbers {
        sum += text.parse::<f64>().unwrap_or(f64::NAN);
        n_numbers += 1.0;
    }
    let mean = serde_json::Number::from_f64(sum / n_numbers);
    mean.map_or(Json::Null, |mean| Json::Number(mean.to_string()))
}

/// `{"p50":…,"p90":…,"p95":…,"p99":…}`, each as written in a record; `null` of no numbers.
fn percentiles(mut numbers: Vec<(Decimal, &str)>) -> Json {
    numbers.sort();
    let nearest = |percent: usize| {
        let rank = (numbers.len() * percent).div_ceil(100);
        let chosen = rank.checked_sub(1).and_then(|index| numbers.get(index));
        chosen.map_or(Json::Null, |(_, text)| Json::Number((*text).to_owned()))
    };
    if numbers.is_empty() {
        return Json::Null;
    }
    Json::object([
        ("p50", nearest(50)),
        ("p90", nearest(90)),
        ("p95", nearest(95)),
        ("p99", nearest(99)),
    ])
}
