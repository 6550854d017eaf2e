//! Retention, chunk by chunk: what of it is due to leave the disk, and how it is set about.
//!
//! A chunk of which nothing is shown any more goes as a whole. Else the rows that have expired are
//! handed to the way of erasures, but only when they are many or long overdue, because each visit
//! makes the index of the chunk anew.

use std::collections::BTreeSet;

use convlog_model::store::{Retention, StoreError};
use convlog_model::time::{DAY_US, Timestamp};

use super::{Maintenance, Trouble};
use crate::embedded::catalog::{RetentionRun, Tally};
use crate::embedded::index::Section;
use crate::embedded::index::class::Class;
use crate::embedded::index::source::Damaged;
use crate::embedded::lower;
use crate::embedded::rows::{expired_rows, records};
use crate::embedded::rowset::RowSet;
use crate::embedded::shared::Shared;
use crate::embedded::view::{Segment, View, hide};

/// Rows are overwritten when one in so many of their chunk has expired,
const SHARE: usize = 20;
/// or so long after the first of them has.
const OVERDUE_US: i64 = 7 * DAY_US;

/// What of a chunk is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// These rows, rising.
    Rows(Vec<u32>, Tally),
    /// All of it, in which so many rows have expired.
    Whole(usize, Tally),
}

impl Maintenance {
    /// Sets about what of a chunk is due; rows are left to the next pass over what is hidden.
    pub(super) fn retire(&mut self, chunk: u64, now: Timestamp) -> Result<(), Trouble> {
        if let Some(why) = self.shared.broken() {
            return Err(Trouble::Broken(why));
        }
        match due(&self.shared, chunk, now)? {
            Due::Nothing => Ok(()),
            Due::Rows(rows, tally) => self.doom(chunk, rows, &tally),
            Due::Whole(n_rows, tally) => self.drop_chunk(chunk, n_rows, &tally),
        }
    }

    /// Notes the end of a pass over all chunks.
    pub(super) fn end_retention(&mut self, at: Timestamp) -> Result<(), Trouble> {
        self.end_purges(at)?;
        let run = RetentionRun {
            at,
            received: self.shared.newest_received()?,
        };
        let noted = self.shared.catalog.note_retention_run(run);
        noted.map_err(|error| Trouble::Later(error.to_string()))?;
        self.shared.job.note(|figures| figures.last_pass = Some(at));
        Ok(())
    }

    /// What is gone becomes purges, to be told of.
    pub(super) fn end_purges(&mut self, at: Timestamp) -> Result<(), Trouble> {
        if self.has_purged {
            let ended = self.shared.catalog.end_purges(at);
            ended.map_err(|error| Trouble::Later(error.to_string()))?;
            self.has_purged = false;
        }
        Ok(())
    }

    /// Treats rows as an erasure's from now on, also after a restart under other rules.
    fn doom(&mut self, chunk: u64, rows: Vec<u32>, tally: &Tally) -> Result<(), Trouble> {
        let shared = &self.shared;
        let noted = shared
            .catalog
            .note_expiring(chunk, (&rows, tally), shared.view().newest);
        noted.map_err(|error| Trouble::Later(error.to_string()))?;
        let known: BTreeSet<u32> = rows.iter().copied().collect();
        self.expiring.insert(chunk, known);
        shared.change_view(|view| {
            view.change(chunk, |segment| {
                hide(&mut segment.hidden.erased, rows.into_iter());
            });
        });
        shared.cache.clear();
        Ok(())
    }

    /// Forgets the notes of rows that are gone from every file.
    pub(super) fn forget_expired(&mut self) -> Result<(), Trouble> {
        let view = self.shared.view();
        let is_clean = |chunk: &u64| {
            view.segment(*chunk).is_none_or(|segment| {
                segment.hidden.doomed().is_none() && segment.hidden.overwritten.is_none()
            })
        };
        let clean: Vec<u64> = self.expiring.keys().copied().filter(is_clean).collect();
        for chunk in clean {
            let forgotten = self.shared.catalog.forget_expiring(chunk);
            forgotten.map_err(|error| Trouble::Later(error.to_string()))?;
            self.expiring.remove(&chunk);
            self.has_purged = true;
        }
        Ok(())
    }
}

