//! What analysis tools ask of a bot: the definition that the operator uploaded.

use convlog_model::json::Json;

use super::{V1, V2, bot, error, text};
use crate::harness::Server;

const DEFINITION: &str = r#"{"name":"Shop","language":"de","intents":[{"intent":"order","examples":[]}],
    "entities":[],"dialog_nodes":[{"dialog_node":"n1","title":"Order","conditions":"\#order"}]}"#;

async fn with_definition() -> Server {
    let server = Server::start().await;
    bot(
        &server,
        "W1",
        r#"{"name":"Shop","language":"de","assistant":"as-1"}"#,
    )
    .await;
    let definition = DEFINITION.replace("\\#", "#");
    let answer = server
        .put("/convlog/v1/bots/W1/definition", &definition)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    server
}

#[tokio::test]
async fn a_workspace_is_exported_as_it_was_uploaded() {
    let server = with_definition().await;
    let uri = format!("/v1/workspaces/W1?{V1}&export=true&include_audit=true");
    let answer = server.get(&uri).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(text(&body, &["workspace_id"]), "W1");
    assert_eq!(text(&body, &["language"]), "de");
    for key in ["intents", "entities", "dialog_nodes"] {
        assert!(
            body.get(key).and_then(Json::as_array).is_some(),
            "{key} in {body}"
        );
    }
    let short = server.get(&format!("/v1/workspaces/W1?{V1}")).await.json();
    assert!(short.get("dialog_nodes").is_none(), "{short}");
}

#[tokio::test]
async fn the_skills_of_an_assistant_hold_the_same() {
    let server = with_definition().await;
    let answer = server
        .get(&format!("/v2/assistants/as-1/skills_export?{V2}"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let skills = body
        .get("assistant_skills")
        .and_then(Json::as_array)
        .unwrap();
    assert_eq!(text(&skills[0], &["type"]), "dialog");
    let nodes = skills[0].at(&["workspace", "dialog_nodes"]);
    assert!(
        nodes
            .and_then(Json::as_array)
            .is_some_and(|nodes| nodes.len() == 1),
        "{body}"
    );
    assert!(body.get("assistant_state").is_some());
}

#[tokio::test]
async fn a_bot_without_a_definition_is_still_a_workspace() {
    let server = Server::start().await;
    bot(&server, "W1", "{}").await;
    let answer = server
        .get(&format!("/v1/workspaces/W1?{V1}&export=true"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let missing = server
        .get(&format!("/v1/workspaces/W9?{V1}&export=true"))
        .await;
    assert_eq!(error(&missing).1, "Resource not found");
}
