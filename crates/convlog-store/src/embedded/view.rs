//! What readers see: the chunks, each with its index, as they are at one moment. Never changed, but
//! replaced as a whole, so that a reader holds no lock and waits for nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use convlog_model::ids::Position;

use super::frames::{FrameRow, Frames};
use super::index::Index;
use super::index::source::Damaged;
use super::log::Chunk;
use super::rowset::RowSet;

/// The position of a row.
pub(crate) fn position(chunk: u64, row: u32) -> Position {
    Position((u128::from(chunk) << 32) | u128::from(row))
}

/// The chunk and the row of a position.
pub(crate) fn split(at: Position) -> (u64, u32) {
    let chunk = u64::try_from(at.0 >> 32).unwrap_or(u64::MAX);
    (chunk, u32::try_from(at.0 & 0xFFFF_FFFF).unwrap_or(u32::MAX))
}

/// Positions by chunk.
pub(crate) fn by_chunk(rows: &[Position]) -> BTreeMap<u64, RowSet> {
    let mut by_chunk = BTreeMap::new();
    for at in rows {
        let (chunk, row) = split(*at);
        let set = by_chunk.entry(chunk);
        set.or_insert_with(|| RowSet::empty(CHUNK_ROWS)).insert(row);
    }
    by_chunk
}

/// Consecutive rows of a chunk with their index.
#[derive(Debug)]
pub(crate) struct Part {
    /// Number of the first row in the chunk.
    pub(crate) base: u32,
    pub(crate) index: Arc<Index>,
    /// Frames of rows that are not sealed; the index file of others has theirs.
    pub(crate) held: Option<Vec<FrameRow>>,
}

impl Part {
    /// Number of the row behind the last.
    pub(crate) fn end(&self) -> u32 {
        self.base + self.index.rows()
    }

    /// The frames of the rows.
    pub(crate) fn frames(&self) -> Result<Frames<'_>, Damaged> {
        match &self.held {
            Some(frames) => Ok(Frames::Memory(frames)),
            None => Frames::of_index(&self.index),
        }
    }
}

/// Rows of a chunk that reads do not show, though they may still be in its index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden {
    pub(crate) erased: Option<Arc<RowSet>>,
    pub(crate) expired: Option<Arc<RowSet>>,
    /// Of the erased ones those whose bytes are gone from the log.
    pub(crate) overwritten: Option<Arc<RowSet>>,
}

/// Rows that a set over a whole chunk has at least room for.
const CHUNK_ROWS: u32 = 1 << 16;

impl Hidden {
    fn sets(&self) -> impl Iterator<Item = &RowSet> {
        [&self.erased, &self.expired]
            .into_iter()
            .flatten()
            .map(AsRef::as_ref)
    }

    /// The erased rows whose bytes are still in the log; `None` when there are none.
    pub(crate) fn doomed(&self) -> Option<RowSet> {
        let mut doomed = (**self.erased.as_ref()?).clone();
        if let Some(overwritten) = &self.overwritten {
            doomed.subtract(overwritten);
        }
        (!doomed.is_empty()).then_some(doomed)
    }

    /// No index holds these rows any more.
    pub(crate) fn forget(&mut self, rows: Option<&RowSet>) {
        let Some(rows) = rows else { return };
        for set in [&mut self.erased, &mut self.expired, &mut self.overwritten] {
            if let Some(known) = set {
                let mut left = (**known).clone();
                left.subtract(rows);
                *set = (!left.is_empty()).then(|| Arc::new(left));
            }
        }
    }

    pub(crate) fn contains(&self, row: u32) -> bool {
        self.sets().any(|set| set.contains(row))
    }

    /// Removes the hidden rows of the part that begins at `base`.
    pub(crate) fn cut(&self, base: u32, rows: &mut RowSet) {
        let end = base + rows.len();
        for set in self.sets() {
            let inside = set.iter_from(base).take_while(|row| *row < end);
            inside.for_each(|row| rows.remove(row - base));
        }
    }
}

/// Adds rows to one of the sets of [`Hidden`].
pub(crate) fn hide(set: &mut Option<Arc<RowSet>>, rows: impl Iterator<Item = u32>) {
    let mut all = match set {
        Some(set) => (**set).clone(),
        None => RowSet::empty(CHUNK_ROWS),
    };
    rows.for_each(|row| all.insert(row));
    *set = Some(Arc::new(all));
}

/// One chunk.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) chunk: Arc<Chunk>,
    /// In the order of rows, without gaps. One when it is sealed.
    pub(crate) parts: Vec<Arc<Part>>,
    pub(crate) hidden: Hidden,
    /// Whether no row comes any more.
    pub(crate) is_full: bool,
    /// Whether its index is in its file.
    pub(crate) is_sealed: bool,
}

impl Segment {
    pub(crate) fn new(chunk: Arc<Chunk>) -> Self {
        Segment {
            chunk,
            parts: Vec::new(),
            hidden: Hidden::default(),
            is_full: false,
            is_sealed: false,
        }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> u32 {
        self.parts.last().map_or(0, |part| part.end())
    }

    /// The part that holds a row.
    pub(crate) fn part_of(&self, row: u32) -> Option<&Arc<Part>> {
        let begun = self.parts.partition_point(|part| part.base <= row);
        let part = self.parts.get(begun.checked_sub(1)?)?;
        (row < part.end()).then_some(part)
    }

    /// The frame that holds a row.
    pub(crate) fn frame_of(&self, row: u32) -> Result<Option<FrameRow>, Damaged> {
        match self.part_of(row) {
            Some(part) => Ok(part.frames()?.of_row(row)),
            None => Ok(None),
        }
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        let frames = |part: &Part| part.held.as_ref().map_or(0, Vec::len);
        let parts = self.parts.iter();
        let parts =
            parts.map(|part| part.index.memory() + frames(part) * super::frames::FRAME_MEMORY);
        parts.sum()
    }
}

/// All chunks, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) segments: Vec<Arc<Segment>>,
    /// Of the last turn or event.
    pub(crate) newest: Position,
}

impl View {
    /// The chunk of that number.
    pub(crate) fn segment(&self, chunk: u64) -> Option<&Arc<Segment>> {
        let found = self
            .segments
            .binary_search_by_key(&chunk, |s| s.chunk.number);
        self.segments.get(found.ok()?)
    }

    /// Changes one chunk.
    pub(crate) fn change(&mut self, chunk: u64, change: impl FnOnce(&mut Segment)) {
        let found = self
            .segments
            .binary_search_by_key(&chunk, |s| s.chunk.number);
        if let Ok(found) = found
            && let Some(segment) = self.segments.get_mut(found)
        {
            change(Arc::make_mut(segment));
        }
    }

    /// Takes a chunk away.
    pub(crate) fn remove(&mut self, chunk: u64) {
        self.segments
            .retain(|segment| segment.chunk.number != chunk);
    }

    /// Whether a row is neither erased nor hidden by retention.
    pub(crate) fn is_hidden(&self, at: Position) -> bool {
        let (chunk, row) = split(at);
        self.segment(chunk)
            .is_none_or(|segment| segment.hidden.contains(row))
    }
}
