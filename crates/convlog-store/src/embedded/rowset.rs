//! Sets of rows: one bit a row, as long as the index they belong to.

use super::bytes::to_usize;

/// Rows out of `0..len`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowSet {
    words: Vec<u64>,
    len: u32,
}

const BITS: u32 = u64::BITS;

fn place(row: u32) -> (usize, u64) {
    (to_usize(u64::from(row / BITS)), 1 << (row % BITS))
}

impl RowSet {
    /// No row.
    pub(crate) fn empty(len: u32) -> Self {
        let words = vec![0; to_usize(len.div_ceil(BITS).into())];
        RowSet { words, len }
    }

    /// Every row.
    pub(crate) fn full(len: u32) -> Self {
        let mut set = RowSet::empty(len);
        set.complement();
        set
    }

    /// Number of rows that could be in it.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// Adds a row; one out of range is no row.
    pub(crate) fn insert(&mut self, row: u32) {
        let (word, bit) = place(row);
        if row < self.len
            && let Some(word) = self.words.get_mut(word)
        {
            *word |= bit;
        }
    }

    /// Adds the rows of a range; those out of range are no rows.
    pub(crate) fn insert_range(&mut self, first: u32, end: u32) {
        let end = end.min(self.len);
        if first >= end {
            return;
        }
        let ((from, low), (to, high)) = (place(first), place(end));
        let (low, high) = (!(low - 1), high - 1);
        if from == to {
            self.words[from] |= low & high;
            return;
        }
        self.words[from] |= low;
        self.words[from + 1..to].fill(u64::MAX);
        if high != 0 {
            self.words[to] |= high;
        }
    }

    /// Adds the rows of a bitmap, lowest bit first; those out of range are no rows.
    pub(crate) fn insert_bits(&mut self, bits: &[u8]) {
        for (word, bytes) in self.words.iter_mut().zip(bits.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word |= u64::from_le_bytes(whole);
        }
        self.cut();
    }

    pub(crate) fn remove(&mut self, row: u32) {
        let (word, bit) = place(row);
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        let (word, bit) = place(row);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Keeps what is in both.
    pub(crate) fn intersect(&mut self, other: &RowSet) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other;
        }
    }

    /// Adds what is in the other; rows beyond the length are no rows.
    pub(crate) fn unite(&mut self, other: &RowSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
        self.cut();
    }

    /// Removes what is in the other.
    pub(crate) fn subtract(&mut self, other: &RowSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Turns every row over.
    pub(crate) fn complement(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.cut();
    }

    /// Removes every row from `end` on.
    pub(crate) fn truncate(&mut self, end: u32) {
        let (first, bit) = place(end);
        for (i, word) in self.words.iter_mut().enumerate().skip(first) {
            *word = if i == first { *word & (bit - 1) } else { 0 };
        }
    }

    fn cut(&mut self) {
        self.truncate(self.len);
    }

    /// The rows, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        let numbered = (0u32..).step_by(64).zip(&self.words);
        numbered.flat_map(|(base, word)| Bits(*word).map(move |bit| base + bit))
    }

    /// The rows from `from` on, rising.
    pub(crate) fn iter_from(&self, from: u32) -> impl Iterator<Item = u32> {
        let (first, bit) = place(from);
        let numbered = (0u32..)
            .step_by(64)
            .zip(&self.words)
            .enumerate()
            .skip(first);
        numbered.flat_map(move |(i, (base, word))| {
            let word = if i == first { word & !(bit - 1) } else { *word };
            Bits(word).map(move |bit| base + bit)
        })
    }
}

struct Bits(u64);

impl Iterator for Bits {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(len: u32, rows: &[u32]) -> RowSet {
        let mut set = RowSet::empty(len);
        rows.iter().for_each(|row| set.insert(*row));
        set
    }

    #[test]
    fn sets_act_as_sets_of_their_length() {
        let (a, b) = (of(130, &[0, 63, 64, 129]), of(130, &[63, 100]));
        let mut both = a.clone();
        both.intersect(&b);
        assert_eq!(both, of(130, &[63]));
        let mut either = a.clone();
        either.unite(&b);
        assert_eq!(either, of(130, &[0, 63, 64, 100, 129]));
        either.subtract(&a);
        assert_eq!(either, of(130, &[100]));
        let mut rest = a.clone();
        rest.complement();
        assert_eq!(
            (rest.count(), rest.contains(129), rest.contains(1)),
            (126, false, true)
        );
        assert_eq!(RowSet::full(65).count(), 65);
        assert!(of(10, &[10, 11]).is_empty());
    }

    #[test]
    fn ranges_and_bitmaps_are_as_rows_one_by_one() {
        for (first, end) in [
            (0, 0),
            (0, 64),
            (3, 70),
            (64, 128),
            (5, 6),
            (60, 300),
            (129, 130),
        ] {
            let mut range = RowSet::empty(130);
            range.insert_range(first, end);
            assert_eq!(
                range,
                of(130, &(first..end).collect::<Vec<_>>()),
                "{first}..{end}"
            );
        }
        let mut bits = RowSet::empty(70);
        bits.insert_bits(&[0b101, 0, 0, 0, 0, 0, 0, 0, 0xFF]);
        assert_eq!(bits, of(70, &[0, 2, 64, 65, 66, 67, 68, 69]));
    }

    #[test]
    fn rows_come_rising_from_anywhere() {
        let set = of(200, &[3, 64, 65, 190]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [3, 64, 65, 190]);
        assert_eq!(set.iter_from(64).collect::<Vec<_>>(), [64, 65, 190]);
        let mut cut = set.clone();
        cut.truncate(65);
        assert_eq!(cut, of(200, &[3, 64]));
    }
}
