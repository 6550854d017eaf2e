//! The rows of one chunk by a time: a growing set while it is open, a sorted list afterwards.

use std::collections::BTreeSet;
use std::ops::Bound;

use convlog_model::time::Timestamp;

/// Place of a row in an order that rises: rows without the value come last.
///
/// Orders that fall have the same first component, so that those rows come last there too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) is_missing: bool,
    pub(crate) micros: i64,
    pub(crate) row: u32,
}

/// Rows by a time.
#[derive(Debug)]
pub(crate) enum Order {
    Growing(BTreeSet<Key>),
    Fixed(Vec<Key>),
}

impl Default for Order {
    fn default() -> Self {
        Order::Growing(BTreeSet::new())
    }
}

const MISSING_FIRST: Key = Key {
    is_missing: true,
    micros: i64::MIN,
    row: 0,
};

impl Order {
    /// The key of a row.
    pub(crate) fn key(value: Option<Timestamp>, row: u32) -> Key {
        Key {
            is_missing: value.is_none(),
            micros: value.map_or(0, Timestamp::micros),
            row,
        }
    }

    pub(crate) fn insert(&mut self, value: Option<Timestamp>, row: u32) {
        let key = Self::key(value, row);
        match self {
            Order::Growing(set) => drop(set.insert(key)),
            Order::Fixed(list) => {
                let place = list.partition_point(|known| *known < key);
                list.insert(place, key);
            }
        }
    }

    /// No further row comes.
    pub(crate) fn fix(&mut self) {
        if let Order::Growing(set) = self {
            *self = Order::Fixed(std::mem::take(set).into_iter().collect());
        }
    }

    fn between<'a>(
        &'a self,
        from: Bound<Key>,
        to: Bound<Key>,
    ) -> Box<dyn DoubleEndedIterator<Item = Key> + 'a> {
        match self {
            Order::Growing(set) => Box::new(set.range((from, to)).copied()),
            Order::Fixed(list) => {
                let start = list.partition_point(|key| match from {
                    Bound::Unbounded => false,
                    Bound::Included(from) => *key < from,
                    Bound::Excluded(from) => *key <= from,
                });
                let end = list.partition_point(|key| match to {
                    Bound::Unbounded => true,
                    Bound::Included(to) => *key <= to,
                    Bound::Excluded(to) => *key < to,
                });
                let part = list.get(start..end.max(start)).unwrap_or_default();
                Box::new(part.iter().copied())
            }
        }
    }

    /// Rows behind `after`, smallest first.
    pub(crate) fn rising(&self, after: Option<Bound<Key>>) -> Box<dyn Iterator<Item = Key> + '_> {
        Box::new(self.between(after.unwrap_or(Bound::Unbounded), Bound::Unbounded))
    }

    /// Rows behind `after`, greatest first, but rows without the value still last.
    pub(crate) fn falling(&self, after: Option<Bound<Key>>) -> Box<dyn Iterator<Item = Key> + '_> {
        let with = Bound::Excluded(MISSING_FIRST);
        let without = Bound::Included(MISSING_FIRST);
        match after {
            None => Box::new(
                self.between(Bound::Unbounded, with)
                    .rev()
                    .chain(self.between(without, Bound::Unbounded).rev()),
            ),
            Some(Bound::Included(key) | Bound::Excluded(key)) if key.is_missing => Box::new(
                self.between(without, after.unwrap_or(Bound::Unbounded))
                    .rev(),
            ),
            Some(end) => Box::new(
                self.between(Bound::Unbounded, end)
                    .rev()
                    .chain(self.between(without, Bound::Unbounded).rev()),
            ),
        }
    }
}
