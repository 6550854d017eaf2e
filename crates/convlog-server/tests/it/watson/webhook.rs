//! The log webhook: what a live cloud assistant posts becomes records.

use convlog_model::json::Json;
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::{V2, logs, send, text};
use crate::harness::Server;

const HOOK: &str = "/convlog/v1/hooks/watson/cloud";
const SECRET: &str = "webhook secret";

async fn with_hook() -> Server {
    let server = Server::start().await;
    let body = format!(r#"{{"secret":"{SECRET}"}}"#);
    let answer = server.put("/convlog/v1/hooks/cloud", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains(SECRET));
    server
}

fn signed(secret: &str, claims: &serde_json::Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn logged(log_id: &str, said: &str) -> String {
    format!(
        r#"{{"event":{{"name":"message_logged"}},"payload":{{"log_id":"{log_id}",
        "request":{{"input":{{"message_type":"text","text":"{said}"}},"user_id":"u-1"}},
        "response":{{"output":{{"generic":[{{"response_type":"text","text":"Hi"}}],"intents":[],"entities":[]}},
          "context":{{"global":{{"session_id":"s-1","system":{{"user_id":"u-1","turn_count":1}}}},
            "integrations":{{"slack":{{}}}}}},"user_id":"u-1"}},
        "assistant_id":"as-7","session_id":"s-1","skill_id":"sk-7","snapshot":"draft","language":"en",
        "request_timestamp":"2026-03-02T09:00:41.318Z","response_timestamp":"2026-03-02T09:00:41.521Z"}}}}"#
    )
}

async fn post(server: &Server, header: (&str, &str), body: &str) -> u16 {
    // The key in `Authorization` is replaced or absent: hooks need none.
    let mut request = axum::http::Request::builder().method("POST").uri(HOOK);
    request = request.header(header.0, header.1);
    let request = request
        .body(axum::body::Body::from(body.to_owned()))
        .unwrap();
    server.send(request).await.status.as_u16()
}

#[tokio::test]
async fn a_logged_message_is_listed_once() {
    let server = with_hook().await;
    let token = signed(SECRET, &serde_json::json!({"exp": 4_000_000_000_u64}));
    for header in [
        ("authorization", token.clone()),
        ("authorization", format!("Bearer {token}")),
        ("authentication", token),
    ] {
        assert_eq!(
            post(&server, (header.0, &header.1), &logged("l-1", "hello")).await,
            200
        );
    }
    let listed = logs(&server, &format!("/v2/assistants/as-7/logs?{V2}")).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(text(&listed[0], &["log_id"]), "l-1");
    assert_eq!(text(&listed[0], &["request", "input", "text"]), "hello");
    let uri = format!("/v2/assistants/as-7/logs?{V2}&filter=customer_id%3A%3Aslack_u-1");
    assert_eq!(logs(&server, &uri).await.len(), 1);
    let erase = format!("/v2/user_data?{V2}&customer_id=slack_u-1");
    assert_eq!(send(&server, "DELETE", &erase, &[], "").await.status, 202);
    assert_eq!(logs(&server, &uri).await.len(), 0);
}

#[tokio::test]
async fn without_a_valid_proof_nothing_is_taken() {
    let server = with_hook().await;
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJleHAiOjQwMDAwMDAwMDB9.";
    let now_s = server.deps.clock.now().millis() / 1000;
    let expired = signed(SECRET, &serde_json::json!({"exp": now_s - 1}));
    let wrong = signed("another secret", &serde_json::json!({}));
    for token in [none, expired.as_str(), wrong.as_str(), "", SECRET] {
        assert_eq!(
            post(&server, ("authorization", token), &logged("l-1", "x")).await,
            401,
            "{token}"
        );
    }
    assert_eq!(
        post(&server, ("x-other", "1"), &logged("l-1", "x")).await,
        401
    );
    let records = server
        .get("/convlog/v1/records?filter=kind%3A%3Aturn")
        .await
        .json();
    assert_eq!(records.get("records"), Some(&Json::Array(Vec::new())));
}

#[tokio::test]
async fn a_header_of_the_operators_choice_is_a_proof_too() {
    let server = Server::start().await;
    let body = r#"{"header":{"name":"X-Proof","value":"open sesame"}}"#;
    assert_eq!(
        server.put("/convlog/v1/hooks/cloud", body).await.status,
        200
    );
    assert_eq!(
        post(&server, ("x-proof", "open sesame"), &logged("l-1", "x")).await,
        200
    );
    assert_eq!(
        post(&server, ("x-proof", "open"), &logged("l-2", "x")).await,
        401
    );
    assert_eq!(
        post(
            &server,
            ("authorization", "open sesame"),
            &logged("l-3", "x")
        )
        .await,
        401
    );
}

#[tokio::test]
async fn a_call_is_kept_as_an_event_with_its_turns() {
    let server = with_hook().await;
    let token = signed(SECRET, &serde_json::json!({}));
    let body = r#"{"event":{"name":"cdr_logged"},"payload":{"primary_phone_number":"+1555",
        "global_session_id":"g-1","failure_occurred":false,"transfer_occurred":false,"active_calls":1,
        "call":{"start_timestamp":"2026-03-02T09:00:00.000Z","stop_timestamp":"2026-03-02T09:01:00.000Z","milliseconds_elapsed":60000,"end_reason":"caller_hangup"},
        "assistant_interaction_summaries":[{"session_id":"s-1","assistant_id":"as-7",
          "turns":[{"assistant":{"log_id":"l-1","start_timestamp":"2026-03-02T09:00:10.000Z","response_milliseconds":10}},
                   {"assistant":{"log_id":"l-2","start_timestamp":"2026-03-02T09:00:20.000Z","response_milliseconds":10}}]}]}}"#;
    assert_eq!(post(&server, ("authorization", &token), body).await, 200);
    let found = server
        .get("/convlog/v1/records?filter=event.type%3A%3Acdr_logged")
        .await;
    let records = found.json();
    let records = records.get("records").and_then(Json::as_array).unwrap();
    assert_eq!(records.len(), 1, "{}", found.text());
    for id in ["l-1", "l-2"] {
        assert!(
            records[0].to_string().contains(&format!("\"{id}\"")),
            "{}",
            records[0]
        );
    }
}

#[tokio::test]
async fn what_is_no_log_is_refused() {
    let server = with_hook().await;
    let token = signed(SECRET, &serde_json::json!({}));
    for body in [
        "",
        "{",
        "{}",
        r#"{"event":{"name":"other"},"payload":{}}"#,
        r#"{"event":{"name":"message_logged"}}"#,
    ] {
        assert_eq!(
            post(&server, ("authorization", &token), body).await,
            400,
            "{body}"
        );
    }
}

#[tokio::test]
async fn where_logging_is_off_a_log_is_taken_and_not_kept() {
    let server = with_hook().await;
    super::bot(&server, "sk-7", r#"{"logging":false,"assistant":"as-7"}"#).await;
    let token = signed(SECRET, &serde_json::json!({}));
    assert_eq!(
        post(&server, ("authorization", &token), &logged("l-1", "x")).await,
        200
    );
    let uri = format!("/v2/assistants/as-7/logs?{V2}");
    assert!(logs(&server, &uri).await.is_empty());
}
