//! Index files: an index with the frames of its log, and checksums behind everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::column;
use super::source::{CHECKED_LEN, Source, checksum, le_u32};
use super::{Index, Parts, Section};
use crate::embedded::bytes::{to_u32, to_u64, to_usize};
use crate::embedded::disk::{Disk, Mapped};
use crate::embedded::error::OpenError;
use crate::embedded::frames::FrameRow;
use crate::embedded::log::CHUNKS_DIR;
use crate::embedded::own::OwnBits;

/// Name of a chunk's index, relative to the data directory.
pub(crate) fn index_name(number: u64) -> String {
    format!("{CHUNKS_DIR}/{number:010}.idx")
}

/// The number in a file name of the chunk folder.
pub(crate) fn index_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".idx")?;
    let number: u64 = digits.parse().ok()?;
    (format!("{number:010}") == digits).then_some(number)
}

/// Path of a chunk's index.
pub(crate) fn index_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(index_name(number))
}

/// Where an index is written before it gets its name.
pub(crate) fn new_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{}.new", index_name(number)))
}

/// What an index that was replaced is called until it is wiped.
pub(crate) fn gone_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{}.gone", index_name(number)))
}

/// The bytes of the file.
pub(crate) fn encode(chunk: u64, mut parts: Parts, frames: &[FrameRow], own: &OwnBits) -> Vec<u8> {
    parts.put(Section::Frames, encode_frames(frames));
    parts.put(Section::OwnKeys, own.to_bytes());
    let mut out = parts.assemble(chunk);
    let table: Vec<u8> = out
        .chunks(CHECKED_LEN)
        .flat_map(|block| checksum(block).to_le_bytes())
        .collect();
    let of_table = checksum(&table);
    out.extend_from_slice(&table);
    out.extend_from_slice(&of_table.to_le_bytes());
    out
}

fn encode_frames(frames: &[FrameRow]) -> Vec<u8> {
    let column = |value: &dyn Fn(&FrameRow) -> i64| {
        let values: Vec<Option<i64>> = frames.iter().map(|frame| Some(value(frame))).collect();
        let mut bytes = Vec::new();
        column::encode(&mut bytes, &values);
        bytes
    };
    let columns = [
        column(&|frame| i64::from(frame.first_row)),
        column(&|frame| i64::try_from(frame.place.offset).unwrap_or(i64::MAX)),
        column(&|frame| i64::from(frame.place.len)),
        column(&|frame| frame.received.micros()),
    ];
    let mut out = Vec::new();
    for column in &columns {
        out.extend_from_slice(&to_u32(column.len()).to_le_bytes());
    }
    columns
        .iter()
        .for_each(|column| out.extend_from_slice(column));
    out
}

/// Opens the index of a chunk: header, table of checksums and length of the file are checked now,
/// the rest when it is touched.
pub(crate) fn open(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Index, OpenError> {
    let name = index_name(number);
    let map = disk.map(&index_path(dir, number));
    let map = map.map_err(|error| OpenError::io(&name, error))?;
    of_map(&name, number, map)
}

/// The same for a file that is mapped already.
pub(crate) fn of_map(name: &str, number: u64, map: Arc<dyn Mapped>) -> Result<Index, OpenError> {
    let bytes = map.bytes();
    let damaged = |at: usize, why: &str| OpenError::damaged(name, to_u64(at), why);
    let number_at = |at: usize| -> Option<usize> {
        let found = bytes.get(at..)?.first_chunk::<8>()?;
        Some(to_usize(u64::from_le_bytes(*found)))
    };
    if bytes.get(..8) != Some(&super::MAGIC) {
        return Err(damaged(0, "no index of convlog"));
    }
    let format = bytes.get(8..).and_then(le_u32);
    let cut_off = || damaged(bytes.len(), "header cut off");
    let format = format.ok_or_else(cut_off)?;
    let is_newer = format != to_usize(super::FORMAT.into());
    if is_newer && !is_damaged(bytes, number_at(24)) {
        return Err(OpenError::newer(name, 8, format!("format {format}")));
    }
    let len = number_at(24).ok_or_else(cut_off)?;
    let table = table_of(bytes, len);
    let (table, of_table) = table.ok_or_else(|| damaged(24, "length that is not the file's"))?;
    if of_table != checksum(table) {
        let why = "wrong checksum of the checksums";
        return Err(damaged(len + table.len(), why));
    }
    if number_at(16) != Some(to_usize(number)) {
        return Err(damaged(16, "index of another chunk"));
    }
    let checksums = table.chunks_exact(4).map(|bytes| {
        bytes
            .first_chunk::<4>()
            .map_or(0, |b| u32::from_le_bytes(*b))
    });
    let source = Source::file(Arc::clone(&map), len, checksums.collect());
    let index = Index::open(source);
    index.map_err(|bad| OpenError::damaged(name, bad.at, "wrong checksum or impossible header"))
}

/// The checksums behind `len` bytes, and theirs; `None` when the file has another length.
fn table_of(bytes: &[u8], len: usize) -> Option<(&[u8], u32)> {
    let end = len.div_ceil(CHECKED_LEN).checked_mul(4)?.checked_add(len)?;
    let of_table = bytes.get(end..)?;
    let of_table = u32::from_le_bytes(of_table.try_into().ok()?);
    Some((bytes.get(len..end)?, of_table))
}

/// Whether a file that names another format is one of ours but for that: its checksums are where
/// ours are, and the header does not fit to its own.
fn is_damaged(bytes: &[u8], len: Option<usize>) -> bool {
    let Some((table, of_table)) = len.and_then(|len| table_of(bytes, len)) else {
        return false;
    };
    let block = bytes.get(..CHECKED_LEN.min(len.unwrap_or_default()));
    let expected = table.first_chunk::<4>().map(|b| u32::from_le_bytes(*b));
    of_table == checksum(table) && expected != block.map(checksum)
}
