//! What is logged of a conversation, and from when on.

use convlog_model::json::Json;
use convlog_server::ServerConfig;

use super::*;
use crate::harness::ADMIN;

async fn end(server: &Server) {
    let uri = format!("{USER}/session");
    is(&server.call(ADMIN, "DELETE", &uri, "").await, 200);
}

#[tokio::test]
async fn an_entry_is_a_record_and_hides_what_is_to_be_hidden() {
    let server = with_logs().await;
    say(&server, "order tulip").await;
    let last = say(&server, "Ann Smith").await;
    assert_eq!(text(&last, &["slots", "Name"]), "Ann Smith");
    assert_eq!(text(&last, &["message"]), "Thank you, Ann Smith");
    let entries = entries(&server).await;
    assert_eq!(entries.len(), 2);
    let entry = &entries[1];
    assert_eq!(text(entry, &["inputTranscript"]), "{Name}");
    assert_eq!(text(entry, &["slots", "Name"]), "{Name}");
    assert_eq!(text(entry, &["slots", "Kind"]), "tulips");
    assert_eq!(text(entry, &["botVersion"]), "1");
    let logs = "/v1/workspaces/Shop/logs?version=2021-11-27";
    let shown = server.get(logs).await.json();
    let shown = shown.get("logs").and_then(Json::as_array).unwrap();
    let inputs: Vec<&str> = shown
        .iter()
        .map(|log| text(log, &["request", "input", "text"]))
        .collect();
    assert_eq!(inputs, ["{Name}", "order tulip"]);
}

#[tokio::test]
async fn settings_hold_for_sessions_that_begin_after_them() {
    let server = shop(ServerConfig::default(), None).await;
    say(&server, "one").await;
    put_alias(&server, "1", Some(TEXT_LOGS)).await;
    say(&server, "two").await;
    assert_eq!(
        entries(&server).await.len(),
        0,
        "the session began without logs"
    );
    end(&server).await;
    say(&server, "three").await;
    put_alias(&server, "1", None).await;
    say(&server, "four").await;
    end(&server).await;
    say(&server, "five").await;
    let kept = entries(&server).await;
    let kept: Vec<&str> = kept
        .iter()
        .map(|entry| text(entry, &["inputTranscript"]))
        .collect();
    assert_eq!(kept, ["three", "four"]);
}

