//! Aggregates: groups over matching records and metrics of each group.

pub mod fold;
mod numbers;
mod value;

pub use self::numbers::{Mean, numbers_of, percentiles};
pub use self::value::Value;
use crate::fields::FieldRef;
use crate::filter::Filter;
use crate::ids::InstanceId;
use crate::json::Json;
use crate::store::{ErrorKind, StoreError};

/// A request for aggregates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregate {
    /// The tenant.
    pub instance: InstanceId,
    /// Which records.
    pub filter: Filter,
    /// Groups, outermost first; none gives one row over everything.
    pub by: Vec<GroupBy>,
    /// What is computed of each group.
    pub metrics: Vec<Metric>,
}

/// Most groups of one level, with those that a limit cuts away.
pub const GROUPS_MAX: usize = 100_000;

impl Aggregate {
    /// Checks what needs no records.
    ///
    /// # Errors
    /// `Invalid` for a limit or an interval below 1, naming the field.
    pub fn check(&self) -> Result<(), StoreError> {
        for by in &self.by {
            let path = by.field().path();
            let text = match by {
                GroupBy::Terms { limit: 0, .. } => {
                    format!("the limit of groups by {path} is below 1")
                }
                GroupBy::Interval { every_us, .. } if *every_us < 1 => {
                    format!("the interval of {path} is below 1 microsecond")
                }
                _ => continue,
            };
            return Err(StoreError::new(ErrorKind::Invalid, text));
        }
        Ok(())
    }
}

impl GroupBy {
    /// The field by whose values records are grouped.
    #[must_use]
    pub fn field(&self) -> &FieldRef {
        match self {
            GroupBy::Terms { field, .. } | GroupBy::Interval { field, .. } => field,
        }
    }

    /// The error of more than [`GROUPS_MAX`] groups.
    #[must_use]
    pub fn too_many(&self) -> StoreError {
        let path = self.field().path();
        let text = format!("more than {GROUPS_MAX} groups by {path}: narrow the filter");
        StoreError::new(ErrorKind::Invalid, text)
    }
}

impl Metric {
    /// The field that is measured; `None` of the number of records.
    #[must_use]
    pub fn field(&self) -> Option<&FieldRef> {
        match self {
            Metric::Count => None,
            Metric::Distinct(field) | Metric::Average(field) | Metric::Percentiles(field) => {
                Some(field)
            }
        }
    }
}

/// How records are grouped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GroupBy {
    /// By the values of a field; a record with several values counts in each group.
    Terms {
        /// The field.
        field: FieldRef,
        /// Only the greatest groups by count, ties by value.
        limit: usize,
    },
    /// By intervals of a time field, in UTC.
    Interval {
        /// The field.
        field: FieldRef,
        /// Length of an interval in microseconds, counted from the epoch.
        every_us: i64,
    },
}

/// What is computed of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Metric {
    /// Number of records.
    Count,
    /// Number of distinct values.
    Distinct(FieldRef),
    /// Mean of a number; `null` of none. Equal numbers directly in one object, in an array of
    /// numbers for instance, count once.
    Average(FieldRef),
    /// The 50th, 90th, 95th and 99th percentile of a number (nearest rank), as the members
    /// `p50`, `p90`, `p95` and `p99` of an object, each as it is written in a record; `null` of no
    /// numbers. Counted as in [`Metric::Average`].
    Percentiles(FieldRef),
}

/// The answer: rows in the order of their groups (intervals rising, terms by falling count).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// One row a group.
    pub rows: Vec<Row>,
}

/// One group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// One key a [`GroupBy`]; `null` for records without a value.
    pub keys: Vec<Json>,
    /// Number of records.
    pub count: u64,
    /// One value a [`Metric`], in order.
    pub metrics: Vec<Json>,
    /// Whether sketches stand in for exact numbers.
    pub approximate: bool,
}