/// What of a chunk is due at a moment, under the rules of now.
fn due(shared: &Shared, chunk: u64, now: Timestamp) -> Result<Due, StoreError> {
    let rules = shared.rules();
    if rules.keeps_everything() {
        return Ok(Due::Nothing);
    }
    shared.reading(|| {
        let view = shared.view();
        let Some(segment) = view.segment(chunk) else {
            return Ok(Due::Nothing);
        };
        let bad = |bad: Damaged| (chunk, lower::Trouble::from(bad));
        let expired = expired_rows(segment, &rules, now).map_err(bad)?;
        if is_last(&view, chunk) || shared.sessions.is_in(chunk, now) {
            return Ok(due_rows(segment, &rules, expired, now).map_err(bad)?);
        }
        match shows_nothing(segment, &expired).map_err(bad)? {
            true => {
                let n_rows = expired.len();
                let tally = tally(segment, &left(segment, expired)).map_err(bad)?;
                Ok(Due::Whole(n_rows, tally))
            }
            false => Ok(due_rows(segment, &rules, expired, now).map_err(bad)?),
        }
    })
}

/// Whether rows may still come to a chunk, or the ids of later records are told by its rows.
fn is_last(view: &View, chunk: u64) -> bool {
    let mut from = view
        .segments
        .iter()
        .skip_while(|segment| segment.chunk.number < chunk);
    let is_full = from.next().is_some_and(|segment| segment.is_full);
    !is_full || from.all(|segment| segment.rows() == 0)
}

fn shows_nothing(segment: &Segment, expired: &[u32]) -> Result<bool, Damaged> {
    let expired: BTreeSet<u32> = expired.iter().copied().collect();
    let erased = segment.hidden.erased.as_deref();
    for part in &segment.parts {
        let shown = records(&part.index)?;
        let mut shown = shown.iter().map(|row| part.base + row);
        if shown.any(|row| !expired.contains(&row) && erased.is_none_or(|set| !set.contains(row))) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The rows that have expired and still stand in the log, if it is time to overwrite them.
fn due_rows(
    segment: &Segment,
    rules: &Retention,
    expired: Vec<u32>,
    now: Timestamp,
) -> Result<Due, Damaged> {
    let expired = left(segment, expired);
    let n_rows = usize::try_from(segment.rows()).unwrap_or(usize::MAX);
    let is_due = match expired.len().saturating_mul(SHARE) >= n_rows {
        true => true,
        false => {
            let before = now.plus_micros(-OVERDUE_US);
            let overdue = expired_rows(segment, rules, before)?;
            !left(segment, overdue).is_empty()
        }
    };
    Ok(match is_due && !expired.is_empty() {
        true => {
            let tally = tally(segment, &expired)?;
            Due::Rows(expired, tally)
        }
        false => Due::Nothing,
    })
}

/// Those of the rows that no erasure has hidden, and that are not on their way out already; rising.
fn left(segment: &Segment, mut rows: Vec<u32>) -> Vec<u32> {
    let erased = segment.hidden.erased.as_deref();
    rows.retain(|row| erased.is_none_or(|set| !set.contains(*row)));
    rows.sort_unstable();
    rows
}

/// Counts rows of a chunk, which rise.
fn tally(segment: &Segment, rows: &[u32]) -> Result<Tally, Damaged> {
    let mut tally = Tally::default();
    for part in &segment.parts {
        let index = &part.index;
        let frames = part.frames()?;
        for (class, found) in index.classes(&[])? {
            let damaged = index.section(Section::Terms).fault(0);
            let class = Class::decode(&class).map_err(|_| damaged)?;
            let mut all = RowSet::empty(index.rows());
            index.rows_of(found, &mut all)?;
            let mut walk = frames.walk();
            for row in all.iter().map(|row| part.base + row) {
                if rows.binary_search(&row).is_ok()
                    && let Some(received) = walk.get(row)
                {
                    tally.add(&class.instance, received);
                }
            }
        }
    }
    Ok(tally)
}
