//! Columns: one number a row or none, packed by blocks of rows that lie near to each other.

use std::ops::Range;

use crate::embedded::bytes::{Malformed, Reader, to_u32, to_usize};

/// Rows of a block.
const BLOCK: usize = 128;
/// Bytes before the directory: number of rows, smallest and greatest value.
const HEAD_LEN: usize = 24;
/// Bytes of an entry of the directory: base, bits of a value, first byte.
const ENTRY_LEN: usize = 16;

/// Appends a column. A value is kept as its distance from the smallest of its block plus one; 0 is
/// a row without one.
pub(crate) fn encode(out: &mut Vec<u8>, values: &[Option<i64>]) {
    let present = values.iter().flatten();
    let min = present.clone().min().copied().unwrap_or(i64::MAX);
    let max = present.max().copied().unwrap_or(i64::MIN);
    out.extend_from_slice(&u64::from(to_u32(values.len())).to_le_bytes());
    out.extend_from_slice(&min.to_le_bytes());
    out.extend_from_slice(&max.to_le_bytes());
    let mut data: Vec<u8> = Vec::new();
    for block in values.chunks(BLOCK) {
        let base = block.iter().flatten().min().copied().unwrap_or(0);
        let distance =
            |value: &Option<i64>| value.map_or(0, |value| u128::from(value.abs_diff(base)) + 1);
        let greatest = block.iter().map(distance).max().unwrap_or(0);
        let bits = u128::BITS - greatest.leading_zeros();
        out.extend_from_slice(&base.to_le_bytes());
        out.extend_from_slice(&bits.to_le_bytes());
        out.extend_from_slice(&to_u32(data.len()).to_le_bytes());
        let mut packed: u128 = 0;
        let mut filled = 0;
        for value in block {
            packed |= distance(value) << filled;
            filled += bits;
            while filled >= 8 {
                data.push(packed.to_le_bytes()[0]);
                packed >>= 8;
                filled -= 8;
            }
        }
        if filled > 0 {
            data.push(packed.to_le_bytes()[0]);
        }
    }
    out.extend_from_slice(&data);
}

/// A column as it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    rows: usize,
    min: i64,
    max: i64,
    directory: &'a [u8],
    data: &'a [u8],
}

impl<'a> Column<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let rows = to_usize(reader.u64()?);
        let (min, max) = (reader.i64()?, reader.i64()?);
        let directory = rows.div_ceil(BLOCK).saturating_mul(ENTRY_LEN);
        let directory = reader.take(directory)?;
        let start = HEAD_LEN + directory.len();
        let data = bytes.get(start..).unwrap_or_default();
        Ok(Column {
            rows,
            min,
            max,
            directory,
            data,
        })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Smallest and greatest value; `None` of none.
    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        (self.min <= self.max).then_some((self.min, self.max))
    }

    /// Rows that lie near to each other, and a least and a greatest value of those that have one:
    /// the true ones may be nearer. None where no row has a value.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Range<u32>, Option<(i64, i64)>)> {
        let (entries, _) = self.directory.as_chunks::<ENTRY_LEN>();
        let rows = self.rows;
        entries.iter().enumerate().map(move |(number, entry)| {
            let first = number * BLOCK;
            let range = to_u32(first)..to_u32((first + BLOCK).min(rows));
            let (base, bits) = base_and_bits(entry);
            let bounds = (1..=65).contains(&bits).then(|| {
                let furthest = (1_u128 << bits) - 2;
                let furthest = u64::try_from(furthest).unwrap_or(u64::MAX);
                (base, base.saturating_add_unsigned(furthest))
            });
            (range, bounds)
        })
    }

    /// The value of a row. Bytes that make no sense are a row without one.
    pub(crate) fn get(&self, row: u32) -> Option<i64> {
        let row = to_usize(row.into());
        if row >= self.rows {
            return None;
        }
        let (entries, _) = self.directory.as_chunks::<ENTRY_LEN>();
        let entry = entries.get(row / BLOCK)?;
        let (base, bits) = base_and_bits(entry);
        let first = entry.last_chunk::<4>()?;
        let bits = to_usize(bits.into());
        if bits == 0 || bits > 65 {
            return None;
        }
        let first_bit = row % BLOCK * bits;
        let start = to_usize(u32::from_le_bytes(*first).into()) + first_bit / 8;
        let mut window = [0; 16];
        let held = self.data.get(start..)?;
        let held = held.get(..held.len().min(window.len()))?;
        window.get_mut(..held.len())?.copy_from_slice(held);
        let packed = u128::from_le_bytes(window) >> (first_bit % 8);
        let distance = packed & ((1 << bits) - 1);
        let distance = u64::try_from(distance.checked_sub(1)?).ok()?;
        Some(base.wrapping_add_unsigned(distance))
    }

    /// Number of leading rows for which `test` holds, which it does for no later one.
    pub(crate) fn partition_point(&self, test: impl Fn(i64) -> bool) -> usize {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(to_u32(middle)).is_some_and(&test) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

/// What the directory says of a block: its smallest value, and the bits of each.
fn base_and_bits(entry: &[u8; ENTRY_LEN]) -> (i64, u32) {
    let base = entry.first_chunk::<8>().copied().unwrap_or_default();
    let bits = entry.get(8..12).and_then(|bits| bits.first_chunk::<4>());
    let bits = bits.copied().unwrap_or_default();
    (i64::from_le_bytes(base), u32::from_le_bytes(bits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(values: &[Option<i64>]) {
        let mut bytes = Vec::new();
        encode(&mut bytes, values);
        let column = Column::new(&bytes).unwrap();
        let read: Vec<_> = (0..to_u32(values.len()))
            .map(|row| column.get(row))
            .collect();
        assert_eq!(read, values);
        assert_eq!(column.get(to_u32(values.len())), None);
        let present: Vec<i64> = values.iter().flatten().copied().collect();
        let bounds = present
            .iter()
            .min()
            .copied()
            .zip(present.iter().max().copied());
        assert_eq!(column.bounds(), bounds);
        let mut next = 0;
        for (rows, bounds) in column.blocks() {
            assert_eq!(rows.start, next);
            next = rows.end;
            let mut values = rows.filter_map(|row| column.get(row)).peekable();
            assert_eq!(values.peek().is_some(), bounds.is_some());
            let (least, greatest) = bounds.unwrap_or_default();
            assert!(values.all(|value| (least..=greatest).contains(&value)));
        }
        assert_eq!(next, to_u32(values.len()));
    }

    #[test]
    fn extremes_and_gaps_are_kept() {
        check(&[]);
        check(&[None; 300]);
        check(&[Some(i64::MIN), Some(i64::MAX), None, Some(0)]);
        check(
            &(0..1000)
                .map(|i| (i % 7 != 0).then_some(i * 1_300))
                .collect::<Vec<_>>(),
        );
    }

    #[test]
    fn rising_values_are_found() {
        let mut bytes = Vec::new();
        encode(
            &mut bytes,
            &(0..500).map(|i| Some(i * 3)).collect::<Vec<_>>(),
        );
        let column = Column::new(&bytes).unwrap();
        assert_eq!(column.partition_point(|value| value <= 30), 11);
        assert_eq!(column.partition_point(|_| true), 500);
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read(values in proptest::collection::vec(any::<Option<i64>>(), 0..400)) {
            check(&values);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(column) = Column::new(&bytes) {
                for row in 0..300 {
                    column.get(row);
                }
            }
        }
    }
}
