//! Requests for metric filters and subscription filters.

use super::common::{
    BOOLEAN, DESCRIBE_LIMIT, EVENT_MESSAGE, FILTER_NAME, FILTER_PATTERN, GROUP_NAME, NEXT_TOKEN,
};
use crate::aws::shape::{
    ANY, Pattern, Shape, at_least, at_most, between, matching, one_of, optional, required, text,
};

static SELECTION_CRITERIA: Shape = text(between(0, 2000));
static SYSTEM_FIELDS: Shape = Shape::list(ANY, &SYSTEM_FIELD);
static SYSTEM_FIELD: Shape = text(ANY);

/// `PutMetricFilter`.
pub static PUT_METRIC_FILTER: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    required("filterName", &FILTER_NAME),
    required("filterPattern", &FILTER_PATTERN),
    required("metricTransformations", &TRANSFORMATIONS),
    optional("applyOnTransformedLogs", &BOOLEAN),
    optional("fieldSelectionCriteria", &SELECTION_CRITERIA),
    optional("emitSystemFieldDimensions", &SYSTEM_FIELDS),
]);
static TRANSFORMATIONS: Shape = Shape::list(between(1, 1), &TRANSFORMATION);
static TRANSFORMATION: Shape = Shape::Structure(&[
    required("metricName", &METRIC_NAME),
    required("metricNamespace", &METRIC_NAME),
    required("metricValue", &METRIC_VALUE),
    optional("defaultValue", &DEFAULT_VALUE),
    optional("dimensions", &DIMENSIONS),
    optional("unit", &UNIT),
]);
/// Of namespaces as well.
static METRIC_NAME: Shape = matching(at_most(255), &METRIC_NAME_PATTERN);
static METRIC_NAME_PATTERN: Pattern = Pattern::new(r"[^:*$]*");
static METRIC_VALUE: Shape = text(at_most(100));
static DEFAULT_VALUE: Shape = Shape::Double(ANY);
static DIMENSIONS: Shape = Shape::map(ANY, &DIMENSION, &DIMENSION);
static DIMENSION: Shape = text(at_most(255));
static UNIT: Shape = one_of(&[
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
]);

/// `DeleteMetricFilter` and `DeleteSubscriptionFilter`: the name of a filter.
pub static ONE_FILTER: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    required("filterName", &FILTER_NAME),
]);

/// `DescribeMetricFilters`.
pub static DESCRIBE_METRIC_FILTERS: Shape = Shape::Structure(&[
    optional("logGroupName", &GROUP_NAME),
    optional("filterNamePrefix", &FILTER_NAME),
    optional("nextToken", &NEXT_TOKEN),
    optional("limit", &DESCRIBE_LIMIT),
    optional("metricName", &METRIC_NAME),
    optional("metricNamespace", &METRIC_NAME),
]);

/// `TestMetricFilter`.
pub static TEST_METRIC_FILTER: Shape = Shape::Structure(&[
    required("filterPattern", &FILTER_PATTERN),
    required("logEventMessages", &TEST_MESSAGES),
]);
static TEST_MESSAGES: Shape = Shape::list(between(1, 50), &EVENT_MESSAGE);

/// `PutSubscriptionFilter`.
pub static PUT_SUBSCRIPTION_FILTER: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    required("filterName", &FILTER_NAME),
    required("filterPattern", &FILTER_PATTERN),
    required("destinationArn", &ARN),
    optional("roleArn", &ARN),
    optional("distribution", &DISTRIBUTION),
    optional("applyOnTransformedLogs", &BOOLEAN),
    optional("fieldSelectionCriteria", &SELECTION_CRITERIA),
    optional("emitSystemFields", &SYSTEM_FIELDS),
]);
static ARN: Shape = text(at_least(1));
static DISTRIBUTION: Shape = one_of(&["Random", "ByLogStream"]);

/// `DescribeSubscriptionFilters`.
pub static DESCRIBE_SUBSCRIPTION_FILTERS: Shape = Shape::Structure(&[
    required("logGroupName", &GROUP_NAME),
    optional("filterNamePrefix", &FILTER_NAME),
    optional("nextToken", &NEXT_TOKEN),
    optional("limit", &DESCRIBE_LIMIT),
]);
