//! Rows in memory: for each what is known without reading it, in commit order and by time.
//!
//! Readers see what was published; the writer publishes a group only after it is synced.

mod erase;
mod order;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::query::SortKey;
use convlog_model::record::Kind;
use convlog_model::store::{Retention, Stored};
use convlog_model::time::{DAY_US, Timestamp};

pub(crate) use self::erase::{Doomed, ErasedCustomer};
pub(crate) use self::order::{Key, Order};
use super::bytes::to_u32;
use super::facts::{BOT, COLUMNS, Cell, EVENT_TYPE, Facts};
use super::log::{Chunk, Place};
use super::row::Hash16;

/// The cell of a record that has nothing in a column.
pub(crate) const CELL_NONE: u32 = 0;
/// The cell of a record whose value must be read.
pub(crate) const CELL_OTHER: u32 = u32::MAX;

const ERASED: u8 = 1;
const EXPIRED: u8 = 2;
const INTERNAL: u8 = 4;
/// Its bytes are gone, and what was known of it.
const BLANK: u8 = 16;
/// Hides nothing.
const ODD_TIMES: u8 = 8;

/// The position of a row.
pub(crate) fn position(chunk: u64, row: u32) -> Position {
    Position((u128::from(chunk) << 32) | u128::from(row))
}

/// What is known of one row.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub(crate) place: Place,
    pub(crate) id: RecordId,
    pub(crate) received: Timestamp,
    pub(crate) request: Option<Timestamp>,
    pub(crate) response: Option<Timestamp>,
    pub(crate) instance: u32,
    pub(crate) cells: [u32; COLUMNS.len()],
    pub(crate) kind: Kind,
    /// Which row of its frame.
    pub(crate) in_frame: u8,
    flags: u8,
}

impl Meta {
    /// Whether reads may show it, but for rules of retention.
    pub(crate) fn is_visible(&self) -> bool {
        self.flags & !ODD_TIMES == 0
    }

    /// Whether its times may have further values.
    pub(crate) fn has_odd_times(&self) -> bool {
        self.flags & ODD_TIMES != 0
    }

    /// The value that it is sorted by.
    pub(crate) fn sort_value(&self, key: SortKey) -> Option<Timestamp> {
        match key {
            SortKey::Position => None,
            SortKey::Request => self.request,
            SortKey::Response => self.response,
            SortKey::Received => Some(self.received),
        }
    }
}

/// A row as the writer, or the start, hands it over.
#[derive(Debug)]
pub(crate) struct NewRow {
    pub(crate) place: Place,
    pub(crate) in_frame: u8,
    pub(crate) id: RecordId,
    pub(crate) received: Timestamp,
    /// `None` for internal and erased rows.
    pub(crate) facts: Option<Facts>,
}

/// The rows of one chunk.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) chunk: Arc<Chunk>,
    pub(crate) rows: Vec<Meta>,
    /// By request, response and receipt.
    orders: [Order; 3],
}

impl Segment {
    /// The order by a time; `None` by position.
    pub(crate) fn order(&self, key: SortKey) -> Option<&Order> {
        let [request, response, received] = &self.orders;
        match key {
            SortKey::Position => None,
            SortKey::Request => Some(request),
            SortKey::Response => Some(response),
            SortKey::Received => Some(received),
        }
    }
}

/// The first record of an own id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    segment: u32,
    row: u32,
    pub(crate) body_hash: Hash16,
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) segments: Vec<Segment>,
    texts: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
    /// Number of cells that hold each of the names.
    uses: Vec<u32>,
    instances: Vec<InstanceId>,
    own: HashMap<Hash16, Own>,
    /// Customers of the records that name any.
    customers: HashMap<[u8; 32], Vec<(u32, u32)>>,
    erased: BTreeMap<[u8; 32], ErasedCustomer>,
    /// Of the last turn or event.
    newest: Position,
    last_id: Option<RecordId>,
}

impl Tail {
    pub(crate) fn newest(&self) -> Position {
        self.newest
    }

    pub(crate) fn last_id(&self) -> Option<RecordId> {
        self.last_id
    }

    /// The cell of a text; `None` when no record has it.
    pub(crate) fn cell(&self, text: &str) -> Option<u32> {
        self.texts.get(text).copied()
    }

    /// The text of a cell.
    pub(crate) fn name(&self, cell: u32) -> Option<&str> {
        let index = usize::try_from(cell.checked_sub(1)?).ok()?;
        self.names.get(index).map(AsRef::as_ref)
    }

    /// The number of an instance; `None` when it has no record.
    pub(crate) fn instance(&self, instance: &InstanceId) -> Option<u32> {
        let found = self.instances.iter().position(|known| known == instance);
        found.map(to_u32)
    }

    fn intern_instance(&mut self, instance: &InstanceId) -> u32 {
        self.instance(instance).unwrap_or_else(|| {
            self.instances.push(instance.clone());
            to_u32(self.instances.len() - 1)
        })
    }

    /// Begins a chunk; what came before no longer grows.
    pub(crate) fn begin(&mut self, chunk: Arc<Chunk>) {
        if let Some(last) = self.segments.last_mut() {
            last.orders.iter_mut().for_each(Order::fix);
            last.rows.shrink_to_fit();
        }
        self.segments.push(Segment {
            chunk,
            rows: Vec::new(),
            orders: Default::default(),
        });
    }

