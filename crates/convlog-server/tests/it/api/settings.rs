//! Settings, and the retention that follows from them; statistics.

use convlog_model::json::Json;

use super::{BULK_V1, RECORDS, load, log, own_ids, records};
use crate::harness::Server;

const SETTINGS: &str = "/convlog/v1/settings";

#[tokio::test]
async fn settings_are_shown_with_what_follows_from_them() {
    let mut config = convlog_server::ServerConfig::default();
    config.retention.default_days = 90;
    let server = Server::with(config).await;
    let fresh = server.get(SETTINGS).await;
    assert_eq!(
        fresh.text(),
        concat!(
            r#"{"logging":true,"learning_opt_out":false,"retention_days":null,"#,
            r#""retention_types":{},"effective":{"turns_days":90,"events_days":0}}"#
        )
    );
    let body = r#"{"retention_days":30,"retention_types":{"bot.":0}}"#;
    let changed = server.put(SETTINGS, body).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(server.get(SETTINGS).await.text(), changed.text());
    assert!(
        changed
            .text()
            .contains(r#""effective":{"turns_days":30,"events_days":30}"#)
    );
    // What was shown can be put back.
    assert_eq!(
        server.put(SETTINGS, &changed.text()).await.text(),
        changed.text()
    );
}

#[tokio::test]
async fn shorter_retention_hides_at_once_and_a_bot_wins_over_the_instance() {
    let server = Server::start().await;
    let mut bank = log(2);
    bank.bot = "bank";
    load(&server, &[log(1), bank]).await;
    server.clock.step(3 * 86_400_000_000);
    let path = format!("{RECORDS}?sort=time.request");
    assert_eq!(own_ids(&server.get(&path).await), ["log-1", "log-2"]);
    let kept = server
        .put("/convlog/v1/bots/bank", r#"{"retention_days":0}"#)
        .await;
    assert_eq!(kept.status, 200);
    assert_eq!(
        server.put(SETTINGS, r#"{"retention_days":2}"#).await.status,
        200
    );
    assert_eq!(own_ids(&server.get(&path).await), ["log-2"]);
    let short = server
        .put("/convlog/v1/bots/bank", r#"{"retention_days":1}"#)
        .await;
    assert_eq!(short.status, 200);
    assert!(records(&server.get(&path).await).is_empty());
}

#[tokio::test]
async fn where_logging_is_off_nothing_is_taken_in() {
    let server = Server::start().await;
    assert_eq!(
        server.put(SETTINGS, r#"{"logging":false}"#).await.status,
        200
    );
    let answer = server.post(BULK_V1, &log(1).line()).await;
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"accepted":0,"duplicates":0,"erased":0,"#,
            r#""rejected":[{"line":1,"error":"logging is off for its bot"}]}"#
        )
    );
    assert!(records(&server.get(RECORDS).await).is_empty());
}

#[tokio::test]
async fn statistics_count_records_without_the_audit() {
    let server = Server::start().await;
    let empty = server.get("/convlog/v1/stats").await;
    assert_eq!(
        empty.json().get("records").unwrap().as_i64(),
        Some(0),
        "{}",
        empty.text()
    );
    for time in ["oldest", "newest"] {
        assert_eq!(empty.json().get(time), Some(&Json::Null), "{time}");
    }
    load(&server, &[log(1), log(2)]).await;
    let stats = server.get("/convlog/v1/stats").await.json();
    assert_eq!(stats.get("records").unwrap().as_i64(), Some(2), "{stats}");
    assert_eq!(
        stats.get("newest").unwrap().as_str(),
        Some("2026-03-02T09:00:00.000000Z")
    );
}
