//! What requests of CloudWatch Logs (`logs`, 2014-03-28) may hold: one table per operation that
//! is known here, with the constraints of the service model as AWS publishes it.

mod common;
pub mod events;
pub mod filters;
pub mod groups;
pub mod queries;
#[cfg(test)]
mod tests;

use crate::aws::shape::{Operation, Shape};

/// All operations that have a table.
pub static OPERATIONS: &[Operation] = &[
    Operation::new("CreateLogGroup", &groups::CREATE_LOG_GROUP),
    Operation::new("DeleteLogGroup", &groups::ONE_LOG_GROUP),
    Operation::new("DescribeLogGroups", &groups::DESCRIBE_LOG_GROUPS),
    Operation::new("PutRetentionPolicy", &groups::PUT_RETENTION_POLICY),
    Operation::new("DeleteRetentionPolicy", &groups::ONE_LOG_GROUP),
    Operation::new("AssociateKmsKey", &groups::ASSOCIATE_KMS_KEY),
    Operation::new("DisassociateKmsKey", &groups::DISASSOCIATE_KMS_KEY),
    Operation::new("ListTagsForResource", &groups::LIST_TAGS_FOR_RESOURCE),
    Operation::new("TagResource", &groups::TAG_RESOURCE),
    Operation::new("UntagResource", &groups::UNTAG_RESOURCE),
    Operation::new("ListTagsLogGroup", &groups::ONE_LOG_GROUP),
    Operation::new("CreateLogStream", &events::ONE_LOG_STREAM),
    Operation::new("DeleteLogStream", &events::ONE_LOG_STREAM),
    Operation::new("DescribeLogStreams", &events::DESCRIBE_LOG_STREAMS),
    Operation::new("PutLogEvents", &events::PUT_LOG_EVENTS),
    Operation::new("GetLogEvents", &events::GET_LOG_EVENTS),
    Operation::new("FilterLogEvents", &events::FILTER_LOG_EVENTS),
    Operation::new("StartQuery", &queries::START_QUERY),
    Operation::new("StopQuery", &queries::STOP_QUERY),
    Operation::new("GetQueryResults", &queries::GET_QUERY_RESULTS),
    Operation::new("DescribeQueries", &queries::DESCRIBE_QUERIES),
    Operation::new("GetLogRecord", &queries::GET_LOG_RECORD),
    Operation::new("PutMetricFilter", &filters::PUT_METRIC_FILTER),
    Operation::new("DeleteMetricFilter", &filters::ONE_FILTER),
    Operation::new("DescribeMetricFilters", &filters::DESCRIBE_METRIC_FILTERS),
    Operation::new("TestMetricFilter", &filters::TEST_METRIC_FILTER),
    Operation::new("PutSubscriptionFilter", &filters::PUT_SUBSCRIPTION_FILTER),
    Operation::new("DeleteSubscriptionFilter", &filters::ONE_FILTER),
    Operation::new(
        "DescribeSubscriptionFilters",
        &filters::DESCRIBE_SUBSCRIPTION_FILTERS,
    ),
];

/// What requests of the operation `name` may hold; `None` for one that has no table.
#[must_use]
pub fn input(name: &str) -> Option<&'static Shape> {
    let found = OPERATIONS.iter().find(|operation| operation.name == name);
    found.map(|operation| operation.input)
}
