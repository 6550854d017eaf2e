//! The maintenance thread: what erasures and retention hide is taken out of the bytes of the log.
//!
//! A pass gathers every erasure that is not done, visits each chunk once and writes new images over
//! the frames concerned, a few at a time: first into the chunk's redo file, then over the frames.
//! Retention looks at one chunk after the other and leaves its rows to such a pass.

pub(crate) mod copied;
mod expired;
pub(crate) mod gone;
mod image;
mod overwrite;
pub(crate) mod patched;
mod progress;
pub(crate) mod redo;
mod reindex;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use convlog_model::store::{ErasureState, ErrorKind, StoreError};
use tokio::sync::{SemaphorePermit, oneshot};

use self::overwrite::Doomed;
use super::bytes::to_u64;
use super::disk::Disk;
use super::error::stopped;
use super::index::file::index_name;
use super::index::source::Damaged;
use super::log::log_name;
use super::queue::Queue;
use super::shared::Shared;
use super::view::Segment;
use super::writer::{Command, answer};

/// How long a pass that failed waits before it is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pauses shorter than this are put together.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// Why a pass did not end.
#[derive(Debug)]
enum Trouble {
    /// The store is closing.
    Closing,
    /// Nothing was left half done; it is tried again later.
    Later(String),
    /// The index of this chunk is damaged.
    Index(u64, Damaged),
    /// Something was; a restart finishes it.
    Broken(String),
}

/// The maintenance thread's own state.
#[derive(Debug)]
pub(crate) struct Maintenance {
    pub(crate) shared: Arc<Shared>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    /// Bytes of frames overwritten in a second at most; 0 is no limit.
    pub(crate) bytes_per_s: u64,
    /// Pauses that are due.
    debt: Duration,
    /// Chunk and offset of frames of which what is left does not fit: their logs are copied.
    unfit: BTreeSet<(u64, u64)>,
    /// Bytes that a new image leaves free in its frame.
    image_reserve: usize,
    /// To ask the writer for the end of a chunk.
    writer: Arc<Queue<Command>>,
    /// Rows that are overwritten because they have expired, by chunk, as the catalog notes them.
    expiring: BTreeMap<u64, BTreeSet<u32>>,
    /// Chunks that retention has yet to look at.
    waiting: VecDeque<u64>,
    /// Whether a pass of retention is under way.
    is_retiring: bool,
    /// Whether something may be gone that is no purge yet.
    has_purged: bool,
}

