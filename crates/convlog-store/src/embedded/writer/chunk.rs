//! The open chunk: room, groups, marks, and the change to a new one.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use convlog_model::clock::IdSource;
use convlog_model::fields;
use convlog_model::ids::{RecordId, Timeline};
use convlog_model::time::{DAY_US, Timestamp};

use super::WriteError;
use super::group::Group;
use crate::embedded::bytes::{to_u32, to_u64, to_usize};
use crate::embedded::catalog::{ChunkRow, ChunkState};
use crate::embedded::codec::Codec;
use crate::embedded::disk::{Disk, is_full};
use crate::embedded::frame::{self, CLOSE, GROUP_END, Header, MARK};
use crate::embedded::frames::FrameRow;
use crate::embedded::log::{Chunk, ChunkHeader, Place, log_path};
use crate::embedded::shared::Shared;

/// When a chunk is full, and how room is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) rows_max: usize,
    pub(crate) raw_max: usize,
    /// Memory that the rows of an open chunk may take.
    pub(crate) memory_max: usize,
    /// Bytes that room is made for at once.
    pub(crate) step: u64,
    /// Bytes of the disk that appends leave alone, so that erasure and retention work.
    pub(crate) reserve: u64,
    /// Rows from which on a clean stop ends the open chunk, so that the next start finds its index.
    pub(crate) stop_rows: u32,
    /// Bytes that what an erasure leaves of a frame must leave free in it; tests make logs that must
    /// be copied by it.
    pub(crate) image_reserve: usize,
}

/// A chunk of so many rows is full after a day.
const DAY_ROWS: u32 = 4096;
/// Any chunk is full after so many days.
const DAYS_MAX: i64 = 30;

/// The chunk that is appended to.
#[derive(Debug)]
pub(crate) struct OpenChunk {
    pub(crate) chunk: Arc<Chunk>,
    /// End of the last group.
    pub(crate) end: u64,
    /// Length of the file.
    pub(crate) allocated: u64,
    pub(crate) group: u64,
    pub(crate) rows: u32,
    pub(crate) raw: usize,
    /// Whether the last group is a mark, so that an idle writer has nothing to do.
    pub(crate) is_marked: bool,
}

impl OpenChunk {
    fn memory(&self, rows: usize, raw: usize) -> usize {
        (to_usize(self.rows.into()) + rows) * 512 + (self.raw + raw) / 2
    }
}

/// The writer's side of the log.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) open: Option<OpenChunk>,
    /// Number of the next chunk; never one that was used.
    pub(crate) number: u64,
    pub(crate) timeline: Timeline,
    pub(crate) ids: Arc<dyn IdSource>,
}

fn broken(what: &str, error: &dyn std::fmt::Display) -> WriteError {
    WriteError::Broken(format!("{what}: {error}"))
}

impl Log {
    /// Whether so much more may go into the open chunk.
    pub(crate) fn fits(&self, rows: usize, raw: usize, now: Timestamp) -> bool {
        let Some(open) = &self.open else {
            return false;
        };
        if open.rows == 0 {
            return true;
        }
        let age = now.micros() - open.chunk.header.created_at.micros();
        let is_old = (age >= DAY_US && open.rows >= DAY_ROWS) || age >= DAYS_MAX * DAY_US;
        !is_old
            && to_usize(open.rows.into()) + rows <= self.limits.rows_max
            && open.raw + raw <= self.limits.raw_max
            && open.memory(rows, raw) <= self.limits.memory_max
    }

    /// Chunk and number of the next row.
    pub(crate) fn next_row(&self) -> Option<(u64, u32)> {
        self.open
            .as_ref()
            .map(|open| (open.chunk.number, open.rows))
    }

    /// Number of the next chunk.
    pub(crate) fn next_number(&self) -> u64 {
        self.number
    }

    /// Open chunk and its end.
    pub(crate) fn end(&self) -> Option<(u64, u64)> {
        self.open.as_ref().map(|open| (open.chunk.number, open.end))
    }

