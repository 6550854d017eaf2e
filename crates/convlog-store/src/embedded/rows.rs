//! Rows by what the engine itself asks for: those of a customer, of an own id; and hiding them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use convlog_model::ids::Position;
use convlog_model::record::Record;
use convlog_model::store::{Retention, StoreError, Stored};
use convlog_model::time::Timestamp;

use super::bytes::to_u64;
use super::facts::Facts;
use super::index::build::path_bytes;
use super::index::source::Damaged;
use super::index::term::{self, Kind};
use super::index::{Index, Section};
use super::log::Chunk;
use super::lower::Trouble;
use super::own::Own;
use super::row::Hash16;
use super::rowset::RowSet;
use super::select::{cut, keep_born_from};
use super::shared::Shared;
use super::view::{Part, Segment, View, by_chunk, hide, position, split};

fn end_last(view: &mut View) {
    if let Some(last) = view.segments.last_mut() {
        Arc::make_mut(last).is_full = true;
    }
}

/// A megabyte waits ten milliseconds for each chunk that waits.
const BYTES_PER_US_AND_CHUNK: usize = 100;

impl Shared {
    /// A chunk begins; the one before is full.
    pub(crate) fn begin(&self, chunk: Arc<Chunk>) {
        self.change_view(|view| {
            end_last(view);
            view.segments.push(Arc::new(Segment::new(chunk)));
        });
        self.indexing.want();
    }

    /// The last chunk is full.
    pub(crate) fn end(&self) {
        self.change_view(end_last);
        self.indexing.want();
    }

    /// Slows a large append down while full chunks wait to be sealed: the more wait, the longer.
    pub(crate) fn hold_back(&self, bytes: usize) {
        let view = self.view();
        let waiting = view.segments.iter().rev().take_while(|s| !s.is_sealed);
        let n_waiting = waiting.filter(|segment| segment.is_full).count();
        let micros = bytes.saturating_mul(n_waiting) / BYTES_PER_US_AND_CHUNK;
        if micros > 0 {
            std::thread::sleep(Duration::from_micros(to_u64(micros)));
        }
    }

    /// Whether the indexes of chunks that are not sealed take all the memory that they may.
    pub(crate) fn is_behind(&self) -> bool {
        let view = self.view();
        let waiting = view.segments.iter().rev().take_while(|s| !s.is_sealed);
        let memory: usize = waiting.map(|segment| segment.memory()).sum();
        memory > self.unsealed_max
    }

    /// Shows rows that are durable now.
    pub(crate) fn publish(&self, chunk: u64, parts: Vec<Arc<Part>>, newest: Option<Position>) {
        let newest = self.change_view(|view| {
            view.change(chunk, |segment| segment.parts.extend(parts));
            view.newest = newest.unwrap_or(view.newest);
            view.newest
        });
        self.indexing.want();
        self.newest.send_replace(newest);
    }

    /// Notes the own ids of rows that are durable now.
    pub(crate) fn note_own(&self, chunk: u64, keys: HashMap<Hash16, Own>) {
        let keys: BTreeMap<Hash16, Own> = keys.into_iter().collect();
        let mut own = self.own();
        keys.into_iter()
            .for_each(|(key, stored)| own.put(chunk, key, stored));
    }

    /// Hides rows for good.
    pub(crate) fn hide(&self, rows: &[Position]) {
        self.change_view(|view| {
            for (chunk, rows) in by_chunk(rows) {
                view.change(chunk, |segment| {
                    hide(&mut segment.hidden.erased, rows.iter());
                });
            }
        });
    }

    /// Positions of the rows of a customer before a position, those that have expired included.
    pub(crate) fn rows_of_customer(
        &self,
        customer: &[u8; 32],
        before: Position,
    ) -> Result<Vec<Position>, StoreError> {
        self.reading(|| {
            let mut out = Vec::new();
            for segment in &self.view().segments {
                for part in &segment.parts {
                    let rows = part.index.engine_rows(Kind::Customer, customer);
                    let rows = rows.map_err(|bad| (segment.chunk.number, Trouble::from(bad)))?;
                    let at = rows
                        .iter()
                        .map(|row| position(segment.chunk.number, part.base + row));
                    out.extend(at.filter(|at| *at < before));
                }
            }
            Ok(out)
        })
    }

    /// How many of these rows reads can show: records that are neither erased nor expired.
    pub(crate) fn count_visible(&self, rows: &[Position]) -> Result<usize, StoreError> {
        let by_chunk = by_chunk(rows);
        self.reading(|| {
            let view = self.view();
            let mut count = 0;
            for (chunk, rows) in &by_chunk {
                let Some(segment) = view.segment(*chunk) else {
                    continue;
                };
                for part in &segment.parts {
                    let records = records(&part.index);
                    let records = records.map_err(|bad| (*chunk, Trouble::from(bad)))?;
                    let shown = records.iter().map(|row| part.base + row);
                    let shown = shown.filter(|row| rows.contains(*row));
                    count += shown.filter(|row| !segment.hidden.contains(*row)).count();
                }
            }
            Ok(count)
        })
    }

