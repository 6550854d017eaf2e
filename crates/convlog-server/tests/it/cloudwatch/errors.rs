//! What is refused, and how.

use super::{ask, call, refused, with_stream};
use crate::harness::{ADMIN, Server};

#[tokio::test]
async fn what_is_not_known_is_an_error() {
    let server = Server::start().await;
    for operation in [
        "",
        "CreateDelivery",
        "PutResourcePolicy",
        "createLogGroup",
        "StartLiveTail",
    ] {
        refused(&server, operation, "{}", "UnknownOperationException").await;
    }
    let answer = server.post("/", "{}").await;
    assert_eq!(answer.text_at("__type"), "UnknownOperationException");
}

#[tokio::test]
async fn bodies_are_checked_before_anything_is_done() {
    let server = with_stream().await;
    for (operation, body, code) in [
        ("CreateLogGroup", "{", "SerializationException"),
        ("CreateLogGroup", "[]", "SerializationException"),
        (
            "CreateLogGroup",
            r#"{"logGroupName":1}"#,
            "SerializationException",
        ),
        ("CreateLogGroup", "{}", "InvalidParameterException"),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"a b"}"#,
            "InvalidParameterException",
        ),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"aws/lex"}"#,
            "InvalidParameterException",
        ),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"a","kmsKeyId":"arn:aws:kms:us-east-1:123456789012:key/1"}"#,
            "InvalidParameterException",
        ),
        (
            "CreateLogGroup",
            r#"{"logGroupName":"a","logGroupClass":"INFREQUENT_ACCESS"}"#,
            "InvalidParameterException",
        ),
        (
            "CreateLogStream",
            r#"{"logGroupName":"lex","logStreamName":"a:b"}"#,
            "InvalidParameterException",
        ),
        (
            "CreateLogStream",
            r#"{"logGroupName":"none","logStreamName":"a"}"#,
            "ResourceNotFoundException",
        ),
        (
            "AssociateKmsKey",
            r#"{"logGroupName":"lex","kmsKeyId":"k"}"#,
            "InvalidParameterException",
        ),
        (
            "PutLogEvents",
            r#"{"logGroupName":"lex","logStreamName":"none","logEvents":[{"timestamp":1,"message":"a"}]}"#,
            "ResourceNotFoundException",
        ),
        (
            "GetLogEvents",
            r#"{"logStreamName":"s"}"#,
            "InvalidParameterException",
        ),
        (
            "GetLogEvents",
            r#"{"logGroupName":"lex","logGroupIdentifier":"lex","logStreamName":"s"}"#,
            "InvalidParameterException",
        ),
        (
            "FilterLogEvents",
            r#"{"logGroupIdentifier":"arn:aws:logs:eu-west-1:123456789012:log-group:lex"}"#,
            "InvalidParameterException",
        ),
        (
            "FilterLogEvents",
            r#"{"logGroupName":"lex","limit":10001}"#,
            "InvalidParameterException",
        ),
        (
            "DescribeLogStreams",
            r#"{"logGroupName":"lex","orderBy":"LastEventTime","logStreamNamePrefix":"a"}"#,
            "InvalidParameterException",
        ),
    ] {
        refused(&server, operation, body, code).await;
    }
    let groups = call(&server, "DescribeLogGroups", "{}").await.to_string();
    assert_eq!(groups.matches("logGroupName").count(), 1, "{groups}");
    for identifier in [
        "lex",
        "arn:aws:logs:us-east-1:123456789012:log-group:lex",
        "arn:aws:logs:us-east-1:123456789012:log-group:lex:*",
    ] {
        // The star is no character of an identifier, as the shape has it.
        let body = format!(r#"{{"logGroupIdentifier":"{identifier}"}}"#);
        let answer = ask(&server, ADMIN, "FilterLogEvents", &body).await;
        let wanted = if identifier.ends_with('*') { 400 } else { 200 };
        assert_eq!(answer.status, wanted, "{identifier}");
    }
    let body = r#"{"logGroupName":"lex"}"#;
    call(&server, "DisassociateKmsKey", body).await;
}

#[tokio::test]
async fn each_operation_needs_its_role() {
    let server = with_stream().await;
    let group = r#"{"logGroupName":"lex"}"#;
    let stream = r#"{"logGroupName":"lex","logStreamName":"t"}"#;
    for (operation, body, role) in [
        ("DescribeLogGroups", "{}", "read"),
        ("FilterLogEvents", group, "read"),
        ("CreateLogStream", stream, "write"),
        ("DeleteLogGroup", group, "admin"),
    ] {
        for other in ["read", "write", "erase", "operator", "admin"] {
            if other == role {
                continue;
            }
            let key = server.key(&format!("\"{other}\""), "").await;
            let answer = ask(&server, &key, operation, body).await;
            assert_eq!(answer.status, 403, "{operation} {other}");
            assert_eq!(answer.text_at("__type"), "AccessDeniedException");
        }
        let key = server.key(&format!("\"{role}\""), "").await;
        let answer = ask(&server, &key, operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
    }
    let of_bot = server.key(r#""write","admin""#, r#""B""#).await;
    let answer = ask(&server, &of_bot, "CreateLogGroup", group).await;
    assert_eq!(answer.text_at("__type"), "AccessDeniedException");
}

#[tokio::test]
async fn lists_are_counted_in_every_operation() {
    let mut config = convlog_server::ServerConfig::default();
    config.limits.list_per_minute = 4;
    let server = Server::with(config).await;
    call(&server, "CreateLogGroup", r#"{"logGroupName":"lex"}"#).await;
    call(&server, "DescribeLogGroups", "{}").await;
    call(&server, "FilterLogEvents", r#"{"logGroupName":"lex"}"#).await;
    for _ in 0..2 {
        assert_eq!(server.get("/bots").await.status, 200);
    }
    let refused = ask(&server, ADMIN, "DescribeLogGroups", "{}").await;
    assert_eq!(refused.text_at("__type"), "ThrottlingException");
    let refused = server.get("/bots").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("x-amzn-errortype"), "LimitExceededException");
}
