//! The start: what of a data directory is whole is read into memory, or the start is refused.

mod recall;

use std::io;
use std::path::Path;
use std::sync::Arc;

use convlog_model::clock::{Clock, IdSource};
use convlog_model::ids::RecordId;
use convlog_model::seal::Sealer;

use self::recall::States;
use super::cache::Cache;
use super::catalog::{Catalog, ChunkRow, ChunkState, CleanStop};
use super::codec::Codec;
use super::dictionary::builtin;
use super::disk::Disk;
use super::erased::Erased;
use super::error::OpenError;
use super::facts::Hasher;
use super::index::Section;
use super::index::file::{self, index_name};
use super::indexer::rebuild;
use super::log::{CHUNKS_DIR, Chunk, ChunkHeader, log_name, log_number, log_path};
use super::maintain::{copied, gone, redo};
use super::own::{OwnBits, OwnKeys};
use super::recover::{KnownEnd, Whole, scan, zero_from};
use super::sessions::{Sessions, Slots};
use super::shared::{Parts, Shared};
use super::view::{Part, Segment, View, position};
use super::wipe::wipe_left_over;
use super::writer::OpenChunk;

/// What the start works with.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) dir: &'a Path,
    pub(crate) sealer: &'a Sealer,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) ids: &'a Arc<dyn IdSource>,
    /// Whether the directory held nothing.
    pub(crate) fresh: bool,
    pub(crate) cache_bytes: usize,
    /// Bytes of memory that the indexes of chunks that are not sealed may take.
    pub(crate) unsealed_max: usize,
    /// Threads that read logs.
    pub(crate) threads: usize,
}

/// What the start found.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) shared: Shared,
    pub(crate) open: Option<OpenChunk>,
    pub(crate) next_number: u64,
    pub(crate) last_id: Option<RecordId>,
    /// Rows that retention was overwriting, by chunk.
    pub(crate) expiring: Vec<(u64, Vec<u32>)>,
}

/// What was read so far.
#[derive(Debug)]
struct Reading<'a> {
    hasher: &'a Hasher,
    view: View,
    own: OwnKeys,
    states: States,
}

