//! Requests for queries of Logs Insights.

use super::common::{BOOLEAN, GROUP_IDENTIFIER, GROUP_NAME, NEXT_TOKEN, TIME};
use crate::aws::shape::{ANY, Shape, at_most, between, one_of, optional, required, text};

static QUERY_LANGUAGE: Shape = one_of(&["CWLI", "SQL", "PPL"]);
static QUERY_ID: Shape = text(between(1, 256));

/// `StartQuery`. Its times are seconds since 1970.
pub static START_QUERY: Shape = Shape::Structure(&[
    optional("queryLanguage", &QUERY_LANGUAGE),
    optional("logGroupName", &GROUP_NAME),
    optional("logGroupNames", &GROUP_NAMES),
    optional("logGroupIdentifiers", &GROUP_IDENTIFIERS),
    required("startTime", &TIME),
    required("endTime", &TIME),
    required("queryString", &QUERY_STRING),
    optional("limit", &QUERY_LIMIT),
]);
static GROUP_NAMES: Shape = Shape::list(ANY, &GROUP_NAME);
static GROUP_IDENTIFIERS: Shape = Shape::list(ANY, &GROUP_IDENTIFIER);
static QUERY_STRING: Shape = text(between(0, 10_000));
static QUERY_LIMIT: Shape = Shape::Integer(between(1, 100_000));

/// `StopQuery`.
pub static STOP_QUERY: Shape = Shape::Structure(&[required("queryId", &QUERY_ID)]);

/// `GetQueryResults`.
pub static GET_QUERY_RESULTS: Shape = Shape::Structure(&[
    required("queryId", &QUERY_ID),
    optional("nextToken", &RESULTS_TOKEN),
    optional("maxItems", &RESULTS_MAX),
]);
static RESULTS_TOKEN: Shape = text(at_most(1024));
static RESULTS_MAX: Shape = Shape::Integer(between(0, 10_000));

/// `DescribeQueries`.
pub static DESCRIBE_QUERIES: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    optional("status", &STATUS),
    optional("maxResults", &QUERIES_MAX),
    optional("nextToken", &NEXT_TOKEN),
    optional("queryLanguage", &QUERY_LANGUAGE),
]);
static STATUS: Shape = one_of(&[
    "Scheduled",
    "Running",
    "Complete",
    "Failed",
    "Cancelled",
    "Timeout",
    "Unknown",
]);
static QUERIES_MAX: Shape = Shape::Integer(between(1, 1000));

/// `GetLogRecord`.
pub static GET_LOG_RECORD: Shape = Shape::Structure(&[
    required("logRecordPointer", &POINTER),
    optional("unmask", &BOOLEAN),
]);
static POINTER: Shape = text(ANY);
