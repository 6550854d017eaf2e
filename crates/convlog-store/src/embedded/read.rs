//! Reads: candidates by what is known, then the naive evaluator on what must be read.

use std::sync::Arc;

use convlog_model::aggregate::{Aggregate, GroupBy, Metric, Table, fold};
use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::filter::eval::matches;
use convlog_model::flatten::Flat;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::query::{After, PAGE_MAX, Page, Query, Scan, Scanned, Sort, SortKey};
use convlog_model::record::Record;
use convlog_model::store::{ErrorKind, StoreError};

use super::error::corrupt;
use super::judge::Judge;
use super::row::{self, Row};
use super::select::{Behind, Candidate, Wanted};
use super::shared::Shared;
use super::tail::{Tail, position};

/// Most rows that a search reads to check them.
const SEARCH_ROWS_MAX: u64 = 200_000;
/// Longest time of a search.
const SEARCH_US_MAX: u64 = 2_000_000;
/// Most rows that a count or an aggregate reads.
const COUNT_ROWS_MAX: u64 = 2_000_000;
/// Longest time of a count or an aggregate.
const COUNT_US_MAX: u64 = 30_000_000;
/// Most rows that one step of a walk reads.
const SCAN_ROWS_MAX: usize = 20_000;
/// Candidates that are gathered under the lock at once.
const CANDIDATES: usize = 512;

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
struct Budget<'a> {
    shared: &'a Shared,
    rows_left: u64,
    deadline_us: u64,
}

impl<'a> Budget<'a> {
    fn new(shared: &'a Shared, rows: u64, micros: u64) -> Self {
        Budget {
            shared,
            rows_left: rows,
            deadline_us: shared.clock.monotonic_us().saturating_add(micros),
        }
    }

    fn unlimited(shared: &'a Shared) -> Self {
        Self::new(shared, u64::MAX, u64::MAX)
    }

