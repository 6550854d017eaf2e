//! Aggregates: groups over matching records and metrics of each group.

pub mod fold;

use crate::fields::FieldRef;
use crate::filter::Filter;
use crate::ids::InstanceId;
use crate::json::Json;

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

/// Most groups of one answer.
pub const GROUPS_MAX: usize = 100_000;

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
    /// Mean of a number; `null` of none.
    Average(FieldRef),
    /// The 50th, 90th, 95th and 99th percentile of a number (nearest rank), as the members
    /// `p50`, `p90`, `p95` and `p99` of an object; `null` of no numbers.
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