#[tokio::test]
async fn a_session_stays_on_its_version_when_the_alias_moves() {
    let server = with_logs().await;
    say(&server, "one").await;
    let checksum = server
        .get("/bots/Shop/versions/$LATEST")
        .await
        .text_at("checksum");
    let more = format!(r#","description":"new","checksum":"{checksum}""#);
    is(
        &server.put("/bots/Shop/versions/$LATEST", &bot(&more)).await,
        200,
    );
    let second = server.post("/bots/Shop/versions", "{}").await;
    assert_eq!(second.text_at("version"), "2");
    put_alias(&server, "2", Some(TEXT_LOGS)).await;
    let same = say(&server, "two").await;
    assert_eq!(text(&same, &["botVersion"]), "1");
    end(&server).await;
    let new = say(&server, "three").await;
    assert_eq!(text(&new, &["botVersion"]), "2");
    let kept = entries(&server).await;
    let versions: Vec<&str> = kept
        .iter()
        .map(|entry| text(entry, &["botVersion"]))
        .collect();
    assert_eq!(versions, ["1", "1", "2"]);
}

#[tokio::test]
async fn an_alias_that_is_gone_answers_no_more() {
    let server = with_logs().await;
    say(&server, "one").await;
    let gone = server
        .call(ADMIN, "DELETE", "/bots/Shop/aliases/PROD", "")
        .await;
    is(&gone, 204);
    let body = r#"{"inputText":"two"}"#;
    let answer = server.post(&format!("{USER}/text"), body).await;
    is(&answer, 404);
    assert_eq!(answer.header("x-amzn-errortype"), "NotFoundException");
    assert!(answer.text().contains("'PROD'"), "{}", answer.text());
}

#[tokio::test]
async fn an_alias_that_is_made_again_begins_sessions_anew() {
    let server = with_logs().await;
    let first = say(&server, "one").await;
    let alias = "/bots/Shop/aliases/PROD";
    is(&server.call(ADMIN, "DELETE", alias, "").await, 204);
    server.clock.step(1000);
    put_alias(&server, "1", None).await;
    is(&server.get(&format!("{USER}/session")).await, 404);
    let second = say(&server, "two").await;
    assert_ne!(text(&first, &["sessionId"]), text(&second, &["sessionId"]));
    assert_eq!(entries(&server).await.len(), 1);
}

#[tokio::test]
async fn a_bot_that_is_made_again_for_children_logs_nothing_of_a_session_before() {
    let server = with_logs().await;
    say(&server, "one").await;
    let gone = server
        .call(ADMIN, "DELETE", "/bots/Shop/aliases/PROD", "")
        .await;
    is(&gone, 204);
    is(&server.call(ADMIN, "DELETE", "/bots/Shop", "").await, 204);
    server.clock.step(1000);
    let body = bot("").replace(r#""childDirected":false"#, r#""childDirected":true"#);
    is(&server.put("/bots/Shop/versions/$LATEST", &body).await, 200);
    is(&server.post("/bots/Shop/versions", "{}").await, 201);
    put_alias(&server, "1", None).await;
    say(&server, "two").await;
    assert_eq!(entries(&server).await.len(), 1);
}

#[tokio::test]
async fn a_session_does_not_outlive_its_version() {
    let server = with_logs().await;
    say(&server, "one").await;
    let checksum = server
        .get("/bots/Shop/versions/$LATEST")
        .await
        .text_at("checksum");
    let more = format!(r#","description":"new","checksum":"{checksum}""#);
    let latest = "/bots/Shop/versions/$LATEST";
    is(&server.put(latest, &bot(&more)).await, 200);
    is(&server.post("/bots/Shop/versions", "{}").await, 201);
    put_alias(&server, "2", Some(TEXT_LOGS)).await;
    let gone = server
        .call(ADMIN, "DELETE", "/bots/Shop/versions/1", "")
        .await;
    is(&gone, 204);
    let answer = say(&server, "two").await;
    assert_eq!(text(&answer, &["botVersion"]), "2");
}

#[tokio::test]
async fn what_must_not_be_logged_is_not() {
    let server = with_logs().await;
    let latest = "/bot/Shop/alias/%24LATEST/user/u1/text";
    is(
        &server.post(latest, r#"{"inputText":"order roses"}"#).await,
        200,
    );
    let checksum = server
        .get("/bots/Shop/versions/$LATEST")
        .await
        .text_at("checksum");
    let more = format!(r#","checksum":"{checksum}""#);
    let body = bot(&more).replace(r#""childDirected":false"#, r#""childDirected":true"#);
    is(&server.put("/bots/Shop/versions/$LATEST", &body).await, 200);
    is(&server.post("/bots/Shop/versions", "{}").await, 201);
    put_alias(&server, "2", Some(TEXT_LOGS)).await;
    say(&server, "order roses").await;
    assert_eq!(entries(&server).await.len(), 0);
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_answered_as_before_and_logged_once() {
    let server = with_logs().await;
    let send = |id: &'static str| {
        let request = axum::http::Request::post(format!("{USER}/text"))
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("amz-sdk-invocation-id", id)
            .body(axum::body::Body::from(r#"{"inputText":"order roses"}"#));
        server.send(request.unwrap())
    };
    let first = send("a").await;
    let again = send("a").await;
    assert_eq!(first.text(), again.text());
    let id = first.header("x-amzn-requestid");
    assert_eq!(again.header("x-amzn-requestid"), id);
    let of_entry = entries(&server).await;
    assert_eq!(text(&of_entry[0], &["requestId"]), id);
    assert_eq!(entries(&server).await.len(), 1);
    send("b").await;
    assert_eq!(entries(&server).await.len(), 2);
}

#[tokio::test]
async fn an_erased_customer_is_gone_from_the_log_and_the_session() {
    let server = with_logs().await;
    let body = r#"{"inputText":"order roses","requestAttributes":{"x-convlog-customer-id":"k1"}}"#;
    is(&server.post(&format!("{USER}/text"), body).await, 200);
    assert_eq!(entries(&server).await.len(), 1);
    let erased = server
        .post("/convlog/v1/erasures", r#"{"customer_id":"k1"}"#)
        .await;
    is(&erased, 202);
    assert_eq!(entries(&server).await.len(), 0);
    is(&server.get(&format!("{USER}/session")).await, 404);
}

#[tokio::test]
async fn an_erased_customer_is_gone_from_answers_of_sessions_that_have_ended() {
    let server = with_logs().await;
    let send = |attributes: &str| {
        let body = format!(r#"{{"inputText":"order roses"{attributes}}}"#);
        let request = axum::http::Request::post(format!("{USER}/text"))
            .header("authorization", format!("Bearer {ADMIN}"))
            .header("amz-sdk-invocation-id", "a")
            .body(axum::body::Body::from(body));
        server.send(request.unwrap())
    };
    let customer = r#","requestAttributes":{"x-convlog-customer-id":"k1"}"#;
    is(&send(customer).await, 200);
    // The session ends before its last answer is forgotten.
    server.clock.step(301_000_000);
    say(&server, "order").await;
    let instance = convlog_model::ids::InstanceId::default_instance();
    let kept = async || {
        server
            .app
            .store()
            .load_state(&instance, "lex/Shop/u1")
            .await
    };
    assert_eq!(kept().await.unwrap().unwrap().customers, ["k1"]);
    let erase = r#"{"customer_id":"k1"}"#;
    is(&server.post("/convlog/v1/erasures", erase).await, 202);
    assert_eq!(kept().await.unwrap(), None);
}

#[tokio::test]
async fn a_session_ends_when_nobody_has_said_anything_for_its_time() {
    let server = with_logs().await;
    let first = say(&server, "order").await;
    server.clock.step(299_000_000);
    let second = say(&server, "order").await;
    assert_eq!(text(&first, &["sessionId"]), text(&second, &["sessionId"]));
    server.clock.step(301_000_000);
    let third = say(&server, "order").await;
    assert_ne!(text(&first, &["sessionId"]), text(&third, &["sessionId"]));
}
