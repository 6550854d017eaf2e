//! Bots: made, shown, listed, found under all their ids, deleted.

use convlog_model::json::Json;

use super::{RECORDS, load, log, own_ids, problem};
use crate::harness::Server;

const BOTS: &str = "/convlog/v1/bots";

#[tokio::test]
async fn a_bot_is_shown_as_it_was_put() {
    let server = Server::start().await;
    let body = r#"{"name":"Shop","language":"de","connector":{"kind":"echo"},
        "environments":[{"id":"live-1","name":"live","channel":"web"}],
        "assistant":"asst-1","logging":true,"retention_days":30,"session_timeout_s":60}"#;
    let made = server.put(&format!("{BOTS}/shop"), body).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let shown = server.get(&format!("{BOTS}/shop")).await;
    assert_eq!(shown.text(), made.text());
    assert_eq!(
        shown.text(),
        concat!(
            r#"{"id":"shop","name":"Shop","language":"de","connector":{"kind":"echo"},"#,
            r#""environments":[{"id":"live-1","name":"live","channel":"web"}],"#,
            r#""assistant":"asst-1","logging":true,"retention_days":30,"session_timeout_s":60,"#,
            r#""created_at":"2026-03-02T09:00:00.000000Z","#,
            r#""updated_at":"2026-03-02T09:00:00.000000Z"}"#,
        )
    );
    // What was shown can be put back.
    assert_eq!(
        server
            .put(&format!("{BOTS}/shop"), &shown.text())
            .await
            .text(),
        made.text()
    );
}

