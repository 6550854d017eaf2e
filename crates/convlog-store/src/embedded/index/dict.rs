//! Sorted bytes in blocks, each entry written as what it does not share with the one before.
//!
//! Paths and terms are both kept so. A term has postings: one alone stands in its entry, short
//! lists too, long ones stand in a section of their own.

use crate::embedded::bytes::{
    Malformed, Reader, common_len, put_bytes, put_len, put_varint, to_u32, to_u64, to_usize,
};
use crate::embedded::pool::give_way;

use super::postings::{self, Extent};
use super::source::{Damaged, Part};

/// Entries of a block.
const BLOCK: usize = 32;
/// Lists up to so many bytes stand in their entry.
const INLINE_LEN_MAX: usize = 32;
/// Keys that are written before others may have the core.
const KEYS_AT_ONCE: u32 = 4096;
/// Longest key: a path of the longest raw body would be cut before.
const KEY_LEN_MAX: u64 = 64 << 20;

/// Writes entries in their order.
#[derive(Debug, Default)]
pub(crate) struct DictWriter {
    pub(crate) entries: Vec<u8>,
    /// Where each block begins.
    pub(crate) blocks: Vec<u8>,
    pub(crate) postings: Vec<u8>,
    pub(crate) count: u32,
    last: Vec<u8>,
    scratch: Vec<u8>,
}

impl DictWriter {
    /// Appends a key, which is greater than the one before.
    pub(crate) fn key(&mut self, key: &[u8]) {
        let mut shared = 0;
        if to_usize(self.count.into()).is_multiple_of(BLOCK) {
            let start = to_u32(self.entries.len());
            self.blocks.extend_from_slice(&start.to_le_bytes());
        } else {
            shared = common_len(&self.last, key);
        }
        put_len(&mut self.entries, shared);
        put_bytes(&mut self.entries, key.get(shared..).unwrap_or_default());
        self.last.truncate(shared);
        self.last
            .extend_from_slice(key.get(shared..).unwrap_or_default());
        self.count += 1;
        if self.count.is_multiple_of(KEYS_AT_ONCE) {
            give_way();
        }
    }

    /// Appends a term.
    pub(crate) fn term(&mut self, key: &[u8], list: &[u32]) {
        self.key(key);
        if let [one] = list
            && one & 0xFFFF == 0
        {
            put_varint(&mut self.entries, u64::from(postings::row_of(*one)) << 1);
            return;
        }
        let mut bytes = std::mem::take(&mut self.scratch);
        postings::encode(&mut bytes, list);
        self.list(bytes);
    }

    /// Appends the elements of an array.
    pub(crate) fn elements(&mut self, key: &[u8], extents: &[Extent]) {
        self.key(key);
        let mut bytes = std::mem::take(&mut self.scratch);
        postings::encode_extents(&mut bytes, extents);
        self.list(bytes);
    }

    fn list(&mut self, mut bytes: Vec<u8>) {
        put_varint(&mut self.entries, to_u64(bytes.len()) << 1 | 1);
        if bytes.len() <= INLINE_LEN_MAX {
            self.entries.extend_from_slice(&bytes);
        } else {
            put_len(&mut self.entries, self.postings.len());
            self.postings.extend_from_slice(&bytes);
        }
        bytes.clear();
        self.scratch = bytes;
    }
}

/// Where the postings of a term are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// The record itself in this row.
    One(u32),
    /// A list in its entry.
    Inline(&'a [u8]),
    /// A list in the section of lists: offset and length.
    Apart(usize, usize),
}

/// Entries as they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dict<'a> {
    pub(crate) entries: Part<'a>,
    pub(crate) blocks: Part<'a>,
    /// Whether entries have postings.
    pub(crate) has_postings: bool,
}

impl<'a> Dict<'a> {
    fn n_blocks(&self) -> usize {
        self.blocks.len() / 4
    }

    fn block_start(&self, block: usize) -> Result<usize, Damaged> {
        if block >= self.n_blocks() {
            return Ok(self.entries.len());
        }
        let bytes = self.blocks.get(block * 4, 4)?;
        let start = bytes
            .first_chunk::<4>()
            .map_or(0, |b| u32::from_le_bytes(*b));
        Ok(to_usize(start.into()))
    }

