//! Aggregates computed record by record: what groups and metrics mean. Engines must agree.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::{Aggregate, GROUPS_MAX, GroupBy, Mean, Metric, Row, Table, Value};
use super::{numbers_of, percentiles};
use crate::fields::FieldRef;
use crate::flatten::{Flat, Scalar};
use crate::json::Json;
use crate::number::Decimal;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Groups and metrics over records that have passed the filter of `request` already.
///
/// A record counts once in each group that one of its values names. Values of terms are told
/// apart by type, numbers by exact value; `null` and missing make the group `null`, which comes
/// last among equals and behind all intervals. A level is grouped inside of those groups that the
/// limits of the levels before it left. No order of the records decides anything.
///
/// # Errors
/// `Invalid` for the first level with more than [`GROUPS_MAX`] groups, with those that its limit
/// would cut, naming the field; for a limit or an interval below 1.
pub fn fold(request: &Aggregate, records: &[Flat]) -> Result<Table, StoreError> {
    request.check()?;
    let mut groups: Groups<'_> = vec![(Vec::new(), records.iter().collect())];
    for by in &request.by {
        let mut inner = Vec::new();
        let mut n_groups = 0;
        for (keys, members) in groups {
            let found = group(by, &members)?;
            n_groups += found.len();
            if n_groups > GROUPS_MAX {
                return Err(by.too_many());
            }
            for (key, members) in ordered(by, found) {
                inner.push(([keys.as_slice(), &[key]].concat(), members));
            }
        }
        groups = inner;
    }
    let row = |(keys, members): (Vec<Json>, Vec<&Flat>)| Row {
        keys,
        count: count(&members),
        metrics: request
            .metrics
            .iter()
            .map(|metric| compute(metric, &members))
            .collect(),
        approximate: false,
    };
    Ok(Table {
        rows: groups.into_iter().map(row).collect(),
    })
}

type Groups<'a> = Vec<(Vec<Json>, Vec<&'a Flat>)>;

#[derive(Default)]
struct Group<'a> {
    /// Of equal numbers written differently the smallest text.
    shown: Option<String>,
    records: Vec<&'a Flat>,
}

fn ordered<'a>(by: &GroupBy, groups: BTreeMap<Value, Group<'a>>) -> Vec<(Json, Vec<&'a Flat>)> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    if let GroupBy::Terms { limit, .. } = by {
        // A stable sort: among equals the order of the values stays.
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.records.len()));
        groups.truncate(*limit);
    }
    let keyed = |(value, group): (Value, Group<'a>)| (value.into_key(group.shown), group.records);
    groups.into_iter().map(keyed).collect()
}

fn value_of(by: &GroupBy, scalar: &Scalar) -> Option<Value> {
    match (by, scalar) {
        (GroupBy::Terms { .. }, scalar) => Value::of(scalar),
        (GroupBy::Interval { every_us, .. }, Scalar::Text(text)) => {
            Some(Value::start(Timestamp::parse_rfc3339(text)?, *every_us))
        }
        (GroupBy::Interval { .. }, _) => None,
    }
}

fn group<'a>(by: &GroupBy, records: &[&'a Flat]) -> Result<BTreeMap<Value, Group<'a>>, StoreError> {
    let mut groups: BTreeMap<Value, Group<'a>> = BTreeMap::new();
    for record in records {
        let mut values: BTreeMap<Value, Option<&str>> = BTreeMap::new();
        for leaf in record.values(by.field()) {
            if let Some(value) = value_of(by, &leaf.value) {
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
            return Err(by.too_many());
        }
    }
    Ok(groups)
}

fn count(records: &[&Flat]) -> u64 {
    u64::try_from(records.len()).unwrap_or(u64::MAX)
}

fn compute(metric: &Metric, records: &[&Flat]) -> Json {
    match metric {
        Metric::Count => Json::Number(count(records).to_string().into()),
        Metric::Distinct(field) => {
            let values = records.iter().flat_map(|record| record.values(field));
            let distinct: BTreeSet<Value> =
                values.filter_map(|leaf| Value::of(&leaf.value)).collect();
            Json::Number(distinct.len().to_string().into())
        }
        Metric::Average(field) => {
            let mut mean = Mean::default();
            for (_, text) in numbers(field, records) {
                mean.add(text.parse().unwrap_or(f64::NAN));
            }
            mean.to_json()
        }
        Metric::Percentiles(field) => {
            let mut numbers = numbers(field, records);
            numbers.sort();
            percentiles(u64::try_from(numbers.len()).unwrap_or(u64::MAX), |rank| {
                let chosen = numbers.get(usize::try_from(rank).ok()?);
                chosen.map(|(_, text)| (*text).to_owned())
            })
        }
    }
}

fn numbers<'a>(field: &'a FieldRef, records: &[&'a Flat]) -> Vec<(Decimal, &'a str)> {
    let numbers = records.iter().map(|record| numbers_of(field, record));
    numbers.flatten().collect()
}