impl Maintenance {
    pub(crate) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        bytes_per_s: u64,
        image_reserve: usize,
        writer: Arc<Queue<Command>>,
        expiring: Vec<(u64, Vec<u32>)>,
    ) -> Self {
        let expiring = expiring.into_iter();
        Maintenance {
            shared,
            disk,
            dir,
            bytes_per_s,
            debt: Duration::ZERO,
            unfit: BTreeSet::new(),
            image_reserve,
            writer,
            expiring: expiring
                .map(|(chunk, rows)| (chunk, rows.into_iter().collect()))
                .collect(),
            waiting: VecDeque::new(),
            is_retiring: false,
            has_purged: true,
        }
    }

    /// Works until the signal is closed.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut patience = None;
        while let Some(settling) = shared.maintenance.take(patience) {
            let result = self.work_and_mend();
            patience = match &result {
                Err(Trouble::Later(why)) => {
                    tracing::warn!(error = %why, "maintenance waits, it is tried again later");
                    Some(PATIENCE)
                }
                Err(Trouble::Broken(why)) => {
                    if shared.broken().is_none() {
                        tracing::error!(error = %why, "maintenance failed, writes are refused");
                        shared.set_broken(why);
                    }
                    None
                }
                Ok(()) | Err(Trouble::Closing | Trouble::Index(..)) => None,
            };
            for reply in settling {
                answer(reply, outcome(&result));
            }
        }
    }

    /// Works; damaged indexes that it meets are made again.
    fn work_and_mend(&mut self) -> Result<(), Trouble> {
        let mut n_left = self.shared.view().segments.len();
        loop {
            let (chunk, damaged) = match self.work() {
                Err(Trouble::Index(chunk, damaged)) => (chunk, damaged),
                other => return other,
            };
            let Some(left) = n_left.checked_sub(1) else {
                let name = index_name(chunk);
                return Err(Trouble::Later(format!("{name}: {damaged}")));
            };
            n_left = left;
            self.shared.mend(chunk, damaged)?;
        }
    }

    /// Does everything that is to be done now: erasures first, also between two chunks of
    /// retention.
    fn work(&mut self) -> Result<(), Trouble> {
        loop {
            self.pass()?;
            if self.shared.job.take_wanted() {
                let view = self.shared.view();
                let numbers = view.segments.iter().map(|segment| segment.chunk.number);
                self.waiting = numbers.collect();
                self.is_retiring = !self.shared.rules().keeps_everything();
            }
            if self.shared.maintenance.is_closed() {
                return Err(Trouble::Closing);
            }
            let now = match self.is_retiring {
                true => self.shared.trusted_now(),
                false => None,
            };
            let Some(now) = now else {
                self.waiting.clear();
                self.note_waiting();
                self.is_retiring = false;
                return self.end_purges(self.shared.clock.now());
            };
            self.note_waiting();
            match self.waiting.front().copied() {
                Some(chunk) => self.retire(chunk, now)?,
                None => {
                    self.end_retention(now)?;
                    self.is_retiring = false;
                }
            }
            self.waiting.pop_front();
        }
    }

    fn note_waiting(&self) {
        let n_waiting = to_u64(self.waiting.len());
        self.shared
            .job
            .note(|figures| figures.chunks_pending = n_waiting);
    }

    /// Takes every erasure that is not done to its end, and all rows that are hidden with it.
    fn pass(&mut self) -> Result<(), Trouble> {
        let pending = self.pending();
        if pending.is_empty() && self.expiring.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.shared.broken() {
            return Err(Trouble::Broken(why));
        }
        self.advance(&pending, ErasureState::Overwriting)?;
        for chunk in self.chunks_with(|segment| segment.hidden.doomed().is_some()) {
            self.visit(chunk)?;
        }
        while let Some((chunk, _)) = self.unfit.first().copied() {
            self.end_chunk(chunk)?;
            self.copy_log(chunk)?;
        }
        self.advance(&pending, ErasureState::Reindexing)?;
        for chunk in self.chunks_with(|segment| segment.hidden.overwritten.is_some()) {
            let is_over = || self.shared.maintenance.is_closed();
            if is_over() {
                return Err(Trouble::Closing);
            }
            let (disk, dir) = (self.disk.as_ref(), self.dir.as_path());
            reindex::reindex(&self.shared, disk, dir, chunk, &is_over)?;
        }
        self.forget_expired()?;
        self.advance(&pending, ErasureState::Done)
    }

    fn chunks_with(&self, test: impl Fn(&Segment) -> bool) -> Vec<u64> {
        let view = self.shared.view();
        let found = view.segments.iter().filter(|segment| test(segment));
        found.map(|segment| segment.chunk.number).collect()
    }

    /// Has the writer end a chunk, if it is the one that is appended to.
    fn end_chunk(&self, number: u64) -> Result<(), Trouble> {
        let (reply, answer) = oneshot::channel();
        let asked = self.writer.push(Command::End(number, reply), 0);
        asked.map_err(|_| Trouble::Closing)?;
        let ended = answer.blocking_recv().map_err(|_| Trouble::Closing)?;
        ended.map_err(Trouble::from)
    }

    /// Keeps to the rate; returns whether to go on.
    fn rest(&mut self, bytes: u64) -> bool {
        if self.bytes_per_s == 0 {
            return true;
        }
        let micros = bytes.saturating_mul(1_000_000) / self.bytes_per_s;
        self.debt += Duration::from_micros(micros);
        if self.debt < PAUSE_MIN {
            return true;
        }
        self.shared
            .maintenance
            .pause(std::mem::take(&mut self.debt))
    }
}

/// A backup that is being made must not catch half of what is changed.
fn hold_off_backups(shared: &Shared) -> Result<SemaphorePermit<'_>, Trouble> {
    let busy = |_| Trouble::Later("a backup is being taken".to_owned());
    shared.copying.try_acquire().map_err(busy)
}

/// Wipes the index that was replaced in a chunk, once no reader holds it.
fn wipe_retired(
    shared: &Shared,
    disk: &dyn Disk,
    dir: &Path,
    chunk: u64,
    is_over: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    match shared.retired.wipe(disk, dir, chunk, is_over) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Trouble::Closing),
        Err(error) => Err(Trouble::Later(error.to_string())),
    }
}

/// A log that a restart must put right.
fn broken(chunk: u64, error: &io::Error) -> Trouble {
    Trouble::Broken(format!("{}: {error}", log_name(chunk)))
}

fn outcome(result: &Result<(), Trouble>) -> Result<(), StoreError> {
    match result {
        Ok(()) => Ok(()),
        Err(Trouble::Closing) => Err(stopped()),
        Err(trouble) => {
            let error =
                StoreError::new(ErrorKind::Unavailable, "maintenance could not be finished");
            Err(error.with_log(match trouble {
                Trouble::Later(why) | Trouble::Broken(why) => why.clone(),
                Trouble::Index(chunk, damaged) => format!("{}: {damaged}", index_name(*chunk)),
                Trouble::Closing => String::new(),
            }))
        }
    }
}
