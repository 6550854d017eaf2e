//! Groups in the making, level by level: every part's records are counted before a limit cuts.

use std::cmp::Reverse;

use convlog_model::aggregate::{GROUPS_MAX, GroupBy, Value};
use convlog_model::json::Json;
use convlog_model::store::StoreError;
use hashbrown::HashMap;

use super::keys::{Keys, number_text, value_of};
use super::pairs::Pair;
use crate::embedded::bytes::{to_u32, to_usize};

/// Number of the value that records without one have.
const MISSING: u32 = u32::MAX;
/// Number of a value that belongs to no group; no row that counts has it.
pub(super) const UNKNOWN: u32 = u32::MAX - 1;

/// The groups of one level.
#[derive(Debug)]
pub(super) struct Level<'a> {
    pub(super) by: &'a GroupBy,
    /// Values, and numbers as they are written.
    pub(super) keys: Keys,
    groups: Vec<Group>,
    /// By the group around it and the value; without those that were cut.
    numbers: HashMap<(u32, u32), u32>,
    /// Groups in the order of the answer, by the group around them.
    order: Vec<(u32, u32)>,
    pub(super) is_cut: bool,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    around: u32,
    value: u32,
    /// The smallest text of a number.
    shown: u32,
    count: u64,
}

impl<'a> Level<'a> {
    pub(super) fn new(by: &'a GroupBy) -> Self {
        Level {
            by,
            keys: Keys::default(),
            groups: Vec::new(),
            numbers: HashMap::new(),
            order: Vec::new(),
            is_cut: false,
        }
    }

    /// Adds the groups of a record, given those of the level around and its values, to `inside`.
    pub(super) fn find(&self, around: &[u32], values: &[Pair], inside: &mut Vec<u32>) {
        for around in around {
            let mut find = |value: u32| inside.extend(self.numbers.get(&(*around, value)));
            match values {
                [] => find(MISSING),
                values => once_each(values).for_each(|pair| find(pair.value)),
            }
        }
    }

    /// Counts a record in its groups.
    pub(super) fn count(&mut self, around: &[u32], values: &[Pair]) -> Result<(), StoreError> {
        for around in around {
            if values.is_empty() {
                self.group(*around, MISSING, MISSING)?.count += 1;
            }
            for equal in values.chunk_by(|a, b| a.value == b.value) {
                let Some(Pair { value, written, .. }) = equal.first().copied() else {
                    continue;
                };
                let group = self.group(*around, value, written)?;
                group.count += 1;
                let shown = group.shown;
                let smallest = self.smallest(shown, equal);
                if smallest != shown {
                    self.group(*around, value, written)?.shown = smallest;
                }
            }
        }
        Ok(())
    }

    fn group(&mut self, around: u32, value: u32, shown: u32) -> Result<&mut Group, StoreError> {
        let next = to_u32(self.groups.len());
        let number = *self.numbers.entry((around, value)).or_insert(next);
        if number == next {
            if self.groups.len() >= GROUPS_MAX {
                return Err(self.by.too_many());
            }
            self.groups.push(Group {
                around,
                value,
                shown,
                count: 0,
            });
        }
        let group = self.groups.get_mut(to_usize(number.into()));
        group.ok_or_else(|| self.by.too_many())
    }

    /// The number of the smallest text: of `shown`, and of equal numbers.
    fn smallest(&self, shown: u32, equal: &[Pair]) -> u32 {
        let text = |written: u32| number_text(self.keys.get(written));
        let others = equal.iter().map(|pair| pair.written);
        let others = others.filter(|written| *written != shown);
        others.fold(shown, |least, other| match text(other) < text(least) {
            true => other,
            false => least,
        })
    }

    /// Brings the groups into the order of the answer and cuts those beyond the limit.
    pub(super) fn finish(&mut self) {
        let valued = (0..).zip(&self.groups);
        let mut sorted: Vec<(u32, u32, Group, Value)> = valued
            .map(|(number, group)| {
                (
                    group.around,
                    number,
                    *group,
                    value_of(self.keys.get(group.value)),
                )
            })
            .collect();
        let limit = match self.by {
            GroupBy::Terms { limit, .. } => {
                sorted.sort_by(|a, b| {
                    let rank = |one: &(u32, u32, Group, Value)| (one.0, Reverse(one.2.count));
                    rank(a).cmp(&rank(b)).then_with(|| a.3.cmp(&b.3))
                });
                *limit
            }
            GroupBy::Interval { .. } => {
                sorted.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.3.cmp(&b.3)));
                usize::MAX
            }
        };
        let mut last = None;
        let mut n_inside = 0;
        for (around, number, group, _) in sorted {
            n_inside = if last == Some(around) {
                n_inside + 1
            } else {
                1
            };
            last = Some(around);
            if n_inside <= limit {
                self.order.push((around, number));
            } else {
                self.is_cut = true;
                self.numbers.remove(&(around, group.value));
            }
        }
    }

    /// The groups inside of another one, in order.
    pub(super) fn inside(&self, around: u32) -> impl Iterator<Item = u32> {
        let first = self.order.partition_point(|(other, _)| *other < around);
        let rest = self.order.get(first..).unwrap_or_default().iter();
        let mine = rest.take_while(move |(other, _)| *other == around);
        mine.map(|(_, number)| *number)
    }

    /// The key of a group, and the number of its records.
    pub(super) fn told(&self, number: u32) -> (Json, u64) {
        let Some(group) = self.groups.get(to_usize(number.into())) else {
            return (Json::Null, 0);
        };
        let value = value_of(self.keys.get(group.value));
        let shown = number_text(self.keys.get(group.shown));
        (value.into_key(shown), group.count)
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }
}

/// Values without repetitions; they are sorted.
fn once_each(values: &[Pair]) -> impl Iterator<Item = &Pair> {
    values
        .chunk_by(|a, b| a.value == b.value)
        .filter_map(|equal| equal.first())
}