    /// What rows are compressed with now.
    pub(crate) fn codec(&self, shared: &Shared) -> Arc<Codec> {
        match &self.open {
            Some(open) => Arc::clone(&open.chunk.codec),
            None => shared.codec(),
        }
    }

    /// Writes and syncs a group; its frames with their places.
    pub(crate) fn write_group(&mut self, group: &Group) -> Result<Vec<FrameRow>, WriteError> {
        let Some(open) = &mut self.open else {
            return Err(WriteError::Broken("no chunk is open".to_owned()));
        };
        let mut buffer = Vec::new();
        let mut frames = Vec::with_capacity(group.frames.len());
        let last = group.frames.len().saturating_sub(1);
        for (i, pending) in group.frames.iter().enumerate() {
            let start = buffer.len();
            let header = Header {
                salt: open.chunk.header.salt,
                group: open.group + 1,
                flags: pending.header.flags | if i == last { GROUP_END } else { 0 },
                ..pending.header
            };
            frame::encode(&mut buffer, &header, &pending.payload);
            let place = Place {
                offset: open.end + to_u64(start),
                len: to_u32(buffer.len() - start),
            };
            frames.push(FrameRow {
                first_row: header.first_row,
                place,
                received: header.received,
            });
        }
        self.write(&buffer)?;
        if let Some(open) = &mut self.open {
            open.rows += to_u32(group.rows());
            open.raw += group.raw;
            open.is_marked = false;
        }
        Ok(frames)
    }

    /// Writes whole frames as the next group and syncs.
    fn write(&mut self, frames: &[u8]) -> Result<(), WriteError> {
        self.make_room(to_u64(frames.len()))?;
        let Some(open) = &mut self.open else {
            return Err(WriteError::Broken("no chunk is open".to_owned()));
        };
        let file = &open.chunk.file;
        let written = file
            .write_at(open.end, frames)
            .and_then(|()| file.sync_data());
        written.map_err(|error| broken(&open.chunk.name, &error))?;
        open.end += to_u64(frames.len());
        open.group += 1;
        Ok(())
    }

    /// Preallocates, so that a write into the log never changes the length of the file.
    fn make_room(&mut self, len: u64) -> Result<(), WriteError> {
        let (step, reserve) = (self.limits.step, self.limits.reserve);
        let Some(open) = &mut self.open else {
            return Err(WriteError::Full);
        };
        let needed = open.end + len;
        if needed <= open.allocated {
            return Ok(());
        }
        let wanted = (needed - open.allocated).next_multiple_of(step);
        let io_error = |error: io::Error| match is_full(&error) {
            true => WriteError::Full,
            false => broken(&open.chunk.name, &error),
        };
        let free = self.disk.free_bytes(&self.dir).map_err(io_error)?;
        if free < wanted + reserve {
            return Err(WriteError::Full);
        }
        open.chunk
            .file
            .allocate(open.allocated, wanted)
            .map_err(io_error)?;
        open.allocated += wanted;
        Ok(())
    }

    /// Appends a frame without rows as a group of its own.
    fn write_empty(&mut self, flags: u16, now: Timestamp) -> Result<(), WriteError> {
        let Some(open) = &self.open else {
            return Ok(());
        };
        let header = Header {
            frame_len: 0,
            payload_len: 0,
            salt: open.chunk.header.salt,
            group: open.group + 1,
            first_row: open.rows,
            row_count: 0,
            flags: flags | GROUP_END,
            plain_len: 0,
            received: now,
            first_id: RecordId::from_bytes([0; 16]),
        };
        let mut buffer = Vec::new();
        frame::encode(&mut buffer, &header, &[]);
        self.write(&buffer)
    }

    /// Marks the end of the log, unless it is marked. Without room it stays unmarked.
    pub(crate) fn mark(&mut self, now: Timestamp) -> Result<(), WriteError> {
        if self.open.as_ref().is_none_or(|open| open.is_marked) {
            return Ok(());
        }
        match self.write_empty(MARK, now) {
            Ok(()) | Err(WriteError::Full) => {}
            Err(error) => return Err(error),
        }
        if let Some(open) = &mut self.open {
            open.is_marked = true;
        }
        Ok(())
    }

