//! The ledger of erasures of another history, put into the terms of the one that comes back.
//!
//! A position means the same in two histories only in chunks that both have. Where they part,
//! an entry about a customer goes on by time, and one about rows tells only which own ids may not
//! come back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use convlog_model::ids::Position;
use convlog_model::store::{Erasure, ErasureState};
use convlog_model::time::Timestamp;

use crate::embedded::catalog::{ChunkRow, Hidden, LedgerEntry};
use crate::embedded::disk::Disk;
use crate::embedded::error::OpenError;
use crate::embedded::log::{Chunk, log_name, log_path};
use crate::embedded::recover::{KnownEnd, scan};
use crate::embedded::view::position;

/// A ledger with what is needed to understand it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Where it comes from, for error texts.
    pub(crate) name: String,
    /// Tells the key that its hashes were made with.
    pub(crate) key: [u8; 32],
    pub(crate) entries: Vec<LedgerEntry>,
    pub(crate) chunks: BTreeMap<u64, ChunkRow>,
    /// No chunk of this history has this number or a later one.
    pub(crate) next_chunk: u64,
    /// The last version that a control document had.
    pub(crate) version: u64,
}

impl Ledger {
    /// The greatest chunk number that anything in it names.
    pub(crate) fn chunk_max(&self) -> u64 {
        let mut max = self.chunks.keys().next_back().copied().unwrap_or_default();
        max = max.max(self.next_chunk.saturating_sub(1));
        for entry in &self.entries {
            max = max.max(chunk_of(entry.before));
            if let Hidden::Rows { at, .. } = &entry.hidden {
                max = max.max(at.last().copied().map(chunk_of).unwrap_or_default());
            }
        }
        max
    }
}

fn chunk_of(at: Position) -> u64 {
    u64::try_from(at.0 >> 32).unwrap_or(u64::MAX)
}

/// The history that comes back.
#[derive(Debug)]
pub(crate) struct History<'a> {
    pub(crate) disk: &'a dyn Disk,
    /// The directory that its logs stand in already.
    pub(crate) dir: &'a Path,
    pub(crate) chunks: &'a BTreeMap<u64, ChunkRow>,
    /// Number of the first chunk that is not of it.
    pub(crate) next_chunk: u64,
}

impl History<'_> {
    /// The entries of all ledgers, each once, oldest first. What was erased elsewhere has yet to
    /// be erased here.
    pub(crate) fn merge(&self, ledgers: &[Ledger]) -> Result<Vec<LedgerEntry>, OpenError> {
        let mut known = BTreeSet::new();
        let mut out = Vec::new();
        for ledger in ledgers {
            for entry in &ledger.entries {
                let erasure = &entry.erasure;
                if known.insert((erasure.instance.clone(), erasure.id)) {
                    out.push(self.translate(entry, &ledger.chunks)?);
                }
            }
        }
        out.sort_by_key(|entry| (entry.erasure.requested_at, entry.erasure.id));
        Ok(out)
    }

    fn translate(
        &self,
        entry: &LedgerEntry,
        theirs: &BTreeMap<u64, ChunkRow>,
    ) -> Result<LedgerEntry, OpenError> {
        let (before, hidden) = match &entry.hidden {
            Hidden::Customer(_) => (self.before(entry, theirs)?, entry.hidden.clone()),
            Hidden::Rows { at, own } => {
                let is_ours = |at: &&Position| self.is_shared(chunk_of(**at), theirs);
                let at = at.iter().filter(is_ours).copied().collect();
                let own = own.clone();
                (entry.before, Hidden::Rows { at, own })
            }
        };
        Ok(LedgerEntry {
            erasure: Erasure {
                state: ErasureState::Hidden,
                rows_overwritten_at: None,
                done_at: None,
                ..entry.erasure.clone()
            },
            before,
            hidden,
        })
    }

    /// Whether a chunk of ours is one of theirs, too. One that they no longer have was.
    fn is_shared(&self, number: u64, theirs: &BTreeMap<u64, ChunkRow>) -> bool {
        self.chunks.get(&number).is_some_and(|ours| {
            let row = theirs.get(&number);
            row.is_none_or(|row| row.timeline == ours.timeline)
        })
    }

    /// Up to where everything of a customer is to go.
    fn before(
        &self,
        entry: &LedgerEntry,
        theirs: &BTreeMap<u64, ChunkRow>,
    ) -> Result<Position, OpenError> {
        let last = chunk_of(entry.before);
        let parted = |number: &&u64| !self.is_shared(**number, theirs);
        let first = self.chunks.keys().take_while(|number| **number <= last);
        let Some(first) = first.into_iter().find(|number| parted(number)) else {
            return Ok(entry.before);
        };
        for (number, row) in self.chunks.range(first..) {
            if let Some(row) = self.first_after(*number, row, entry.erasure.hidden_at)? {
                return Ok(position(*number, row));
            }
        }
        Ok(position(self.next_chunk, 0))
    }

    /// The first row of a chunk that was received after a time.
    fn first_after(
        &self,
        number: u64,
        row: &ChunkRow,
        time: Timestamp,
    ) -> Result<Option<u32>, OpenError> {
        let name = log_name(number);
        let file = self.disk.open_read(&log_path(self.dir, number));
        let chunk = Chunk::open(&name, file.map_err(|error| OpenError::io(&name, error))?)?;
        let whole = scan(&chunk, KnownEnd::At(row.end))?;
        let headers = whole.frames.iter().map(|(_, header)| header);
        let mut later = headers.filter(|header| header.row_count > 0 && header.received > time);
        Ok(later.next().map(|header| header.first_row))
    }
}
