//! Rows that may match, in the order asked for, a few at a time.

use std::ops::Bound;
use std::sync::Arc;

use convlog_model::ids::Position;
use convlog_model::query::{Sort, SortKey};
use convlog_model::store::Retention;
use convlog_model::time::Timestamp;

use super::judge::{Judge, Verdict};
use super::log::{Chunk, Place};
use super::tail::{Key, Meta, Order, Rules, Segment, Tail, position};

/// A row that may match.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) place: Place,
    pub(crate) in_frame: usize,
    pub(crate) at: Position,
    pub(crate) value: Option<Timestamp>,
    /// Whether it is known to match.
    pub(crate) is_sure: bool,
}

/// Behind which row to go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    pub(crate) value: Option<Timestamp>,
    pub(crate) at: Position,
}

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) instance: u32,
    pub(crate) judge: Judge,
    pub(crate) upto: Position,
    pub(crate) rules: Arc<Retention>,
    pub(crate) now: Timestamp,
}

impl Wanted {
    fn verdict(&self, tail: &Tail, meta: &Meta, at: Position) -> Verdict {
        if meta.instance != self.instance || at > self.upto || !meta.is_visible() {
            return Verdict::No;
        }
        let verdict = self.judge.of(meta);
        if verdict == Verdict::No {
            return verdict;
        }
        let rules = Rules {
            rules: &self.rules,
            now: self.now,
        };
        match rules.hides(tail, meta) {
            true => Verdict::No,
            false => verdict,
        }
    }

    /// Whether a row may still be shown.
    pub(crate) fn is_shown(&self, tail: &Tail, at: Position) -> bool {
        let rules = Rules {
            rules: &self.rules,
            now: self.now,
        };
        let found = tail.at(at);
        found.is_some_and(|(_, meta)| meta.is_visible() && !rules.hides(tail, meta))
    }

    fn candidate(
        &self,
        tail: &Tail,
        segment: &Segment,
        row: u32,
        key: SortKey,
    ) -> Option<Candidate> {
        let meta = segment.rows.get(usize::try_from(row).ok()?)?;
        let at = position(segment.chunk.number, row);
        match self.verdict(tail, meta, at) {
            Verdict::No => None,
            verdict => Some(Candidate {
                chunk: Arc::clone(&segment.chunk),
                place: meta.place,
                in_frame: usize::from(meta.in_frame),
                at,
                value: meta.sort_value(key),
                is_sure: verdict == Verdict::Yes,
            }),
        }
    }

    /// The next `count` rows behind `behind`.
    pub(crate) fn next(
        &self,
        tail: &Tail,
        sort: Sort,
        behind: Option<Behind>,
        count: usize,
    ) -> Vec<Candidate> {
        match sort.key {
            SortKey::Position => self.by_position(tail, sort, behind, count),
            _ => self.by_time(tail, sort, behind, count),
        }
    }

    fn by_position(
        &self,
        tail: &Tail,
        sort: Sort,
        behind: Option<Behind>,
        count: usize,
    ) -> Vec<Candidate> {
        let segments: Box<dyn Iterator<Item = &Segment>> = match sort.descending {
            true => Box::new(tail.segments.iter().rev()),
            false => Box::new(tail.segments.iter()),
        };
        let mut out = Vec::new();
        for segment in segments {
            let rows = rows_behind(segment, sort.descending, behind.map(|behind| behind.at));
            let found = rows.filter_map(|row| self.candidate(tail, segment, row, sort.key));
            out.extend(found.take(count - out.len()));
            if out.len() == count {
                break;
            }
        }
        out
    }

    /// The chunks, each in order, are merged.
    fn by_time(
        &self,
        tail: &Tail,
        sort: Sort,
        behind: Option<Behind>,
        count: usize,
    ) -> Vec<Candidate> {
        let mut runs: Vec<_> = Vec::with_capacity(tail.segments.len());
        for segment in &tail.segments {
            let Some(order) = segment.order(sort.key) else {
                continue;
            };
            let bound = behind.map(|behind| bound(segment, sort.descending, &behind));
            let keys = match sort.descending {
                true => order.falling(bound),
                false => order.rising(bound),
            };
            let run = keys.filter_map(move |key| {
                let candidate = self.candidate(tail, segment, key.row, sort.key)?;
                Some((key, candidate))
            });
            runs.push(run.peekable());
        }
        let mut out = Vec::new();
        while out.len() < count {
            let mut best: Option<(usize, Rank)> = None;
            for (i, run) in runs.iter_mut().enumerate() {
                if let Some((key, candidate)) = run.peek() {
                    let rank = rank(sort.descending, *key, candidate.at);
                    if best.is_none_or(|(_, known)| rank < known) {
                        best = Some((i, rank));
                    }
                }
            }
            let Some((i, _)) = best else { break };
            let next = runs.get_mut(i).and_then(Iterator::next);
            out.extend(next.map(|(_, candidate)| candidate));
        }
        out
    }
}

/// Smaller comes first.
type Rank = (bool, i128, i128);

fn rank(descending: bool, key: Key, at: Position) -> Rank {
    let at = i128::try_from(at.0).unwrap_or(i128::MAX);
    let micros = i128::from(key.micros);
    match descending {
        true => (key.is_missing, -micros, -at),
        false => (key.is_missing, micros, at),
    }
}

fn split(at: Position) -> (u64, u32) {
    let chunk = u64::try_from(at.0 >> 32).unwrap_or(u64::MAX);
    (chunk, u32::try_from(at.0 & 0xFFFF_FFFF).unwrap_or(u32::MAX))
}

fn rows_behind(
    segment: &Segment,
    descending: bool,
    behind: Option<Position>,
) -> Box<dyn Iterator<Item = u32>> {
    let count = u32::try_from(segment.rows.len()).unwrap_or(u32::MAX);
    let number = segment.chunk.number;
    match (behind.map(split), descending) {
        (None, false) => Box::new(0..count),
        (None, true) => Box::new((0..count).rev()),
        (Some((chunk, row)), false) if chunk == number => Box::new(row.saturating_add(1)..count),
        (Some((chunk, row)), true) if chunk == number => Box::new((0..row.min(count)).rev()),
        (Some((chunk, _)), false) if chunk < number => Box::new(0..count),
        (Some((chunk, _)), true) if chunk > number => Box::new((0..count).rev()),
        _ => Box::new(0..0),
    }
}

/// Where a chunk's order goes on behind a row that may lie in another chunk.
fn bound(segment: &Segment, descending: bool, behind: &Behind) -> Bound<Key> {
    let (chunk, row) = split(behind.at);
    let key = |row| Order::key(behind.value, row);
    let number = segment.chunk.number;
    match (chunk.cmp(&number), descending) {
        (std::cmp::Ordering::Equal, _) => Bound::Excluded(key(row)),
        (std::cmp::Ordering::Less, false) => Bound::Included(key(0)),
        (std::cmp::Ordering::Greater, false) => Bound::Excluded(key(u32::MAX)),
        (std::cmp::Ordering::Greater, true) => Bound::Included(key(u32::MAX)),
        (std::cmp::Ordering::Less, true) => Bound::Excluded(key(0)),
    }
}