    fn spend(&mut self) -> Result<(), StoreError> {
        let is_late = self.shared.clock.monotonic_us() > self.deadline_us;
        match self.rows_left.checked_sub(1) {
            Some(left) if !is_late => {
                self.rows_left = left;
                Ok(())
            }
            _ => {
                let text = "too many records must be read to answer this, narrow the filter";
                Err(StoreError::new(ErrorKind::Timeout, text))
            }
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

/// A match, with the leaves of what was asked when they were needed.
struct Match {
    candidate: Candidate,
    record: Arc<Record>,
    flat: Option<Flat>,
}

impl Shared {
    pub(crate) fn wanted(
        &self,
        tail: &Tail,
        instance: &InstanceId,
        filter: &Filter,
        upto: Option<Position>,
    ) -> Result<Wanted, StoreError> {
        let newest = tail.newest();
        let upto = match upto {
            Some(upto) if upto > newest => {
                return Err(invalid("the match set ends behind the newest position"));
            }
            upto => upto.unwrap_or(newest),
        };
        Ok(Wanted {
            // No row has this number when the instance is unknown.
            instance: tail.instance(instance).unwrap_or(u32::MAX),
            judge: Judge::new(filter, tail),
            upto,
            rules: self.rules(),
            now: self.clock.now(),
        })
    }

    /// The record of a candidate; `None` when it was overwritten meanwhile.
    fn record(&self, candidate: &Candidate) -> Result<Option<Arc<Record>>, StoreError> {
        if let Some(record) = self.cache.get(candidate.at) {
            return Ok(Some(record));
        }
        let chunk = &candidate.chunk;
        let damaged =
            |why: &dyn std::fmt::Display| corrupt(&chunk.name, candidate.place.offset, why);
        // Held until the rows are in the cache: what clears it after overwriting finds them there.
        let held = chunk.hold();
        let (header, plain) = chunk.read_held(candidate.place, &held)?;
        let rows = row::split(&plain, header.row_count).map_err(|bad| damaged(&bad))?;
        let mut id = header.first_id;
        let mut found = None;
        for (in_frame, (bytes, number)) in rows.into_iter().zip(header.first_row..).enumerate() {
            let at = position(chunk.number, number);
            // Its neighbours are likely to be asked for next.
            if let Row::Record(row) = row::decode(bytes).map_err(|bad| damaged(&bad))? {
                let record = Arc::new(Record {
                    id,
                    position: at,
                    received: header.received,
                    draft: row.draft,
                });
                if in_frame == candidate.in_frame {
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
    ) -> Result<Option<Match>, StoreError> {
        let Some(record) = self.record(&candidate)? else {
            return Ok(None);
        };
        let mut flat = None;
        if !candidate.is_sure {
            budget.spend()?;
            let leaves = record.flat_of(&asked.fields);
            if !matches(asked.filter, &leaves) {
                return Ok(None);
            }
            flat = Some(leaves);
        }
        Ok(Some(Match {
            candidate,
            record,
            flat,
        }))
    }

    pub(crate) fn search(&self, query: &Query) -> Result<Page, StoreError> {
        check_limit(query.limit)?;
        let wanted = self.wanted(&self.tail(), &query.instance, &query.filter, query.upto)?;
        let upto = wanted.upto;
        if query.after.is_some_and(|after| after.position > upto) {
            return Err(invalid("the page begins behind the end of its match set"));
        }
        let mut budget = Budget::new(self, SEARCH_ROWS_MAX, SEARCH_US_MAX);
        let mut behind = query.after.map(|after| Behind {
            value: after.value,
            at: after.position,
        });
        let asked = Asked::new(&query.filter);
        let mut found: Vec<Match> = Vec::new();
        let mut gather = query.limit.saturating_add(1).min(CANDIDATES);
        loop {
            let candidates = wanted.next(&self.tail(), query.sort, behind, gather);
            let is_last = candidates.len() < gather;
            for candidate in candidates {
                behind = Some(Behind {
                    value: candidate.value,
                    at: candidate.at,
                });
                found.extend(self.check(candidate, &asked, &mut budget)?);
                if found.len() > query.limit {
                    break;
                }
            }
            if found.len() > query.limit || is_last {
                // What was erased while this search ran is not shown.
                let tail = self.tail();
                found.retain(|one| wanted.is_shown(&tail, one.candidate.at));
            }
            if found.len() > query.limit || is_last {
                break;
            }
            gather = CANDIDATES;
        }
        let has_further = found.len() > query.limit;
        found.truncate(query.limit);
        let next = found.last().filter(|_| has_further).map(|last| After {
            value: last.candidate.value,
            id: last.record.id,
            position: last.candidate.at,
        });
        Ok(Page {
            records: found.into_iter().map(|one| one.record).collect(),
            next,
            upto,
        })
    }

    pub(crate) fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        check_limit(scan.limit)?;
        let wanted = {
            let tail = self.tail();
            if scan.after > tail.newest() {
                return Err(invalid("the walk begins behind the newest position"));
            }
            self.wanted(&tail, &scan.instance, &scan.filter, scan.upto)?
        };
        let upto = wanted.upto;
        let asked = Asked::new(&scan.filter);
        let mut budget = Budget::unlimited(self);
        let mut reached = scan.after;
        let mut found: Vec<Match> = Vec::new();
        let mut seen = 0;
        let mut done = scan.after >= upto;
        while !done && found.len() < scan.limit && seen < SCAN_ROWS_MAX {
            let behind = Behind {
                value: None,
                at: reached,
            };
            let gather = CANDIDATES.min(scan.limit);
            let candidates = wanted.next(&self.tail(), BY_POSITION, Some(behind), gather);
            let is_last = candidates.len() < gather;
            done = is_last;
            for candidate in candidates {
                if found.len() == scan.limit {
                    done = false;
                    break;
                }
                seen += 1;
                reached = candidate.at;
                found.extend(self.check(candidate, &asked, &mut budget)?);
            }
        }
        if done || reached >= upto {
            reached = upto;
        }
        let tail = self.tail();
        found.retain(|one| wanted.is_shown(&tail, one.candidate.at));
        Ok(Scanned {
            records: found.into_iter().map(|one| one.record).collect(),
            reached,
            done: reached == upto,
            upto,
        })
    }

    /// Goes over every match in commit order; what is sure is not read unless `read_all`.
    fn each_match(
        &self,
        instance: &InstanceId,
        asked: &Asked<'_>,
        mut budget: Budget<'_>,
        read_all: bool,
        visit: &mut dyn FnMut(Position, Option<Match>),
    ) -> Result<(), StoreError> {
        let wanted = self.wanted(&self.tail(), instance, asked.filter, None)?;
        let mut behind = None;
        loop {
            let candidates = wanted.next(&self.tail(), BY_POSITION, behind, CANDIDATES);
            let is_last = candidates.len() < CANDIDATES;
            for candidate in candidates {
                let at = candidate.at;
                behind = Some(Behind { value: None, at });
                if candidate.is_sure && !read_all {
                    visit(at, None);
                } else if let Some(found) = self.check(candidate, asked, &mut budget)? {
                    visit(at, Some(found));
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    pub(crate) fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        let budget = Budget::new(self, COUNT_ROWS_MAX, COUNT_US_MAX);
        let mut count = 0;
        let asked = Asked::new(filter);
        self.each_match(instance, &asked, budget, false, &mut |_, _| count += 1)?;
        Ok(count)
    }

    pub(crate) fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        let by = request.by.iter().map(|group| match group {
            GroupBy::Terms { field, .. } | GroupBy::Interval { field, .. } => field.clone(),
        });
        let metrics = request.metrics.iter().filter_map(|metric| match metric {
            Metric::Count => None,
            Metric::Distinct(field) | Metric::Average(field) | Metric::Percentiles(field) => {
                Some(field.clone())
            }
        });
        let fields: Vec<FieldRef> = by.chain(metrics).collect();
        let budget = Budget::new(self, COUNT_ROWS_MAX, COUNT_US_MAX);
        let mut flats = Vec::new();
        let mut asked = Asked::new(&request.filter);
        asked.fields.extend(fields.iter().cloned());
        self.each_match(&request.instance, &asked, budget, true, &mut |_, found| {
            if let Some(found) = found {
                let read = || found.record.flat_of(&fields);
                let mut flat = found.flat.unwrap_or_else(read);
                flat.keep_only(&fields);
                flats.push(flat);
            }
        })?;
        fold::fold(request, &flats)
    }

    /// Positions of everything that matches now, whatever it costs.
    pub(crate) fn positions(
        &self,
        instance: &InstanceId,
        filter: &Filter,
    ) -> Result<Vec<Position>, StoreError> {
        let mut out = Vec::new();
        let budget = Budget::unlimited(self);
        let asked = Asked::new(filter);
        self.each_match(instance, &asked, budget, false, &mut |at, _| out.push(at))?;
        Ok(out)
    }
}
