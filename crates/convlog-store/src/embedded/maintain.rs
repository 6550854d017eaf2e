//! The maintenance thread: what erasures and retention hide is taken out of the bytes of the log.
//!
//! A pass gathers every erasure that is not done, visits each chunk once and writes new images over
//! the frames concerned, a few at a time: first into the chunk's redo file, then over the frames.
//! Retention looks at one chunk after the other and leaves its rows to such a pass.

mod expired;
pub(crate) mod gone;
mod image;
pub(crate) mod patched;
mod progress;
pub(crate) mod redo;
mod reindex;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use convlog_model::store::{ErasureState, ErrorKind, StoreError};

use self::redo::Image;
use super::bytes::{to_u64, to_usize};
use super::disk::{Disk, is_full};
use super::error::stopped;
use super::index::file::index_name;
use super::index::source::Damaged;
use super::log::{Chunk, Place, log_name};
use super::own::Own;
use super::shared::Shared;
use super::view::{Segment, hide, split};
use super::writer::answer;

/// Bytes of frames that are overwritten at once.
const ROUND_BYTES: usize = 4 << 20;
/// How long a pass that failed waits before it is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pauses shorter than this are put together.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// A frame of which rows are to be overwritten.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) place: Place,
    /// Numbers of these rows in the chunk and in the frame.
    pub(crate) rows: Vec<(u32, u8)>,
}

/// Frames of one log that are overwritten together.
type Round = (Arc<Chunk>, Vec<Doomed>);

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
    /// Chunk and offset of frames of which what is left does not fit: their erasures are not done.
    unfit: BTreeSet<(u64, u64)>,
    /// Rows that are overwritten because they have expired, by chunk, as the catalog notes them.
    expiring: BTreeMap<u64, BTreeSet<u32>>,
    /// Chunks that retention has yet to look at.
    waiting: VecDeque<u64>,
    /// Whether a pass of retention is under way.
    is_retiring: bool,
}

