//! Distinct bytes by number, and lists by number: what the terms of an append are gathered in.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::postings::Extent;
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
    starts: Vec<usize>,
    items: Vec<T>,
}

impl<T: Copy + Ord + Default> Lists<T> {
    fn new(pairs: &[(u32, T)], n_terms: usize) -> Self {
        let mut starts = vec![0; n_terms + 1];
        for (term, _) in pairs {
            starts[to_usize((*term).into()) + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut items = vec![T::default(); pairs.len()];
        for (term, item) in pairs {
            let place = &mut next[to_usize((*term).into())];
            items[*place] = *item;
            *place += 1;
        }
        Lists { starts, items }
    }

    pub(super) fn get(&self, term: u32) -> &[T] {
        let term = to_usize(term.into());
        &self.items[self.starts[term]..self.starts[term + 1]]
    }
}

impl Lists<u32> {
    /// Postings of each term: a value that an element has twice counts once.
    pub(super) fn of(occurrences: &[(u32, u32)], n_terms: usize) -> Self {
        let lists = Self::new(occurrences, n_terms);
        let mut out = Lists {
            starts: vec![0],
            items: Vec::with_capacity(lists.items.len()),
        };
        for term in 0..to_u32(n_terms) {
            let list = lists.get(term);
            if list.is_sorted_by(|a, b| a < b) {
                out.items.extend_from_slice(list);
            } else {
                let mut list = list.to_vec();
                list.sort_unstable();
                list.dedup();
                out.items.extend_from_slice(&list);
            }
            out.starts.push(out.items.len());
        }
        out
    }
}

impl Lists<Extent> {
    pub(super) fn of_extents(mut extents: Vec<(u32, Extent)>, n_terms: usize) -> Self {
        extents.sort_unstable();
        Self::new(&extents, n_terms)
    }
}
