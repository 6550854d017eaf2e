//! CloudWatch Logs: filter patterns and the query language of Logs Insights.

pub mod insights;
