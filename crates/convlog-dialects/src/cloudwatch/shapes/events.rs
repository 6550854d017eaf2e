//! Requests for log streams and their events.

use super::common::{
    BOOLEAN, DESCRIBE_LIMIT, EVENT_MESSAGE, EVENTS_LIMIT, FILTER_PATTERN, GROUP_IDENTIFIER,
    GROUP_NAME, NEXT_TOKEN, STREAM_NAME, TIME,
};
use crate::aws::shape::{Shape, at_least, between, one_of, optional, required, text};

/// `CreateLogStream` and `DeleteLogStream`: the name of a stream.
pub static ONE_LOG_STREAM: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    required("logStreamName", &STREAM_NAME),
]);

/// `DescribeLogStreams`.
pub static DESCRIBE_LOG_STREAMS: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    optional("logGroupIdentifier", &GROUP_IDENTIFIER),
    optional("logStreamNamePrefix", &STREAM_NAME),
    optional("orderBy", &ORDER_BY),
    optional("descending", &BOOLEAN),
    optional("nextToken", &NEXT_TOKEN),
    optional("limit", &DESCRIBE_LIMIT),
]);
static ORDER_BY: Shape = one_of(&["LogStreamName", "LastEventTime"]);

/// `PutLogEvents`.
pub static PUT_LOG_EVENTS: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    required("logStreamName", &STREAM_NAME),
    required("logEvents", &EVENTS),
    optional("sequenceToken", &SEQUENCE_TOKEN),
    optional("entity", &ENTITY),
]);
static EVENTS: Shape = Shape::list(between(1, 10_000), &EVENT);
static EVENT: Shape = Shape::Structure(&[
    required("timestamp", &TIME),
    required("message", &EVENT_MESSAGE),
]);
static SEQUENCE_TOKEN: Shape = text(at_least(1));
static ENTITY: Shape = Shape::Structure(&[
    optional("keyAttributes", &KEY_ATTRIBUTES),
    optional("attributes", &ATTRIBUTES),
]);
static KEY_ATTRIBUTES: Shape = Shape::map(between(2, 4), &KEY_ATTRIBUTE_NAME, &ATTRIBUTE);
static KEY_ATTRIBUTE_NAME: Shape = text(between(1, 32));
static ATTRIBUTES: Shape = Shape::map(between(0, 10), &ATTRIBUTE_NAME, &ATTRIBUTE);
static ATTRIBUTE_NAME: Shape = text(between(1, 256));
static ATTRIBUTE: Shape = text(between(1, 512));

/// `GetLogEvents`.
pub static GET_LOG_EVENTS: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    optional("logGroupIdentifier", &GROUP_IDENTIFIER),
    required("logStreamName", &STREAM_NAME),
    optional("startTime", &TIME),
    optional("endTime", &TIME),
    optional("nextToken", &NEXT_TOKEN),
    optional("limit", &EVENTS_LIMIT),
    optional("startFromHead", &BOOLEAN),
    optional("unmask", &BOOLEAN),
]);

/// `FilterLogEvents`.
pub static FILTER_LOG_EVENTS: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    optional("logGroupIdentifier", &GROUP_IDENTIFIER),
    optional("logStreamNames", &STREAM_NAMES),
    optional("logStreamNamePrefix", &STREAM_NAME),
    optional("startTime", &TIME),
    optional("endTime", &TIME),
    optional("filterPattern", &FILTER_PATTERN),
    optional("nextToken", &NEXT_TOKEN),
    optional("limit", &EVENTS_LIMIT),
    optional("startFromHead", &BOOLEAN),
    optional("interleaved", &BOOLEAN),
    optional("unmask", &BOOLEAN),
]);
static STREAM_NAMES: Shape = Shape::list(between(1, 100), &STREAM_NAME);
