//! Rows that are hidden are taken out of the bytes of their log: new images of their frames, some
//! megabytes at a time, go into the redo file and then over the frames.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::redo::{self, Image};
use super::{Maintenance, Trouble, broken, hold_off_backups, image};
use crate::embedded::bytes::{to_u64, to_usize};
use crate::embedded::disk::is_full;
use crate::embedded::log::{Chunk, Place};
use crate::embedded::own::Own;
use crate::embedded::rowset::RowSet;
use crate::embedded::view::{Segment, hide, split};

/// Bytes of frames that are overwritten at once.
const ROUND_BYTES: usize = 4 << 20;

/// A frame of which rows are to be overwritten.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) place: Place,
    /// Numbers of these rows in the chunk and in the frame.
    pub(crate) rows: Vec<(u32, u8)>,
}

/// Frames of one log that are overwritten together.
type Round = (Arc<Chunk>, Vec<Doomed>);

impl Maintenance {
    /// Overwrites what is to be overwritten in one chunk.
    pub(super) fn visit(&mut self, number: u64) -> Result<(), Trouble> {
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
        let mut frames = self.doomed(segment)?;
        frames.retain(|frame| !self.unfit.contains(&(number, frame.place.offset)));
        let mut bytes = 0;
        let together = frames.iter().take_while(|frame| {
            bytes += to_usize(frame.place.len.into());
            bytes <= ROUND_BYTES
        });
        let n_together = together.count().max(1);
        frames.truncate(n_together);
        Ok((!frames.is_empty()).then(|| (Arc::clone(&segment.chunk), frames)))
    }

    /// Every frame of a chunk of which rows are to be overwritten.
    pub(super) fn doomed(&self, segment: &Segment) -> Result<Vec<Doomed>, Trouble> {
        let mut frames: Vec<Doomed> = Vec::new();
        for row in segment.hidden.doomed().iter().flat_map(RowSet::iter) {
            let frame = segment.frame_of(row);
            let frame = frame.map_err(|bad| Trouble::Index(segment.chunk.number, bad))?;
            let Some(frame) = frame else { continue };
            let in_frame = u8::try_from(row - frame.first_row).unwrap_or(u8::MAX);
            match frames.last_mut() {
                Some(last) if last.place == frame.place => last.rows.push((row, in_frame)),
                _ => frames.push(Doomed {
                    place: frame.place,
                    rows: vec![(row, in_frame)],
                }),
            }
        }
        Ok(frames)
    }

    fn round(&mut self, chunk: &Chunk, doomed: &[Doomed]) -> Result<(), Trouble> {
        // A copy that is being made must not catch half of a frame.
        let shared = Arc::clone(&self.shared);
        let _permit = hold_off_backups(&shared)?;
        let mut images = Vec::with_capacity(doomed.len());
        let mut rows = Vec::new();
        for frame in doomed {
            let image = image::of(chunk, frame, self.image_reserve);
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
        wiped.map_err(|error| broken(chunk.number, &error))
    }

    pub(super) fn note_overwritten(&self, chunk: u64, rows: Vec<u32>) {
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
            redo::wipe(disk, dir, number).map_err(|error| broken(chunk.number, &error))?;
            return match is_full(&error) {
                true => Err(Trouble::Later("no room left on the disk".to_owned())),
                false => Err(broken(chunk.number, &error)),
            };
        }
        for Image { offset, bytes } in images {
            let written = chunk.overwrite(*offset, bytes);
            written.map_err(|error| broken(chunk.number, &error))?;
        }
        chunk
            .file
            .sync_data()
            .map_err(|error| broken(chunk.number, &error))
    }
}
