//! Log groups of this server's own: what those show later that were not there, and when links to
//! audio are shown.

use convlog_model::json::Json;
use convlog_server::ServerConfig;

use super::fake_aws::{FakeAws, Trouble};
use super::{again, config, counted, until};
use crate::cloudwatch::call;
use crate::harness::{ADMIN, Server};
use crate::lex::{USER, is, say, shop, text, with_logs};

const SUCCESS: &str = "ConversationLogsTextDeliverySuccess";
const FAILURE: &str = "ConversationLogsTextDeliveryFailure";

async fn make_group(server: &Server) {
    call(server, "CreateLogGroup", r#"{"logGroupName":"lex-logs"}"#).await;
}

/// What turns have missed: the id, whether the group is there, the number of entries.
async fn missed(server: &Server) -> Option<(String, bool, i64)> {
    let shown = server.get("/convlog/v1/deliveries").await.json();
    let groups = shown.get("groups").and_then(Json::as_array).unwrap();
    let group = groups.first()?;
    assert_eq!(text(group, &["group"]), "lex-logs");
    let is_there = group.get("exists").and_then(Json::as_bool).unwrap();
    let count = group.get("dead_count").and_then(Json::as_i64).unwrap();
    Some((text(group, &["id"]).to_owned(), is_there, count))
}

async fn said(server: &Server) -> Vec<String> {
    let shown = call(server, "FilterLogEvents", r#"{"logGroupName":"lex-logs"}"#).await;
    let shown = shown.get("events").and_then(Json::as_array).unwrap();
    let entries = shown.iter().map(|event| {
        let entry = Json::parse(text(event, &["message"]).as_bytes()).unwrap();
        text(&entry, &["inputTranscript"]).to_owned()
    });
    entries.collect()
}

#[tokio::test]
async fn a_group_that_was_missing_shows_what_it_has_missed_when_it_is_asked_to() {
    let server = with_logs().await;
    say(&server, "one").await;
    say(&server, "two").await;
    assert_eq!(counted(&server, FAILURE).await, 2);
    let (id, is_there, count) = missed(&server).await.unwrap();
    assert_eq!((is_there, count), (false, 2));
    let retry = format!("/convlog/v1/deliveries/{id}/retry");
    is(&server.post(&retry, "").await, 409);
    let server = again(server, ServerConfig::default());
    say(&server, "three").await;
    make_group(&server).await;
    server.clock.step(1000);
    let filter = r#"{"logGroupName":"lex-logs","filterName":"turns","filterPattern":"",
        "metricTransformations":[{"metricName":"Turns","metricNamespace":"Bots","metricValue":"1"}]}"#;
    call(&server, "PutMetricFilter", filter).await;
    say(&server, "four").await;
    assert_eq!(said(&server).await, ["four"]);
    assert_eq!(missed(&server).await, Some((id, true, 3)));
    let retried = server.post(&retry, "").await;
    is(&retried, 202);
    assert_eq!(retried.text(), r#"{"retried":3}"#);
    assert_eq!(said(&server).await, ["one", "two", "three", "four"]);
    until("what was retried is counted", async || {
        let n_turns = counted(&server, "convlog_log_metric_total").await;
        (counted(&server, SUCCESS).await == 4 && n_turns == 4).then_some(())
    })
    .await;
    assert_eq!(missed(&server).await, None);
    is(&server.post(&retry, "").await, 404);
}

#[tokio::test]
async fn a_group_that_goes_takes_with_it_what_it_has_missed() {
    let server = with_logs().await;
    say(&server, "one").await;
    make_group(&server).await;
    say(&server, "two").await;
    call(&server, "DeleteLogGroup", r#"{"logGroupName":"lex-logs"}"#).await;
    assert_eq!(missed(&server).await, None);
    say(&server, "three").await;
    make_group(&server).await;
    let (id, ..) = missed(&server).await.unwrap();
    let retry = format!("/convlog/v1/deliveries/{id}/retry");
    is(&server.post(&retry, "").await, 202);
    assert_eq!(said(&server).await, ["three"]);
}

#[tokio::test]
async fn what_was_erased_is_not_shown_by_a_group_that_missed_it() {
    let server = with_logs().await;
    let body = r#"{"inputText":"one","requestAttributes":{"x-convlog-customer-id":"k1"}}"#;
    let uri = format!("{}/text", crate::lex::USER);
    is(&server.post(&uri, body).await, 200);
    is(
        &server
            .call(
                ADMIN,
                "POST",
                "/convlog/v1/erasures",
                r#"{"customer_id":"k1"}"#,
            )
            .await,
        202,
    );
    say(&server, "two").await;
    make_group(&server).await;
    let (id, _, count) = missed(&server).await.unwrap();
    assert_eq!(count, 1);
    let retry = format!("/convlog/v1/deliveries/{id}/retry");
    is(&server.post(&retry, "").await, 202);
    assert_eq!(said(&server).await, ["two"]);
}

/// Logs of both kinds.
const BOTH_LOGS: &str = r#"{"iamRoleArn":"arn:aws:iam::123456789012:role/lex-logs","logSettings":[
    {"logType":"TEXT","destination":"CLOUDWATCH_LOGS",
     "resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:lex-logs"},
    {"logType":"AUDIO","destination":"S3","resourceArn":"arn:aws:s3:::lex-audio"}]}"#;

#[tokio::test]
async fn an_entry_links_to_its_audio_as_soon_as_that_has_arrived() {
    let aws = FakeAws::start().await;
    aws.held()
        .buckets
        .insert("lex-audio".to_owned(), Default::default());
    aws.held().s3_down = Some(Trouble::Status(503, "ServiceUnavailable"));
    let mut config = config(&aws);
    config.aws.builtin_logs = true;
    config.aws.endpoints.logs = None;
    let server = shop(config, Some(BOTH_LOGS)).await;
    make_group(&server).await;
    let request = axum::http::Request::post(format!("{USER}/content"))
        .header("authorization", format!("Bearer {ADMIN}"))
        .header("content-type", "audio/l16; rate=16000; channels=1")
        .header("accept", "text/plain; charset=utf-8")
        .body(axum::body::Body::from("aloud"));
    is(&server.send(request.unwrap()).await, 200);
    let link = async || {
        let shown = call(&server, "FilterLogEvents", r#"{"logGroupName":"lex-logs"}"#).await;
        let shown = shown.get("events").and_then(Json::as_array).unwrap();
        let entry = Json::parse(text(&shown[0], &["message"]).as_bytes()).unwrap();
        let link = entry.get("s3PathForAudio").and_then(Json::as_str);
        link.map(str::to_owned)
    };
    assert_eq!(link().await, None);
    aws.held().s3_down = None;
    let link = until("the link", link).await;
    assert!(
        link.starts_with("s3://lex-audio/aws/lex/Shop/PROD/1/"),
        "{link}"
    );
}
