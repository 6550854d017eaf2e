//! The indexing thread: small indexes in memory are merged into larger ones as they come, and those
//! of a full chunk into its file.

mod mend;
mod rebuild;
mod seal;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use convlog_model::store::{ErrorKind, StoreError};

pub(crate) use self::rebuild::{last_id, rebuild};
pub(crate) use self::seal::{put_in_place, seal};
use super::disk::Disk;
use super::error::OpenError;
use super::frames::FrameRow;
use super::index::merge::{Input, Rows, merge};
use super::index::source::Damaged;
use super::rowset::RowSet;
use super::shared::Shared;
use super::view::{Part, Segment};
use super::writer::answer;

/// So many indexes of about one size are merged into one.
const FAN_IN: usize = 8;
/// Indexes of so many rows are merged only when their chunk is full: a search asks some more parts,
/// and a record is merged once less.
const MERGED_ROWS_MAX: u32 = 2_048;
/// How long sealing goes on at a clean stop.
const FINISH_MAX_US: u64 = 10_000_000;
/// How long a sealing that failed waits before it is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a chunk was not sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{0}")]
    Disk(#[from] io::Error),
    #[error("{0}")]
    Index(#[from] Damaged),
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("the store is closing")]
    Closing,
}

/// One thing to do. It holds no view: a file is wiped only when nobody holds what it replaced.
enum Step {
    Merge(u64, Vec<Arc<Part>>),
    Seal(u64),
}

/// The indexing thread's own state.
#[derive(Debug)]
pub(crate) struct Indexer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
}

impl Indexer {
    /// Works until the signal is closed.
    pub(crate) fn run(self) {
        let mut patience = None;
        while let Some(settling) = self.shared.indexing.take(patience) {
            patience = None;
            let outcome = self.work();
            if let Err(error) = &outcome
                && !matches!(error, Trouble::Closing)
            {
                tracing::warn!(%error, "an index was not written, it is tried again later");
                patience = Some(PATIENCE);
            }
            for reply in settling {
                let told = outcome.as_ref().copied().map_err(|error| {
                    StoreError::new(ErrorKind::Unavailable, "a chunk could not be sealed")
                        .with_log(error.to_string())
                });
                answer(reply, told);
            }
        }
        if let Err(error) = self.finish() {
            tracing::warn!(%error, "the next start makes an index from its log");
        }
    }

    /// Seals what is full still; what a reader stands in the way of is left to the next start.
    fn finish(&self) -> Result<(), Trouble> {
        let begun = self.shared.clock.monotonic_us();
        while self.shared.broken().is_none()
            && self.shared.clock.monotonic_us() < begun + FINISH_MAX_US
            && let Some(chunk) = self.full_chunk()
        {
            seal(&self.shared, self.disk.as_ref(), &self.dir, chunk, &|| true)?;
        }
        Ok(())
    }

    /// A full chunk that is not sealed.
    fn full_chunk(&self) -> Option<u64> {
        let view = self.shared.view();
        let mut unsealed = view.segments.iter().filter(|segment| !segment.is_sealed);
        let full = unsealed.find(|segment| segment.is_full)?;
        Some(full.chunk.number)
    }

    fn work(&self) -> Result<(), Trouble> {
        loop {
            if self.shared.indexing.is_closed() {
                return Err(Trouble::Closing);
            }
            match self.next() {
                Some(Step::Merge(chunk, parts)) => self.merge_parts(chunk, parts)?,
                Some(Step::Seal(chunk)) => {
                    let is_over = || self.shared.indexing.is_closed();
                    let (disk, dir) = (self.disk.as_ref(), self.dir.as_path());
                    seal(&self.shared, disk, dir, chunk, &is_over)?;
                }
                None => return Ok(()),
            }
        }
    }

    /// What is to be done next. What readers search part by part comes first.
    fn next(&self) -> Option<Step> {
        let view = self.shared.view();
        let mut unsealed = view.segments.iter().filter(|segment| !segment.is_sealed);
        if let Some((chunk, parts)) = unsealed.find_map(|segment| small_parts(segment)) {
            return Some(Step::Merge(chunk, parts));
        }
        self.full_chunk().map(Step::Seal)
    }

    fn merge_parts(&self, chunk: u64, parts: Vec<Arc<Part>>) -> Result<(), Trouble> {
        let _alone = self.shared.lock_indexes();
        // An erasure may have replaced them.
        let view = self.shared.view();
        let is_there = |part: &Arc<Part>| {
            let segment = view.segment(chunk);
            segment.is_some_and(|s| s.parts.iter().any(|known| Arc::ptr_eq(known, part)))
        };
        let Some(first) = parts.first().filter(|_| parts.iter().all(is_there)) else {
            return Ok(());
        };
        let base = first.base;
        let inputs: Vec<Input<'_>> = parts
            .iter()
            .map(|part| Input {
                index: &part.index,
                rows: Rows::From(part.base - base),
            })
            .collect();
        let rows = parts.last().map_or(0, |last| last.end()) - base;
        let merged = Arc::new(Part {
            base,
            index: Arc::new(merge(&inputs, rows, false)?.in_memory()?),
            held: Some(frames_of(&parts)),
        });
        self.shared.change_view(|view| {
            view.change(chunk, |segment| {
                let at = segment
                    .parts
                    .iter()
                    .position(|part| Arc::ptr_eq(part, first));
                if let Some(at) = at {
                    segment.parts.splice(at..at + parts.len(), [merged]);
                }
            });
        });
        Ok(())
    }
}

/// The rows of a part that are not forgotten.
pub(crate) fn kept(part: &Part, forgotten: Option<&RowSet>) -> RowSet {
    let mut kept = RowSet::full(part.index.rows());
    if let Some(forgotten) = forgotten {
        let gone = forgotten
            .iter_from(part.base)
            .take_while(|row| *row < part.end());
        gone.for_each(|row| kept.remove(row - part.base));
    }
    kept
}

fn frames_of(parts: &[Arc<Part>]) -> Vec<FrameRow> {
    let held = parts.iter().flat_map(|part| part.held.iter().flatten());
    held.copied().collect()
}

/// Parts at the end of a run of small ones that are to be merged: as many as there are of one size
/// or a smaller one, when there are enough of them.
fn small_parts(segment: &Segment) -> Option<(u64, Vec<Arc<Part>>)> {
    let parts = &segment.parts;
    if segment.is_full {
        return None;
    }
    let mut most = 1;
    while most < MERGED_ROWS_MAX {
        most = (most * 8).min(MERGED_ROWS_MAX);
        let n_small = parts
            .iter()
            .rev()
            .take_while(|part| part.index.rows() < most);
        let n_small = n_small.count();
        if n_small >= FAN_IN {
            let small = parts.get(parts.len() - n_small..)?;
            return Some((segment.chunk.number, small.to_vec()));
        }
    }
    None
}
