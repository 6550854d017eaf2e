//! CloudWatch Logs: filter patterns, the query language of Logs Insights, what requests may hold,
//! and log events as records.

pub mod batch;
pub mod envelope;
pub mod event;
pub mod insights;
pub mod names;
pub mod pattern;
pub mod shapes;