impl Start<'_> {
    /// Reads everything.
    pub(crate) fn load(&self) -> Result<Loaded, OpenError> {
        // The catalog comes last on a first start: it says that everything else is there.
        let slots = Slots::open(self.disk, self.dir, self.fresh)?;
        let catalog = Catalog::open(self.disk, self.dir, self.sealer, self.ids, self.fresh)?;
        let sessions = Sessions::new(slots, Arc::clone(self.ids));
        let hasher = Hasher::new(self.sealer);
        let mut chunks = catalog.chunks().map_err(|e| e.unusable())?;
        let clean_stop = catalog.clean_stop().map_err(|e| e.unusable())?;
        let ledger = catalog.ledger().map_err(|e| e.unusable())?;
        let rules = catalog.retention().map_err(|e| e.unusable())?;
        let timeline = catalog.timeline().map_err(|e| e.unusable())?;
        let expiring = catalog.expiring().map_err(|e| e.unusable())?;
        let newest = catalog.newest().map_err(|e| e.unusable())?;
        self.finish_maintenance(&catalog, &mut chunks)?;
        self.remove_unknown(&chunks)?;
        let mut reading = Reading {
            hasher: &hasher,
            view: View::default(),
            own: OwnKeys::default(),
            states: States::new(),
        };
        let mut open = None;
        for (number, row) in &chunks {
            open = self.read_chunk(*number, row, clean_stop, &catalog, &mut reading)?;
        }
        let Reading {
            view, own, states, ..
        } = reading;
        if clean_stop.is_some() {
            catalog.set_clean_stop(None).map_err(|e| e.unusable())?;
        }
        let codec = last_codec(&view);
        let known = chunks.iter().map(|(number, _)| *number);
        let unused = catalog.next_chunk().map_err(|e| e.unusable())?;
        // An unknown log that was removed does not count: the next start would not see it, and give
        // positions before those that an erasure of this run has named.
        let next_number = (known.max().unwrap_or(0) + 1).max(unused);
        let shared = Shared::new(Parts {
            clock: Arc::clone(self.clock),
            ids: Arc::clone(self.ids),
            catalog: Arc::new(catalog),
            sessions,
            cache: Cache::new(self.cache_bytes),
            timeline,
            unsealed_max: self.unsealed_max,
            view,
            own,
            erased: Erased::of(ledger.iter()),
            rules,
            codec,
            erasures: ledger.iter().map(|entry| entry.erasure.clone()).collect(),
            hasher,
        });
        let recalled = shared.recall(&ledger, &expiring, newest, &states);
        let last_id = recalled
            .and_then(|()| shared.recall_last_id())
            .map_err(|error| OpenError::unusable(CHUNKS_DIR, error.log_text()))?;
        Ok(Loaded {
            shared,
            open,
            next_number,
            last_id,
            expiring,
        })
    }

    /// Ends what maintenance was doing with files when the machine died.
    fn finish_maintenance(
        &self,
        catalog: &Catalog,
        chunks: &mut Vec<(u64, ChunkRow)>,
    ) -> Result<(), OpenError> {
        let is_gone = |(_, row): &(u64, ChunkRow)| row.state == ChunkState::Gone;
        for (number, _) in chunks.iter().filter(|chunk| is_gone(chunk)) {
            gone::finish(self.disk, self.dir, catalog, *number)?;
        }
        chunks.retain(|chunk| !is_gone(chunk));
        copied::finish(self.disk, self.dir, catalog, chunks)?;
        redo::finish(self.disk, self.dir)?;
        let wiped = wipe_left_over(self.disk, self.dir);
        wiped.map_err(|error| OpenError::io(CHUNKS_DIR, error))
    }

    /// Removes logs that a crash left before the catalog knew them; one with frames is refused.
    fn remove_unknown(&self, chunks: &[(u64, ChunkRow)]) -> Result<(), OpenError> {
        let dir = self.dir.join(CHUNKS_DIR);
        let names = self.disk.list(&dir);
        let names = names.map_err(|error| OpenError::io(CHUNKS_DIR, error))?;
        for number in names.iter().filter_map(|name| log_number(name)) {
            if chunks.iter().any(|(known, _)| *known == number) {
                continue;
            }
            let name = log_name(number);
            let io_error = |error| OpenError::io(&name, error);
            let path = log_path(self.dir, number);
            let file = self.disk.open(&path).map_err(io_error)?;
            if let Ok(Ok(_)) = ChunkHeader::read(file.as_ref()) {
                let chunk = Chunk::open(&name, file)?;
                if !scan(&chunk, KnownEnd::Unknown)?.frames.is_empty() {
                    let why = "holds records, but the catalog does not know it";
                    return Err(OpenError::unusable(&name, why));
                }
            }
            tracing::warn!(file = %name, "removing a log that was never used");
            self.disk.remove(&path).map_err(io_error)?;
            self.disk.sync_dir(&dir).map_err(io_error)?;
        }
        Ok(())
    }

    fn read_chunk(
        &self,
        number: u64,
        row: &ChunkRow,
        clean_stop: Option<CleanStop>,
        catalog: &Catalog,
        reading: &mut Reading<'_>,
    ) -> Result<Option<OpenChunk>, OpenError> {
        let name = log_name(number);
        let io_error = |error| OpenError::io(&name, error);
        let file = self.disk.open(&log_path(self.dir, number));
        let chunk = Arc::new(Chunk::open(&name, file.map_err(io_error)?)?);
        if (chunk.header.timeline, chunk.header.created_at) != (row.timeline, row.created_at) {
            let why = "is not the log of that number that the catalog knows";
            return Err(OpenError::unusable(&name, why));
        }
        if row.state != ChunkState::Open && self.open_index(&chunk, row, reading)? {
            return Ok(None);
        }
        let known = match (row.state, clean_stop) {
            (ChunkState::Full | ChunkState::Broken | ChunkState::Gone, _) => KnownEnd::At(row.end),
            (ChunkState::Open, Some(stop)) if stop.chunk == number => KnownEnd::At(stop.end),
            (ChunkState::Open, _) => KnownEnd::Unknown,
        };
        let whole = scan(&chunk, known)?;
        if let Some(offset) = whole.torn_at {
            tracing::warn!(
                file = %name,
                offset,
                "dropping what was written behind the last whole group and never acknowledged"
            );
            zero_from(chunk.file.as_ref(), offset).map_err(io_error)?;
        }
        if row.state == ChunkState::Open {
            // Nothing is shown or answered that is only in the machine's memory.
            chunk.file.sync_data().map_err(io_error)?;
        }
        let is_full = row.state != ChunkState::Open || whole.closed;
        let raw = self.read_log(&chunk, &whole, is_full, reading)?;
        if row.state != ChunkState::Open {
            return Ok(None);
        }
        if whole.closed {
            let full = ChunkRow {
                state: ChunkState::Full,
                end: whole.end,
                rows: whole.rows,
                ..*row
            };
            let noted = catalog.put_chunks(&[(number, full)]);
            noted.map_err(|e| e.unusable())?;
            return Ok(None);
        }
        let allocated = chunk.file.len().map_err(io_error)?;
        Ok(Some(OpenChunk {
            chunk,
            end: whole.end,
            allocated,
            group: whole.group,
            rows: whole.rows,
            raw,
            is_marked: false,
        }))
    }

    /// Reads a log; the bytes of its raw bodies.
    fn read_log(
        &self,
        chunk: &Arc<Chunk>,
        whole: &Whole,
        is_full: bool,
        reading: &mut Reading<'_>,
    ) -> Result<usize, OpenError> {
        let rebuilt = rebuild(chunk, whole, reading.hasher, self.threads)?;
        let mut segment = Segment::new(Arc::clone(chunk));
        segment.parts.extend(rebuilt.part);
        segment.is_full = is_full;
        reading.view.segments.push(Arc::new(segment));
        for (row, state) in rebuilt.states {
            let at = position(chunk.number, row);
            reading.states.insert(state.session_hash, (at, state));
        }
        for (key, own) in rebuilt.own {
            reading.own.put(chunk.number, key, own);
        }
        Ok(rebuilt.raw)
    }

    /// Opens the index of a full chunk; false when it must be made again.
    fn open_index(
        &self,
        chunk: &Arc<Chunk>,
        row: &ChunkRow,
        reading: &mut Reading<'_>,
    ) -> Result<bool, OpenError> {
        let number = chunk.number;
        let opened = file::open(self.disk, self.dir, number).and_then(|index| {
            let damaged = |at: u64, why: &str| OpenError::damaged(&index_name(number), at, why);
            if index.rows() != row.rows {
                return Err(damaged(12, "not the rows of its log"));
            }
            let section = index.section(Section::OwnKeys);
            let own = section.bytes().map(OwnBits::from_bytes);
            let own = own.and_then(|own| own.ok_or_else(|| section.fault(0)));
            let own = own.map_err(|bad| damaged(bad.at, "wrong checksum, or no own ids"))?;
            let mut segment = Segment::new(Arc::clone(chunk));
            segment.parts.push(Arc::new(Part {
                base: 0,
                index: Arc::new(index),
                held: None,
            }));
            (segment.is_full, segment.is_sealed) = (true, true);
            let last = row.rows.checked_sub(1).map(|last| segment.frame_of(last));
            let last = last.transpose();
            last.map_err(|bad| damaged(bad.at, "wrong checksum, or no frames"))?;
            Ok((segment, own))
        });
        let (segment, own) = match opened {
            Ok(opened) => opened,
            Err(OpenError::Newer { file, offset, why }) => {
                return Err(OpenError::Newer { file, offset, why });
            }
            Err(OpenError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(false);
            }
            Err(error) => {
                tracing::warn!(%error, "an index is made again from its log");
                return Ok(false);
            }
        };
        reading.own.seal(number, &own);
        reading.view.segments.push(Arc::new(segment));
        Ok(true)
    }
}

/// What rows are compressed with until there is something better.
fn last_codec(view: &View) -> Arc<Codec> {
    match view.segments.last() {
        Some(segment) => Arc::clone(&segment.chunk.codec),
        None => Arc::new(Codec::new(builtin())),
    }
}
