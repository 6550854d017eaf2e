//! When a dictionary is trained: beside the writer, on rows of the open chunk, for the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::OpenChunk;
use crate::embedded::bytes::to_usize;
use crate::embedded::dictionary::{ROWS_MIN, ROWS_SAMPLED, train};
use crate::embedded::log::{Chunk, Place};
use crate::embedded::pool::step_back_a_little;
use crate::embedded::row::{self, RecordRow, Row};
use crate::embedded::shared::Shared;

/// A trained dictionary is compared with a new one every so many chunks: a training takes as long as a
/// twelfth of a chunk.
const CHUNKS_BETWEEN: u64 = 16;

/// At most one training at a time.
#[derive(Debug, Default)]
pub(crate) struct Trainer {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// The chunk on whose rows was trained last.
    chunk: u64,
}

impl Trainer {
    /// Trains when the open chunk is half full, so that the next one has its dictionary in time.
    pub(crate) fn consider(&mut self, shared: &Arc<Shared>, open: &OpenChunk, rows_max: usize) {
        let number = open.chunk.number;
        let rows = to_usize(open.rows.into());
        let is_due = self.chunk == 0 || number >= self.chunk + CHUNKS_BETWEEN;
        if !is_due || rows < ROWS_MIN || rows < rows_max / 2 {
            return;
        }
        self.chunk = number;
        self.finish();
        let (shared, stop) = (Arc::clone(shared), Arc::clone(&self.stop));
        let chunk = Arc::clone(&open.chunk);
        let builder = std::thread::Builder::new().name("convlog-dictionary".to_owned());
        let thread = builder.spawn(move || {
            step_back_a_little();
            let rows = sample(&shared, &chunk, &stop);
            if let Some(codec) = train(&rows, &chunk.codec, &stop) {
                shared.offer_codec(codec);
            }
        });
        match thread {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => tracing::warn!(%error, "no dictionary is trained"),
        }
    }

    fn finish(&mut self) {
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the training of a dictionary panicked");
        }
    }

    /// Gives up a training under way.
    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.finish();
    }
}

/// Rows of a chunk that reads can show, spread over all of it.
fn sample(shared: &Shared, chunk: &Chunk, stop: &AtomicBool) -> Vec<RecordRow> {
    let view = shared.view();
    let Some(segment) = view.segment(chunk.number) else {
        return Vec::new();
    };
    let n_rows = segment.rows();
    let step = to_usize(n_rows.into()).div_ceil(ROWS_SAMPLED).max(1);
    let visible = (0..n_rows).filter(|row| !segment.hidden.contains(*row));
    let places = visible.step_by(step).filter_map(|row| {
        let frame = segment.frame_of(row).ok().flatten()?;
        Some((frame.place, row - frame.first_row))
    });
    let places: Vec<(Place, u32)> = places.collect();
    let mut out = Vec::with_capacity(places.len());
    for (place, in_frame) in places {
        if stop.load(Ordering::Relaxed) {
            return Vec::new();
        }
        // A frame that cannot be read is named by who reads it for its own sake.
        let Ok((header, plain)) = chunk.read_frame(place) else {
            continue;
        };
        let rows = row::split(&plain, header.row_count).unwrap_or_default();
        let bytes = rows
            .get(to_usize(in_frame.into()))
            .copied()
            .unwrap_or_default();
        if let Ok(Row::Record(row)) = row::decode(bytes) {
            out.push(*row);
        }
    }
    out
}
