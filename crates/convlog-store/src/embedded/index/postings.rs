//! Posting lists: in which rows, and there in which array element, a term stands.
//!
//! A posting is one number: the row in the upper 16 bits, the element in the lower ones (0 is the
//! record itself). Lists rise. docs/format.md has the forms.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

use crate::embedded::bytes::{
    Malformed, Reader, put_len, put_varint, to_u32, to_u64, to_usize, varint_len,
};
use crate::embedded::rowset::RowSet;

/// Rows that an index can hold.
pub(crate) const ROWS_MAX: usize = 1 << 16;

/// Bytes that one posting list, or the entries of one array, may take after decompression.
const PLAIN_LEN_MAX: usize = 64 << 20;
/// Lists shorter than this are not compressed.
const COMPRESS_FROM: usize = 1024;

thread_local! {
    /// To make a context takes longer than to compress most lists.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn pack(plain: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| match packer {
        Some(packer) => packer.compress(plain),
        None => packer.insert(Compressor::new(1)?).compress(plain),
    })
}

fn unpack(packed: &[u8], len: usize) -> io::Result<Vec<u8>> {
    UNPACKER.with_borrow_mut(|unpacker| match unpacker {
        Some(unpacker) => unpacker.decompress(packed, len),
        None => unpacker
            .insert(Decompressor::new()?)
            .decompress(packed, len),
    })
}

const ROWS: u8 = 0;
const PAIRS: u8 = 1;
const RUNS: u8 = 2;
const BITS: u8 = 3;
const EXTENTS: u8 = 4;
const COMPRESSED: u8 = 5;

/// The posting of an element of a row.
pub(crate) fn posting(row: u32, element: u16) -> u32 {
    (row << 16) | u32::from(element)
}

/// The row of a posting.
pub(crate) fn row_of(posting: u32) -> u32 {
    posting >> 16
}

/// One object in an array: its posting, and the last element that lies inside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extent {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// Appends a list.
pub(crate) fn encode(out: &mut Vec<u8>, postings: &[u32]) {
    let start = out.len();
    if postings.iter().all(|posting| posting & 0xFFFF == 0) {
        encode_rows(out, postings);
    } else {
        out.push(PAIRS);
        put_len(out, postings.len());
        let mut last_row = 0;
        for posting in postings {
            let row = row_of(*posting);
            put_varint(out, u64::from(row - last_row));
            put_varint(out, u64::from(posting & 0xFFFF));
            last_row = row;
        }
    }
    compress(out, start);
}

/// Hands out each run of rows that follow each other: how far it is from the end of the one before,
/// and how many rows come behind its first.
fn runs(postings: &[u32], mut visit: impl FnMut(u32, u32)) {
    let mut next = 0;
    let mut rest = postings;
    while let Some((first, others)) = rest.split_first() {
        let first = row_of(*first);
        let follows = |(row, posting): &(u32, &u32)| row_of(**posting) == *row;
        let behind = (first + 1..).zip(others).take_while(follows).count();
        rest = others.get(behind..).unwrap_or_default();
        let behind = to_u32(behind);
        visit(first - next, behind);
        next = first + behind + 1;
    }
}

/// The shortest of three forms, each measured before one is written.
fn encode_rows(out: &mut Vec<u8>, postings: &[u32]) {
    let mut n_runs = 0;
    let (mut deltas_len, mut runs_len) = (varint_len(to_u64(postings.len())), 0);
    runs(postings, |gap, behind| {
        n_runs += 1;
        let gap_len = varint_len(gap.into());
        deltas_len += gap_len + to_usize(behind.into());
        runs_len += gap_len + varint_len(behind.into());
    });
    runs_len += varint_len(n_runs);
    let greatest = postings.last().map_or(0, |posting| row_of(*posting));
    let bits_len = to_usize(u64::from(greatest / 8)) + 3;
    if bits_len < deltas_len.min(runs_len) {
        out.push(BITS);
        let mut bits = vec![0u8; to_usize(u64::from(greatest / 8)) + 1];
        for row in postings.iter().map(|posting| row_of(*posting)) {
            if let Some(byte) = bits.get_mut(to_usize(u64::from(row / 8))) {
                *byte |= 1 << (row % 8);
            }
        }
        put_len(out, bits.len());
        out.extend_from_slice(&bits);
    } else if runs_len < deltas_len {
        out.push(RUNS);
        put_varint(out, n_runs);
        runs(postings, |gap, behind| {
            put_varint(out, gap.into());
            put_varint(out, behind.into());
        });
    } else {
        out.push(ROWS);
        put_len(out, postings.len());
        runs(postings, |gap, behind| {
            put_varint(out, gap.into());
            out.resize(out.len() + to_usize(behind.into()), 0);
        });
    }
}