    /// The first record of an own id, unless it is gone.
    pub(crate) fn stored_own(
        &self,
        facts: &Facts,
        rules: &Retention,
    ) -> Result<Option<Own>, StoreError> {
        let Some(key) = &facts.own_key else {
            return Ok(None);
        };
        let (open, sealed) = {
            let own = self.own();
            (own.get(key), own.candidates(key))
        };
        let view = self.view();
        if let Some(own) = open
            && !view.is_hidden(own.stored.position)
        {
            let has_expired = !rules.keeps_everything() && self.is_gone(own, rules)?;
            return Ok((!has_expired).then_some(own));
        }
        self.reading(|| {
            let view = self.view();
            for segment in sealed.iter().filter_map(|chunk| view.segment(*chunk)) {
                let number = segment.chunk.number;
                for row in own_rows(segment, facts).map_err(|bad| (number, bad.into()))? {
                    let Some(record) = self.record(segment, row)? else {
                        continue;
                    };
                    if record.draft.instance == facts.instance
                        && record.draft.dialect == facts.dialect
                        && record.draft.own_id == facts.own_id
                        && !self.has_expired(&record, rules)
                    {
                        return Ok(Some(Own {
                            stored: Stored {
                                id: record.id,
                                position: record.position,
                                received: record.received,
                            },
                            body_hash: self.hasher.body(&record.draft.raw),
                        }));
                    }
                }
            }
            Ok(None)
        })
    }

    /// Whether a record that is not sealed has expired, or is none any more.
    fn is_gone(&self, own: Own, rules: &Retention) -> Result<bool, StoreError> {
        self.reading(|| {
            let view = self.view();
            let (chunk, row) = split(own.stored.position);
            let Some(segment) = view.segment(chunk) else {
                return Ok(true);
            };
            let record = self.record(segment, row)?;
            Ok(record.is_none_or(|record| self.has_expired(&record, rules)))
        })
    }

    fn has_expired(&self, record: &Record, rules: &Retention) -> bool {
        !rules.keeps_everything() && rules.has_expired(record, &record.flat(), self.clock.now())
    }

    /// Hides what has expired for good; returns how many were not hidden before. While the clock is
    /// not trusted, reads hide what has expired by it, and nothing is hidden for good.
    pub(crate) fn expire(&self, rules: &Retention) -> Result<u64, StoreError> {
        if rules.keeps_everything() {
            return Ok(0);
        }
        let Some(now) = self.trusted_now() else {
            return Ok(0);
        };
        let mut count = 0;
        let view = self.view();
        for segment in &view.segments {
            let number = segment.chunk.number;
            let found = self.reading(|| {
                let view = self.view();
                let Some(segment) = view.segment(number) else {
                    return Ok(Vec::new());
                };
                let expired = expired_rows(segment, rules, now);
                let mut expired = expired.map_err(|bad| (number, Trouble::from(bad)))?;
                expired.retain(|row| !segment.hidden.contains(*row));
                Ok(expired)
            })?;
            if found.is_empty() {
                continue;
            }
            count += found.len();
            self.change_view(|view| {
                view.change(number, |segment| {
                    hide(&mut segment.hidden.expired, found.into_iter())
                });
            });
        }
        Ok(to_u64(count))
    }
}

/// The rows of an index that are turns or events.
pub(crate) fn records(index: &Index) -> Result<RowSet, Damaged> {
    let mut rows = RowSet::empty(index.rows());
    for (_, found) in index.classes(&[])? {
        index.rows_of(found, &mut rows)?;
    }
    Ok(rows)
}

/// Rows of a sealed chunk that may be records of an own id.
fn own_rows(segment: &Segment, facts: &Facts) -> Result<Vec<u32>, Damaged> {
    let Some(own_id) = &facts.own_id else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for part in &segment.parts {
        if let Some(path) = part.index.path(1, &path_bytes("own_id"))? {
            let (kind, value) = term::of_text(own_id);
            let rows = part.index.rows_with(path, kind, &value)?;
            let rows = rows.iter().map(|row| part.base + row);
            out.extend(rows.filter(|row| !segment.hidden.contains(*row)));
        }
    }
    Ok(out)
}

/// Rows of a chunk that its indexes hold and that have expired at `now`.
pub(crate) fn expired_rows(
    segment: &Segment,
    rules: &Retention,
    now: Timestamp,
) -> Result<Vec<u32>, Damaged> {
    let mut out = Vec::new();
    for part in &segment.parts {
        let index = &part.index;
        for (class, found) in index.classes(&[])? {
            let damaged = index.section(Section::Terms).fault(0);
            let Some(cut) = cut(rules, &class, now).map_err(|_| damaged)? else {
                continue;
            };
            let mut all = RowSet::empty(index.rows());
            index.rows_of(found, &mut all)?;
            let mut kept = all.clone();
            keep_born_from(part, cut, &mut kept)?;
            all.subtract(&kept);
            out.extend(all.iter().map(|row| part.base + row));
        }
    }
    Ok(out)
}
