//! The start: what of a data directory is whole is read into memory, or the start is refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use convlog_model::clock::{Clock, IdSource};
use convlog_model::ids::Position;
use convlog_model::seal::Sealer;

use super::cache::Cache;
use super::catalog::{Catalog, ChunkRow, ChunkState, CleanStop, Hidden, LedgerEntry};
use super::codec::Codec;
use super::dictionary::builtin;
use super::disk::Disk;
use super::error::OpenError;
use super::facts::Hasher;
use super::frame::Header;
use super::log::{CHUNKS_DIR, Chunk, ChunkHeader, Place, log_name, log_number, log_path};
use super::maintain::redo;
use super::recover::{KnownEnd, Whole, scan, zero_from};
use super::row::{self, BadRow, Hash16, Row, StateRow};
use super::sessions::{Session, Sessions, Slots};
use super::shared::{Parts, Shared};
use super::tail::{ErasedCustomer, NewRow, Tail, position};
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
    /// Threads that read logs.
    pub(crate) threads: usize,
}

/// What the start found.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) shared: Shared,
    pub(crate) open: Option<OpenChunk>,
    pub(crate) next_number: u64,
}

/// States of sessions: the newest row of each.
type States = BTreeMap<Hash16, (Position, StateRow)>;

/// Rows and states read so far.
#[derive(Debug)]
struct Reading<'a> {
    hasher: &'a Hasher,
    tail: Tail,
    states: States,
    log_bytes: u64,
    raw: usize,
    threads: usize,
}

