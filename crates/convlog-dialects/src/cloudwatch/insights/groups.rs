//! Rows by what they have in common: the groups of `stats`, and the first of each for `dedup`.

use std::collections::HashMap;

use super::RunError;
use super::aggregate::Tally;
use super::budget::Budget;
use super::eval::eval;
use super::row::{Reader, Row};
use super::syntax::{Expr, Stats};
use super::value::Value;

/// Most groups of one command.
pub(super) const GROUPS_MAX: usize = 100_000;

/// Groups, in the order in which their first rows came.
#[derive(Debug, Default)]
pub(super) struct Groups {
    index: HashMap<String, usize>,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    by: Vec<Value>,
    tallies: Vec<Tally>,
}

impl Groups {
    /// Counts a row.
    pub(super) fn push(
        &mut self,
        stats: &Stats,
        row: &Row,
        budget: &mut Budget,
    ) -> Result<(), RunError> {
        let by = stats.by.iter().map(|column| eval(&column.expr, row, &[]));
        let by: Vec<Value> = by.collect();
        let key = key_of(&by);
        let index = match self.index.get(&key) {
            Some(index) => *index,
            None => {
                let n_groups = self.groups.len();
                claim_group(n_groups, &key, budget)?;
                let tallies = stats.aggregates.iter();
                let tallies: Vec<Tally> = tallies.map(|a| Tally::new(a.kind)).collect();
                budget.take_bytes(tallies.len() * size_of::<Tally>())?;
                self.groups.push(Group { by, tallies });
                self.index.insert(key, n_groups);
                n_groups
            }
        };
        let Some(group) = self.groups.get_mut(index) else {
            return Ok(());
        };
        for (aggregate, tally) in stats.aggregates.iter().zip(&mut group.tallies) {
            let value = match &aggregate.of {
                Some(expr) => eval(expr, row, &[]),
                None => Value::truth(true),
            };
            tally.add(value, row.time_ms, budget)?;
        }
        Ok(())
    }

    /// A row for each group.
    pub(super) fn into_rows<'a>(
        self,
        stats: &'a Stats,
        reader: &'a Reader,
    ) -> impl Iterator<Item = Row> + use<'a> {
        self.groups.into_iter().map(|group| {
            let mut row = reader.empty();
            for (column, value) in stats.by.iter().zip(group.by) {
                row.set(column.slot, value);
            }
            let results: Vec<Value> = group.tallies.into_iter().map(Tally::result).collect();
            for column in &stats.columns {
                let value = eval(&column.expr, &row, &results);
                row.set(column.slot, value);
            }
            row
        })
    }
}

/// For each combination of values the row of the lowest rank, of equal ones the first that came.
#[derive(Debug, Default)]
pub(super) struct Firsts {
    index: HashMap<String, usize>,
    rows: Vec<Row>,
}

impl Firsts {
    /// Takes a row; gives it back where it is the first of its kind and no order would let a later
    /// one take its place.
    pub(super) fn push(
        &mut self,
        by: &[Expr],
        row: Row,
        budget: &mut Budget,
    ) -> Result<Option<Row>, RunError> {
        let values: Vec<Value> = by.iter().map(|expr| eval(expr, &row, &[])).collect();
        let key = key_of(&values);
        let is_ranked = !row.rank.keys.is_empty();
        if let Some(index) = self.index.get(&key) {
            let first = self.rows.get_mut(*index);
            if let Some(first) = first.filter(|first| row.rank.ordering(&first.rank).is_lt()) {
                budget.swap_bytes(first.size(), row.size())?;
                *first = row;
            }
            return Ok(None);
        }
        claim_group(self.index.len(), &key, budget)?;
        self.index.insert(key, self.rows.len());
        if !is_ranked {
            return Ok(Some(row));
        }
        budget.take_bytes(row.size())?;
        self.rows.push(row);
        Ok(None)
    }

    /// Those that were not given back.
    pub(super) fn into_rows(self, budget: &mut Budget) -> Vec<Row> {
        for row in &self.rows {
            budget.give_bytes(row.size());
        }
        self.rows
    }
}

/// Room for one more group.
fn claim_group(n_groups: usize, key: &str, budget: &mut Budget) -> Result<(), RunError> {
    if n_groups >= GROUPS_MAX {
        return Err(RunError::TooManyGroups);
    }
    budget.take_bytes(2 * key.len() + size_of::<Group>() + 64)
}

/// Values as one text; their lengths keep them apart.
fn key_of(values: &[Value]) -> String {
    let mut key = String::new();
    for value in values {
        match value.as_text() {
            Some(text) => {
                key.push_str(&text.len().to_string());
                key.push(':');
                key.push_str(&text);
            }
            None => key.push('-'),
        }
    }
    key
}
