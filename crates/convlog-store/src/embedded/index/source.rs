//! The bytes of an index: in memory, or in a file whose blocks are checked when first touched.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::embedded::bytes::{to_u64, to_usize};
use crate::embedded::disk::Mapped;

/// Bytes that have a checksum together.
pub(crate) const CHECKED_LEN: usize = 16 << 10;

/// Bytes of an index that are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("index is damaged at byte {at}")]
pub(crate) struct Damaged {
    /// Offset in the file.
    pub(crate) at: u64,
}

/// The bytes of an index.
pub(crate) enum Source {
    Memory(Vec<u8>),
    File {
        map: Arc<dyn Mapped>,
        /// Bytes that have checksums, from the first on.
        len: usize,
        /// One a block of them.
        checksums: Vec<u32>,
        /// One bit a block that was found whole.
        checked: Vec<AtomicU64>,
    },
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({} bytes)", self.all().len())
    }
}

impl Source {
    /// A mapped file with checksums of its blocks.
    pub(crate) fn file(map: Arc<dyn Mapped>, len: usize, checksums: Vec<u32>) -> Self {
        let checked = checksums.chunks(64).map(|_| AtomicU64::new(0)).collect();
        Source::File {
            map,
            len,
            checksums,
            checked,
        }
    }

    pub(crate) fn all(&self) -> &[u8] {
        match self {
            Source::Memory(bytes) => bytes,
            Source::File { map, len, .. } => map.bytes().get(..*len).unwrap_or_default(),
        }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Source::Memory(bytes) => bytes.capacity(),
            Source::File { checksums, .. } => checksums.len() * 5,
        }
    }

    fn get(&self, range: Range<usize>) -> Result<&[u8], Damaged> {
        let damaged = Damaged {
            at: to_u64(range.start),
        };
        let bytes = self.all().get(range.clone()).ok_or(damaged)?;
        if let Source::File {
            checksums, checked, ..
        } = self
            && !range.is_empty()
        {
            for block in range.start / CHECKED_LEN..=(range.end - 1) / CHECKED_LEN {
                let bit = 1 << (block % 64);
                let seen = checked.get(block / 64).ok_or(damaged)?;
                if seen.load(Ordering::Relaxed) & bit == 0 {
                    check(self.all(), checksums, block)?;
                    seen.fetch_or(bit, Ordering::Relaxed);
                }
            }
        }
        Ok(bytes)
    }

    /// Checks every block.
    pub(crate) fn check_all(&self) -> Result<(), Damaged> {
        if let Source::File { checksums, .. } = self {
            for block in 0..checksums.len() {
                check(self.all(), checksums, block)?;
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn was_checked(&self, at: usize) -> bool {
        let block = at / CHECKED_LEN;
        match self {
            Source::Memory(_) => true,
            Source::File { checked, .. } => {
                checked[block / 64].load(Ordering::Relaxed) & (1 << (block % 64)) != 0
            }
        }
    }

    /// A part of it.
    pub(crate) fn part(&self, range: &Range<usize>) -> Part<'_> {
        Part {
            source: self,
            start: range.start,
            len: range.len(),
        }
    }
}

fn check(bytes: &[u8], checksums: &[u32], block: usize) -> Result<(), Damaged> {
    let start = block * CHECKED_LEN;
    let damaged = Damaged { at: to_u64(start) };
    let expected = checksums.get(block).ok_or(damaged)?;
    let end = (start + CHECKED_LEN).min(bytes.len());
    let found = bytes.get(start..end).map(checksum);
    match found == Some(*expected) {
        true => Ok(()),
        false => Err(damaged),
    }
}

/// The checksum of a block, CRC-32 (IEEE); the last block may be shorter than the others.
pub(crate) fn checksum(block: &[u8]) -> u32 {
    crc32fast::hash(block)
}

/// A section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    source: &'a Source,
    start: usize,
    len: usize,
}

impl<'a> Part<'a> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// `len` bytes from `at` on.
    pub(crate) fn get(&self, at: usize, len: usize) -> Result<&'a [u8], Damaged> {
        match at.checked_add(len) {
            Some(end) if end <= self.len => {
                let start = self.start + at;
                self.source.get(start..start + len)
            }
            _ => Err(self.fault(at)),
        }
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> Result<&'a [u8], Damaged> {
        self.get(0, self.len)
    }

    /// The error of bytes that make no sense at `at`.
    pub(crate) fn fault(&self, at: usize) -> Damaged {
        Damaged {
            at: to_u64(self.start).saturating_add(to_u64(at)),
        }
    }
}

/// The first `N` bytes as a number, where they are there.
pub(crate) fn le_u32(bytes: &[u8]) -> Option<usize> {
    let bytes = bytes.first_chunk::<4>()?;
    Some(to_usize(u32::from_le_bytes(*bytes).into()))
}
