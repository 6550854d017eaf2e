//! Matches of all parts in one order: each part is a run that is looked at only when something of it
//! may come next, and of it only those rows that may.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use convlog_model::ids::Position;
use convlog_model::query::{Sort, SortKey};
use convlog_model::time::Timestamp;

use super::index::Section;
use super::index::column::Column;
use super::index::source::Damaged;
use super::lower::{Sets, Trouble};
use super::rowset::RowSet;
use super::select::Wanted;
use super::view::{Part, Segment, position};

/// Place in an order: smaller comes first. Rows without the value come last both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    is_missing: bool,
    value: i64,
    at: i128,
}

impl Rank {
    pub(crate) fn of(sort: Sort, value: Option<i64>, at: Position) -> Self {
        let at = i128::try_from(at.0).unwrap_or(i128::MAX);
        let shown = value.unwrap_or(0);
        match sort.descending {
            // The complement falls as the value rises and has no value without one.
            true => Rank {
                is_missing: value.is_none(),
                value: !shown,
                at: -at,
            },
            false => Rank {
                is_missing: value.is_none(),
                value: shown,
                at,
            },
        }
    }
}

/// A row that may come next.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) segment: Arc<Segment>,
    /// Number of the row in its chunk.
    pub(crate) row: u32,
    pub(crate) value: Option<Timestamp>,
    /// Whether it is known to match.
    pub(crate) is_sure: bool,
}

impl Candidate {
    pub(crate) fn at(&self) -> Position {
        position(self.segment.chunk.number, self.row)
    }
}

/// A row with its place in the order and its value.
type Keyed = (Rank, u32, Option<i64>);

/// Fewer rows of a part than these are looked at all at once.
const FEW: u32 = 1024;

/// Matches of one part: some rows after the other are looked at, when one of them may come next.
struct Run {
    segment: Arc<Segment>,
    part: Arc<Part>,
    sets: Sets,
    /// Rows not looked at, by the first rank that they may hold, the first one last.
    closed: Vec<(Rank, Range<u32>)>,
    open: BinaryHeap<Reverse<Keyed>>,
}

impl Run {
    fn new(
        sort: Sort,
        segment: Arc<Segment>,
        part: Arc<Part>,
        sets: Sets,
    ) -> Result<Self, Damaged> {
        let mut closed = match sets.possible.count() {
            ..FEW => Vec::new(),
            _ => blocks(sort, &segment, &part)?,
        };
        if closed.is_empty() {
            let first = bounds(sort, &segment, &part)?;
            closed.extend(first.map(|(first, _)| (first, 0..part.index.rows())));
        }
        closed.sort_by_key(|(first, _)| Reverse(*first));
        Ok(Run {
            segment,
            part,
            sets,
            closed,
            open: BinaryHeap::new(),
        })
    }

    /// The rank of the next match.
    fn first(&mut self, sort: Sort, behind: Option<Rank>) -> Result<Option<Rank>, Damaged> {
        while let Some((first, _)) = self.closed.last() {
            let next = self.open.peek();
            if next.is_some_and(|Reverse((rank, ..))| rank < first) {
                break;
            }
            let Some((_, rows)) = self.closed.pop() else {
                break;
            };
            let mut keys = keys(sort, &self.segment, &self.part, &self.sets.possible, rows)?;
            if let Some(behind) = behind {
                keys.retain(|(rank, ..)| *rank > behind);
            }
            self.open.extend(keys.into_iter().map(Reverse));
        }
        Ok(self.open.peek().map(|Reverse((rank, ..))| *rank))
    }
}

/// All matches, in order.
pub(crate) struct Runs<'a> {
    wanted: &'a Wanted<'a>,
    sort: Sort,
    behind: Option<Rank>,
    /// Parts not looked at, by the first rank that they may hold, the first one last.
    closed: Vec<(Rank, Arc<Segment>, Arc<Part>)>,
    open: Vec<Run>,
    /// First rank of each open run.
    next: BinaryHeap<Reverse<(Rank, usize)>>,
}

impl<'a> Runs<'a> {
    /// The matches behind `behind`.
    pub(crate) fn new(
        wanted: &'a Wanted<'a>,
        sort: Sort,
        behind: Option<Rank>,
    ) -> Result<Self, (u64, Trouble)> {
        let mut closed = Vec::new();
        for segment in &wanted.view.segments {
            for part in &segment.parts {
                let bounds = bounds(sort, segment, part);
                let bounds = bounds.map_err(|bad| (segment.chunk.number, bad.into()))?;
                let Some((first, last)) = bounds else {
                    continue;
                };
                if behind.is_none_or(|behind| last > behind) {
                    closed.push((first, Arc::clone(segment), Arc::clone(part)));
                }
            }
        }
        closed.sort_by_key(|(first, ..)| Reverse(*first));
        Ok(Runs {
            wanted,
            sort,
            behind,
            closed,
            open: Vec::new(),
            next: BinaryHeap::new(),
        })
    }

