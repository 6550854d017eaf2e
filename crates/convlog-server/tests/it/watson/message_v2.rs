//! v2 messages and sessions, in both path families.

use convlog_model::json::Json;

use super::{V2, bot, error, logs, send, text};
use crate::harness::Server;

const BOT: &str = r#"{"connector":{"kind":"echo"},"assistant":"as-1","session_timeout_s":60,
    "environments":[{"id":"env-1","name":"live"},{"id":"env-2","name":"draft"}]}"#;

async fn with_bot() -> Server {
    let server = Server::start().await;
    bot(&server, "sk-1", BOT).await;
    server
}

async fn open(server: &Server, base: &str) -> String {
    let answer = server.post(&format!("{base}/sessions?{V2}"), "").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.text_at("session_id")
}

async fn say(server: &Server, base: &str, session: &str, body: &str) -> Json {
    let answer = server
        .post(&format!("{base}/sessions/{session}/message?{V2}"), body)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn input(text: &str, options: &str) -> String {
    format!(r#"{{"input":{{"text":"{text}","options":{{{options}}}}}}}"#)
}

#[tokio::test]
async fn a_session_keeps_its_context() {
    let server = with_bot().await;
    let base = "/v2/assistants/as-1/environments/env-1";
    let session = open(&server, base).await;
    let first =
        r#"{"input":{"text":"a"},"context":{"skills":{"main skill":{"user_defined":{"x":1.50}}}}}"#;
    let answer = say(&server, base, &session, first).await;
    assert_eq!(answer.get("context"), None);
    assert_eq!(text(&answer, &["user_id"]), session);
    let answer = say(
        &server,
        base,
        &session,
        &input("b", r#""return_context":true"#),
    )
    .await;
    let context = answer.get("context").unwrap();
    let kept = context.at(&["skills", "main skill", "user_defined", "x"]);
    assert_eq!(kept, Some(&Json::Number("1.50".into())));
    let turns = context.at(&["global", "system", "turn_count"]);
    assert_eq!(turns, Some(&Json::integer(2)));
    assert_eq!(text(context, &["global", "session_id"]), session);
}

#[tokio::test]
async fn both_paths_lead_to_a_session() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    say(&server, "/v2/assistants/as-1", &session, &input("a", "")).await;
    let session = open(&server, "/v2/assistants/env-1").await;
    say(&server, "/v2/assistants/env-1", &session, &input("a", "")).await;
    say(
        &server,
        "/v2/assistants/as-1/environments/env-1",
        &session,
        &input("b", ""),
    )
    .await;
    let listed = logs(&server, &format!("/v2/assistants/env-1/logs?{V2}")).await;
    assert_eq!(listed.len(), 2);
    let listed = logs(&server, &format!("/v2/assistants/as-1/logs?{V2}")).await;
    assert_eq!(listed.len(), 3);
}

#[tokio::test]
async fn a_turn_is_listed_whole_whatever_the_caller_asked_to_see() {
    let server = with_bot().await;
    let base = "/v2/assistants/as-1/environments/env-1";
    let session = open(&server, base).await;
    let request = r#"{"input":{"text":"hello","message_type":"text"},"user_id":"u-1"}"#;
    say(&server, base, &session, request).await;
    let listed = logs(&server, &format!("/v2/assistants/env-1/logs?{V2}")).await;
    let log = &listed[0];
    assert_eq!(
        log.get("request").map(Json::to_string).as_deref(),
        Some(request)
    );
    assert_eq!(text(log, &["response", "user_id"]), "u-1");
    assert_eq!(
        text(log, &["response", "context", "global", "session_id"]),
        session
    );
    assert!(
        log.at(&["response", "output", "debug", "nodes_visited"])
            .is_some()
    );
    assert_eq!(text(log, &["assistant_id"]), "as-1");
    assert_eq!(text(log, &["skill_id"]), "sk-1");
    assert_eq!(text(log, &["session_id"]), session);
    assert_eq!(text(log, &["snapshot"]), "draft");
    assert_eq!(text(log, &["language"]), "en");
    assert_eq!(log.get("customer_id"), None);
}

#[tokio::test]
async fn a_turn_is_listed_by_the_v1_api_too() {
    let server = with_bot().await;
    let base = "/v2/assistants/as-1/environments/env-1";
    let session = open(&server, base).await;
    say(&server, base, &session, &input("hello", "")).await;
    let filter = "language%3A%3Aen%2Crequest.context.system.assistant_id%3A%3Aas-1";
    let listed = logs(&server, &format!("/v1/logs?{V2}&filter={filter}")).await;
    assert_eq!(listed.len(), 1);
    let response = listed[0].get("response").unwrap();
    assert!(response.at(&["context", "system"]).is_some(), "{response}");
    assert_eq!(text(response, &["context", "conversation_id"]), session);
    assert!(
        response.get("intents").and_then(Json::as_array).is_some(),
        "{response}"
    );
    let said = response.at(&["output", "text"]).map(Json::to_string);
    assert_eq!(said.as_deref(), Some(r#"["hello"]"#));
    assert!(
        response.at(&["output", "nodes_visited"]).is_some(),
        "{response}"
    );
    assert_eq!(text(&listed[0], &["workspace_id"]), "sk-1");
}

#[tokio::test]
async fn a_v1_log_is_listed_by_the_v2_api_too() {
    let server = with_bot().await;
    super::say(&server, "sk-1", r#"{"input":{"text":"hello"}}"#).await;
    let listed = logs(&server, &format!("/v2/assistants/sk-1/logs?{V2}")).await;
    assert_eq!(listed.len(), 1);
    let log = &listed[0];
    assert_eq!(text(log, &["skill_id"]), "sk-1");
    let generic = log
        .at(&["response", "output", "generic"])
        .and_then(Json::as_array)
        .unwrap();
    assert_eq!(text(&generic[0], &["text"]), "hello");
    assert!(!text(log, &["session_id"]).is_empty());
    assert!(log.at(&["response", "output", "debug"]).is_some());
}

#[tokio::test]
async fn a_stateless_message_carries_its_context() {
    let server = with_bot().await;
    let uri = format!("/v2/assistants/as-1/message?{V2}");
    let first = server.post(&uri, &input("a", "")).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let context = first.json().get("context").cloned().unwrap();
    let body = format!(r#"{{"input":{{"text":"b"}},"context":{context}}}"#);
    let second = server.post(&uri, &body).await.json();
    let again = second.get("context").unwrap();
    let id = text(&context, &["global", "session_id"]);
    assert_eq!(text(again, &["global", "session_id"]), id);
    assert_eq!(
        again.at(&["global", "system", "turn_count"]),
        Some(&Json::integer(2))
    );
    assert_eq!(
        logs(&server, &format!("/v2/assistants/as-1/logs?{V2}"))
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn an_answer_can_come_as_a_stream() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    for uri in [
        format!("/v2/assistants/as-1/sessions/{session}/message_stream?{V2}"),
        format!("/v2/assistants/as-1/environments/env-1/message_stream?{V2}"),
    ] {
        let answer = server.post(&uri, &input("hello", "")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            "text/event-stream; charset=utf-8"
        );
        let stream = answer.text();
        let data: Vec<Json> = stream
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|data| Json::parse(data.as_bytes()).unwrap())
            .collect();
        assert_eq!(data.len(), 3, "{stream}");
        assert_eq!(text(&data[0], &["partial_item", "text"]), "hello");
        assert_eq!(text(&data[1], &["complete_item", "response_type"]), "text");
        assert!(
            data[2]
                .at(&["final_response", "output", "generic"])
                .is_some()
        );
    }
    assert_eq!(
        logs(&server, &format!("/v2/assistants/as-1/logs?{V2}"))
            .await
            .len(),
        2
    );
}

async fn refused(server: &Server, method: &str, uri: &str) -> (u16, String) {
    let body = if method == "POST" { "{}" } else { "" };
    let answer = send(server, method, &format!("{uri}?{V2}"), &[], body).await;
    let (status, general, _, _) = error(&answer);
    (status, general)
}

#[tokio::test]
async fn a_deleted_session_is_invalid() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    let uri = format!("/v2/assistants/as-1/sessions/{session}");
    let answer = send(&server, "DELETE", &format!("{uri}?{V2}"), &[], "").await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (200, "{}")
    );
    let invalid = (404, "Invalid Session".to_owned());
    assert_eq!(refused(&server, "DELETE", &uri).await, invalid);
    assert_eq!(
        refused(&server, "POST", &format!("{uri}/message")).await,
        invalid
    );
}

#[tokio::test]
async fn a_session_ends_after_its_time_without_a_message() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    for _ in 0..3 {
        server.clock.step(59_000_000);
        say(&server, "/v2/assistants/as-1", &session, &input("a", "")).await;
    }
    server.clock.step(61_000_000);
    let uri = format!("/v2/assistants/as-1/sessions/{session}/message");
    assert_eq!(
        refused(&server, "POST", &uri).await,
        (404, "Invalid Session".to_owned())
    );
}

#[tokio::test]
async fn a_foreign_session_is_invalid() {
    let server = with_bot().await;
    bot(&server, "sk-2", r#"{"connector":{"kind":"echo"}}"#).await;
    let session = open(&server, "/v2/assistants/as-1/environments/env-1").await;
    let invalid = (404, "Invalid Session".to_owned());
    for base in [
        "/v2/assistants/sk-2",
        "/v2/assistants/as-1/environments/env-2",
    ] {
        let uri = format!("{base}/sessions/{session}/message");
        assert_eq!(refused(&server, "POST", &uri).await, invalid, "{base}");
    }
    let (_, other) = server.instance().await;
    let echo = r#"{"connector":{"kind":"echo"},"assistant":"as-1"}"#;
    server
        .call(&other, "PUT", "/convlog/v1/bots/sk-1", echo)
        .await;
    let uri = format!("/v2/assistants/as-1/sessions/{session}/message?{V2}");
    let answer = server.call(&other, "POST", &uri, "{}").await;
    assert_eq!(answer.status, 404, "{}", answer.text());
}

#[tokio::test]
async fn an_unknown_environment_or_assistant_is_not_found() {
    let server = with_bot().await;
    let missing = (404, "Resource not found".to_owned());
    for base in [
        "/v2/assistants/as-1/environments/env-9",
        "/v2/assistants/as-9",
    ] {
        assert_eq!(
            refused(&server, "POST", &format!("{base}/sessions")).await,
            missing
        );
        assert_eq!(
            refused(&server, "POST", &format!("{base}/message")).await,
            missing
        );
    }
    assert_eq!(
        refused(&server, "GET", "/v2/assistants/as-9/logs").await,
        missing
    );
    assert_eq!(
        refused(&server, "GET", "/v1/workspaces/as-9/logs").await,
        missing
    );
}

#[tokio::test]
async fn the_session_survives_a_restart_of_the_process() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    let first =
        r#"{"input":{"text":"a"},"context":{"skills":{"main skill":{"user_defined":{"x":7}}}}}"#;
    say(&server, "/v2/assistants/as-1", &session, first).await;
    let config = convlog_server::ServerConfig::default();
    let again = Server::over(config, server.deps.clone(), server.clock.clone());
    let request = input("b", r#""return_context":true"#);
    let answer = say(&again, "/v2/assistants/as-1", &session, &request).await;
    let kept = answer.at(&["context", "skills", "main skill", "user_defined", "x"]);
    assert_eq!(kept, Some(&Json::integer(7)));
}

#[tokio::test]
async fn a_context_that_grows_too_large_is_refused() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    let body = |key: &str| {
        let value = "x".repeat(60 << 10);
        let context =
            format!(r#"{{"skills":{{"main skill":{{"user_defined":{{"{key}":"{value}"}}}}}}}}"#);
        format!(r#"{{"input":{{"text":"a"}},"context":{context}}}"#)
    };
    say(&server, "/v2/assistants/as-1", &session, &body("a")).await;
    let uri = format!("/v2/assistants/as-1/sessions/{session}/message?{V2}");
    let (status, general, message, path) = error(&server.post(&uri, &body("b")).await);
    assert_eq!(
        (status, general.as_str(), path.as_str()),
        (400, "Invalid Request Body", ".context")
    );
    assert!(
        message.contains("can not be larger than 100 KB"),
        "{message}"
    );
}

#[tokio::test]
async fn messages_of_one_session_come_one_after_the_other() {
    let server = with_bot().await;
    let session = open(&server, "/v2/assistants/as-1").await;
    let body = input("a", r#""return_context":true"#);
    let sent = (0..20).map(|_| say(&server, "/v2/assistants/as-1", &session, &body));
    let answers = futures::future::join_all(sent).await;
    let turn_of = |answer: &Json| {
        let turns = answer.at(&["context", "global", "system", "turn_count"]);
        turns.and_then(Json::as_i64).unwrap()
    };
    let mut turns: Vec<i64> = answers.iter().map(turn_of).collect();
    turns.sort_unstable();
    assert_eq!(turns, (1..=20).collect::<Vec<i64>>());
}

#[tokio::test]
async fn there_is_a_bound_on_live_sessions() {
    let mut config = convlog_server::ServerConfig::default();
    config.sessions.at_once = 2;
    let server = Server::with(config).await;
    bot(&server, "sk-1", BOT).await;
    let session = open(&server, "/v2/assistants/as-1").await;
    open(&server, "/v2/assistants/as-1").await;
    let uri = "/v2/assistants/as-1/sessions";
    let (status, general) = refused(&server, "POST", uri).await;
    assert_eq!(
        (status, general.as_str()),
        (503, "too many dialogue sessions are alive")
    );
    let answer = send(&server, "DELETE", &format!("{uri}/{session}?{V2}"), &[], "").await;
    assert_eq!(answer.status, 200);
    open(&server, "/v2/assistants/as-1").await;
}