    /// Adds rows to the last chunk. They are hidden at once if an erasure says so.
    pub(crate) fn publish(&mut self, rows: Vec<NewRow>) {
        for row in rows {
            self.publish_one(row);
        }
    }

    fn publish_one(&mut self, new: NewRow) {
        let segment_index = to_u32(self.segments.len().saturating_sub(1));
        let mut meta = Meta {
            place: new.place,
            id: new.id,
            received: new.received,
            request: None,
            response: None,
            instance: 0,
            cells: [CELL_NONE; COLUMNS.len()],
            kind: Kind::Event,
            in_frame: new.in_frame,
            flags: INTERNAL,
        };
        if let Some(facts) = &new.facts {
            self.fill(&mut meta, facts);
        }
        self.last_id = Some(new.id);
        let Some(segment) = self.segments.last_mut() else {
            return;
        };
        let row = to_u32(segment.rows.len());
        let place = position(segment.chunk.number, row);
        if let Some(facts) = &new.facts {
            self.newest = place;
            let is_erased = |hash| self.erased.get(hash).is_some_and(|e| place < e.before);
            if facts.customers.iter().any(is_erased) {
                meta.flags |= ERASED;
            }
            let [request, response, received] = &mut segment.orders;
            request.insert(meta.request, row);
            response.insert(meta.response, row);
            received.insert(Some(meta.received), row);
            for customer in &facts.customers {
                let rows = self.customers.entry(*customer).or_default();
                rows.push((segment_index, row));
            }
            if let Some(own_key) = facts.own_key
                && meta.is_visible()
            {
                let own = Own {
                    segment: segment_index,
                    row,
                    body_hash: facts.body_hash,
                };
                self.own.insert(own_key, own);
            }
        }
        segment.rows.push(meta);
    }

    fn fill(&mut self, meta: &mut Meta, facts: &Facts) {
        meta.flags = if facts.has_odd_times { ODD_TIMES } else { 0 };
        meta.kind = facts.kind;
        meta.request = facts.request;
        meta.response = facts.response;
        meta.instance = self.intern_instance(&facts.instance);
        for (to, cell) in meta.cells.iter_mut().zip(&facts.cells) {
            *to = match cell {
                Cell::None => CELL_NONE,
                Cell::One(text) => self.intern(text),
                Cell::Other => CELL_OTHER,
            };
        }
    }

    /// The row at a position.
    pub(crate) fn at(&self, at: Position) -> Option<(&Segment, &Meta)> {
        let (segment, row) = self.find(at)?;
        let segment = self.segments.get(segment)?;
        Some((segment, segment.rows.get(row)?))
    }

    fn find(&self, at: Position) -> Option<(usize, usize)> {
        let chunk = u64::try_from(at.0 >> 32).ok()?;
        let row = usize::try_from(at.0 & 0xFFFF_FFFF).ok()?;
        let found = self
            .segments
            .binary_search_by_key(&chunk, |s| s.chunk.number);
        Some((found.ok()?, row))
    }

    /// The first record of an own id, unless it is gone.
    pub(crate) fn own(&self, key: &Hash16, rules: &Rules<'_>) -> Option<(Stored, Hash16)> {
        let own = self.own.get(key)?;
        let segment = self.segments.get(usize::try_from(own.segment).ok()?)?;
        let meta = segment.rows.get(usize::try_from(own.row).ok()?)?;
        if !meta.is_visible() || rules.hides(self, meta) {
            return None;
        }
        let stored = Stored {
            id: meta.id,
            position: position(segment.chunk.number, own.row),
            received: meta.received,
        };
        Some((stored, own.body_hash))
    }

    /// Hides what has expired for good; returns how many were not hidden before.
    pub(crate) fn expire(&mut self, rules: &Retention, now: Timestamp) -> u64 {
        if rules.keeps_everything() {
            return 0;
        }
        let mut segments = std::mem::take(&mut self.segments);
        let rules = Rules { rules, now };
        let mut hidden = 0;
        for meta in segments.iter_mut().flat_map(|segment| &mut segment.rows) {
            if meta.is_visible() && rules.hides(self, meta) {
                meta.flags |= EXPIRED;
                hidden += 1;
            }
        }
        self.segments = segments;
        hidden
    }
}

/// Rules of retention at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) rules: &'a Retention,
    pub(crate) now: Timestamp,
}

impl Rules<'_> {
    /// Whether a row has expired.
    pub(crate) fn hides(&self, tail: &Tail, meta: &Meta) -> bool {
        if self.rules.keeps_everything() {
            return false;
        }
        let instance = usize::try_from(meta.instance).ok();
        let Some(instance) = instance.and_then(|index| tail.instances.get(index)) else {
            return false;
        };
        let text = |column: usize| meta.cells.get(column).and_then(|cell| tail.name(*cell));
        let days = self
            .rules
            .days_of(instance, meta.kind, text(BOT), text(EVENT_TYPE));
        if days == 0 {
            return false;
        }
        let requested = meta.request.filter(|request| *request <= meta.received);
        let born = requested.unwrap_or(meta.received);
        born.plus_micros(i64::from(days) * DAY_US) < self.now
    }
}
