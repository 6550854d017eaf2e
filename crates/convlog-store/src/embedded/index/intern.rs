//! Distinct bytes by number, and lists by number: what the terms of an append are gathered in.

use std::cmp::Ordering;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::embedded::bytes::{to_u32, to_usize};

/// Distinct bytes, numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Upper half of the hash, and the number.
    table: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
}

impl Interner {
    /// The bytes of a number.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let number = to_usize(number.into());
        let end = |n: usize| self.ends.get(n).map_or(0, |end| to_usize((*end).into()));
        let start = number.checked_sub(1).map_or(0, end);
        self.bytes.get(start..end(number)).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.table.clear();
    }

    /// Bytes of room that it keeps.
    pub(super) fn room(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.table.capacity() * 5
    }

    /// The number of these bytes, and whether they are new.
    pub(super) fn intern(&mut self, bytes: &[u8]) -> (u32, bool) {
        let hash = self.hasher.hash_one(bytes);
        // Half of it tells nearly all entries apart, and is all that moving one needs.
        let half = u32::try_from(hash >> 32).unwrap_or(0);
        let hash = spread(half);
        let is_same = |(known, number): &(u32, u32)| *known == half && self.get(*number) == bytes;
        if let Some((_, number)) = self.table.find(hash, is_same) {
            return (*number, false);
        }
        let number = to_u32(self.ends.len());
        self.bytes.extend_from_slice(bytes);
        self.ends.push(to_u32(self.bytes.len()));
        let moved = |(half, _): &(u32, u32)| spread(*half);
        self.table.insert_unique(hash, (half, number), moved);
        (number, true)
    }
}

/// A hash of which both ends count, out of half of one.
fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Things by term, each list rising.
pub(super) struct Lists<T> {
    starts: Vec<u32>,
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy + Ord + Default> Lists<T> {
    /// What a term has twice counts once.
    pub(super) fn of(pairs: &[(u32, T)], n_terms: usize) -> Self {
        let mut starts = vec![0; n_terms + 1];
        for (term, _) in pairs {
            starts[to_usize((*term).into()) + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        starts.pop();
        let mut ends = starts.clone();
        let mut items = vec![T::default(); pairs.len()];
        let mut unsorted = Vec::new();
        for (term, item) in pairs {
            let at = to_usize((*term).into());
            let end = &mut ends[at];
            if *end > starts[at] {
                // Nearly all come in their order.
                match items[to_usize((*end).into()) - 1].cmp(item) {
                    Ordering::Less => {}
                    Ordering::Equal => continue,
                    Ordering::Greater => unsorted.push(at),
                }
            }
            items[to_usize((*end).into())] = *item;
            *end += 1;
        }
        for at in unsorted {
            let start = to_usize(starts[at].into());
            let list = &mut items[start..to_usize(ends[at].into())];
            list.sort_unstable();
            let mut kept = 0;
            for i in 0..list.len() {
                if i == 0 || list[i] != list[kept - 1] {
                    list[kept] = list[i];
                    kept += 1;
                }
            }
            ends[at] = starts[at] + to_u32(kept);
        }
        Lists {
            starts,
            ends,
            items,
        }
    }

    pub(super) fn get(&self, term: u32) -> &[T] {
        let at = to_usize(term.into());
        &self.items[to_usize(self.starts[at].into())..to_usize(self.ends[at].into())]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_term_has_what_it_was_given_once_and_rising(
            pairs in proptest::collection::vec((0..4u32, 0..6u32), 0..60)
        ) {
            let lists = Lists::of(&pairs, 5);
            for term in 0..5 {
                let mine = pairs.iter().filter(|(of, _)| *of == term);
                let expected: BTreeSet<u32> = mine.map(|(_, item)| *item).collect();
                prop_assert!(lists.get(term).iter().eq(&expected));
            }
        }
    }
}