/// Appends the elements of an array.
pub(crate) fn encode_extents(out: &mut Vec<u8>, extents: &[Extent]) {
    let start = out.len();
    out.push(EXTENTS);
    put_len(out, extents.len());
    let mut last_row = 0;
    for extent in extents {
        let row = row_of(extent.first);
        put_varint(out, u64::from(row - last_row));
        put_varint(out, u64::from(extent.first & 0xFFFF));
        put_varint(out, u64::from(extent.last - extent.first));
        last_row = row;
    }
    compress(out, start);
}

/// Regular lists, such as those of a value that every row has twice, nearly vanish.
fn compress(out: &mut Vec<u8>, start: usize) {
    let plain = out.get(start..).unwrap_or_default();
    let len = plain.len();
    if len >= COMPRESS_FROM
        && let Ok(packed) = pack(plain)
        && packed.len() + 8 < len - len / 8
    {
        out.truncate(start);
        out.push(COMPRESSED);
        put_len(out, len);
        out.extend_from_slice(&packed);
    }
}

fn plain(bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut reader = Reader::new(bytes);
    if reader.u8()? != COMPRESSED {
        return Ok(None);
    }
    let len = to_usize(reader.varint()?);
    if len > PLAIN_LEN_MAX {
        return Err(reader.fault("postings too long"));
    }
    let packed = reader.take(reader.left())?;
    let plain = unpack(packed, len);
    plain
        .map(Some)
        .map_err(|_| reader.fault("postings cannot be decompressed"))
}

/// Adds the rows of a list to a set.
pub(crate) fn rows(bytes: &[u8], into: &mut RowSet) -> Result<(), Malformed> {
    let unpacked = plain(bytes)?;
    let bytes = unpacked.as_deref().unwrap_or(bytes);
    let mut reader = Reader::new(bytes);
    match reader.u8()? {
        RUNS => {
            let mut next: u64 = 0;
            for _ in 0..reader.count()? {
                let first = next.saturating_add(reader.varint()?);
                next = first.saturating_add(reader.varint()?).saturating_add(1);
                let (from, end) = (u32::try_from(first), u32::try_from(next));
                let beyond = |_| reader.fault("row out of range");
                into.insert_range(from.map_err(beyond)?, end.map_err(beyond)?);
            }
            Ok(())
        }
        BITS => {
            into.insert_bits(reader.bytes()?);
            Ok(())
        }
        _ => decode(bytes, |posting| into.insert(row_of(posting))),
    }
}

/// Hands every posting of a list to `visit`, rising.
pub(crate) fn decode(bytes: &[u8], mut visit: impl FnMut(u32)) -> Result<(), Malformed> {
    let unpacked = plain(bytes)?;
    let mut reader = Reader::new(unpacked.as_deref().unwrap_or(bytes));
    let form = reader.u8()?;
    let mut next: u64 = 0;
    let beyond = |reader: &Reader<'_>| reader.fault("row out of range");
    match form {
        ROWS => {
            for _ in 0..reader.count()? {
                let row = next.saturating_add(reader.varint()?);
                visit(to_row(row).ok_or_else(|| beyond(&reader))? << 16);
                next = row + 1;
            }
        }
        PAIRS => {
            for _ in 0..reader.count()? {
                next = next.saturating_add(reader.varint()?);
                let row = to_row(next).ok_or_else(|| beyond(&reader))?;
                let element = u16::try_from(reader.varint()?);
                visit(posting(row, element.map_err(|_| beyond(&reader))?));
            }
        }
        RUNS => {
            for _ in 0..reader.count()? {
                let first = next.saturating_add(reader.varint()?);
                let last = first.saturating_add(reader.varint()?);
                let (Some(from), Some(to)) = (to_row(first), to_row(last)) else {
                    return Err(beyond(&reader));
                };
                (from..=to).for_each(|row| visit(row << 16));
                next = last + 1;
            }
        }
        BITS => {
            let bits = reader.bytes()?;
            if bits.len() > ROWS_MAX / 8 {
                return Err(beyond(&reader));
            }
            for (base, byte) in (0u32..).step_by(8).zip(bits) {
                let set = (0..8).filter(|bit| byte & (1 << bit) != 0);
                set.for_each(|bit| visit((base + bit) << 16));
            }
        }
        _ => return Err(reader.fault("unknown form of postings")),
    }
    Ok(())
}

