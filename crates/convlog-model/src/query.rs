//! Questions to a store: searches with order and page, scans of everything, and their answers.

use std::sync::Arc;

use crate::filter::Filter;
use crate::ids::{InstanceId, Position, RecordId};
use crate::record::Record;
use crate::time::Timestamp;

/// What a search is ordered by. Ties are broken by record id, in the same direction; records
/// without the value come last both ways.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SortKey {
    /// Commit order.
    Position,
    /// `time.request`
    Request,
    /// `time.response`
    Response,
    /// `time.received`
    Received,
}

impl SortKey {
    /// The name in the own API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SortKey::Position => "position",
            SortKey::Request => "time.request",
            SortKey::Response => "time.response",
            SortKey::Received => "time.received",
        }
    }
}

/// An order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Greatest first.
    pub descending: bool,
}

/// Where a page begins: behind the last record of the one before, in a match set frozen at
/// `upto`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    /// Sort value of the last record shown; for [`SortKey::Position`] unused.
    pub value: Option<Timestamp>,
    /// Its id.
    pub id: RecordId,
    /// Its position.
    pub position: Position,
}

/// A search. It cannot be built without an instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    /// The tenant whose records are searched.
    pub instance: InstanceId,
    /// Which records.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// At most so many records, 1 to [`PAGE_MAX`].
    pub limit: usize,
    /// Behind which record; `None` for the first page.
    pub after: Option<After>,
    /// Last position of the match set; `None` freezes it at the newest visible one.
    pub upto: Option<Position>,
}

/// The largest page that a store answers.
pub const PAGE_MAX: usize = 10_000;

impl Query {
    /// The newest 100 of an instance by time of receipt.
    #[must_use]
    pub fn new(instance: InstanceId, filter: Filter) -> Self {
        let sort = Sort {
            key: SortKey::Received,
            descending: true,
        };
        Query {
            instance,
            filter,
            sort,
            limit: 100,
            after: None,
            upto: None,
        }
    }
}

/// One page of records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The records, in order.
    pub records: Vec<Arc<Record>>,
    /// Where the next page begins; `None` unless a further record existed at that moment.
    pub next: Option<After>,
    /// Position at which the match set is frozen.
    pub upto: Position,
}

/// One step of a walk over everything that matches, in commit order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// The tenant.
    pub instance: InstanceId,
    /// Which records.
    pub filter: Filter,
    /// Behind this position.
    pub after: Position,
    /// Up to this position, itself included; `None` for the newest visible one.
    pub upto: Option<Position>,
    /// At most so many records, 1 to [`PAGE_MAX`].
    pub limit: usize,
}

/// What one step of a walk found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scanned {
    /// The records, in commit order.
    pub records: Vec<Arc<Record>>,
    /// Everything up to here has been looked at; the next step begins behind it.
    pub reached: Position,
    /// Whether `upto` was reached.
    pub done: bool,
    /// The position that `upto` stood for.
    pub upto: Position,
}
