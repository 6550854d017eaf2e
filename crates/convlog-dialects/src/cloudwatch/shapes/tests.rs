//! The tables of CloudWatch Logs: every constraint broken in turn, and requests written by hand.

use convlog_model::json::Json;

use super::{OPERATIONS, input};
use crate::aws::shape::{check, tests::walk};

const NULL: &str = "Member must not be null";

#[test]
fn every_constraint_is_reported_where_it_is_broken() {
    walk::sane(OPERATIONS);
    assert_eq!(OPERATIONS.len(), 29);
    // So many constraints and types do the tables hold: a change of one is a change of this.
    assert_eq!(walk::walk(OPERATIONS), 457);
}

fn told(operation: &str, body: &str) -> String {
    let body = Json::parse(body.as_bytes()).unwrap();
    match check(input(operation).unwrap(), &body, &[]) {
        Ok(()) => "ok".to_owned(),
        Err(invalid) => invalid.to_string(),
    }
}

fn expect(operation: &str, body: &str, path: &str, constraint: &str) {
    let expected = format!(
        "1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}"
    );
    assert_eq!(told(operation, body), expected, "{operation} {body}");
}

#[test]
fn requests_that_fit() {
    for (operation, body) in [
        (
            "CreateLogGroup",
            r#"{"logGroupName":"/lex/a.b_c#1","tags":{"team":"\u00fc ber"}}"#,
        ),
        (
            "CreateLogStream",
            r#"{"logGroupName":"g","logStreamName":"aws/lex/B/A/$LATEST/x"}"#,
        ),
        (
            "PutLogEvents",
            r#"{"logGroupName":"lex-logs","logStreamName":"aws/lex/B/PROD/1/x","logEvents":[
                {"timestamp":1795207641457,"message":"{\"a\":1}"}]}"#,
        ),
        ("DescribeLogGroups", "{}"),
        (
            "DescribeLogGroups",
            r#"{"logGroupIdentifiers":["arn:aws:logs:eu-west-1:1:log-group:g"]}"#,
        ),
        (
            "FilterLogEvents",
            r#"{"logGroupName":"g","filterPattern":"","limit":10000}"#,
        ),
        (
            "StartQuery",
            r#"{"startTime":0,"endTime":1,"queryString":"SOURCE x","limit":100000}"#,
        ),
        ("GetQueryResults", r#"{"queryId":"q","maxItems":0}"#),
        (
            "PutMetricFilter",
            r#"{"logGroupName":"g","filterName":"f","filterPattern":"","metricTransformations":[
                {"metricName":"m","metricNamespace":"","metricValue":"1","defaultValue":-0.5,
                 "unit":"Count/Second","dimensions":{}}]}"#,
        ),
    ] {
        assert_eq!(told(operation, body), "ok", "{operation} {body}");
    }
}

#[test]
fn requests_that_do_not() {
    let name = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+";
    for (operation, body, path, constraint) in [
        ("CreateLogGroup", "{}", "logGroupName", NULL),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"a b"}"#,
            "logGroupName",
            name,
        ),
        (
            "DeleteLogGroup",
            r#"{"logGroupName":"arn:aws"}"#,
            "logGroupName",
            name,
        ),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"g","tags":{}}"#,
            "tags",
            "Member must have length greater than or equal to 1",
        ),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"g","tags":{"a!":"b"}}"#,
            "tags",
            "Map keys must satisfy constraint: [Member must have length less than or equal to \
             128, Member must have length greater than or equal to 1, Member must satisfy regular \
             expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$]",
        ),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"g","logGroupClass":"Standard"}"#,
            "logGroupClass",
            "Member must satisfy enum value set: \
             [STANDARD, INFREQUENT_ACCESS, DELIVERY, ESSENTIALS]",
        ),
        (
            "CreateLogStream",
            r#"{"logGroupName":"g","logStreamName":"a:b"}"#,
            "logStreamName",
            "Member must satisfy regular expression pattern: [^:*]*",
        ),
        (
            "PutLogEvents",
            r#"{"logGroupName":"g","logStreamName":"s","logEvents":[]}"#,
            "logEvents",
            "Member must have length greater than or equal to 1",
        ),
        (
            "PutLogEvents",
            r#"{"logGroupName":"g","logStreamName":"s","logEvents":[
                {"timestamp":1,"message":"x"},{"timestamp":-1,"message":"x"}]}"#,
            "logEvents.2.member.timestamp",
            "Member must have value greater than or equal to 0",
        ),
        (
            "PutLogEvents",
            r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1}]}"#,
            "logEvents.1.member.message",
            NULL,
        ),
        (
            "FilterLogEvents",
            r#"{"logStreamNames":["a","b*"]}"#,
            "logStreamNames",
            "Member must satisfy constraint: [Member must have length less than or equal to 512, \
             Member must have length greater than or equal to 1, Member must satisfy regular \
             expression pattern: [^:*]*]",
        ),
        (
            "DescribeLogStreams",
            r#"{"limit":51}"#,
            "limit",
            "Member must have value less than or equal to 50",
        ),
        (
            "PutRetentionPolicy",
            r#"{"logGroupName":"g"}"#,
            "retentionInDays",
            NULL,
        ),
        ("AssociateKmsKey", "{}", "kmsKeyId", NULL),
        (
            "StartQuery",
            r#"{"startTime":0,"endTime":1,"queryString":"","queryLanguage":"sql"}"#,
            "queryLanguage",
            "Member must satisfy enum value set: [CWLI, SQL, PPL]",
        ),
        (
            "TestMetricFilter",
            r#"{"filterPattern":"","logEventMessages":[""]}"#,
            "logEventMessages",
            "Member must satisfy constraint: \
             [Member must have length greater than or equal to 1]",
        ),
    ] {
        expect(operation, body, path, constraint);
    }
}

#[test]
fn types_that_cannot_be_read() {
    for (operation, body, expected) in [
        (
            "PutLogEvents",
            r#"{"logEvents":[{"timestamp":"now"}]}"#,
            "logEvents.1.member.timestamp: STRING_VALUE can not be converted to a Long",
        ),
        (
            "PutLogEvents",
            r#"{"logEvents":{}}"#,
            "logEvents: Expected list or null",
        ),
        (
            "PutRetentionPolicy",
            r#"{"retentionInDays":2147483648}"#,
            "retentionInDays: NUMBER_VALUE can not be converted to an Integer",
        ),
        (
            "TagResource",
            r#"{"tags":[]}"#,
            "tags: Expected map or null",
        ),
    ] {
        assert_eq!(told(operation, body), expected);
    }
}