impl Start<'_> {
    /// Reads everything.
    pub(crate) fn load(&self) -> Result<Loaded, OpenError> {
        // The catalog comes last on a first start: it says that everything else is there.
        let slots = Slots::open(self.disk, self.dir, self.fresh)?;
        let catalog = Catalog::open(self.disk, self.dir, self.sealer, self.ids, self.fresh)?;
        let sessions = Sessions::new(slots, Arc::clone(self.ids));
        let hasher = Hasher::new(self.sealer);
        let chunks = catalog.chunks().map_err(|e| e.unusable())?;
        let clean_stop = catalog.clean_stop().map_err(|e| e.unusable())?;
        let ledger = catalog.ledger().map_err(|e| e.unusable())?;
        let rules = catalog.retention().map_err(|e| e.unusable())?;
        let timeline = catalog.timeline().map_err(|e| e.unusable())?;
        redo::finish(self.disk, self.dir)?;
        let on_disk = self.remove_unknown(&chunks)?;
        let mut reading = Reading {
            hasher: &hasher,
            tail: Tail::default(),
            states: States::new(),
            log_bytes: 0,
            raw: 0,
            threads: self.threads,
        };
        note_customers(&mut reading.tail, &ledger);
        let mut open = None;
        for (number, row) in &chunks {
            open = self.read_chunk(*number, row, clean_stop, &catalog, &mut reading)?;
        }
        let Reading {
            mut tail,
            states,
            log_bytes,
            ..
        } = reading;
        hide_rows(&mut tail, &ledger);
        let now = self.clock.now();
        tail.expire(&rules, now);
        self.restore_sessions(&sessions, &hasher, &tail, states)?;
        if clean_stop.is_some() {
            catalog.set_clean_stop(None).map_err(|e| e.unusable())?;
        }
        let last = tail.segments.last();
        let codec = last.map_or_else(
            || Arc::new(Codec::new(builtin())),
            |segment| Arc::clone(&segment.chunk.codec),
        );
        let known = chunks.iter().map(|(number, _)| *number);
        let unused = catalog.next_chunk().map_err(|e| e.unusable())?;
        let next_number = (known.chain(on_disk).max().unwrap_or(0) + 1).max(unused);
        let shared = Shared::new(Parts {
            clock: Arc::clone(self.clock),
            ids: Arc::clone(self.ids),
            catalog: Arc::new(catalog),
            sessions,
            cache: Cache::new(self.cache_bytes),
            timeline,
            log_bytes,
            tail,
            rules,
            codec,
            erasures: ledger.into_iter().map(|entry| entry.erasure).collect(),
            hasher,
        });
        Ok(Loaded {
            shared,
            open,
            next_number,
        })
    }

    /// Removes logs that a crash left before the catalog knew them; one with frames is refused.
    fn remove_unknown(&self, chunks: &[(u64, ChunkRow)]) -> Result<Vec<u64>, OpenError> {
        let dir = self.dir.join(CHUNKS_DIR);
        let names = self.disk.list(&dir);
        let names = names.map_err(|error| OpenError::io(CHUNKS_DIR, error))?;
        let mut numbers = Vec::new();
        for number in names.iter().filter_map(|name| log_number(name)) {
            numbers.push(number);
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
        Ok(numbers)
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
        let known = match (row.state, clean_stop) {
            (ChunkState::Full | ChunkState::Broken, _) => KnownEnd::At(row.end),
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
        reading.raw = 0;
        reading.read(&chunk, &whole)?;
        reading.log_bytes += whole.end;
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
        reading.log_bytes -= whole.end;
        let allocated = chunk.file.len().map_err(io_error)?;
        Ok(Some(OpenChunk {
            chunk,
            end: whole.end,
            allocated,
            group: whole.group,
            rows: whole.rows,
            raw: reading.raw,
            is_marked: false,
        }))
    }

    /// Puts back the sessions whose key still stands, and ends those that an erasure or the time
    /// has ended meanwhile.
    fn restore_sessions(
        &self,
        sessions: &Sessions,
        hasher: &Hasher,
        tail: &Tail,
        states: States,
    ) -> Result<(), OpenError> {
        let now = self.clock.now();
        let keys = sessions.keys();
        for (at, row) in states.into_values() {
            let Some(key) = keys.get(&row.slot) else {
                continue;
            };
            let Some(state) = Sessions::open(key, &row) else {
                continue;
            };
            let customers = hasher.customers(&state.instance, &state.customers);
            let mut erased = customers
                .iter()
                .filter_map(|customer| tail.erased(customer));
            if state.expires_at < now || erased.any(|erased| at < erased.before) {
                continue;
            }
            sessions.put(Session {
                slot: row.slot,
                key: *key,
                at,
                customers,
                expires_at: state.expires_at,
            });
        }
        let wiped = sessions.wipe_orphans();
        wiped.map_err(|error| OpenError::io(super::sessions::SESSIONS, error))
    }
}

/// Hides what erasures by filter selected.
fn hide_rows(tail: &mut Tail, ledger: &[LedgerEntry]) {
    for entry in ledger {
        if let Hidden::Rows(rows) = &entry.hidden {
            tail.hide(rows);
        }
    }
}

fn note_customers(tail: &mut Tail, ledger: &[LedgerEntry]) {
    for entry in ledger {
        if let Hidden::Customer(customer) = &entry.hidden {
            let erased = ErasedCustomer {
                before: entry.before,
                requested_at: entry.erasure.requested_at,
            };
            tail.note_erased(*customer, erased);
        }
    }
}

/// Frames that one thread reads at a time.
const FRAMES_AT_ONCE: usize = 512;

/// What some frames hold.
#[derive(Debug, Default)]
struct Batch {
    rows: Vec<NewRow>,
    /// Number of the row, and the state.
    states: Vec<(u32, StateRow)>,
    raw: usize,
}

impl Reading<'_> {
    /// Several threads read, each some frames; the rows are published in order.
    fn read(&mut self, chunk: &Arc<Chunk>, whole: &Whole) -> Result<(), OpenError> {
        self.tail.begin(Arc::clone(chunk));
        let parts: Vec<_> = whole.frames.chunks(FRAMES_AT_ONCE).collect();
        for round in parts.chunks(self.threads) {
            let hasher = self.hasher;
            let batches: Vec<Result<Batch, OpenError>> = std::thread::scope(|scope| {
                let read = |frames| scope.spawn(move || read_frames(chunk, frames, hasher));
                let threads: Vec<_> = round.iter().map(|frames| read(*frames)).collect();
                let panicked =
                    || OpenError::unusable(&chunk.name, "a thread that read it panicked");
                let joined = threads.into_iter().map(|thread| thread.join());
                joined
                    .map(|batch| batch.unwrap_or_else(|_| Err(panicked())))
                    .collect()
            });
            for batch in batches {
                let batch = batch?;
                self.raw += batch.raw;
                for (row, state) in batch.states {
                    let at = position(chunk.number, row);
                    self.states.insert(state.session_hash, (at, state));
                }
                self.tail.publish(batch.rows);
            }
        }
        Ok(())
    }
}

fn read_frames(
    chunk: &Chunk,
    frames: &[(Place, Header)],
    hasher: &Hasher,
) -> Result<Batch, OpenError> {
    let mut batch = Batch::default();
    for (place, _) in frames {
        let damaged = |why: &dyn std::fmt::Display| {
            OpenError::damaged(&chunk.name, place.offset, why.to_string())
        };
        let (header, plain) = chunk.read_frame(*place).map_err(|e| damaged(&e))?;
        let rows = row::split(&plain, header.row_count).map_err(|e| damaged(&e))?;
        let mut id = header.first_id;
        for (in_frame, bytes) in (0u8..).zip(rows) {
            let decoded = row::decode(bytes).map_err(|bad| match bad {
                BadRow::Newer { .. } => OpenError::newer(&chunk.name, place.offset, bad),
                BadRow::Malformed(_) => damaged(&bad),
            })?;
            let facts = match decoded {
                Row::Record(record) => {
                    batch.raw += record.draft.raw.len();
                    Some(hasher.known_facts(&record.draft, record.body_hash))
                }
                Row::State(state) => {
                    let number = header.first_row + u32::from(in_frame);
                    batch.states.push((number, state));
                    None
                }
                Row::Delivery(_) | Row::Erased => None,
            };
            batch.rows.push(NewRow {
                place: *place,
                in_frame,
                id,
                received: header.received,
                facts,
            });
            id = id.next();
        }
    }
    Ok(batch)
}
