//! Pages and walks: matches by the index, then the naive evaluator on rows that only may match.

mod aggregate;
mod measure;

use std::sync::Arc;

use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::filter::eval::matches;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::query::{After, PAGE_MAX, Page, Query, Scan, Scanned, Sort, SortKey};
use convlog_model::record::Record;
use convlog_model::store::{ErrorKind, StoreError};

use super::error::corrupt;
use super::lower::Trouble;
use super::row::{self, Row};
use super::runs::{Candidate, Rank, Runs};
use super::select::{Wanted, too_dear};
use super::shared::Shared;
use super::view::{Segment, position};

/// Most rows that a search reads to check them.
const SEARCH_ROWS_MAX: u64 = 200_000;
/// Longest time of a search.
const SEARCH_US_MAX: u64 = 2_000_000;
/// Most rows that one step of a walk reads.
const SCAN_ROWS_MAX: usize = 20_000;

const BY_POSITION: Sort = Sort {
    key: SortKey::Position,
    descending: false,
};

fn invalid(text: impl Into<String>) -> StoreError {
    StoreError::new(ErrorKind::Invalid, text)
}

fn check_limit(limit: usize) -> Result<(), StoreError> {
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(());
    }
    let text = format!("limit is {limit}, must be 1 to {PAGE_MAX}");
    Err(invalid(text))
}

/// What a request may still cost.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    shared: &'a Shared,
    rows_left: u64,
    deadline_us: u64,
}

impl<'a> Budget<'a> {
    pub(super) fn new(shared: &'a Shared, rows: u64, micros: u64) -> Self {
        Budget {
            shared,
            rows_left: rows,
            deadline_us: shared.clock.monotonic_us().saturating_add(micros),
        }
    }

    fn unlimited(shared: &'a Shared) -> Self {
        Self::new(shared, u64::MAX, u64::MAX)
    }

    pub(super) fn spend(&mut self) -> Result<(), StoreError> {
        self.check_time()?;
        let left = self.rows_left.checked_sub(1);
        self.rows_left = left.ok_or_else(too_dear)?;
        Ok(())
    }

    pub(super) fn check_time(&self) -> Result<(), StoreError> {
        match self.shared.clock.monotonic_us() > self.deadline_us {
            true => Err(too_dear()),
            false => Ok(()),
        }
    }
}

/// A filter, with the fields of which rows are read.
struct Asked<'a> {
    filter: &'a Filter,
    fields: Vec<FieldRef>,
}

impl<'a> Asked<'a> {
    fn new(filter: &'a Filter) -> Self {
        let fields = filter.fields();
        Asked { filter, fields }
    }
}

/// A match.
struct Match {
    candidate: Candidate,
    record: Arc<Record>,
}

/// Why a read did not end.
pub(crate) enum Stop {
    /// The index of this chunk is damaged.
    Index(u64, super::index::source::Damaged),
    Error(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Error(error)
    }
}

impl From<(u64, Trouble)> for Stop {
    fn from((chunk, trouble): (u64, Trouble)) -> Self {
        match trouble {
            Trouble::Damaged(damaged) => Stop::Index(chunk, damaged),
            Trouble::Store(error) => Stop::Error(error),
        }
    }
}