    /// The next match; an error names the chunk.
    pub(crate) fn next(&mut self) -> Result<Option<Candidate>, (u64, Trouble)> {
        self.open_what_may_be_next()?;
        let Some(Reverse((_, number))) = self.next.pop() else {
            return Ok(None);
        };
        let run = &mut self.open[number];
        let Some(Reverse((_, row, value))) = run.open.pop() else {
            return Ok(None);
        };
        let candidate = Candidate {
            segment: Arc::clone(&run.segment),
            row: run.part.base + row,
            value: value.map(Timestamp::from_micros),
            is_sure: run.sets.sure.contains(row),
        };
        let first = run.first(self.sort, self.behind);
        let chunk = run.segment.chunk.number;
        if let Some(rank) = first.map_err(|bad| (chunk, bad.into()))? {
            self.next.push(Reverse((rank, number)));
        }
        Ok(Some(candidate))
    }

    fn open_what_may_be_next(&mut self) -> Result<(), (u64, Trouble)> {
        while let Some((first, ..)) = self.closed.last() {
            if self
                .next
                .peek()
                .is_some_and(|Reverse((rank, _))| rank < first)
            {
                return Ok(());
            }
            let Some((_, segment, part)) = self.closed.pop() else {
                return Ok(());
            };
            let number = segment.chunk.number;
            let found = self.wanted.of(&segment, &part);
            let Some(sets) = found.map_err(|trouble| (number, trouble))? else {
                continue;
            };
            let damaged = |bad: Damaged| (number, bad.into());
            let mut run = Run::new(self.sort, segment, part, sets).map_err(damaged)?;
            if let Some(rank) = run.first(self.sort, self.behind).map_err(damaged)? {
                self.next.push(Reverse((rank, self.open.len())));
                self.open.push(run);
            }
        }
        Ok(())
    }
}

/// The first and the last rank that rows of a part may have; `None` without rows.
fn bounds(sort: Sort, segment: &Segment, part: &Part) -> Result<Option<(Rank, Rank)>, Damaged> {
    let Some(last_row) = part.end().checked_sub(1).filter(|last| *last >= part.base) else {
        return Ok(None);
    };
    let number = segment.chunk.number;
    let (low, high) = (position(number, part.base), position(number, last_row));
    let (first_at, last_at) = match sort.descending {
        true => (high, low),
        false => (low, high),
    };
    let (values, may_miss) = match sort.key {
        SortKey::Position => (None, true),
        SortKey::Received => (part.frames()?.received_bounds(), false),
        SortKey::Request | SortKey::Response => {
            let column = time_column(sort.key, part)?;
            (column.and_then(|column| column.bounds()), true)
        }
    };
    let Some((least, greatest)) = values else {
        let of = |at| Rank::of(sort, None, at);
        return Ok(Some((of(first_at), of(last_at))));
    };
    let (first, last) = match sort.descending {
        true => (greatest, least),
        false => (least, greatest),
    };
    let last = (!may_miss).then_some(last);
    Ok(Some((
        Rank::of(sort, Some(first), first_at),
        Rank::of(sort, last, last_at),
    )))
}

/// The column of a time that has one.
fn time_column(key: SortKey, part: &Part) -> Result<Option<Column<'_>>, Damaged> {
    let section = match key {
        SortKey::Request => Section::Request,
        SortKey::Response => Section::Response,
        SortKey::Position | SortKey::Received => return Ok(None),
    };
    part.index.column(section).map(Some)
}

/// Rows of a part that lie near to each other, with the first rank that they may hold; none where
/// that is not known.
fn blocks(sort: Sort, segment: &Segment, part: &Part) -> Result<Vec<(Rank, Range<u32>)>, Damaged> {
    let Some(column) = time_column(sort.key, part)? else {
        return Ok(Vec::new());
    };
    let number = segment.chunk.number;
    let first_of = |(rows, bounds): (Range<u32>, Option<(i64, i64)>)| {
        let (row, value) = match sort.descending {
            true => (
                rows.end.saturating_sub(1),
                bounds.map(|(_, greatest)| greatest),
            ),
            false => (rows.start, bounds.map(|(least, _)| least)),
        };
        let at = position(number, part.base + row);
        (Rank::of(sort, value, at), rows)
    };
    Ok(column.blocks().map(first_of).collect())
}

/// Some rows with their ranks.
fn keys(
    sort: Sort,
    segment: &Segment,
    part: &Part,
    all: &RowSet,
    some: Range<u32>,
) -> Result<Vec<Keyed>, Damaged> {
    let number = segment.chunk.number;
    let rows = all.iter_from(some.start).take_while(|row| *row < some.end);
    let keyed = |row: u32, value: Option<i64>| {
        let rank = Rank::of(sort, value, position(number, part.base + row));
        (rank, row, value)
    };
    Ok(match sort.key {
        SortKey::Position => rows.map(|row| keyed(row, None)).collect(),
        SortKey::Received => {
            let mut walk = part.frames()?.walk();
            rows.map(|row| keyed(row, walk.get(part.base + row)))
                .collect()
        }
        SortKey::Request | SortKey::Response => {
            let column = time_column(sort.key, part)?;
            rows.map(|row| keyed(row, column.and_then(|column| column.get(row))))
                .collect()
        }
    })
}
