//! What users said most: counted from logged turns, hidden where logs hide, and deleted.

use convlog_model::json::Json;

use super::{assert_error, error, shop, text};
use crate::harness::{ADMIN, Answer, Server};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

fn uri(status: &str) -> String {
    format!("/bots/Shop/utterances?view=aggregation&bot_versions=1&status_type={status}")
}

/// The utterances of version 1: what was said, how often, by how many.
async fn counted(server: &Server, status: &str) -> Vec<(String, i64, i64)> {
    let shown = server.found(&uri(status)).await;
    assert_eq!(text(&shown, "botName"), "Shop");
    let versions = shown.get("utterances").and_then(Json::as_array).unwrap();
    let Some(version) = versions.first() else {
        return Vec::new();
    };
    assert_eq!(text(version, "botVersion"), "1");
    let each = version.get("utterances").and_then(Json::as_array).unwrap();
    let number = |item: &Json, member: &str| item.get(member).unwrap().as_i64().unwrap();
    let shown = each.iter().map(|item| {
        let said = text(item, "utteranceString");
        (said, number(item, "count"), number(item, "distinctUsers"))
    });
    shown.collect()
}

fn said(text: &str, count: i64, users: i64) -> (String, i64, i64) {
    (text.to_owned(), count, users)
}

#[tokio::test]
async fn utterances_are_counted_by_what_was_understood() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let start = server.clock_s();
    server.says("ann", "order roses").await;
    server.clock.step(DAY_US);
    server.says("bob", "order roses").await;
    server.says("bob", "order roses").await;
    server.says("bob", "what is this").await;
    let detected = counted(&server, "Detected").await;
    assert_eq!(detected, [said("order roses", 3, 2)]);
    let missed = counted(&server, "Missed").await;
    assert_eq!(missed, [said("what is this", 1, 1)]);
    let shown = server.found(&uri("Detected")).await.to_string();
    let first = format!(r#""firstUtteredDate":{start}.000"#);
    let last = format!(r#""lastUtteredDate":{}.000"#, start + 24 * 3600);
    assert!(shown.contains(&first) && shown.contains(&last), "{shown}");
    server.clock.step(15 * DAY_US - 1_000_000);
    assert_eq!(
        counted(&server, "Detected").await,
        [said("order roses", 2, 1)],
        "what is older than 15 days is gone"
    );
    server.clock.step(2_000_000);
    assert!(counted(&server, "Detected").await.is_empty());
}

impl Server {
    fn clock_s(&self) -> i64 {
        use convlog_model::clock::Clock as _;
        self.clock.now().millis() / 1000
    }
}

#[tokio::test]
async fn nothing_is_shown_of_what_is_hidden_or_of_children() {
    for (hidden, child_directed) in [("DEFAULT_OBFUSCATION", false), ("NONE", true)] {
        let server = Server::start().await;
        server.shop(hidden, child_directed).await;
        server.says("ann", "order roses").await;
        server.says("ann", "what is this").await;
        for status in ["Detected", "Missed"] {
            let shown = server.found(&uri(status)).await;
            assert_eq!(shown.to_string(), r#"{"botName":"Shop","utterances":[]}"#);
        }
    }
}

#[tokio::test]
async fn what_is_not_logged_is_not_counted() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    let latest = "/bot/Shop/alias/$LATEST/user/ann/text";
    let answer = server.post(latest, r#"{"inputText":"order roses"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(counted(&server, "Detected").await.is_empty());
    let of_latest = uri("Detected").replace("=1", "=$LATEST");
    let shown = server.found(&of_latest).await.to_string();
    assert!(
        shown.contains(r#""botVersion":"$LATEST","utterances":[]"#),
        "{shown}"
    );
}

#[tokio::test]
async fn a_hundred_of_five_versions_at_most() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    for i in 0..104 {
        server.says("ann", &format!("nonsense {i}")).await;
    }
    server.says("bob", "nonsense 103").await;
    let missed = counted(&server, "Missed").await;
    assert_eq!(missed.len(), 100);
    assert_eq!(missed[0], said("nonsense 103", 2, 2));
    let many = "&bot_versions=2&bot_versions=3&bot_versions=4&bot_versions=5&bot_versions=6";
    let refused = server.get(&format!("{}{many}", uri("Missed"))).await;
    assert_error(&refused, 400, "BadRequestException");
    for (from, to, status) in [
        ("view=aggregation", "view=all", 400),
        ("Missed", "Other", 400),
        ("bot_versions=1&", "", 400),
        ("bot_versions=1", "bot_versions=2", 404),
        ("Shop", "Other", 404),
    ] {
        let refused = server.get(&uri("Missed").replace(from, to)).await;
        assert_eq!(refused.status, status, "{to} {}", refused.text());
    }
    let checksum = text(
        &server.found("/bots/Shop/versions/$LATEST").await,
        "checksum",
    );
    let body = shop("1", false).replacen('{', &format!(r#"{{"checksum":"{checksum}","#), 1);
    let body = body.replace("Sells flowers", "Sells more");
    server.made("/bots/Shop/versions/$LATEST", &body).await;
    assert_eq!(server.numbered("/bots/Shop").await, "2");
    let both = uri("Missed").replace("bot_versions=1", "bot_versions=2&bot_versions=1");
    let shown = server.found(&both).await;
    assert_eq!(super::each(&shown, "utterances", "botVersion"), ["2", "1"]);
}

async fn forget(server: &Server, key: &str, user: &str) -> Answer {
    let uri = format!("/bots/Shop/utterances/{user}");
    server.call(key, "DELETE", &uri, "").await
}

#[tokio::test]
async fn deleted_utterances_count_no_more_and_stay_recorded() {
    let server = Server::start().await;
    server.shop("NONE", false).await;
    server.says("ann", "order roses").await;
    server.says("bob", "order roses").await;
    let gone = forget(&server, ADMIN, "ann").await;
    assert_eq!((gone.status.as_u16(), gone.body.len()), (204, 0));
    assert_eq!(
        counted(&server, "Detected").await,
        [said("order roses", 1, 1)]
    );
    let records = server
        .found("/convlog/v1/records?filter=user::ann,dialect::lex-v1")
        .await;
    let records = records.get("records").and_then(Json::as_array).unwrap();
    assert_eq!(records.len(), 1, "the record stays");
    server.clock.step(1_000);
    server.says("ann", "order tulips").await;
    let after = counted(&server, "Detected").await;
    assert!(after.contains(&said("order tulips", 1, 1)), "{after:?}");
    let told = server.found("/convlog/v1/audit?limit=50").await.to_string();
    assert!(told.contains(r#""changed":"utterances""#), "{told}");
    let reader = server.key(r#""read","admin""#, "").await;
    let refused = forget(&server, &reader, "bob").await;
    assert_error(&refused, 403, "AccessDeniedException");
    let none = server.delete("/bots/Other/utterances/ann").await;
    assert_error(&none, 404, "NotFoundException");
    let short = forget(&server, ADMIN, "a").await;
    assert_error(&short, 400, "BadRequestException");
    assert!(!error(&short).2.contains("order"));
}
