//! Which frame of a log holds a row, and when its rows were accepted.

use convlog_model::time::Timestamp;

use super::bytes::to_u32;
use super::index::column::Column;
use super::index::source::{Damaged, Part, le_u32};
use super::index::{Index, Section};
use super::log::Place;

/// A frame with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameRow {
    /// Number of its first row in the chunk.
    pub(crate) first_row: u32,
    pub(crate) place: Place,
    pub(crate) received: Timestamp,
}

/// The frames of consecutive rows.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "lives on the stack for the length of one question"
)]
pub(crate) enum Frames<'a> {
    /// Of rows that are not sealed yet.
    Memory(&'a [FrameRow]),
    /// First row, offset, length, time of receipt.
    Columns([Column<'a>; 4]),
}

const COLUMNS: usize = 4;

impl<'a> Frames<'a> {
    /// The frames in the index of a full log.
    pub(crate) fn of_index(index: &'a Index) -> Result<Self, Damaged> {
        let part = index.section(Section::Frames);
        let bytes = part.bytes()?;
        let mut at = COLUMNS * 4;
        let mut columns = [None; COLUMNS];
        for (i, column) in columns.iter_mut().enumerate() {
            let len = bytes.get(i * 4..).and_then(le_u32);
            let len = len.ok_or_else(|| part.fault(i * 4))?;
            *column = Some(column_at(part, at, len)?);
            at += len;
        }
        match columns {
            [Some(first_row), Some(offset), Some(len), Some(received)] => {
                Ok(Frames::Columns([first_row, offset, len, received]))
            }
            _ => Err(part.fault(0)),
        }
    }

    /// Number of frames.
    pub(crate) fn len(&self) -> usize {
        match self {
            Frames::Memory(frames) => frames.len(),
            Frames::Columns([first_row, ..]) => first_row.len(),
        }
    }

    /// A frame by its number.
    pub(crate) fn get(&self, number: usize) -> Option<FrameRow> {
        match self {
            Frames::Memory(frames) => frames.get(number).copied(),
            Frames::Columns([first_row, offset, len, received]) => {
                let number = to_u32(number);
                Some(FrameRow {
                    first_row: u32::try_from(first_row.get(number)?).ok()?,
                    place: Place {
                        offset: u64::try_from(offset.get(number)?).ok()?,
                        len: u32::try_from(len.get(number)?).ok()?,
                    },
                    received: Timestamp::from_micros(received.get(number)?),
                })
            }
        }
    }

    /// Number of the frame that holds a row.
    pub(crate) fn number_of(&self, row: u32) -> Option<usize> {
        let begun = match self {
            Frames::Memory(frames) => frames.partition_point(|frame| frame.first_row <= row),
            Frames::Columns([first_row, ..]) => {
                first_row.partition_point(|first| first <= i64::from(row))
            }
        };
        begun.checked_sub(1)
    }

    /// The frame that holds a row.
    pub(crate) fn of_row(&self, row: u32) -> Option<FrameRow> {
        self.get(self.number_of(row)?)
    }

    /// Smallest and greatest time of receipt.
    pub(crate) fn received_bounds(&self) -> Option<(i64, i64)> {
        match self {
            Frames::Memory(frames) => {
                let times = frames.iter().map(|frame| frame.received.micros());
                times.clone().min().zip(times.max())
            }
            Frames::Columns([.., received]) => received.bounds(),
        }
    }

    /// Times of receipt of rows that are asked for in rising order.
    pub(crate) fn walk(self) -> ReceivedWalk<'a> {
        ReceivedWalk {
            frames: self,
            held: None,
        }
    }
}

fn column_at(part: Part<'_>, at: usize, len: usize) -> Result<Column<'_>, Damaged> {
    let bytes = part.get(at, len)?;
    Column::new(bytes).map_err(|bad| part.fault(at + bad.at))
}

/// Remembers the last frame, since the next row most often lies in it or behind it.
#[derive(Debug)]
pub(crate) struct ReceivedWalk<'a> {
    frames: Frames<'a>,
    /// Number, first row, first row of the next one, time.
    held: Option<(usize, u32, u32, i64)>,
}

impl ReceivedWalk<'_> {
    pub(crate) fn get(&mut self, row: u32) -> Option<i64> {
        if let Some((number, first, end, received)) = self.held {
            if (first..end).contains(&row) {
                return Some(received);
            }
            if row == end {
                return self.hold(number + 1);
            }
        }
        self.hold(self.frames.number_of(row)?)
    }

    fn hold(&mut self, number: usize) -> Option<i64> {
        let frame = self.frames.get(number)?;
        let next = self.frames.get(number + 1);
        let end = next.map_or(u32::MAX, |next| next.first_row);
        let received = frame.received.micros();
        self.held = Some((number, frame.first_row, end, received));
        Some(received)
    }
}

/// Bytes of memory that a frame takes.
pub(crate) const FRAME_MEMORY: usize = size_of::<FrameRow>();
