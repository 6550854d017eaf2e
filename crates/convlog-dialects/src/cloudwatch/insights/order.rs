//! The order of rows, and the best of them in it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::RunError;
use super::budget::Budget;
use super::row::Row;
use super::value::Value;

/// Where `sort` puts a row; without a `sort`, nowhere.
#[derive(Clone, Default, Debug)]
pub(super) struct Rank {
    /// Values, and whether greater ones come first.
    pub(super) keys: Vec<(Value, bool)>,
}

impl Rank {
    pub(super) fn ordering(&self, other: &Rank) -> Ordering {
        let pairs = self.keys.iter().zip(&other.keys);
        let orderings = pairs.map(|((left, is_descending), (right, _))| {
            let ordering = left.sort_ordering(right);
            if *is_descending {
                ordering.reverse()
            } else {
                ordering
            }
        });
        orderings.fold(Ordering::Equal, Ordering::then)
    }

    pub(super) fn size(&self) -> usize {
        self.keys.iter().map(|(value, _)| value.size()).sum()
    }
}

/// The first so many rows by rank; of equal ones those that came first.
#[derive(Debug)]
pub(super) struct Best {
    n_most: usize,
    n_seen: u64,
    rows: BinaryHeap<Ranked>,
}

#[derive(Debug)]
struct Ranked {
    row: Row,
    came: u64,
}

impl Best {
    pub(super) fn new(n_most: usize) -> Self {
        Best {
            n_most,
            n_seen: 0,
            rows: BinaryHeap::new(),
        }
    }

    pub(super) fn push(&mut self, row: Row, budget: &mut Budget) -> Result<(), RunError> {
        let ranked = Ranked {
            row,
            came: self.n_seen,
        };
        self.n_seen += 1;
        if self.rows.len() >= self.n_most {
            match self.rows.peek() {
                Some(worst) if ranked < *worst => {}
                _ => return Ok(()),
            }
            if let Some(worst) = self.rows.pop() {
                budget.give_bytes(worst.row.size());
            }
        }
        budget.take_bytes(ranked.row.size())?;
        self.rows.push(ranked);
        Ok(())
    }

    /// In order, and from here on without rank.
    pub(super) fn into_rows(self, budget: &mut Budget) -> Vec<Row> {
        let sorted = self.rows.into_sorted_vec().into_iter();
        let unranked = sorted.map(|ranked| {
            let mut row = ranked.row;
            budget.give_bytes(row.size());
            row.rank = Rank::default();
            row
        });
        unranked.collect()
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_rank = self.row.rank.ordering(&other.row.rank);
        by_rank.then(self.came.cmp(&other.came))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}