impl Shared {
    /// Reads again with a new index where one was damaged.
    pub(crate) fn reading<T>(
        &self,
        mut read: impl FnMut() -> Result<T, Stop>,
    ) -> Result<T, StoreError> {
        // Each chunk once: an index that was made again is in memory.
        let mut n_left = self.view().segments.len();
        loop {
            match read() {
                Ok(answer) => return Ok(answer),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Index(chunk, damaged)) if n_left > 0 => {
                    n_left -= 1;
                    self.mend(chunk, damaged)?;
                }
                Err(Stop::Index(chunk, damaged)) => {
                    let name = super::index::file::index_name(chunk);
                    return Err(corrupt(&name, damaged.at, &damaged));
                }
            }
        }
    }

    pub(crate) fn wanted<'a, 'b>(
        &'b self,
        instance: &'a InstanceId,
        filter: &'a Filter,
        upto: Option<Position>,
        micros: u64,
    ) -> Result<Wanted<'a>, StoreError>
    where
        'b: 'a,
    {
        let view = self.view();
        let upto = match upto {
            Some(upto) if upto > view.newest => {
                return Err(invalid("the match set ends behind the newest position"));
            }
            upto => upto.unwrap_or(view.newest),
        };
        Ok(Wanted {
            view,
            instance,
            filter,
            upto,
            rules: self.rules(),
            now: self.clock.now(),
            deadline_us: self.clock.monotonic_us().saturating_add(micros),
            clock: self.clock.as_ref(),
        })
    }

    /// The record of a row; `None` when it was overwritten meanwhile, or is none.
    pub(crate) fn record(
        &self,
        segment: &Segment,
        row: u32,
    ) -> Result<Option<Arc<Record>>, (u64, Trouble)> {
        let chunk = &segment.chunk;
        if let Some(record) = self.cache.get(position(chunk.number, row)) {
            return Ok(Some(record));
        }
        let frame = segment
            .frame_of(row)
            .map_err(|bad| (chunk.number, bad.into()))?;
        let Some(frame) = frame else {
            return Ok(None);
        };
        let read = self.read_rows(segment, frame.place, row);
        read.map_err(|error| (chunk.number, error.into()))
    }

    fn read_rows(
        &self,
        segment: &Segment,
        place: super::log::Place,
        wanted: u32,
    ) -> Result<Option<Arc<Record>>, StoreError> {
        let chunk = &segment.chunk;
        let damaged = |why: &dyn std::fmt::Display| corrupt(&chunk.name, place.offset, why);
        // Held until the rows are in the cache: what clears it after overwriting finds them there.
        let held = chunk.hold();
        let (header, plain) = chunk.read_held(place, &held)?;
        let rows = row::split(&plain, header.row_count).map_err(|bad| damaged(&bad))?;
        let mut id = header.first_id;
        let mut found = None;
        for (bytes, number) in rows.into_iter().zip(header.first_row..) {
            // Its neighbours are likely to be asked for next.
            if let Row::Record(row) = row::decode(bytes).map_err(|bad| damaged(&bad))? {
                let record = Arc::new(Record {
                    id,
                    position: position(chunk.number, number),
                    received: header.received,
                    draft: row.draft,
                });
                if number == wanted {
                    found = Some(Arc::clone(&record));
                }
                self.cache.put(record);
            }
            id = id.next();
        }
        Ok(found)
    }

    fn check(
        &self,
        candidate: Candidate,
        asked: &Asked<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Match>, Stop> {
        let record = self.record(&candidate.segment, candidate.row)?;
        let Some(record) = record else {
            return Ok(None);
        };
        if !candidate.is_sure {
            budget.spend()?;
            if !matches(asked.filter, &record.flat_of(&asked.fields)) {
                return Ok(None);
            }
        }
        Ok(Some(Match { candidate, record }))
    }

    /// Leaves out what was erased while it was read.
    fn keep_shown(&self, found: &mut Vec<Match>) {
        let view = self.view();
        found.retain(|one| !view.is_hidden(one.candidate.at()));
    }

    pub(crate) fn search(&self, query: &Query) -> Result<Page, StoreError> {
        check_limit(query.limit)?;
        self.reading(|| self.search_once(query))
    }

    fn search_once(&self, query: &Query) -> Result<Page, Stop> {
        let wanted = self.wanted(&query.instance, &query.filter, query.upto, SEARCH_US_MAX)?;
        let upto = wanted.upto;
        if query.after.is_some_and(|after| after.position > upto) {
            return Err(invalid("the page begins behind the end of its match set").into());
        }
        let mut budget = Budget::new(self, SEARCH_ROWS_MAX, SEARCH_US_MAX);
        let behind = query.after.map(|after| {
            let value = after.value.map(convlog_model::time::Timestamp::micros);
            let value = value.filter(|_| query.sort.key != SortKey::Position);
            Rank::of(query.sort, value, after.position)
        });
        let asked = Asked::new(&query.filter);
        let mut runs = Runs::new(&wanted, query.sort, behind)?;
        let mut found: Vec<Match> = Vec::new();
        loop {
            let candidate = runs.next()?;
            let is_last = candidate.is_none();
            if let Some(candidate) = candidate {
                found.extend(self.check(candidate, &asked, &mut budget)?);
            }
            if found.len() > query.limit || is_last {
                self.keep_shown(&mut found);
            }
            if found.len() > query.limit || is_last {
                break;
            }
        }
        let has_further = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().filter(|_| has_further).map(|last| After {
            value: last.candidate.value,
            id: last.record.id,
            position: last.candidate.at(),
        });
        Ok(Page {
            records: found.into_iter().map(|one| one.record).collect(),
            next,
            upto,
        })
    }

    pub(crate) fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        check_limit(scan.limit)?;
        self.reading(|| self.scan_once(scan))
    }

    fn scan_once(&self, scan: &Scan) -> Result<Scanned, Stop> {
        let wanted = self.wanted(&scan.instance, &scan.filter, scan.upto, u64::MAX)?;
        if scan.after > wanted.view.newest {
            return Err(invalid("the walk begins behind the newest position").into());
        }
        let upto = wanted.upto;
        let asked = Asked::new(&scan.filter);
        let mut budget = Budget::unlimited(self);
        let behind = Rank::of(BY_POSITION, None, scan.after);
        let mut runs = Runs::new(&wanted, BY_POSITION, Some(behind))?;
        let mut reached = scan.after;
        let mut found: Vec<Match> = Vec::new();
        let mut n_seen = 0;
        let mut is_done = scan.after >= upto;
        while !is_done && found.len() < scan.limit && n_seen < SCAN_ROWS_MAX {
            let Some(candidate) = runs.next()? else {
                is_done = true;
                break;
            };
            n_seen += 1;
            reached = candidate.at();
            found.extend(self.check(candidate, &asked, &mut budget)?);
        }
        if is_done || reached >= upto {
            reached = upto;
        }
        self.keep_shown(&mut found);
        Ok(Scanned {
            records: found.into_iter().map(|one| one.record).collect(),
            reached,
            done: reached == upto,
            upto,
        })
    }
}