#[tokio::test]
async fn mistakes_name_the_field() {
    let server = Server::start().await;
    let webhook = |rest: &str| format!(r#"{{"connector":{{"kind":"webhook",{rest}}}}}"#);
    let cases = [
        (r#"{"nam":"x"}"#.to_owned(), "nam is unknown; known are"),
        (
            r#"{"id":"other"}"#.to_owned(),
            "id differs from the id in the path",
        ),
        (
            r#"{"language":"German!"}"#.to_owned(),
            "language must be a language tag",
        ),
        (
            r#"{"connector":{"kind":"magic"}}"#.to_owned(),
            "connector.kind must be none, echo",
        ),
        (
            r#"{"connector":{"kind":"echo","url":"http://x"}}"#.to_owned(),
            "connector.url is unknown",
        ),
        (
            r#"{"environments":[{"id":"a"},{"id":"a"}]}"#.to_owned(),
            "environments[1].id stands there twice",
        ),
        (
            r#"{"retention_days":-1}"#.to_owned(),
            "retention_days must be a whole number from 0 to 36500",
        ),
        (webhook(r#""timeout_ms":5"#), "connector.url is required"),
        (
            webhook(r#""url":"ftp://example.org""#),
            "connector.url must be an http or https URL",
        ),
        (
            webhook(r#""url":"http://10.0.0.7/hook""#),
            "connector.url leads to a loopback, private or reserved address",
        ),
        (
            webhook(r#""url":"http://user:pw@example.org""#),
            "connector.url must not hold a user or password",
        ),
        (
            r#"{"connector":{"kind":"upstream","url":"https://example.org","api":"v3","id":"x"}}"#
                .to_owned(),
            "connector.api must be v1 or v2",
        ),
    ];
    for (body, detail) in cases {
        let refused = server.put(&format!("{BOTS}/shop"), &body).await;
        let (status, text) = problem(&refused);
        assert_eq!(status, 400, "{body}");
        assert!(text.starts_with(detail), "{body}: {text}");
    }
    assert_eq!(server.get(&format!("{BOTS}/shop")).await.status, 404);
}

#[tokio::test]
async fn secrets_are_sealed_and_never_shown() {
    let server = Server::start().await;
    let url = "https://example.org/hook";
    let put = |connector: String| {
        let body = format!(r#"{{"connector":{connector}}}"#);
        let server = server.clone();
        async move { server.put(&format!("{BOTS}/shop"), &body).await }
    };
    let first = put(format!(
        r#"{{"kind":"webhook","url":"{url}","secret":"hush-hush"}}"#
    ))
    .await;
    assert_eq!(first.status, 200, "{}", first.text());
    assert!(
        first.text().contains(r#""secret":"********""#),
        "{}",
        first.text()
    );
    let stored = server
        .deps
        .control
        .get("bots", "default/shop")
        .await
        .unwrap()
        .unwrap();
    let stored = String::from_utf8(stored.body).unwrap();
    assert!(!stored.contains("hush-hush"));
    // Left out or sent as the mask, it stays.
    for rest in ["", r#","secret":"********""#] {
        let kept = put(format!(r#"{{"kind":"webhook","url":"{url}"{rest}}}"#)).await;
        assert!(
            kept.text().contains(r#""secret":"********""#),
            "{}",
            kept.text()
        );
    }
    let moved = put(r#"{"kind":"webhook","url":"https://example.com/"}"#.to_owned()).await;
    let text = "connector.secret must be sent again when the url leads to another server";
    assert_eq!(problem(&moved), (400, text.to_owned()));
}

#[tokio::test]
async fn lists_are_paged_and_scoped() {
    let server = Server::start().await;
    for id in ["a", "b", "c"] {
        assert_eq!(server.put(&format!("{BOTS}/{id}"), "{}").await.status, 200);
    }
    let ids = |answer: &crate::harness::Answer| -> Vec<String> {
        let json = answer.json();
        let bots = json.get("bots").and_then(Json::as_array).unwrap();
        bots.iter()
            .map(|bot| bot.get("id").unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    let first = server.get(&format!("{BOTS}?limit=2")).await;
    assert_eq!(ids(&first), ["a", "b"]);
    let cursor = first.text_at("cursor");
    let second = server.get(&format!("{BOTS}?limit=2&cursor={cursor}")).await;
    assert_eq!(ids(&second), ["c"]);
    assert_eq!(second.json().get("cursor"), Some(&Json::Null));
    let key = server.key(r#""read","admin""#, r#""b""#).await;
    assert_eq!(ids(&server.call(&key, "GET", BOTS, "").await), ["b"]);
    assert_eq!(
        server
            .call(&key, "GET", &format!("{BOTS}/a"), "")
            .await
            .status,
        404
    );
    assert_eq!(
        server
            .call(&key, "PUT", &format!("{BOTS}/a"), "{}")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_bot_that_a_record_names_is_made_without_a_connector() {
    let server = Server::start().await;
    load(&server, &[log(1)]).await;
    let bot = server.get(&format!("{BOTS}/shop")).await.json();
    let kind = bot.at(&["connector", "kind"]);
    assert_eq!(kind, Some(&Json::string("none")));
}

#[tokio::test]
async fn records_of_a_deleted_bot_stay_readable() {
    let server = Server::start().await;
    load(&server, &[log(1)]).await;
    let gone = server
        .call(crate::harness::ADMIN, "DELETE", &format!("{BOTS}/shop"), "")
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(server.get(&format!("{BOTS}/shop")).await.status, 404);
    assert_eq!(own_ids(&server.get(RECORDS).await), ["log-1"]);
    let logs = server
        .get("/v1/workspaces/shop/logs?version=2021-11-27")
        .await;
    assert_eq!(logs.status, 200, "{}", logs.text());
    assert!(logs.text().contains("log-1"));
}

#[tokio::test]
async fn ids_that_records_name_can_be_listed() {
    let server = Server::start().await;
    let line = log(1).line().replace(
        r#""context":{"conversation_id":"c-log-1","system":{"#,
        concat!(
            r#""context":{"conversation_id":"c-log-1","metadata":{"deployment":"env-7"},"#,
            r#""system":{"assistant_id":"asst-7","#
        ),
    );
    let line = line.replace(
        r#""request":{"#,
        concat!(
            r#""request":{"context":{"metadata":{"deployment":"env-7"},"#,
            r#""system":{"assistant_id":"asst-7"}},"#
        ),
    );
    let answer = server.post(super::BULK_V1, &line).await;
    assert!(
        answer.text().starts_with(r#"{"accepted":1,"#),
        "{}",
        answer.text()
    );
    for id in ["asst-7", "env-7", "shop"] {
        let logs = server
            .get(&format!("/v2/assistants/{id}/logs?version=2021-11-27"))
            .await;
        assert_eq!(logs.status, 200, "{id}: {}", logs.text());
        assert!(logs.text().contains("log-1"), "{id}: {}", logs.text());
    }
    let unknown = server
        .get("/v2/assistants/none/logs?version=2021-11-27")
        .await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn a_definition_of_any_size_comes_back_byte_for_byte() {
    let server = Server::start().await;
    let path = format!("{BOTS}/shop/definition");
    let missing = server.put(&path, "{}").await;
    assert_eq!(missing.status, 404);
    server.put(&format!("{BOTS}/shop"), "{}").await;
    let large = format!(
        r#"{{"intents": [], "b":1e2, "text":"{}"}}"#,
        "ä".repeat(400_000)
    );
    for definition in [large.as_str(), r#"{"name":"small"}"#] {
        assert_eq!(server.put(&path, definition).await.status, 200);
        assert_eq!(server.get(&path).await.text(), definition);
    }
    let parts = server
        .deps
        .control
        .list("definition_parts", "", "", 10)
        .await
        .unwrap();
    assert_eq!(parts.len(), 1, "parts of the first upload are gone");
    let refused = server.put(&path, "[1]").await;
    assert_eq!(
        problem(&refused),
        (400, "the body must be an object, not an array".to_owned())
    );
}

#[tokio::test]
async fn the_channel_of_the_environment_labels_what_is_imported() {
    let server = Server::start().await;
    let body = r#"{"environments":[{"id":"env-7","name":"live","channel":"slack"}]}"#;
    assert_eq!(server.put(&format!("{BOTS}/shop"), body).await.status, 200);
    let line = log(1).line().replace(
        r#""context":{"conversation_id":"c-log-1","#,
        concat!(
            r#""context":{"conversation_id":"c-log-1","#,
            r#""metadata":{"deployment":"env-7","user_id":"U7"},"#
        ),
    );
    let answer = server.post(super::BULK_V1, &line).await;
    assert!(
        answer.text().starts_with(r#"{"accepted":1,"#),
        "{}",
        answer.text()
    );
    let shown = super::records(&server.get(RECORDS).await).remove(0);
    assert_eq!(
        shown.get("environment"),
        Some(&Json::string("env-7")),
        "{shown}"
    );
    assert_eq!(
        shown.get("channel"),
        Some(&Json::string("slack")),
        "{shown}"
    );
    assert_eq!(
        shown.get("customer"),
        Some(&Json::string("slack_U7")),
        "{shown}"
    );
}

#[tokio::test]
async fn a_rules_connector_keeps_its_definition_and_its_numbers() {
    let server = Server::start().await;
    let connector = concat!(
        r#"{"kind":"rules","intents":[{"name":"hello","examples":["hi there"],"#,
        r#""keywords":["hello"],"reply":"Hello!"}],"anything_else":"Pardon?","threshold":0.50}"#
    );
    let put = server
        .put(
            &format!("{BOTS}/shop"),
            &format!(r#"{{"connector":{connector}}}"#),
        )
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    let shown = server.get(&format!("{BOTS}/shop")).await;
    assert!(shown.text().contains(connector), "{}", shown.text());
    let wrong = connector.replace(r#""examples":["hi there"]"#, r#""examples":"hi""#);
    let body = format!(r#"{{"connector":{wrong}}}"#);
    let refused = server.put(&format!("{BOTS}/shop"), &body).await;
    let (status, text) = problem(&refused);
    assert_eq!(status, 400);
    assert!(text.starts_with("connector.intents[0].examples "), "{text}");
}

#[tokio::test]
async fn an_assistant_is_found_by_keys_that_see_one_of_its_bots() {
    let server = Server::start().await;
    let body = r#"{"assistant":"asst-1","connector":{"kind":"echo"}}"#;
    assert_eq!(server.put(&format!("{BOTS}/shop"), body).await.status, 200);
    assert_eq!(server.put(&format!("{BOTS}/bank"), "{}").await.status, 200);
    let path = "/v2/assistants/asst-1/logs?version=2021-11-27";
    let shop = server.key(r#""read""#, r#""shop""#).await;
    let bank = server.key(r#""read""#, r#""bank""#).await;
    assert_eq!(server.call(&shop, "GET", path, "").await.status, 200);
    assert_eq!(server.call(&bank, "GET", path, "").await.status, 404);
}
