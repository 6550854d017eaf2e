//! What brings each type of event about.

mod deliveries;
mod lex;
mod logs;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{Request, Response, header};
use convlog_model::store::faulty::{Call, FaultyStore, When};
use convlog_model::store::{ErrorKind, Store};
use convlog_server::{Deps, ServerConfig};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;

use super::{Action, Done, eventually_told, told};
use crate::api::{BULK_V1, EXPORT, load, log};
use crate::fake::{Fake, Script};
use crate::harness::{ADMIN, Answer, Server};
use crate::watson::{text, with_echo};

macro_rules! actions {
    ($($kind:literal $when:ident [$($name:ident: $id:literal),*]: $prepare:path, $act:path;)*) => {
        /// One for each type.
        pub(super) static ACTIONS: &[Action] = &[$(Action {
            kind: $kind,
            is_prompt: $when,
            refs: &[$((stringify!($name), $id)),*],
            prepare: || -> Done<Server> { Box::pin($prepare()) },
            act: |server| -> Done<()> { Box::pin($act(server)) },
        }),*];
    };
}

const AT_ONCE: bool = true;
const SOON: bool = false;

// An id that is drawn is written as the empty text.
actions! {
    "bot.create" AT_ONCE [botId: "B"]: Server::start, put_bot;
    "bot.update" AT_ONCE [botId: "B"]: with_bot, put_bot;
    "bot.delete" AT_ONCE [botId: "B"]: with_bot, delete_bot;
    "dataset.create" AT_ONCE [botId: "B", datasetId: "B"]: with_bot, put_definition;
    "dataset.update" AT_ONCE [botId: "B", datasetId: "B"]: with_definition, put_definition;
    "dataset.delete" AT_ONCE [botId: "B", datasetId: "B"]: with_definition, delete_bot;
    "delivery.sent" SOON [botId: "shop", erasureId: ""]: upstream_that_accepts, erase;
    "delivery.failed" SOON [botId: "shop", erasureId: ""]: upstream_that_fails, erase;
    "erasure.request" AT_ONCE [erasureId: ""]: Server::start, erase;
    "file.upload" AT_ONCE []: Server::start, import;
    "file.upload.error" AT_ONCE []: Server::start, import_half;
    "file.download" AT_ONCE []: Server::start, export;
    "file.download.error" AT_ONCE []: with_store_that_fails_on_the_way, export_half;
    "instance.create" AT_ONCE [instanceId: ""]: Server::start, create_instance;
    "integration.connect" AT_ONCE [webhookId: "H"]: Server::start, put_hook;
    "integration.update" AT_ONCE [webhookId: "H"]: with_hook, put_hook;
    "integration.disconnect" AT_ONCE [webhookId: "H"]: with_hook, delete_hook;
    "integration.error" AT_ONCE [webhookId: "H"]: with_hook, deliver_without_proof;
    "integration.sentiment.failed" AT_ONCE [botId: "Shop"]:
        lex::with_sentiment_that_fails, lex::say_order;
    "integration.upstream.failed" AT_ONCE [botId: "shop", conversationId: "c"]:
        upstream_that_fails, ask;
    "integration.webhook.failed" AT_ONCE [botId: "shop", conversationId: "c"]:
        webhook_that_fails, ask;
    "key.create" AT_ONCE [keyId: ""]: Server::start, create_key;
    "key.delete" AT_ONCE [keyId: ""]: Server::start, create_and_revoke_key;
    "retention.confirm" AT_ONCE []: Server::start, confirm_retention;
    "redaction.update" AT_ONCE []: Server::start, put_redaction;
    "alias.create" AT_ONCE [botId: "Flowers"]: lex::with_bot, lex::put_alias;
    "alias.update" AT_ONCE [botId: "Flowers"]: lex::with_alias, lex::put_alias_again;
    "alias.delete" AT_ONCE [botId: "Flowers"]: lex::with_alias, lex::delete_alias;
    "intent.create" AT_ONCE []: Server::start, lex::put_intent;
    "intent.update" AT_ONCE []: lex::with_intent, lex::publish_intent;
    "intent.delete" AT_ONCE []: lex::with_intent, lex::delete_intent;
    "slot_type.create" AT_ONCE []: Server::start, lex::put_slot_type;
    "slot_type.update" AT_ONCE []: lex::with_slot_type, lex::publish_slot_type;
    "slot_type.delete" AT_ONCE []: lex::with_slot_type, lex::delete_slot_type;
    "log_group.create" AT_ONCE []: Server::start, logs::create;
    "log_group.update" AT_ONCE []: logs::with_group, logs::put_retention;
    "log_group.delete" AT_ONCE []: logs::with_group, logs::delete;
    "log_delivery.dead" SOON [deliveryId: ""]:
        deliveries::with_group_that_refuses, deliveries::say_roses;
    "log_delivery.failed" SOON [deliveryId: ""]:
        deliveries::with_group_that_fails_once, deliveries::say_roses;
    "log_delivery.retry" AT_ONCE [deliveryId: ""]:
        deliveries::with_dead_letter, deliveries::retry;
    "log_delivery.sent" SOON [deliveryId: ""]:
        deliveries::with_group_that_fails_once, deliveries::say_roses;
    "settings.update" AT_ONCE []: Server::start, put_settings;
    "user.error" AT_ONCE [keyId: "ADMINADMINADMIN1"]: Server::start, fail_to_log_in;
    "user.login" AT_ONCE [keyId: "ADMINADMINADMIN1"]: Server::start, log_in;
}