impl Maintenance {
    pub(crate) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        dir: PathBuf,
        bytes_per_s: u64,
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
            expiring: expiring
                .map(|(chunk, rows)| (chunk, rows.into_iter().collect()))
                .collect(),
            waiting: VecDeque::new(),
            is_retiring: false,
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
                return Ok(());
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
        if let Some((chunk, offset)) = self.unfit.first() {
            let name = log_name(*chunk);
            let why = format!("{name} at byte {offset}: what is left of a frame does not fit");
            return Err(Trouble::Later(why));
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

    /// Overwrites what is to be overwritten in one chunk.
    fn visit(&mut self, number: u64) -> Result<(), Trouble> {
        loop {
            if self.shared.maintenance.is_closed() {
                return Err(Trouble::Closing);
            }
            let Some((chunk, doomed)) = self.next(number)? else {
                return Ok(());
            };
            self.round(&chunk, &doomed)?;
            let bytes: u64 = doomed.iter().map(|frame| u64::from(frame.place.len)).sum();
            if !self.rest(bytes) {
                return Err(Trouble::Closing);
            }
        }
    }

    /// Frames of a chunk of which rows are to be overwritten, as many as go together.
    fn next(&self, number: u64) -> Result<Option<Round>, Trouble> {
        let view = self.shared.view();
        let Some(segment) = view.segment(number) else {
            return Ok(None);
        };
        let Some(rows) = segment.hidden.doomed() else {
            return Ok(None);
        };
        let mut frames: Vec<Doomed> = Vec::new();
        let mut bytes = 0;
        for row in rows.iter() {
            let frame = segment.frame_of(row);
            let frame = frame.map_err(|bad| Trouble::Index(number, bad))?;
            let Some(frame) = frame else { continue };
            if self.unfit.contains(&(number, frame.place.offset)) {
                continue;
            }
            let in_frame = u8::try_from(row - frame.first_row).unwrap_or(u8::MAX);
            match frames.last_mut() {
                Some(last) if last.place == frame.place => last.rows.push((row, in_frame)),
                _ => {
                    bytes += to_usize(frame.place.len.into());
                    if bytes > ROUND_BYTES && !frames.is_empty() {
                        break;
                    }
                    frames.push(Doomed {
                        place: frame.place,
                        rows: vec![(row, in_frame)],
                    });
                }
            }
        }
        Ok((!frames.is_empty()).then(|| (Arc::clone(&segment.chunk), frames)))
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

    fn round(&mut self, chunk: &Chunk, doomed: &[Doomed]) -> Result<(), Trouble> {
        // A copy that is being made must not catch half of a frame.
        let shared = Arc::clone(&self.shared);
        let busy = |_| Trouble::Later("a backup is being taken".to_owned());
        let _permit = shared.copying.try_acquire().map_err(busy)?;
        let mut images = Vec::with_capacity(doomed.len());
        let mut rows = Vec::new();
        for frame in doomed {
            let image = image::of(chunk, frame);
            let image = image.map_err(|error| Trouble::Later(error.log_text().to_owned()))?;
            match image {
                Some(image) => {
                    images.push(image);
                    rows.extend(frame.rows.iter().map(|(row, _)| *row));
                }
                None => drop(self.unfit.insert((chunk.number, frame.place.offset))),
            }
        }
        if images.is_empty() {
            return Ok(());
        }
        self.overwrite(chunk, &images)?;
        let bytes: usize = images.iter().map(|image| image.bytes.len()).sum();
        self.shared
            .job
            .note(|figures| figures.bytes_overwritten += to_u64(bytes));
        self.note_overwritten(chunk.number, rows);
        // Who read a frame before it was overwritten has put its rows here before, too.
        self.shared.cache.clear();
        tracing::debug!(file = %chunk.name, frames = images.len(), "frames overwritten");
        let wiped = redo::wipe(self.disk.as_ref(), &self.dir, chunk.number);
        wiped.map_err(|error| broken(chunk, &error))
    }

    fn note_overwritten(&self, chunk: u64, rows: Vec<u32>) {
        let gone: BTreeSet<u32> = rows.iter().copied().collect();
        let expiring = self.expiring.get(&chunk);
        let expired = gone
            .iter()
            .filter(|row| expiring.is_some_and(|rows| rows.contains(row)));
        let (n_rows, n_expired) = (to_u64(gone.len()), to_u64(expired.count()));
        self.shared.job.note(|figures| {
            figures.rows_expired += n_expired;
            figures.rows_erased += n_rows - n_expired;
        });
        self.shared.change_view(|view| {
            view.change(chunk, |segment| {
                hide(&mut segment.hidden.overwritten, rows.into_iter());
            });
        });
        let is_gone = |own: &Own| gone.contains(&split(own.stored.position).1);
        self.shared.own().forget(chunk, is_gone);
    }

    /// Makes the images durable in the redo file, then in the log.
    fn overwrite(&self, chunk: &Chunk, images: &[Image]) -> Result<(), Trouble> {
        let (disk, dir, number) = (self.disk.as_ref(), self.dir.as_path(), chunk.number);
        if let Err(error) = redo::write(disk, dir, number, images) {
            // Nothing was overwritten, but what was written of the redo file must not outlive it.
            redo::wipe(disk, dir, number).map_err(|error| broken(chunk, &error))?;
            return match is_full(&error) {
                true => Err(Trouble::Later("no room left on the disk".to_owned())),
                false => Err(broken(chunk, &error)),
            };
        }
        for Image { offset, bytes } in images {
            let written = chunk.overwrite(*offset, bytes);
            written.map_err(|error| broken(chunk, &error))?;
        }
        chunk
            .file
            .sync_data()
            .map_err(|error| broken(chunk, &error))
    }
}

fn broken(chunk: &Chunk, error: &std::io::Error) -> Trouble {
    Trouble::Broken(format!("{}: {error}", chunk.name))
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
