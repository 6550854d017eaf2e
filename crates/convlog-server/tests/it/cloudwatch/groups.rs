//! Groups, streams, tags and retention.

use convlog_model::json::Json;

use super::{call, make_stream, now, put, refused, text, texts, turn, with_stream};
use crate::harness::Server;

const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:lex";

#[tokio::test]
async fn a_group_is_described_as_it_was_made() {
    let server = Server::start().await;
    let made = r#"{"logGroupName":"lex","tags":{"team":"bots"}}"#;
    call(&server, "CreateLogGroup", made).await;
    let groups = call(&server, "DescribeLogGroups", "{}").await;
    let group = &groups.get("logGroups").and_then(Json::as_array).unwrap()[0];
    assert_eq!(text(group, "logGroupName"), "lex");
    assert_eq!(text(group, "arn"), format!("{ARN}:*"));
    assert_eq!(text(group, "logGroupArn"), ARN);
    assert_eq!(text(group, "logGroupClass"), "STANDARD");
    let created = group.get("creationTime").and_then(Json::as_i64);
    assert_eq!(created, Some(now(&server, 0)));
    assert!(group.get("retentionInDays").is_none());
    assert_eq!(group.get("storedBytes").and_then(Json::as_i64), Some(0));
    refused(
        &server,
        "CreateLogGroup",
        made,
        "ResourceAlreadyExistsException",
    )
    .await;
}

