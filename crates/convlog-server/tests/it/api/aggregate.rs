//! Aggregates.

use super::{load, log, problem};
use crate::harness::Server;

const AGGREGATE: &str = "/convlog/v1/aggregate";

async fn loaded() -> Server {
    let server = Server::start().await;
    let mut logs: Vec<_> = (1..=4).map(|n| log(n * 30)).collect();
    logs[3].intent = "refund";
    logs[3].bot = "bank";
    load(&server, &logs).await;
    server
}

#[tokio::test]
async fn groups_by_time_and_terms_come_with_their_metrics() {
    let server = loaded().await;
    let body = r#"{"filter":"kind::turn",
        "by":[{"field":"time.request","every":"1m","zone":"UTC"},{"field":"top_intent","limit":5}],
        "metrics":["count",{"distinct":"bot"},{"average":"latency_ms"}]}"#;
    let answer = server.post(AGGREGATE, body).await;
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"rows":["#,
            r#"{"keys":{"time.request":"2026-03-02T08:00:00.000000Z","top_intent":"order"},"#,
            r#""count":1,"distinct":{"bot":1},"average":{"latency_ms":250.0}},"#,
            r#"{"keys":{"time.request":"2026-03-02T08:01:00.000000Z","top_intent":"order"},"#,
            r#""count":2,"distinct":{"bot":1},"average":{"latency_ms":250.0}},"#,
            r#"{"keys":{"time.request":"2026-03-02T08:02:00.000000Z","top_intent":"refund"},"#,
            r#""count":1,"distinct":{"bot":1},"average":{"latency_ms":250.0}}]}"#,
        )
    );
}

#[tokio::test]
async fn without_groups_there_is_one_row_and_the_audit_is_not_in_it() {
    let server = loaded().await;
    let answer = server
        .post(AGGREGATE, r#"{"metrics":[{"percentiles":"latency_ms"}]}"#)
        .await;
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"rows":[{"keys":{},"count":4,"percentiles":{"latency_ms":"#,
            r#"{"p50":250,"p90":250,"p95":250,"p99":250}}}]}"#
        )
    );
}

#[tokio::test]
async fn a_key_for_one_bot_counts_only_that() {
    let server = loaded().await;
    let key = server.key(r#""read""#, r#""bank""#).await;
    let answer = server.call(&key, "POST", AGGREGATE, "{}").await;
    assert_eq!(answer.text(), r#"{"rows":[{"keys":{},"count":1}]}"#);
}

#[tokio::test]
async fn other_time_zones_are_refused() {
    let server = loaded().await;
    let body = r#"{"by":[{"field":"time.request","every":"1d","zone":"Europe/Berlin"}]}"#;
    let refused = server.post(AGGREGATE, body).await;
    assert_eq!(
        problem(&refused),
        (400, "by[0].zone must be UTC".to_owned())
    );
    let refused = server.post(AGGREGATE, r#"{"filter":"bot::("}"#).await;
    assert_eq!(refused.status, 400);
}
