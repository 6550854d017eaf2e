//! Text on its way to a log group.

use std::sync::Arc;

use convlog_model::json::Json;
use convlog_model::time::Timestamp;
use convlog_server::ServerConfig;

use super::fake_aws::{FakeAws, Trouble, said_in};
use super::{GROUP, ROLE, again, config, counted, flowers, say, text_logs, until};
use crate::fake::background;
use crate::harness::{Answer, Server};

const SUCCESS: &str = "ConversationLogsTextDeliverySuccess";
const FAILURE: &str = "ConversationLogsTextDeliveryFailure";

/// Waits until the group holds so many entries.
async fn n_events(aws: &FakeAws, n: usize) {
    until("the entries", async || {
        (aws.events().len() >= n).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_entry_comes_as_it_is_kept_and_is_counted() {
    let aws = FakeAws::start().await;
    let server = flowers(config(&aws)).await;
    let answer = say(&server, "u1", "i want roses").await;
    n_events(&aws, 1).await;
    let (_, message) = aws.events().remove(0);
    assert_eq!(said_in(&message), "i want roses");
    assert!(
        message.contains(answer.header("x-amzn-requestid")),
        "{message}"
    );
    let kept = server
        .get("/convlog/v1/records?filter=bot:Flowers")
        .await
        .json();
    assert!(kept.to_string().contains(&message), "{kept}");
    {
        let held = aws.held();
        let streams: Vec<&String> = held.groups[GROUP].keys().collect();
        assert!(
            streams[0].starts_with("aws/lex/Flowers/PROD/1/"),
            "{streams:?}"
        );
        assert!(held.keys.iter().all(|key| key == "AKIALEX"));
    }
    let series =
        format!(r#"{SUCCESS}{{alias="PROD",bot="Flowers",instance="default",version="1"}}"#);
    until("the count", async || {
        (counted(&server, &series).await == 1).then_some(())
    })
    .await;
    assert_eq!(counted(&server, FAILURE).await, 0);
}

/// A connector that takes two seconds by the server's clock.
async fn slow_connector(server: &Server) -> String {
    let clock = Arc::clone(&server.clock);
    let answer = move || {
        clock.step(2_000_000);
        std::future::ready(([("content-type", "application/json")], r#"{"output":[]}"#))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(answer);
    background(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn an_event_has_the_time_and_the_day_of_its_entry_however_long_the_answer_took() {
    let aws = FakeAws::start().await;
    let mut config = config(&aws);
    config.connectors.listening_on = vec![std::net::Ipv4Addr::LOCALHOST.into()];
    let server = flowers(config).await;
    let url = slow_connector(&server).await;
    let body = format!(r#"{{"connector":{{"kind":"webhook","url":"{url}"}}}}"#);
    let put = server.put("/convlog/v1/bots/Flowers", &body).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let midnight = Timestamp::parse_rfc3339("2026-03-03T00:00:00Z").unwrap();
    server.clock.set(midnight.plus_micros(-1_000_000));
    say(&server, "u1", "i want roses").await;
    n_events(&aws, 1).await;
    let (at_ms, message) = aws.events().remove(0);
    let entry = Json::parse(message.as_bytes()).unwrap();
    let written = entry.get("timestamp").and_then(Json::as_str);
    assert_eq!(written, Some("2026-03-02T23:59:59.000Z"));
    assert_eq!(at_ms, midnight.millis() - 1000);
    let held = aws.held();
    let streams: Vec<&String> = held.groups[GROUP].keys().collect();
    assert_eq!(streams, ["aws/lex/Flowers/PROD/1/2026-03-02/default"]);
}

#[tokio::test]
async fn entries_come_in_order_and_together_after_a_failure() {
    let aws = FakeAws::start().await;
    let server = flowers(config(&aws)).await;
    aws.held().logs_down = Some(Trouble::Status(500, "InternalFailure"));
    let texts: Vec<String> = (0..50).map(|i| format!("roses {i}")).collect();
    for text in &texts {
        say(&server, "u1", text).await;
    }
    until("a refusal", async || {
        (aws.held().n_refused > 1).then_some(())
    })
    .await;
    assert!(aws.events().is_empty());
    assert!(counted(&server, "convlog_deliveries_waiting_bytes").await > 50 * 100);
    aws.held().logs_down = None;
    n_events(&aws, 50).await;
    assert_eq!(aws.said(), texts);
    assert!(aws.held().calls.len() <= 2, "{:?}", aws.held().calls);
    until("nothing waits", async || {
        (counted(&server, "convlog_deliveries_waiting_bytes").await == 0).then_some(())
    })
    .await;
    let events = server.get("/convlog/v1/audit?limit=100").await.text();
    assert!(events.contains("log_delivery.failed"), "{events}");
    assert!(events.contains("log_delivery.sent"), "{events}");
}

#[tokio::test]
async fn a_restart_goes_on_where_the_last_process_was() {
    let aws = FakeAws::start().await;
    let server = flowers(config(&aws)).await;
    say(&server, "u1", "roses 0").await;
    n_events(&aws, 1).await;
    aws.held().logs_down = Some(Trouble::Status(503, "ServiceUnavailableException"));
    for i in 1..5 {
        say(&server, "u1", &format!("roses {i}")).await;
    }
    until("a refusal", async || {
        (aws.held().n_refused > 0).then_some(())
    })
    .await;
    let server = again(server, config(&aws));
    aws.held().logs_down = None;
    server.app.start_jobs().await;
    n_events(&aws, 5).await;
    let said = aws.said();
    assert_eq!(said.last().map(String::as_str), Some("roses 4"));
    let tail = &said[said.len() - 4..];
    assert_eq!(tail, ["roses 1", "roses 2", "roses 3", "roses 4"]);
}

#[tokio::test]
async fn entries_for_a_missing_group_die_and_can_be_tried_again() {
    let aws = FakeAws::start().await;
    aws.held().groups.clear();
    let server = flowers(config(&aws)).await;
    say(&server, "u1", "i want roses").await;
    until("the failure", async || {
        (counted(&server, FAILURE).await == 1).then_some(())
    })
    .await;
    assert_eq!(counted(&server, "convlog_deliveries_dead_letters").await, 1);
    let events = server.get("/convlog/v1/audit?limit=100").await.text();
    assert!(events.contains("log_delivery.dead"), "{events}");
    assert!(events.contains("ResourceNotFoundException"), "{events}");
    let found = server.get("/convlog/v1/deliveries").await.json();
    let lanes = found.get("lanes").unwrap().as_array().unwrap();
    let id = lanes[0].get("id").unwrap().as_str().unwrap();
    let retry = format!("/convlog/v1/deliveries/{id}/retry");
    assert_eq!(server.post(&retry, "").await.status, 202);
    until("another failure", async || {
        (counted(&server, FAILURE).await == 2).then_some(())
    })
    .await;
    aws.held()
        .groups
        .insert(GROUP.to_owned(), Default::default());
    assert_eq!(server.post(&retry, "").await.status, 202);
    n_events(&aws, 1).await;
    until("the success", async || {
        (counted(&server, SUCCESS).await == 1).then_some(())
    })
    .await;
    assert_eq!(counted(&server, "convlog_deliveries_dead_letters").await, 0);
    assert_eq!(counted(&server, FAILURE).await, 2);
}

#[tokio::test]
async fn what_a_group_rejects_is_a_failure_and_the_rest_is_there() {
    let aws = FakeAws::start().await;
    let server = flowers(config(&aws)).await;
    aws.held().too_old = Some("wilted");
    say(&server, "u1", "wilted roses").await;
    say(&server, "u1", "fresh roses").await;
    until("both", async || {
        let counts = (
            counted(&server, SUCCESS).await,
            counted(&server, FAILURE).await,
        );
        (counts == (1, 1)).then_some(())
    })
    .await;
    assert_eq!(aws.said(), ["fresh roses"]);
}

#[tokio::test]
async fn beyond_the_bound_the_record_stays_and_the_delivery_is_a_failure() {
    let aws = FakeAws::start().await;
    let mut config: ServerConfig = config(&aws);
    config.aws.queue_bytes = 600;
    let server = flowers(config).await;
    aws.held().logs_down = Some(Trouble::Status(500, "InternalFailure"));
    for i in 0..3 {
        say(&server, "u1", &format!("roses {i}")).await;
    }
    assert_eq!(counted(&server, FAILURE).await, 2);
    let kept = server.get("/convlog/v1/records?filter=bot:Flowers").await;
    assert_eq!(
        kept.json()
            .get("records")
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        3
    );
    aws.held().logs_down = None;
    n_events(&aws, 1).await;
    assert_eq!(aws.said(), ["roses 0"]);
}

#[tokio::test]
async fn the_answer_does_not_wait_for_a_slow_destination() {
    let aws = FakeAws::start().await;
    let server = flowers(config(&aws)).await;
    aws.held().logs_down = Some(Trouble::Slow(60_000));
    let all = async {
        for i in 0..20 {
            say(&server, "u1", &format!("roses {i}")).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_imported_label_causes_no_delivery() {
    let aws = FakeAws::start().await;
    let server = flowers(config(&aws)).await;
    say(&server, "u1", "i want roses").await;
    n_events(&aws, 1).await;
    let kept = server
        .get("/convlog/v1/export?format=jsonl&filter=bot:Flowers")
        .await
        .text();
    let line = kept
        .lines()
        .find(|line| line.contains("i want roses"))
        .unwrap();
    assert!(line.contains("\"delivery\""), "{line}");
    let forged = line.replace("i want roses", "i want weeds");
    let id = said_id(&forged);
    let forged = forged.replace(&id, "another-request");
    let answer = server
        .post("/convlog/v1/records?dialect=convlog", &forged)
        .await;
    assert!(
        answer.text().contains("\"accepted\":1"),
        "{}",
        answer.text()
    );
    say(&server, "u1", "i want tulips").await;
    n_events(&aws, 2).await;
    assert_eq!(aws.said(), ["i want roses", "i want tulips"]);
}

fn said_id(line: &str) -> String {
    let (_, rest) = line.split_once("\"requestId\":\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_role_that_is_assumed_writes_with_what_sts_gives() {
    let aws = FakeAws::start().await;
    let mut config = config(&aws);
    config.aws.roles[0].assume = true;
    let server = flowers(config).await;
    say(&server, "u1", "roses").await;
    n_events(&aws, 1).await;
    say(&server, "u1", "tulips").await;
    n_events(&aws, 2).await;
    let held = aws.held();
    assert_eq!(held.n_assumed, 1, "{ROLE}");
    let keys: std::collections::BTreeSet<&str> = held.keys.iter().map(String::as_str).collect();
    assert_eq!(
        keys.into_iter().collect::<Vec<_>>(),
        ["AKIALEX", "ASIATEMP"]
    );
}

async fn put_alias(server: &Server, name: &str) -> Answer {
    let body = format!(
        r#"{{"botVersion":"1","conversationLogs":{{"iamRoleArn":"{ROLE}",
            "logSettings":[{}]}}}}"#,
        text_logs()
    );
    let uri = format!("/bots/Flowers/aliases/{name}");
    server.put(&uri, &body).await
}

#[tokio::test]
async fn an_alias_with_a_role_that_sts_refuses_is_refused() {
    let aws = FakeAws::start().await;
    let mut config = config(&aws);
    config.aws.roles[0].assume = true;
    let server = flowers(config).await;
    let refusals = [(403, "AccessDenied"), (403, "InvalidClientTokenId")];
    for (status, code) in refusals {
        aws.held()
            .sts_trouble
            .push_back(Trouble::Status(status, code));
        let answer = put_alias(&server, "TEST").await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let text = format!("Lex can't access your IAM role {ROLE}.");
        assert!(answer.text().contains(&text), "{}", answer.text());
        assert_eq!(server.get("/bots/Flowers/aliases/TEST").await.status, 404);
    }
}

#[tokio::test]
async fn an_alias_whose_role_nobody_can_tell_of_is_taken() {
    let aws = FakeAws::start().await;
    let mut config = config(&aws);
    config.aws.roles[0].assume = true;
    let server = flowers(config).await;
    aws.held()
        .sts_trouble
        .push_back(Trouble::Status(503, "ServiceUnavailable"));
    let answer = put_alias(&server, "TEST").await;
    assert!(answer.status.is_success(), "{}", answer.text());
}

#[tokio::test]
async fn a_role_is_assumed_anew_when_its_credentials_are_not_taken() {
    let aws = FakeAws::start().await;
    let mut config = config(&aws);
    config.aws.roles[0].assume = true;
    let server = flowers(config).await;
    say(&server, "u1", "roses").await;
    n_events(&aws, 1).await;
    let refused = Trouble::Status(400, "UnrecognizedClientException");
    aws.held().logs_trouble.push_back(refused);
    say(&server, "u1", "tulips").await;
    n_events(&aws, 2).await;
    assert_eq!(aws.held().n_assumed, 2);
}
