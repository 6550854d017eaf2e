//! `chunks/NNN.redo`: new images of frames, durable before the first frame is overwritten.
//!
//! docs/format.md has the bytes. A whole file is carried out again by the next start, which changes
//! nothing where it was carried out already; any other one is wiped.

use std::io;
use std::path::{Path, PathBuf};

use crate::embedded::bytes::{Reader, to_u32, to_u64, to_usize};
use crate::embedded::disk::{Disk, read_all};
use crate::embedded::error::OpenError;
use crate::embedded::frame;
use crate::embedded::log::{CHUNKS_DIR, Chunk, log_name, log_path};
use crate::embedded::recover::zero_from;

const MAGIC: [u8; 8] = *b"convlogR";
const FORMAT: u32 = 1;
/// Bytes that the checksum does not cover: magic, format and itself.
const CRC_END: usize = 16;
/// Longest file: a round, and one frame of the greatest length beyond it.
const LEN_MAX: u64 = 256 << 20;

/// What a frame is overwritten with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Name of a chunk's redo file, relative to the data directory.
pub(crate) fn redo_name(number: u64) -> String {
    format!("{CHUNKS_DIR}/{number:010}.redo")
}

fn redo_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(redo_name(number))
}

fn redo_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".redo")?;
    let number: u64 = digits.parse().ok()?;
    (format!("{number:010}") == digits).then_some(number)
}

fn encode(number: u64, images: &[Image]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&number.to_le_bytes());
    body.extend_from_slice(&to_u32(images.len()).to_le_bytes());
    for image in images {
        body.extend_from_slice(&image.offset.to_le_bytes());
        body.extend_from_slice(&to_u32(image.bytes.len()).to_le_bytes());
        body.extend_from_slice(&image.bytes);
    }
    let mut out = Vec::with_capacity(CRC_END + body.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT.to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.append(&mut body);
    out
}

/// What a file says; `Err` with the format where a later version wrote it.
fn decode(bytes: &[u8], number: u64) -> Result<Option<Vec<Image>>, u32> {
    let mut reader = Reader::new(bytes);
    let (Ok(MAGIC), Ok(format), Ok(crc)) = (reader.array(), reader.u32(), reader.u32()) else {
        return Ok(None);
    };
    if crc32fast::hash(bytes.get(CRC_END..).unwrap_or_default()) != crc {
        return Ok(None);
    }
    if format != FORMAT {
        return Err(format);
    }
    Ok(images(&mut reader, number))
}

fn images(reader: &mut Reader<'_>, number: u64) -> Option<Vec<Image>> {
    if reader.u64().ok()? != number {
        return None;
    }
    let mut out = Vec::new();
    for _ in 0..reader.u32().ok()? {
        let offset = reader.u64().ok()?;
        let len = reader.u32().ok()?;
        let bytes = reader.take(to_usize(len.into())).ok()?.to_vec();
        out.push(Image { offset, bytes });
    }
    reader.finish().ok()?;
    Some(out)
}

/// Writes the file of a chunk; durable on return.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, number: u64, images: &[Image]) -> io::Result<()> {
    let bytes = encode(number, images);
    let file = disk.create(&redo_path(dir, number))?;
    // A file that loses its name keeps its bytes, where nothing finds and wipes them.
    disk.sync_dir(&dir.join(CHUNKS_DIR))?;
    file.allocate(0, to_u64(bytes.len()))?;
    file.write_at(0, &bytes)?;
    file.sync_data()
}

/// Overwrites the file of a chunk with zeros and removes it, if there is one.
pub(crate) fn wipe(disk: &dyn Disk, dir: &Path, number: u64) -> io::Result<()> {
    let path = redo_path(dir, number);
    let file = match disk.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    zero_from(file.as_ref(), 0)?;
    disk.remove(&path)?;
    disk.sync_dir(&dir.join(CHUNKS_DIR))
}

/// The images of a chunk's file; none where there is no whole one.
pub(crate) fn read(disk: &dyn Disk, dir: &Path, number: u64) -> Result<Vec<Image>, OpenError> {
    let name = redo_name(number);
    let io_error = |error| OpenError::io(&name, error);
    let file = match disk.open_read(&redo_path(dir, number)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(io_error)?,
    };
    let bytes = read_all(file.as_ref(), LEN_MAX).map_err(io_error)?;
    match decode(&bytes, number) {
        Ok(images) => Ok(images.unwrap_or_default()),
        Err(found) => Err(OpenError::newer(&name, 8, format!("format {found}"))),
    }
}

/// Carries out what whole files say and wipes all, before the logs are read.
pub(crate) fn finish(disk: &dyn Disk, dir: &Path) -> Result<(), OpenError> {
    let names = disk.list(&dir.join(CHUNKS_DIR));
    let names = names.map_err(|error| OpenError::io(CHUNKS_DIR, error))?;
    for number in names.iter().filter_map(|name| redo_number(name)) {
        let images = read(disk, dir, number)?;
        let log = log_name(number);
        tracing::warn!(file = %log, frames = images.len(), "finishing an erasure that was cut short");
        if !images.is_empty() {
            carry_out(disk, dir, number, &images)?;
        }
        let wiped = wipe(disk, dir, number);
        wiped.map_err(|error| OpenError::io(&redo_name(number), error))?;
    }
    Ok(())
}

fn carry_out(disk: &dyn Disk, dir: &Path, number: u64, images: &[Image]) -> Result<(), OpenError> {
    let log = log_name(number);
    let io_error = |error| OpenError::io(&log, error);
    let file = disk.open(&log_path(dir, number)).map_err(io_error)?;
    let chunk = Chunk::open(&log, file)?;
    let len = chunk.file.len().map_err(io_error)?;
    for Image { offset, bytes } in images {
        let frame = frame::decode(bytes, chunk.header.salt);
        let is_whole = frame.is_ok_and(|f| to_usize(f.header.frame_len.into()) == bytes.len());
        let is_inside = *offset >= chunk.header.len()
            && offset
                .checked_add(to_u64(bytes.len()))
                .is_some_and(|end| end <= len);
        if !is_whole || !is_inside {
            let why = format!("holds what is no frame of {log}");
            return Err(OpenError::unusable(&redo_name(number), why));
        }
        chunk.overwrite(*offset, bytes).map_err(io_error)?;
    }
    chunk.file.sync_data().map_err(io_error)
}