    /// Opens the next chunk and closes the present one, if there is one: create, header, sync, sync
    /// of the directory, end of the old one, catalog; only then may it be appended to.
    pub(crate) fn roll(&mut self, shared: &Shared, now: Timestamp) -> Result<(), WriteError> {
        let free = self.disk.free_bytes(&self.dir);
        let free = free.map_err(|error| broken("chunks", &error))?;
        if free < self.limits.step + self.limits.reserve {
            return Err(WriteError::Full);
        }
        let codec = shared.take_codec();
        let mut salt = [0; 4];
        self.ids.fill(&mut salt);
        let header = ChunkHeader {
            number: self.number,
            timeline: self.timeline,
            created_at: now,
            salt: u32::from_le_bytes(salt).max(1),
            fields_version: fields::VERSION,
            dictionary: codec.dictionary().to_vec(),
        };
        let start = header.len();
        let made = Chunk::create(self.disk.as_ref(), &self.dir, header, codec);
        let chunk = made.map_err(|error| match is_full(&error) {
            true => WriteError::Full,
            false => broken("chunks", &error),
        })?;
        if let Err(error) = self.write_empty(CLOSE, now) {
            // Nothing knows the new file; what cannot be removed now is removed at the start.
            drop(self.disk.remove(&log_path(&self.dir, chunk.number)));
            return Err(error);
        }
        let mut rows = vec![(chunk.number, row(&chunk, ChunkState::Open, 0, 0))];
        if let Some(old) = &self.open {
            let full = row(&old.chunk, ChunkState::Full, old.end, old.rows);
            rows.push((old.chunk.number, full));
        }
        let noted = shared.catalog.put_chunks(&rows);
        noted.map_err(|error| broken("catalog", &error))?;
        self.number += 1;
        let chunk = Arc::new(chunk);
        shared.begin(Arc::clone(&chunk));
        let old = self.open.replace(OpenChunk {
            chunk,
            end: start,
            allocated: start,
            group: 0,
            rows: 0,
            raw: 0,
            is_marked: true,
        });
        if let Some(old) = old {
            give_back_room(&old);
        }
        Ok(())
    }

    /// Whether to read the log of the open chunk would take the next start long.
    pub(crate) fn is_long(&self) -> bool {
        let open = self.open.as_ref();
        open.is_some_and(|open| open.rows >= self.limits.stop_rows)
    }

    /// Ends the open chunk; the next append opens another.
    pub(crate) fn close(&mut self, shared: &Shared, now: Timestamp) -> Result<(), WriteError> {
        self.write_empty(CLOSE, now)?;
        let Some(old) = self.open.take() else {
            return Ok(());
        };
        let full = row(&old.chunk, ChunkState::Full, old.end, old.rows);
        let noted = shared.catalog.put_chunks(&[(old.chunk.number, full)]);
        noted.map_err(|error| broken("catalog", &error))?;
        give_back_room(&old);
        shared.end();
        Ok(())
    }

    /// After a failed write: what counts of the open chunk ends where it was last acknowledged.
    pub(crate) fn close_broken(&mut self, shared: &Shared) {
        let Some(open) = self.open.take() else {
            return;
        };
        let broken = row(&open.chunk, ChunkState::Broken, open.end, open.rows);
        let noted = shared.catalog.put_chunks(&[(open.chunk.number, broken)]);
        if let Err(error) = noted {
            tracing::error!(%error, "the end of a broken chunk could not be recorded");
        }
    }
}

fn row(chunk: &Chunk, state: ChunkState, end: u64, rows: u32) -> ChunkRow {
    ChunkRow {
        state,
        timeline: chunk.header.timeline,
        created_at: chunk.header.created_at,
        end,
        rows,
    }
}

/// A full log needs no room behind its end. That it keeps some is no error.
fn give_back_room(old: &OpenChunk) {
    let cut = old.chunk.file.set_len(old.end);
    if let Err(error) = cut.and_then(|()| old.chunk.file.sync_data()) {
        tracing::warn!(file = %old.chunk.name, %error, "room behind a full log was not freed");
    }
}