    fn block(&self, block: usize) -> Result<Walk<'a>, Damaged> {
        let start = self.block_start(block)?;
        let end = self.block_start(block + 1)?;
        let len = end
            .checked_sub(start)
            .ok_or_else(|| self.entries.fault(start))?;
        Ok(Walk {
            reader: Reader::new(self.entries.get(start, len)?),
            start,
            entries: self.entries,
            has_postings: self.has_postings,
        })
    }

    /// The block in which `key` would stand.
    fn seek(&self, key: &[u8]) -> Result<usize, Damaged> {
        let (mut low, mut high) = (0, self.n_blocks());
        let mut first = Vec::new();
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            self.block(middle)?.next(&mut first)?;
            match first.as_slice() <= key {
                true => low = middle,
                false => high = middle,
            }
        }
        Ok(low)
    }

    /// Number of the entry with this key, and its postings.
    pub(crate) fn find(&self, key: &[u8]) -> Result<Option<(u32, Found<'a>)>, Damaged> {
        let mut answer = None;
        self.from(key, |number, found_key, found| {
            if found_key == key {
                answer = Some((number, found));
            }
            false
        })?;
        Ok(answer)
    }

    /// Visits entries from the first that is not smaller than `key` on, until `visit` says no.
    pub(crate) fn from(
        &self,
        key: &[u8],
        mut visit: impl FnMut(u32, &[u8], Found<'a>) -> bool,
    ) -> Result<(), Damaged> {
        let mut current = Vec::new();
        for block in self.seek(key)?..self.n_blocks() {
            let mut walk = self.block(block)?;
            let mut number = to_u32(block * BLOCK);
            while let Some(found) = walk.next(&mut current)? {
                if current.as_slice() >= key && !visit(number, &current, found) {
                    return Ok(());
                }
                number += 1;
            }
        }
        Ok(())
    }

    /// The key of an entry.
    pub(crate) fn key_of(&self, number: u32) -> Result<Vec<u8>, Damaged> {
        let number = to_usize(number.into());
        let mut walk = self.block(number / BLOCK)?;
        let mut key = Vec::new();
        for _ in 0..=number % BLOCK {
            walk.next(&mut key)?;
        }
        Ok(key)
    }

    /// All entries, in order.
    pub(crate) fn cursor(&self) -> DictCursor<'a> {
        DictCursor {
            dict: *self,
            block: 0,
            walk: None,
        }
    }
}

/// Reads the entries of one block.
#[derive(Debug)]
struct Walk<'a> {
    reader: Reader<'a>,
    start: usize,
    entries: Part<'a>,
    has_postings: bool,
}

impl<'a> Walk<'a> {
    /// Makes the key of the next entry out of the one before.
    fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<Found<'a>>, Damaged> {
        if self.reader.left() == 0 {
            return Ok(None);
        }
        let read = self.read(key);
        read.map(Some)
            .map_err(|bad| self.entries.fault(self.start + bad.at))
    }

    fn read(&mut self, key: &mut Vec<u8>) -> Result<Found<'a>, Malformed> {
        let reader = &mut self.reader;
        let shared = reader.varint()?;
        if shared > KEY_LEN_MAX || to_usize(shared) > key.len() {
            return Err(reader.fault("entry shares more than there is"));
        }
        key.truncate(to_usize(shared));
        key.extend_from_slice(reader.bytes()?);
        if !self.has_postings {
            return Ok(Found::Inline(&[]));
        }
        let head = reader.varint()?;
        if head & 1 == 0 {
            let row = u32::try_from(head >> 1).map_err(|_| reader.fault("row out of range"))?;
            return Ok(Found::One(row));
        }
        let len = to_usize(head >> 1);
        match len <= INLINE_LEN_MAX {
            true => Ok(Found::Inline(reader.take(len)?)),
            false => Ok(Found::Apart(to_usize(reader.varint()?), len)),
        }
    }
}

/// Walks over all entries.
#[derive(Debug)]
pub(crate) struct DictCursor<'a> {
    dict: Dict<'a>,
    block: usize,
    walk: Option<Walk<'a>>,
}

impl<'a> DictCursor<'a> {
    /// Makes the next key out of the one before; `None` behind the last.
    pub(crate) fn next(&mut self, key: &mut Vec<u8>) -> Result<Option<Found<'a>>, Damaged> {
        loop {
            if let Some(walk) = &mut self.walk
                && let Some(found) = walk.next(key)?
            {
                return Ok(Some(found));
            }
            if self.block >= self.dict.n_blocks() {
                return Ok(None);
            }
            self.walk = Some(self.dict.block(self.block)?);
            self.block += 1;
        }
    }
}
