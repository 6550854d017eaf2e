//! Reads: searches, scans and figures, row by row.

use std::cmp::{Ordering, Reverse};
use std::ops::Bound;
use std::sync::Arc;

use super::{Row, State, invalid};
use crate::filter::Filter;
use crate::filter::eval::matches;
use crate::ids::{InstanceId, Position, RecordId};
use crate::query::{After, PAGE_MAX, Page, Query, Scan, Scanned, Sort, SortKey};
use crate::record::Record;
use crate::store::{Stats, StoreError};
use crate::time::Timestamp;

/// Most rows that one step of a scan looks at: small, so that steps without a record and not yet
/// done, which every engine may answer, happen in tests too.
const SCAN_ROWS_MAX: usize = 1_000;

/// Place of a record in an order, smallest first. Missing values come last both ways.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_missing: bool,
    rising: Option<(Option<Timestamp>, Position, RecordId)>,
    falling: Reverse<Option<(Option<Timestamp>, Position, RecordId)>>,
}

impl Place {
    fn new(sort: Sort, value: Option<Timestamp>, position: Position, id: RecordId) -> Self {
        let (value, position, is_missing) = match sort.key {
            SortKey::Position => (None, position, false),
            _ => (value, Position::START, value.is_none()),
        };
        let key = Some((value, position, id));
        let (rising, falling) = if sort.descending {
            (None, key)
        } else {
            (key, None)
        };
        Place {
            is_missing,
            rising,
            falling: Reverse(falling),
        }
    }

    fn of(sort: Sort, row: &Row) -> Self {
        let value = value_of(sort.key, row);
        Place::new(sort, value, row.record.position, row.record.id)
    }
}

fn value_of(key: SortKey, row: &Row) -> Option<Timestamp> {
    match key {
        SortKey::Position => None,
        SortKey::Request => row.flat.time("time.request"),
        SortKey::Response => row.flat.time("time.response"),
        SortKey::Received => Some(row.record.received),
    }
}

impl State {
    pub(super) fn matching<'a>(
        &'a self,
        instance: &'a InstanceId,
        filter: &'a Filter,
    ) -> impl Iterator<Item = &'a Row> {
        let rows = self.rows.values();
        rows.filter(move |row| row.record.draft.instance == *instance && matches(filter, &row.flat))
    }

    pub(super) fn search(&self, query: &Query) -> Result<Page, StoreError> {
        check_limit(query.limit)?;
        let upto = self.frozen(query.upto)?;
        let behind = query
            .after
            .as_ref()
            .map(|after| self.place_behind(query.sort, after, upto))
            .transpose()?;
        let mut hits: Vec<(Place, &Row)> = self
            .matching(&query.instance, &query.filter)
            .filter(|row| row.record.position <= upto)
            .map(|row| (Place::of(query.sort, row), row))
            .filter(|(place, _)| behind.as_ref().is_none_or(|behind| place > behind))
            .collect();
        hits.sort_by(|(a, _), (b, _)| a.cmp(b));
        let has_further = hits.len() > query.limit;
        hits.truncate(query.limit);
        let last = hits.last().filter(|_| has_further);
        Ok(Page {
            next: last.map(|(_, row)| After {
                value: value_of(query.sort.key, row),
                id: row.record.id,
                position: row.record.position,
            }),
            records: hits
                .iter()
                .map(|(_, row)| Arc::clone(&row.record))
                .collect(),
            upto,
        })
    }

    fn place_behind(&self, sort: Sort, after: &After, upto: Position) -> Result<Place, StoreError> {
        if after.position > upto {
            return Err(invalid(
                "the page begins behind the end of its match set".to_owned(),
            ));
        }
        Ok(Place::new(sort, after.value, after.position, after.id))
    }

    pub(super) fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        check_limit(scan.limit)?;
        let upto = self.frozen(scan.upto)?;
        if scan.after > self.newest {
            return Err(invalid(
                "the walk begins behind the newest position".to_owned(),
            ));
        }
        let mut records: Vec<Arc<Record>> = Vec::new();
        let mut reached = upto;
        if scan.after.cmp(&upto) == Ordering::Less {
            let rest = (Bound::Excluded(scan.after), Bound::Included(upto));
            for (n_seen, (position, row)) in self.rows.range(rest).enumerate() {
                let draft = &row.record.draft;
                if draft.instance == scan.instance && matches(&scan.filter, &row.flat) {
                    records.push(Arc::clone(&row.record));
                }
                if records.len() == scan.limit || n_seen + 1 == SCAN_ROWS_MAX {
                    reached = *position;
                    break;
                }
            }
        }
        Ok(Scanned {
            records,
            reached,
            done: reached == upto,
            upto,
        })
    }

    /// The position at which a match set is frozen.
    fn frozen(&self, upto: Option<Position>) -> Result<Position, StoreError> {
        match upto {
            Some(upto) if upto > self.newest => Err(invalid(
                "the match set ends behind the newest position".to_owned(),
            )),
            upto => Ok(upto.unwrap_or(self.newest)),
        }
    }

    pub(super) fn stats(&self, instance: &InstanceId) -> Stats {
        let size = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let mine = || self.matching(instance, &Filter::All);
        let received = || mine().map(|row| row.record.received);
        let bodies = self.rows.values().map(|row| row.record.draft.raw.len());
        Stats {
            records: size(mine().count()),
            bytes: size(bodies.sum()),
            segments: 0,
            tail: size(self.rows.len()),
            oldest: received().min(),
            newest: received().max(),
        }
    }
}

fn check_limit(limit: usize) -> Result<(), StoreError> {
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(());
    }
    Err(invalid(format!(
        "limit is {limit}, must be 1 to {PAGE_MAX}"
    )))
}