const BOT: &str = "/convlog/v1/bots/B";
const HOOK: &str = "/convlog/v1/hooks/H";

#[track_caller]
fn is(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
}

async fn with_bot() -> Server {
    let server = Server::start().await;
    put_bot(server.clone()).await;
    server
}

async fn put_bot(server: Server) {
    is(
        &server.put(BOT, r#"{"connector":{"kind":"echo"}}"#).await,
        200,
    );
}

async fn delete_bot(server: Server) {
    is(&server.call(ADMIN, "DELETE", BOT, "").await, 204);
}

async fn with_definition() -> Server {
    let server = with_bot().await;
    put_definition(server.clone()).await;
    server
}

async fn put_definition(server: Server) {
    is(
        &server.put(&format!("{BOT}/definition"), r#"{"a":1}"#).await,
        200,
    );
}

async fn with_hook() -> Server {
    let server = Server::start().await;
    put_hook(server.clone()).await;
    server
}

async fn put_hook(server: Server) {
    is(&server.put(HOOK, r#"{"secret":"hush"}"#).await, 200);
}

async fn delete_hook(server: Server) {
    is(&server.call(ADMIN, "DELETE", HOOK, "").await, 204);
}

async fn deliver_without_proof(server: Server) {
    // The second is within the same minute.
    for _ in 0..2 {
        let path = "/convlog/v1/hooks/watson/H";
        is(&server.call("", "POST", path, "{}").await, 401);
    }
}

async fn erase(server: Server) {
    let body = r#"{"customer_id":"acme"}"#;
    is(&server.post("/convlog/v1/erasures", body).await, 202);
}

async fn import(server: Server) {
    let kinds = ["bot.create", "file.upload"];
    load(&server, &[log(1), log(2)]).await;
    let made = &told(&server, kinds[0]).await[0];
    assert_eq!(text(made, &["refs", "botId"]), "shop");
    assert_eq!(text(made, &["actor"]), "ADMINADMINADMIN1");
    assert_eq!(text(made, &["meta", "seen"]), "import");
    let meta = told(&server, kinds[1]).await[0]
        .get("meta")
        .unwrap()
        .to_string();
    let expected = r#"{"dialect":"watson-v1","records":"2","rejected":"0"}"#;
    assert_eq!(meta, expected);
    // What stores nothing is no import.
    is(&server.post(BULK_V1, "no log").await, 200);
}

fn post_of(body: Body) -> Request<Body> {
    let request = Request::builder().method("POST").uri(BULK_V1);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    request.body(body).unwrap()
}

/// The body breaks off behind its first line.
async fn import_half(server: Server) {
    let line = format!("{}\n", log(1).line());
    let pieces = [
        Ok(Bytes::from(line)),
        Err(std::io::Error::other("the connection is gone")),
    ];
    let body = Body::from_stream(futures::stream::iter(pieces));
    let answer = server.send(post_of(body)).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    let found = told(&server, "file.upload.error").await;
    assert_eq!(text(&found[0], &["meta", "accepted"]), "1");
    assert_eq!(text(&found[0], &["meta", "why"]), answer.status.as_str());
    assert!(told(&server, "file.upload").await.is_empty());
}

async fn export(server: Server) {
    is(&server.get(EXPORT).await, 200);
}

async fn with_store_that_fails_on_the_way() -> Server {
    let server = Server::start().await;
    let logs: Vec<_> = (0..100).map(log).collect();
    load(&server, &logs).await;
    let store = Arc::new(FaultyStore::new(Arc::clone(&server.deps.store)));
    store.fail(Call::Scan, 2, When::Before, ErrorKind::Unavailable);
    let deps = Deps {
        store: store as Arc<dyn Store>,
        ..server.deps
    };
    Server::over(ServerConfig::default(), deps, server.clock)
}

/// An export whose body is still to be read.
async fn open(server: &Server) -> Response<Body> {
    let request = Request::builder().uri(EXPORT);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
    server.response(request.body(Body::empty()).unwrap()).await
}

async fn export_half(server: Server) {
    let answer = open(&server).await;
    let mut pieces = answer.into_body().into_data_stream();
    let mut n_lines = 0;
    loop {
        match pieces.next().await {
            Some(Ok(piece)) => n_lines += piece.iter().filter(|byte| **byte == b'\n').count(),
            Some(Err(_)) => break,
            None => panic!("it looks complete"),
        }
    }
    let meta = told(&server, "file.download.error").await[0]
        .get("meta")
        .unwrap()
        .to_string();
    assert!(n_lines < 100);
    assert_eq!(meta, r#"{"kind":"export","records":"64","why":"store"}"#);
}

async fn create_instance(server: Server) {
    server.instance().await;
}

async fn create_key(server: Server) {
    server.key(r#""read""#, "").await;
}

async fn create_and_revoke_key(server: Server) {
    let key = server.key(r#""read""#, "").await;
    let id = key.split_once('.').unwrap().0;
    let path = format!("/convlog/v1/keys/{id}");
    is(&server.call(ADMIN, "DELETE", &path, "").await, 204);
}

async fn confirm_retention(server: Server) {
    let answer = server.post("/convlog/v1/retention", r#"{"confirm":true}"#);
    is(&answer.await, 200);
}

async fn put_redaction(server: Server) {
    let body = r#"{"rules":[{"name":"mail","detector":"email"}]}"#;
    is(&server.put("/convlog/v1/redaction", body).await, 200);
}

async fn put_settings(server: Server) {
    is(&server.put("/convlog/v1/settings", "{}").await, 200);
}

async fn cp4d(server: &Server, key: &str) -> Answer {
    let body = format!(r#"{{"username":"me","api_key":"{key}"}}"#);
    server.call("", "POST", "/v1/authorize", &body).await
}

async fn log_in(server: Server) {
    is(&cp4d(&server, ADMIN).await, 200);
}

async fn fail_to_log_in(server: Server) {
    // The second is within the same minute.
    for _ in 0..2 {
        is(&cp4d(&server, "ADMINADMINADMIN1.wrong").await, 401);
    }
}

/// A server whose bot `shop` has this connector, of which `URL` is to be replaced.
async fn with_connector(script: Script, connector: &str) -> Server {
    let fake = Fake::start(script).await;
    let mut config = ServerConfig::default();
    config.connectors.listening_on = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let server = Server::with(config).await;
    let body = connector.replace("URL", &fake.url());
    is(&server.put("/convlog/v1/bots/shop", &body).await, 200);
    server
}

fn fails() -> Script {
    Script::Answer(503, "text/plain", "no".to_owned())
}

const UPSTREAM: &str = concat!(
    r#"{"connector":{"kind":"upstream","url":"URL","api":"v1","id":"a","apikey":"k","#,
    r#""version":"2024-08-25","forward_erasure":true}}"#
);

async fn upstream_that_accepts() -> Server {
    with_connector(
        Script::Answer(202, "application/json", "{}".to_owned()),
        UPSTREAM,
    )
    .await
}

async fn upstream_that_fails() -> Server {
    with_connector(fails(), UPSTREAM).await
}

pub(super) async fn webhook_that_fails() -> Server {
    with_connector(
        fails(),
        r#"{"connector":{"kind":"webhook","url":"URL/ask"}}"#,
    )
    .await
}

async fn ask(server: Server) {
    let path = "/v1/workspaces/shop/message?version=2021-11-27";
    let body = r#"{"input":{"text":"hello"},"context":{"conversation_id":"c"}}"#;
    is(&server.post(path, body).await, 502);
}

#[tokio::test]
async fn an_import_that_is_cut_off_tells_what_it_has_stored() {
    let server = Server::start().await;
    let lines: String = (0..1000).map(|n| log(n).line() + "\n").collect();
    let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(lines))]);
    let body = Body::from_stream(begun.chain(futures::stream::pending()));
    let is_stored = async {
        while server
            .get(&format!("{EXPORT}?format=csv"))
            .await
            .text()
            .lines()
            .count()
            < 1001
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = server.send(post_of(body)) => panic!("it has ended: {}", answer.text()),
        () = is_stored => {}
    }
    let found = eventually_told(&server, "file.upload.error", 0).await;
    assert_eq!(text(&found[0], &["meta", "why"]), "cut");
    let meta = |name| {
        found[0]
            .at(&["meta", name])
            .and_then(|value| value.as_str()?.parse().ok())
    };
    let n_told: [u64; 2] = ["accepted", "unknown"].map(|name| meta(name).unwrap_or(0));
    assert_eq!(n_told.iter().sum::<u64>(), 1000);
}

#[tokio::test]
async fn an_export_whose_receiver_goes_away_is_told_of() {
    let server = with_echo().await;
    let logs: Vec<_> = (0..100).map(log).collect();
    load(&server, &logs).await;
    let mut answer = open(&server).await.into_body();
    answer.frame().await.unwrap().unwrap();
    drop(answer);
    let found = eventually_told(&server, "file.download.error", 0).await;
    assert_eq!(text(&found[0], &["meta", "why"]), "cut");
    is(&server.get(EXPORT).await, 200);
    tokio::task::yield_now().await;
    assert_eq!(told(&server, "file.download.error").await.len(), 1);
}

#[tokio::test]
async fn a_failed_turn_of_a_customer_is_erased_with_its_event() {
    let server = webhook_that_fails().await;
    let path = "/v1/workspaces/shop/message?version=2021-11-27";
    let body = r#"{"input":{"text":"hello"},"context":{"conversation_id":"c"}}"#;
    let headers = [("X-Watson-Metadata", "customer_id=acme")];
    let answer = crate::watson::send(&server, "POST", path, &headers, body).await;
    is(&answer, 502);
    let kind = "integration.webhook.failed";
    let found = told(&server, kind).await;
    assert_eq!(text(&found[0], &["meta", "class"]), "webhook_status_503");
    assert_eq!(text(&found[0], &["meta", "status"]), "503");
    assert!(!found[0].to_string().contains("hello"), "{}", found[0]);
    erase(server.clone()).await;
    assert_eq!(told(&server, kind).await.len(), 0);
    let request = &told(&server, "erasure.request").await[0];
    assert_eq!(text(request, &["meta", "records"]), "2");
}

#[tokio::test]
async fn where_logging_is_off_a_failure_leads_to_nobody() {
    let server = webhook_that_fails().await;
    is(
        &server
            .put("/convlog/v1/settings", r#"{"logging":false}"#)
            .await,
        200,
    );
    ask(server.clone()).await;
    let found = told(&server, "integration.webhook.failed").await;
    assert_eq!(
        found[0].get("refs").unwrap().to_string(),
        r#"{"botId":"shop"}"#
    );
}
