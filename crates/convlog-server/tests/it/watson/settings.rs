//! Logging that is off: answered, and nothing kept.

use super::{V2, bot, logs, logs_of, say};
use crate::harness::Server;

const QUIET: &str = r#"{"connector":{"kind":"echo"},"logging":false}"#;

#[tokio::test]
async fn a_bot_without_logging_answers_and_lists_nothing() {
    let server = Server::start().await;
    bot(&server, "W1", QUIET).await;
    say(&server, "W1", r#"{"input":{"text":"a secret"}}"#).await;
    assert!(logs_of(&server, "W1", "").await.is_empty());
    assert!(
        logs(&server, &format!("/v2/assistants/W1/logs?{V2}"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_session_goes_on_where_logging_is_off() {
    let server = Server::start().await;
    bot(&server, "W1", QUIET).await;
    let opened = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await;
    let session = opened.text_at("session_id");
    let config = convlog_server::ServerConfig::default();
    let again = Server::over(config, server.deps.clone(), server.clock.clone());
    let uri = format!("/v2/assistants/W1/sessions/{session}/message?{V2}");
    for server in [&server, &again] {
        let body = r#"{"input":{"text":"x","options":{"return_context":true}}}"#;
        let answer = server.post(&uri, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let body = r#"{"input":{"text":"x","options":{"return_context":true}}}"#;
    let answer = again.post(&uri, body).await.json();
    let turns = answer.at(&["context", "global", "system", "turn_count"]);
    assert_eq!(turns.map(ToString::to_string).as_deref(), Some("3"));
    assert!(
        logs(&again, &format!("/v2/assistants/W1/logs?{V2}"))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn the_instance_can_switch_logging_off_too() {
    let server = super::with_echo().await;
    let answer = server
        .put("/convlog/v1/settings", r#"{"logging":false}"#)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    say(&server, "W1", r#"{"input":{"text":"a secret"}}"#).await;
    assert!(logs_of(&server, "W1", "").await.is_empty());
}