#[tokio::test]
async fn groups_are_paged_by_prefix_and_pattern() {
    let server = Server::start().await;
    for name in ["/lex/a", "/lex/b", "/lex/c", "other"] {
        let body = format!(r#"{{"logGroupName":"{name}"}}"#);
        call(&server, "CreateLogGroup", &body).await;
    }
    let body = r#"{"logGroupNamePrefix":"/lex","limit":2}"#;
    let first = call(&server, "DescribeLogGroups", body).await;
    assert_eq!(
        texts(&first, "logGroups", "logGroupName"),
        ["/lex/a", "/lex/b"]
    );
    let token = text(&first, "nextToken");
    let body = format!(r#"{{"logGroupNamePrefix":"/lex","limit":2,"nextToken":"{token}"}}"#);
    let second = call(&server, "DescribeLogGroups", &body).await;
    assert_eq!(texts(&second, "logGroups", "logGroupName"), ["/lex/c"]);
    assert!(second.get("nextToken").is_none());
    let found = call(
        &server,
        "DescribeLogGroups",
        r#"{"logGroupNamePattern":"the"}"#,
    )
    .await;
    assert_eq!(texts(&found, "logGroups", "logGroupName"), ["other"]);
    let both = r#"{"logGroupNamePrefix":"a","logGroupNamePattern":"b"}"#;
    refused(
        &server,
        "DescribeLogGroups",
        both,
        "InvalidParameterException",
    )
    .await;
}

#[tokio::test]
async fn retention_is_one_of_a_list_and_hides_what_is_older() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(-3 * 86_400_000, "old")]).await;
    put(&server, "lex", "s", &[(0, "new")]).await;
    for days in [0, 2, 31, -1] {
        let body = format!(r#"{{"logGroupName":"lex","retentionInDays":{days}}}"#);
        refused(
            &server,
            "PutRetentionPolicy",
            &body,
            "InvalidParameterException",
        )
        .await;
    }
    let body = r#"{"logGroupName":"lex","retentionInDays":1}"#;
    call(&server, "PutRetentionPolicy", body).await;
    let group = call(&server, "DescribeLogGroups", "{}").await;
    let group = &group.get("logGroups").and_then(Json::as_array).unwrap()[0];
    assert_eq!(group.get("retentionInDays").and_then(Json::as_i64), Some(1));
    let found = call(&server, "FilterLogEvents", r#"{"logGroupName":"lex"}"#).await;
    assert_eq!(texts(&found, "events", "message"), ["new"]);
    let answer = put(
        &server,
        "lex",
        "s",
        &[(-86_400_001, "older"), (-5, "newer")],
    )
    .await;
    let expired = answer.at(&["rejectedLogEventsInfo", "expiredLogEventEndIndex"]);
    assert_eq!(expired.and_then(Json::as_i64), Some(1), "{answer}");
    call(
        &server,
        "DeleteRetentionPolicy",
        r#"{"logGroupName":"lex"}"#,
    )
    .await;
    let group = call(&server, "DescribeLogGroups", "{}").await;
    assert!(!group.to_string().contains("retentionInDays"), "{group}");
}

#[tokio::test]
async fn tags_are_added_and_taken_off() {
    let server = with_stream().await;
    let body = format!(r#"{{"resourceArn":"{ARN}","tags":{{"a":"1","b":"2"}}}}"#);
    call(&server, "TagResource", &body).await;
    let body = format!(r#"{{"resourceArn":"{ARN}","tagKeys":["a"]}}"#);
    call(&server, "UntagResource", &body).await;
    let body = format!(r#"{{"resourceArn":"{ARN}"}}"#);
    let tags = call(&server, "ListTagsForResource", &body).await;
    assert_eq!(tags.to_string(), r#"{"tags":{"b":"2"}}"#);
    let tags = call(&server, "ListTagsLogGroup", r#"{"logGroupName":"lex"}"#).await;
    assert_eq!(tags.to_string(), r#"{"tags":{"b":"2"}}"#);
}

#[tokio::test]
async fn a_new_group_shows_nothing_of_an_older_one_of_its_name() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(0, "gone")]).await;
    turn(
        &server,
        "default",
        "aws/lex/1",
        0,
        r#"{"botName":"B","a":"first"}"#,
    )
    .await;
    call(&server, "DeleteLogGroup", r#"{"logGroupName":"lex"}"#).await;
    let lost = r#"{"logGroupName":"lex"}"#;
    refused(
        &server,
        "FilterLogEvents",
        lost,
        "ResourceNotFoundException",
    )
    .await;
    refused(&server, "DeleteLogGroup", lost, "ResourceNotFoundException").await;
    call(&server, "CreateLogGroup", lost).await;
    let streams = call(&server, "DescribeLogStreams", lost).await;
    assert_eq!(
        texts(&streams, "logStreams", "logStreamName").len(),
        0,
        "{streams}"
    );
    turn(
        &server,
        "default",
        "aws/lex/1",
        0,
        r#"{"botName":"B","a":"second"}"#,
    )
    .await;
    let found = call(&server, "FilterLogEvents", lost).await;
    assert_eq!(
        texts(&found, "events", "message"),
        [r#"{"botName":"B","a":"second"}"#]
    );
    let records = server
        .get("/convlog/v1/records?filter=dialect:lex-v1")
        .await;
    let records = records.json();
    let records = records.get("records").and_then(Json::as_array).unwrap();
    assert_eq!(records.len(), 2, "turns stay records");
    let put = "/convlog/v1/records?filter=event.type::%22log.event%22";
    assert!(!server.get(put).await.text().contains("gone"));
}

#[tokio::test]
async fn streams_are_those_that_were_made_and_those_that_turns_name() {
    let server = with_stream().await;
    turn(
        &server,
        "default",
        "aws/lex/B/PROD/1/x",
        7,
        r#"{"botName":"B"}"#,
    )
    .await;
    turn(
        &server,
        "default",
        "aws/lex/B/PROD/1/x",
        9,
        r#"{"botName":"B"}"#,
    )
    .await;
    let body = r#"{"logGroupName":"lex"}"#;
    let all = call(&server, "DescribeLogStreams", body).await;
    let names = texts(&all, "logStreams", "logStreamName");
    assert_eq!(names, ["aws/lex/B/PROD/1/x", "s"]);
    let stream = &all.get("logStreams").and_then(Json::as_array).unwrap()[0];
    let time = |name: &str| stream.get(name).and_then(Json::as_i64).unwrap();
    assert_eq!(time("firstEventTimestamp"), now(&server, 7));
    assert_eq!(time("lastEventTimestamp"), now(&server, 9));
    assert_eq!(
        text(stream, "arn"),
        format!("{ARN}:log-stream:aws/lex/B/PROD/1/x")
    );
    let body = r#"{"logGroupName":"lex","logStreamNamePrefix":"aws/"}"#;
    let some = call(&server, "DescribeLogStreams", body).await;
    assert_eq!(
        texts(&some, "logStreams", "logStreamName"),
        ["aws/lex/B/PROD/1/x"]
    );
    for (order, wanted) in [
        (
            r#""orderBy":"LastEventTime","descending":true"#,
            "aws/lex/B/PROD/1/x",
        ),
        (r#""orderBy":"LastEventTime""#, "s"),
        (r#""descending":true"#, "s"),
    ] {
        let body = format!(r#"{{"logGroupName":"lex",{order},"limit":1}}"#);
        let one = call(&server, "DescribeLogStreams", &body).await;
        assert_eq!(
            texts(&one, "logStreams", "logStreamName"),
            [wanted],
            "{order}"
        );
        let token = text(&one, "nextToken");
        let body = format!(r#"{{"logGroupName":"lex",{order},"limit":1,"nextToken":"{token}"}}"#);
        let other = call(&server, "DescribeLogStreams", &body).await;
        assert_ne!(
            texts(&other, "logStreams", "logStreamName"),
            [wanted],
            "{order}"
        );
        assert!(other.get("nextToken").is_none(), "{other}");
    }
}

#[tokio::test]
async fn a_deleted_stream_shows_only_what_came_later() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(0, "gone")]).await;
    turn(&server, "default", "s", 0, r#"{"botName":"B","a":"gone"}"#).await;
    make_stream(&server, "lex", "t").await;
    put(&server, "lex", "t", &[(0, "other")]).await;
    let body = r#"{"logGroupName":"lex","logStreamName":"s"}"#;
    call(&server, "DeleteLogStream", body).await;
    refused(
        &server,
        "DeleteLogStream",
        body,
        "ResourceNotFoundException",
    )
    .await;
    refused(&server, "GetLogEvents", body, "ResourceNotFoundException").await;
    let found = call(&server, "FilterLogEvents", r#"{"logGroupName":"lex"}"#).await;
    assert_eq!(texts(&found, "events", "message"), ["other"]);
    turn(&server, "default", "s", 0, r#"{"botName":"B","a":"new"}"#).await;
    let found = call(&server, "GetLogEvents", body).await;
    assert_eq!(
        texts(&found, "events", "message"),
        [r#"{"botName":"B","a":"new"}"#]
    );
    refused(
        &server,
        "CreateLogStream",
        body,
        "ResourceAlreadyExistsException",
    )
    .await;
}
