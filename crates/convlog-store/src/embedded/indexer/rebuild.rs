//! The index of a chunk from its log alone: at the start for chunks that are not sealed, later for
//! one whose index file is damaged.

use std::sync::Arc;

use convlog_model::flatten::Leaves;
use convlog_model::ids::RecordId;
use convlog_model::record::Holding;

use crate::embedded::error::OpenError;
use crate::embedded::facts::Hasher;
use crate::embedded::frame::Header;
use crate::embedded::frames::FrameRow;
use crate::embedded::index::build::Builder;
use crate::embedded::index::merge::{Input, Rows, merge};
use crate::embedded::index::{Index, Parts};
use crate::embedded::log::{Chunk, Place};
use crate::embedded::own::Own;
use crate::embedded::recover::Whole;
use crate::embedded::row::{self, BadRow, Hash16, Row, StateRow};
use crate::embedded::view::{Part, position};
use convlog_model::store::Stored;

/// Frames that one thread reads at a time.
const FRAMES_AT_ONCE: usize = 512;

/// What a log holds.
#[derive(Debug, Default)]
pub(crate) struct Rebuilt {
    /// One part over all rows; none without rows.
    pub(crate) part: Option<Arc<Part>>,
    /// Row and state of each state.
    pub(crate) states: Vec<(u32, StateRow)>,
    pub(crate) own: Vec<(Hash16, Own)>,
    /// Bytes of raw bodies.
    pub(crate) raw: usize,
}

/// What some frames hold.
#[derive(Debug)]
struct Batch {
    index: Index,
    states: Vec<(u32, StateRow)>,
    own: Vec<(Hash16, Own)>,
    raw: usize,
}

/// Several threads read, each some frames.
pub(crate) fn rebuild(
    chunk: &Chunk,
    whole: &Whole,
    hasher: &Hasher,
    threads: usize,
) -> Result<Rebuilt, OpenError> {
    let with_rows = whole
        .frames
        .iter()
        .filter(|(_, header)| header.row_count > 0);
    let frames: Vec<(Place, Header)> = with_rows.copied().collect();
    let parts: Vec<_> = frames.chunks(FRAMES_AT_ONCE).collect();
    let mut batches = Vec::with_capacity(parts.len());
    for round in parts.chunks(threads.max(1)) {
        let read: Vec<Result<Batch, OpenError>> = std::thread::scope(|scope| {
            let read = |frames| scope.spawn(move || read_frames(chunk, frames, hasher));
            let threads: Vec<_> = round.iter().map(|frames| read(*frames)).collect();
            let panicked = || OpenError::unusable(&chunk.name, "a thread that read it panicked");
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .map(|batch| batch.unwrap_or_else(|_| Err(panicked())))
                .collect()
        });
        for batch in read {
            batches.push(batch?);
        }
    }
    let mut out = Rebuilt {
        part: part(chunk, &frames, &batches)?,
        ..Rebuilt::default()
    };
    for batch in batches {
        out.states.extend(batch.states);
        out.own.extend(batch.own);
        out.raw += batch.raw;
    }
    Ok(out)
}

/// The id of the last row of a frame.
pub(crate) fn last_id(header: &Header) -> RecordId {
    let further = 1..header.row_count;
    further.fold(header.first_id, |id, _| id.next())
}

fn part(
    chunk: &Chunk,
    frames: &[(Place, Header)],
    batches: &[Batch],
) -> Result<Option<Arc<Part>>, OpenError> {
    let mut base = 0;
    let inputs: Vec<Input<'_>> = batches
        .iter()
        .map(|batch| {
            let rows = Rows::From(base);
            base += batch.index.rows();
            Input {
                index: &batch.index,
                rows,
            }
        })
        .collect();
    if base == 0 {
        return Ok(None);
    }
    let merged = merge(&inputs, base, false).and_then(Parts::in_memory);
    let index = merged.map_err(|bad| OpenError::unusable(&chunk.name, bad.to_string()))?;
    let held = frames.iter().map(|(place, header)| FrameRow {
        first_row: header.first_row,
        place: *place,
        received: header.received,
    });
    Ok(Some(Arc::new(Part {
        base: 0,
        index: Arc::new(index),
        held: Some(held.collect()),
    })))
}

fn read_frames(
    chunk: &Chunk,
    frames: &[(Place, Header)],
    hasher: &Hasher,
) -> Result<Batch, OpenError> {
    let mut builder = Builder::default();
    let (mut states, mut own) = (Vec::new(), Vec::new());
    let mut raw = 0;
    for (place, _) in frames {
        let damaged = |why: &dyn std::fmt::Display| {
            OpenError::damaged(&chunk.name, place.offset, why.to_string())
        };
        let (header, plain) = chunk
            .read_frame(*place)
            .map_err(|e| damaged(&e.log_text()))?;
        let rows = row::split(&plain, header.row_count).map_err(|e| damaged(&e))?;
        let mut id = header.first_id;
        for (bytes, number) in rows.into_iter().zip(header.first_row..) {
            let decoded = row::decode(bytes).map_err(|bad| match bad {
                BadRow::Newer { .. } => OpenError::newer(&chunk.name, place.offset, bad),
                BadRow::Malformed(_) => damaged(&bad),
            })?;
            match decoded {
                Row::Record(record) => {
                    let held = record.draft.raw.read();
                    let body = held.as_ref().map(Holding::value);
                    let leaves = Leaves::of(&record.draft, body);
                    let facts = hasher.known_facts(&record.draft, &leaves, record.body_hash);
                    builder.record(&record.draft, &leaves, &facts.row);
                    raw += facts.raw_len;
                    let stored = Stored {
                        id,
                        position: position(chunk.number, number),
                        received: header.received,
                    };
                    let body_hash = record.body_hash;
                    own.extend(facts.own_key.map(|key| (key, Own { stored, body_hash })));
                }
                Row::State(state) => {
                    builder.state(state.slot, state.number);
                    states.push((number, state));
                }
                Row::Delivery(_) | Row::Erased => builder.skip(),
            }
            id = id.next();
        }
    }
    let index = builder.finish().in_memory();
    Ok(Batch {
        index: index.map_err(|bad| OpenError::unusable(&chunk.name, bad.to_string()))?,
        states,
        own,
        raw,
    })
}
