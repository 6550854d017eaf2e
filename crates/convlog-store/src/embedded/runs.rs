//! Matches of all parts in one order: each part is a run that is looked at only when something of it
//! may come next, and sorted only as far as it is needed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use convlog_model::ids::Position;
use convlog_model::query::{Sort, SortKey};
use convlog_model::time::Timestamp;

use super::bytes::to_usize;
use super::index::Section;
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

/// Rows that are sorted at once; each time twice as many.
const SORTED_MIN: usize = 256;

/// Matches of one part.
struct Run {
    segment: Arc<Segment>,
    sets: Sets,
    base: u32,
    /// What is not sorted yet.
    rest: Vec<(Rank, u32, Option<i64>)>,
    /// What is, last one first.
    sorted: Vec<(Rank, u32, Option<i64>)>,
    step: usize,
}

impl Run {
    fn sort_some(&mut self) {
        if !self.sorted.is_empty() || self.rest.is_empty() {
            return;
        }
        let step = self.step.min(self.rest.len());
        self.step *= 2;
        if step < self.rest.len() {
            self.rest.select_nth_unstable(step - 1);
        }
        self.sorted = self.rest.drain(..step).collect();
        self.sorted
            .sort_unstable_by_key(|(rank, ..)| Reverse(*rank));
    }

    fn first(&mut self) -> Option<Rank> {
        self.sort_some();
        self.sorted.last().map(|(rank, ..)| *rank)
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
        let Some((_, row, value)) = run.sorted.pop() else {
            return Ok(None);
        };
        let candidate = Candidate {
            segment: Arc::clone(&run.segment),
            row: run.base + row,
            value: value.map(Timestamp::from_micros),
            is_sure: run.sets.sure.contains(row),
        };
        if let Some(rank) = run.first() {
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
            let mut rest = keys(self.sort, &segment, &part, &sets.possible)
                .map_err(|bad| (number, bad.into()))?;
            if let Some(behind) = self.behind {
                rest.retain(|(rank, ..)| *rank > behind);
            }
            let mut run = Run {
                segment,
                sets,
                base: part.base,
                rest,
                sorted: Vec::new(),
                step: SORTED_MIN,
            };
            if let Some(rank) = run.first() {
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
        SortKey::Request => (part.index.column(Section::Request)?.bounds(), true),
        SortKey::Response => (part.index.column(Section::Response)?.bounds(), true),
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

type Keyed = (Rank, u32, Option<i64>);

fn keys(sort: Sort, segment: &Segment, part: &Part, rows: &RowSet) -> Result<Vec<Keyed>, Damaged> {
    let number = segment.chunk.number;
    let mut out = Vec::with_capacity(to_usize(rows.count().into()));
    let mut push = |row: u32, value: Option<i64>| {
        let rank = Rank::of(sort, value, position(number, part.base + row));
        out.push((rank, row, value));
    };
    match sort.key {
        SortKey::Position => rows.iter().for_each(|row| push(row, None)),
        SortKey::Received => {
            let mut walk = part.frames()?.walk();
            for row in rows.iter() {
                push(row, walk.get(part.base + row));
            }
        }
        SortKey::Request | SortKey::Response => {
            let section = match sort.key {
                SortKey::Request => Section::Request,
                _ => Section::Response,
            };
            let column = part.index.column(section)?;
            rows.iter().for_each(|row| push(row, column.get(row)));
        }
    }
    Ok(out)
}