fn to_row(row: u64) -> Option<u32> {
    (row < to_u64(ROWS_MAX)).then(|| to_u32(to_usize(row)))
}

/// The elements of an array, rising.
pub(crate) fn decode_extents(bytes: &[u8]) -> Result<Vec<Extent>, Malformed> {
    let unpacked = plain(bytes)?;
    let mut reader = Reader::new(unpacked.as_deref().unwrap_or(bytes));
    if reader.u8()? != EXTENTS {
        return Err(reader.fault("no elements"));
    }
    let count = reader.count()?;
    let mut out = Vec::with_capacity(count);
    let mut row: u64 = 0;
    for _ in 0..count {
        row = row.saturating_add(reader.varint()?);
        let element = u16::try_from(reader.varint()?);
        let below = u16::try_from(reader.varint()?);
        let (Some(row), Ok(element), Ok(below)) = (to_row(row), element, below) else {
            return Err(reader.fault("element out of range"));
        };
        let first = posting(row, element);
        let Some(last) = element.checked_add(below) else {
            return Err(reader.fault("element out of range"));
        };
        out.push(Extent {
            first,
            last: posting(row, last),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(postings: &[u32]) -> usize {
        let mut bytes = Vec::new();
        encode(&mut bytes, postings);
        let mut read = Vec::new();
        decode(&bytes, |posting| read.push(posting)).unwrap();
        assert_eq!(read, postings);
        let mut set = RowSet::empty(to_u32(ROWS_MAX));
        rows(&bytes, &mut set).unwrap();
        let mut expected: Vec<u32> = postings.iter().map(|posting| row_of(*posting)).collect();
        expected.dedup();
        assert_eq!(set.iter().collect::<Vec<_>>(), expected);
        bytes.len()
    }

    #[test]
    fn each_form_is_read_as_it_was_written() {
        let of = |rows: &mut dyn Iterator<Item = u32>| -> Vec<u32> {
            rows.map(|row| posting(row, 0)).collect()
        };
        check(&[]);
        check(&of(&mut [0, 9, 65_535].into_iter()));
        assert!(check(&of(&mut (0..65_536))) < 10);
        assert!(check(&of(&mut (0..65_536).filter(|row| row % 3 == 0))) < 9_000);
        let pairs: Vec<u32> = (0..60_000)
            .flat_map(|row| [posting(row, 1), posting(row, 2)])
            .collect();
        assert!(check(&pairs) < 2_000);
    }

    #[test]
    fn elements_are_read_as_they_were_written() {
        let extents: Vec<Extent> = (0..5_000)
            .map(|row| Extent {
                first: posting(row, 1),
                last: posting(row, 3),
            })
            .collect();
        let mut bytes = Vec::new();
        encode_extents(&mut bytes, &extents);
        assert_eq!(decode_extents(&bytes).unwrap(), extents);
    }

    proptest! {
        #[test]
        fn lists_are_read_as_they_were_written(set in proptest::collection::btree_set(any::<u32>(), 0..300)) {
            check(&set.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut n_postings = 0;
            let read = decode(&bytes, |_| n_postings += 1);
            let mut set = RowSet::empty(u32::from(u16::MAX) + 1);
            // What can be read one by one can be read as a set.
            prop_assert!(read.is_err() || rows(&bytes, &mut set).is_ok());
            prop_assert!(read.is_err() || set.count() <= n_postings);
            if let Ok(extents) = decode_extents(&bytes) {
                prop_assert!(extents.iter().all(|extent| extent.first <= extent.last));
            }
        }
    }
}
