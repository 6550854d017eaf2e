//! v1 messages: the answer, and the log that is kept of it before.

use convlog_model::json::Json;

use super::{V1, bot, error, logs_of, say, say_as, send, text, with_echo};
use crate::harness::Server;

#[tokio::test]
async fn a_message_is_answered_and_listed() {
    let server = with_echo().await;
    let request = r#"{"input":{"text":"two coffees"},"context":{"conversation_id":"c-1","x":1.0},"user_id":"u-1"}"#;
    let answer = say(&server, "W1", request).await;
    assert_eq!(text(&answer, &["input", "text"]), "two coffees");
    assert_eq!(text(&answer, &["context", "conversation_id"]), "c-1");
    assert_eq!(text(&answer, &["user_id"]), "u-1");
    assert_eq!(text(&answer, &["context", "metadata", "user_id"]), "u-1");
    let said = answer.at(&["output", "text"]).map(Json::to_string);
    assert_eq!(said.as_deref(), Some(r#"["two coffees"]"#));

    let listed = logs_of(&server, "W1", "").await;
    assert_eq!(listed.len(), 1);
    let log = &listed[0];
    assert_eq!(
        log.get("request").map(Json::to_string).as_deref(),
        Some(request)
    );
    assert_eq!(log.get("response"), Some(&answer));
    assert_eq!(text(log, &["workspace_id"]), "W1");
    assert_eq!(text(log, &["language"]), "en");
    for key in ["log_id", "request_timestamp", "response_timestamp"] {
        assert!(!text(log, &[key]).is_empty());
    }
    assert_eq!(log.get("customer_id"), None);
    let keys: Vec<&str> = log
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys.len(), 7, "{keys:?}");
}

#[tokio::test]
async fn a_conversation_without_an_id_gets_one_that_goes_on() {
    let server = with_echo().await;
    let first = say(&server, "W1", "").await;
    let id = text(&first, &["context", "conversation_id"]).to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(text(&first, &["user_id"]), id);
    let context = first.get("context").unwrap();
    let next = say(
        &server,
        "W1",
        &format!(r#"{{"input":{{"text":"a"}},"context":{context}}}"#),
    )
    .await;
    assert_eq!(text(&next, &["context", "conversation_id"]), id);
    let counter = next.at(&["context", "system", "dialog_turn_counter"]);
    assert_eq!(counter, Some(&Json::integer(2)));
    let filter = format!("response.context.conversation_id::{id}");
    assert_eq!(logs_of(&server, "W1", &filter).await.len(), 2);
}

#[tokio::test]
async fn every_prefix_leads_to_the_same_bot() {
    let server = with_echo().await;
    for prefix in [
        "",
        "/assistant/api",
        "/instances/6f3b2f1c-0000-4000-8000-000000000001",
    ] {
        let uri = format!("{prefix}/v1/workspaces/W1/message?{V1}");
        let answer = server.post(&uri, r#"{"input":{"text":"x"}}"#).await;
        assert_eq!(answer.status, 200, "{prefix}");
        assert_eq!(
            answer.header("content-type"),
            "application/json; charset=utf-8"
        );
        for name in [
            "x-global-transaction-id",
            "x-ratelimit-limit",
            "x-ratelimit-remaining",
        ] {
            assert!(!answer.header(name).is_empty(), "{name}");
        }
    }
    assert_eq!(logs_of(&server, "W1", "").await.len(), 3);
}

#[tokio::test]
async fn details_of_nodes_come_when_asked_for() {
    let server = with_echo().await;
    let uri = format!("/v1/workspaces/W1/message?{V1}&nodes_visited_details=true");
    let asked = server.post(&uri, r#"{"input":{"text":"x"}}"#).await.json();
    assert!(
        asked.at(&["output", "nodes_visited_details"]).is_some(),
        "{asked}"
    );
    let unasked = say(&server, "W1", r#"{"input":{"text":"x"}}"#).await;
    assert!(
        unasked.at(&["output", "nodes_visited_details"]).is_none(),
        "{unasked}"
    );
    let uri = format!("/v1/workspaces/W1/message?{V1}&nodes_visited_details=yes");
    let (status, _, message, _) = error(&server.post(&uri, "{}").await);
    assert_eq!(
        (status, message.as_str()),
        (400, "nodes_visited_details must be true or false")
    );
}

#[tokio::test]
async fn the_rules_of_a_bot_answer_and_are_listed() {
    let server = Server::start().await;
    let rules = r#"{"language":"en","connector":{"kind":"rules","anything_else":"Pardon?",
        "intents":[{"name":"order","examples":["I want coffee","one tea please"],"reply":"Coming up."}],
        "entities":[{"name":"drink","values":[{"value":"coffee","synonyms":["espresso"]}]}]}}"#;
    bot(&server, "W1", rules).await;
    let answer = say(&server, "W1", r#"{"input":{"text":"I want espresso"}}"#).await;
    let generic = answer
        .at(&["output", "generic"])
        .and_then(Json::as_array)
        .unwrap();
    assert_eq!(text(&generic[0], &["text"]), "Coming up.");
    assert_eq!(
        logs_of(&server, "W1", "response.top_intent::order")
            .await
            .len(),
        1
    );
    assert_eq!(
        logs_of(&server, "W1", "response.entities:value::coffee")
            .await
            .len(),
        1
    );
    say(&server, "W1", r#"{"input":{"text":"qwertz"}}"#).await;
    let missed = logs_of(&server, "W1", "response.top_intent::!order").await;
    assert_eq!(missed.len(), 1);
}

#[tokio::test]
async fn a_bot_without_a_connector_keeps_nothing() {
    let server = Server::start().await;
    bot(&server, "W1", r#"{"connector":{"kind":"none"}}"#).await;
    let uri = format!("/v1/workspaces/W1/message?{V1}");
    let (status, general, _, _) = error(&server.post(&uri, r#"{"input":{"text":"x"}}"#).await);
    assert_eq!(status, 409);
    assert!(
        general.starts_with("this bot has no connector"),
        "{general}"
    );
    assert!(logs_of(&server, "W1", "").await.is_empty());
}

#[tokio::test]
async fn the_first_customer_id_is_kept_and_found() {
    let server = with_echo().await;
    let header = [(
        "X-Watson-Metadata",
        "a=b; customer_id=acme-1 ;customer_id=other",
    )];
    say_as(&server, "W1", &header, r#"{"input":{"text":"x"}}"#).await;
    say(&server, "W1", r#"{"input":{"text":"y"}}"#).await;
    assert_eq!(logs_of(&server, "W1", "customer_id::acme-1").await.len(), 1);
    assert_eq!(logs_of(&server, "W1", "customer_id::other").await.len(), 0);
    assert_eq!(logs_of(&server, "W1", "customer_id:!*").await.len(), 1);
    let long = format!("customer_id={}", "x".repeat(257));
    let uri = format!("/v1/workspaces/W1/message?{V1}");
    let answer = send(&server, "POST", &uri, &[("X-Watson-Metadata", &long)], "{}").await;
    let (status, _, message, path) = error(&answer);
    assert_eq!((status, path.as_str()), (400, "X-Watson-Metadata"));
    assert!(message.contains("longer than 256"), "{message}");
}

#[tokio::test]
async fn an_opt_out_is_kept_and_never_in_the_vendors_view() {
    let server = with_echo().await;
    for header in [
        ("X-Watson-Learning-Opt-Out", "true"),
        ("X-WDC-PL-OPT-OUT", "true"),
    ] {
        say_as(&server, "W1", &[header], r#"{"input":{"text":"out"}}"#).await;
    }
    say_as(
        &server,
        "W1",
        &[("X-Watson-Learning-Opt-Out", "0")],
        r#"{"input":{"text":"in"}}"#,
    )
    .await;
    let uri = "/convlog/v1/records?filter=learning_opt_out%3A%3Atrue";
    let records = server.get(uri).await.json();
    assert_eq!(
        records
            .get("records")
            .and_then(Json::as_array)
            .unwrap()
            .len(),
        2,
        "{records}"
    );
    let listed = logs_of(&server, "W1", "").await;
    assert_eq!(listed.len(), 3);
    assert!(
        listed
            .iter()
            .all(|log| !log.to_string().contains("opt_out"))
    );
}
