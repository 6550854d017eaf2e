//! Metric filters and subscription filters.

use std::io::Read as _;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::json::Json;
use convlog_server::ServerConfig;
use convlog_server::config::AwsTarget;

use super::{ask, call, put, refused, text, texts, turn, with_stream};
use crate::fake::{Fake, Script, Seen};
use crate::harness::{ADMIN, Server};

const DESTINATION: &str = "arn:aws:lambda:us-east-1:123456789012:function:consume";

fn metric(name: &str, pattern: &str, value: &str) -> String {
    format!(
        r#"{{"logGroupName":"lex","filterName":"{name}","filterPattern":"{pattern}","metricTransformations":[{{"metricName":"Missed","metricNamespace":"Bots","metricValue":"{value}"}}]}}"#
    )
}

async fn counted(server: &Server) -> Option<String> {
    let metrics = server.get("/metrics").await.text();
    let series = r#"convlog_log_metric_total{instance="default",name="Missed",namespace="Bots"} "#;
    let mut lines = metrics.lines();
    lines.find_map(|line| Some(line.strip_prefix(series)?.to_owned()))
}

#[tokio::test]
async fn a_metric_filter_counts_what_comes_in() {
    let server = with_stream().await;
    put(&server, "lex", "s", &[(0, r#"{"missedUtterance":true}"#)]).await;
    let body = metric("missed", "{ $.missedUtterance IS TRUE }", "1");
    call(&server, "PutMetricFilter", &body).await;
    assert_eq!(counted(&server).await, None);
    let events = [
        (0, r#"{"missedUtterance":true}"#),
        (1, "{}"),
        (2, "no json"),
    ];
    put(&server, "lex", "s", &events).await;
    assert_eq!(counted(&server).await.as_deref(), Some("1"));
    let body = metric("missed", "{ $.missedUtterance IS TRUE }", "$.size");
    call(&server, "PutMetricFilter", &body).await;
    put(
        &server,
        "lex",
        "s",
        &[(3, r#"{"missedUtterance":true,"size":4}"#)],
    )
    .await;
    assert_eq!(counted(&server).await.as_deref(), Some("5"));
    let (_, other) = server.instance().await;
    let seen = server.call(&other, "GET", "/metrics", "").await.text();
    assert!(!seen.contains("convlog_log_metric_total"));
    let scoped = server.key(r#""read""#, r#""B""#).await;
    let seen = server.call(&scoped, "GET", "/metrics", "").await.text();
    assert!(!seen.contains("convlog_log_metric_total"));
}

#[tokio::test]
async fn metric_filters_are_described_and_deleted() {
    let server = with_stream().await;
    for name in ["a", "b"] {
        call(&server, "PutMetricFilter", &metric(name, "x", "1")).await;
    }
    let body = r#"{"logGroupName":"lex","limit":1}"#;
    let first = call(&server, "DescribeMetricFilters", body).await;
    assert_eq!(texts(&first, "metricFilters", "filterName"), ["a"]);
    let token = text(&first, "nextToken");
    let body = format!(r#"{{"limit":1,"nextToken":"{token}"}}"#);
    let second = call(&server, "DescribeMetricFilters", &body).await;
    assert_eq!(texts(&second, "metricFilters", "filterName"), ["b"]);
    let body = r#"{"metricName":"Missed","metricNamespace":"Other"}"#;
    let none = call(&server, "DescribeMetricFilters", body).await;
    assert_eq!(texts(&none, "metricFilters", "filterName").len(), 0);
    let groups = call(&server, "DescribeLogGroups", "{}").await.to_string();
    assert!(groups.contains(r#""metricFilterCount":2"#), "{groups}");
    let body = r#"{"logGroupName":"lex","filterName":"a"}"#;
    call(&server, "DeleteMetricFilter", body).await;
    refused(
        &server,
        "DeleteMetricFilter",
        body,
        "ResourceNotFoundException",
    )
    .await;
    for bad in [
        metric("c", "{ $.a =", "1"),
        metric("c", "x", "-1"),
        metric("c", "x", "much"),
        metric("c", "x", "1").replace(
            "\"metricValue\"",
            "\"dimensions\":{\"a\":\"$.a\"},\"metricValue\"",
        ),
    ] {
        refused(
            &server,
            "PutMetricFilter",
            &bad,
            "InvalidParameterException",
        )
        .await;
    }
}

#[tokio::test]
async fn a_pattern_can_be_tried() {
    let server = Server::start().await;
    let body =
        r#"{"filterPattern":"{ $.a = 1 }","logEventMessages":["{\"a\":2}","{\"a\":1}","x"]}"#;
    let found = call(&server, "TestMetricFilter", body).await;
    assert_eq!(
        found.to_string(),
        r#"{"matches":[{"eventNumber":2,"eventMessage":"{\"a\":1}","extractedValues":{"$.a":"1"}}]}"#
    );
}

/// What a destination got.
fn unpacked(seen: &Seen) -> Json {
    let body = Json::parse(seen.body.as_bytes()).unwrap();
    let data = body
        .at(&["awslogs", "data"])
        .and_then(Json::as_str)
        .unwrap();
    let packed = STANDARD.decode(data).unwrap();
    let mut plain = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut plain)
        .unwrap();
    Json::parse(plain.as_bytes()).unwrap()
}

async fn subscribed(script: Script) -> (Server, Fake) {
    let fake = Fake::start(script).await;
    let mut config = ServerConfig::default();
    // Beyond loopback, where connectors may not go to private addresses.
    config.connectors.listening_on = vec![Ipv4Addr::UNSPECIFIED.into()];
    config.aws.destinations = vec![AwsTarget {
        arn: DESTINATION.to_owned(),
        url: fake.url(),
    }];
    let server = Server::with(config).await;
    call(&server, "CreateLogGroup", r#"{"logGroupName":"lex"}"#).await;
    super::make_stream(&server, "lex", "s").await;
    put(&server, "lex", "s", &[(0, "before m")]).await;
    call(&server, "PutSubscriptionFilter", &subscription(DESTINATION)).await;
    (server, fake)
}

fn subscription(destination: &str) -> String {
    format!(
        r#"{{"logGroupName":"lex","filterName":"f","filterPattern":"m","destinationArn":"{destination}"}}"#
    )
}

async fn until(fake: &Fake, n: usize) -> Vec<Seen> {
    loop {
        let seen = fake.seen();
        if seen.len() >= n {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_subscription_gets_the_envelope_of_what_comes() {
    let (server, fake) = subscribed(Script::Answer(200, "text/plain", String::new())).await;
    put(&server, "lex", "s", &[(1, "m1"), (2, "other"), (3, "m 2")]).await;
    let seen = until(&fake, 1).await;
    let got = unpacked(&seen[0]);
    assert_eq!(text(&got, "messageType"), "DATA_MESSAGE");
    assert_eq!(text(&got, "owner"), "123456789012");
    assert_eq!(text(&got, "logGroup"), "lex");
    assert_eq!(text(&got, "logStream"), "s");
    assert_eq!(
        got.get("subscriptionFilters").unwrap().to_string(),
        r#"["f"]"#
    );
    let messages = texts(&got, "logEvents", "message");
    assert_eq!(messages, ["m1", "m 2"]);
    let event = &got.get("logEvents").and_then(Json::as_array).unwrap()[0];
    let at = event.get("timestamp").and_then(Json::as_i64);
    assert_eq!(at, Some(super::now(&server, 1)));
    turn(&server, "default", "x", 4, r#"{"botName":"B","a":"m"}"#).await;
    let seen = until(&fake, 2).await;
    let got = unpacked(&seen[1]);
    assert_eq!(
        texts(&got, "logEvents", "message"),
        [r#"{"botName":"B","a":"m"}"#]
    );
    let shown = call(
        &server,
        "DescribeSubscriptionFilters",
        r#"{"logGroupName":"lex"}"#,
    )
    .await;
    assert_eq!(
        texts(&shown, "subscriptionFilters", "destinationArn"),
        [DESTINATION]
    );
    let body = r#"{"logGroupName":"lex","filterName":"f"}"#;
    call(&server, "DeleteSubscriptionFilter", body).await;
    refused(
        &server,
        "DeleteSubscriptionFilter",
        body,
        "ResourceNotFoundException",
    )
    .await;
}

#[tokio::test]
async fn what_a_destination_refused_comes_again() {
    let (server, fake) = subscribed(Script::Answer(500, "text/plain", String::new())).await;
    put(&server, "lex", "s", &[(1, "m1")]).await;
    until(&fake, 2).await;
    fake.now_does(Script::Answer(200, "text/plain", String::new()));
    let n = fake.seen().len();
    let seen = until(&fake, n + 1).await;
    for one in seen {
        assert_eq!(texts(&unpacked(&one), "logEvents", "message"), ["m1"]);
    }
    put(&server, "lex", "s", &[(2, "m2")]).await;
    loop {
        let seen = fake.seen();
        let last = unpacked(seen.last().unwrap());
        if texts(&last, "logEvents", "message") == ["m2"] {
            break;
        }
        tokio::task::yield_now().await;
    }
    let metrics = server.get("/metrics").await.text();
    let calls =
        r#"convlog_log_subscription_calls_total{filter="f",instance="default",log_group="lex","#;
    let of = |outcome: &str| format!(r#"{calls}outcome="{outcome}"}} "#);
    assert!(metrics.contains(&of("failure")), "{metrics}");
    assert!(metrics.contains(&of("success")), "{metrics}");
    let events = server.get("/convlog/v1/audit?limit=100").await.text();
    for event in ["log_delivery.failed", "log_delivery.sent"] {
        assert!(events.contains(event), "{events}");
    }
    assert!(events.contains(r#""kind":"subscription""#), "{events}");
}

#[tokio::test]
async fn destinations_are_those_of_the_configuration() {
    let server = with_stream().await;
    let body = subscription(DESTINATION);
    let code = "InvalidParameterException";
    refused(&server, "PutSubscriptionFilter", &body, code).await;
    let answer = ask(
        &server,
        ADMIN,
        "DescribeSubscriptionFilters",
        r#"{"logGroupName":"none"}"#,
    );
    assert_eq!(answer.await.text_at("__type"), "ResourceNotFoundException");
}

#[tokio::test]
async fn a_filter_is_replaced_also_where_there_are_as_many_as_there_may_be() {
    let fake = Fake::start(Script::Answer(200, "text/plain", String::new())).await;
    let mut config = ServerConfig::default();
    config.aws.destinations = vec![AwsTarget {
        arn: DESTINATION.to_owned(),
        url: fake.url(),
    }];
    let server = Server::with(config).await;
    let filter = |group: usize, name: &str, pattern: &str| {
        format!(
            r#"{{"logGroupName":"g{group}","filterName":"{name}","filterPattern":"{pattern}","destinationArn":"{DESTINATION}"}}"#
        )
    };
    for group in 0..=50 {
        let body = format!(r#"{{"logGroupName":"g{group}"}}"#);
        call(&server, "CreateLogGroup", &body).await;
    }
    for group in 0..50 {
        for name in ["a", "b"] {
            let body = filter(group, name, "old");
            call(&server, "PutSubscriptionFilter", &body).await;
        }
    }
    let body = filter(50, "a", "old");
    let code = "LimitExceededException";
    refused(&server, "PutSubscriptionFilter", &body, code).await;
    call(&server, "PutSubscriptionFilter", &filter(7, "a", "new")).await;
    let body = r#"{"logGroupName":"g7"}"#;
    let shown = call(&server, "DescribeSubscriptionFilters", body).await;
    let patterns = texts(&shown, "subscriptionFilters", "filterPattern");
    assert_eq!(patterns, ["new", "old"]);
}
