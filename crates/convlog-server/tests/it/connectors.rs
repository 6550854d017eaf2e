//! Connectors against servers on this machine: webhooks, and another convlog as upstream.

use std::net::{IpAddr, Ipv4Addr};

use convlog_model::json::Json;
use convlog_server::ServerConfig;

use crate::fake::{Fake, Script, background};
use crate::harness::{ADMIN, Server};
use crate::watson::{V1, V2, bot, error, logs, logs_of, say, send, text};

/// A server that listens on loopback, and may so connect to it.
pub(crate) async fn on_loopback() -> Server {
    let mut config = ServerConfig::default();
    config.connectors.listening_on = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    Server::with(config).await
}

async fn with_webhook(fake: &Fake, extra: &str) -> Server {
    let server = on_loopback().await;
    let url = fake.url();
    let body = format!(r#"{{"connector":{{"kind":"webhook","url":"{url}/ask"{extra}}}}}"#);
    bot(&server, "W1", &body).await;
    server
}

const HELLO: &str =
    r#"{"input":{"text":"hello"},"context":{"conversation_id":"c-1","x":1},"user_id":"u-1"}"#;
const MESSAGE: &str = "/v1/workspaces/W1/message?version=2021-11-27";

#[tokio::test]
async fn a_webhook_is_asked_with_a_signature_and_its_answer_is_listed() {
    let reply = r#"{"output":[{"type":"text","text":"Hi there"}],"intents":[{"intent":"greet","confidence":0.9}],
        "entities":[],"context":{"seen":true}}"#;
    let fake = Fake::json(reply).await;
    let server = with_webhook(&fake, r#","secret":"s3cret""#).await;
    let headers = [
        ("X-Watson-Metadata", "customer_id=acme"),
        ("X-Watson-Learning-Opt-Out", "true"),
    ];
    let answer = send(&server, "POST", MESSAGE, &headers, HELLO).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    let generic = body
        .at(&["output", "generic"])
        .and_then(Json::as_array)
        .unwrap();
    assert_eq!(text(&generic[0], &["text"]), "Hi there");
    assert_eq!(body.at(&["context", "seen"]), Some(&Json::Bool(true)));
    assert_eq!(
        logs_of(&server, "W1", "response.top_intent::greet")
            .await
            .len(),
        1
    );

    let seen = &fake.seen()[0];
    assert_eq!(seen.uri.path(), "/ask");
    for (name, value) in headers {
        assert_eq!(seen.headers.get(name).unwrap(), value);
    }
    assert_eq!(seen.headers.get("authorization"), None);
    let asked = Json::parse(seen.body.as_bytes()).unwrap();
    let keys: Vec<&str> = asked
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(keys, ["bot", "session", "user", "input", "context"]);
    assert_eq!(text(&asked, &["bot"]), "W1");
    assert_eq!(text(&asked, &["session"]), "c-1");
    assert_eq!(text(&asked, &["user"]), "u-1");
    assert_eq!(text(&asked, &["input", "text"]), "hello");
    let signature = seen
        .headers
        .get("x-convlog-signature")
        .unwrap()
        .to_str()
        .unwrap();
    assert_eq!(signature, hmac_hex("s3cret", &seen.body));
}

fn hmac_hex(secret: &str, body: &str) -> String {
    use hmac::Mac as _;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a message that fails, and returns status, error and the class in the record.
async fn failed(server: &Server) -> (u16, String, String) {
    let (status, general, _, _) = error(&server.post(MESSAGE, HELLO).await);
    let listed = logs_of(server, "W1", "").await;
    assert_eq!(listed.len(), 1, "the failed turn is kept");
    assert_eq!(text(&listed[0], &["request", "input", "text"]), "hello");
    let by_error =
        r#"{"filter":"kind::turn","by":[{"field":"error","limit":5}],"metrics":["count"]}"#;
    let table = server.post("/convlog/v1/aggregate", by_error).await;
    (status, general, table.text())
}

#[tokio::test]
async fn a_webhook_that_fails_is_told_and_kept_as_failed() {
    let failures = [
        (
            Script::Answer(500, "text/plain", "oops".to_owned()),
            502,
            "it answered status 500",
            "webhook_status_500",
        ),
        (
            Script::Answer(200, "application/json", "nonsense".to_owned()),
            502,
            "its answer is not valid",
            "webhook_bad_answer",
        ),
        (
            Script::Flood,
            502,
            "its answer is larger than 2097152 bytes",
            "webhook_answer_too_large",
        ),
        (
            Script::Redirect("http://127.0.0.1:9/".to_owned()),
            502,
            "it answered status 307",
            "webhook_status_307",
        ),
    ];
    for (script, wanted, message, class) in failures {
        let fake = Fake::start(script).await;
        let server = with_webhook(&fake, "").await;
        let (status, general, table) = failed(&server).await;
        assert_eq!(status, wanted);
        assert!(
            general.starts_with("the webhook connector of this bot failed: "),
            "{general}"
        );
        assert!(general.contains(message), "{general}");
        assert!(table.contains(class), "{class}: {table}");
        assert!(
            !general.contains("hello") && !general.contains("127.0.0.1"),
            "{general}"
        );
        assert_eq!(fake.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_webhook_that_is_silent_or_gone_is_told_too() {
    let fake = Fake::start(Script::Silence).await;
    let server = with_webhook(&fake, r#","timeout_ms":100"#).await;
    let (status, general, table) = failed(&server).await;
    assert_eq!(status, 504);
    assert!(
        general.ends_with("it did not answer within 100 ms"),
        "{general}"
    );
    assert!(table.contains("webhook_timeout"), "{table}");

    let server = on_loopback().await;
    let gone = r#"{"connector":{"kind":"webhook","url":"http://127.0.0.1:9/"}}"#;
    bot(&server, "W1", gone).await;
    let (status, general, table) = failed(&server).await;
    assert_eq!(status, 502);
    assert!(general.ends_with("it could not be reached"), "{general}");
    assert!(table.contains("webhook_unreachable"), "{table}");
}

#[tokio::test]
async fn a_private_target_is_not_called_unless_the_configuration_names_it() {
    let fake = Fake::json(r#"{"output":[]}"#).await;
    let mut config = ServerConfig::default();
    config.connectors.listening_on = vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
    let server = Server::with(config.clone()).await;
    let body = format!(
        r#"{{"connector":{{"kind":"webhook","url":"{}/"}}}}"#,
        fake.url()
    );
    assert_eq!(server.put("/convlog/v1/bots/W1", &body).await.status, 400);
    assert!(fake.seen().is_empty());

    config.connectors.allow = vec!["127.0.0.0/8".to_owned()];
    let server = Server::with(config).await;
    bot(&server, "W1", &body).await;
    assert_eq!(server.post(MESSAGE, HELLO).await.status, 200);
    assert_eq!(fake.seen().len(), 1);
}

/// A second convlog on a socket of its own, as a real upstream server would be.
async fn upstream() -> (Server, String) {
    let upstream = Server::start().await;
    let body = r#"{"language":"en","assistant":"up-as","environments":[{"id":"up-env","name":"live"}],
        "connector":{"kind":"echo"}}"#;
    bot(&upstream, "up-ws", body).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/assistant/api", listener.local_addr().unwrap());
    let router = convlog_server::router(upstream.app.clone());
    background(async move { axum::serve(listener, router).await.unwrap() });
    (upstream, url)
}

async fn before(url: &str, api: &str, rest: &str) -> Server {
    let server = on_loopback().await;
    let body = format!(
        r#"{{"language":"en","connector":{{"kind":"upstream","url":"{url}","api":"{api}",{rest},"apikey":"{ADMIN}","version":"2024-08-25"}}}}"#
    );
    bot(&server, "W1", &body).await;
    server
}

#[tokio::test]
async fn a_v1_message_passes_through_and_is_kept_on_both_sides() {
    let (upstream, url) = upstream().await;
    let server = before(&url, "v1", r#""id":"up-ws""#).await;
    let headers = [
        ("X-Watson-Metadata", "customer_id=acme"),
        ("X-Watson-Learning-Opt-Out", "true"),
    ];
    let answer = send(&server, "POST", MESSAGE, &headers, HELLO).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let over_there = logs_of(&upstream, "up-ws", "customer_id::acme").await;
    let over_here = logs_of(&server, "W1", "customer_id::acme").await;
    assert_eq!((over_there.len(), over_here.len()), (1, 1));
    for part in ["request", "response"] {
        assert_eq!(over_there[0].get(part), over_here[0].get(part), "{part}");
    }
    assert_eq!(
        over_here[0].get("request").map(Json::to_string).as_deref(),
        Some(HELLO)
    );
    assert_eq!(over_here[0].get("response"), Some(&answer.json()));
    assert_eq!(text(&over_here[0], &["workspace_id"]), "W1");
    let opted_out = "/convlog/v1/records?filter=learning_opt_out%3A%3Atrue";
    for side in [&upstream, &server] {
        let records = side.get(opted_out).await.json();
        assert_eq!(
            records
                .get("records")
                .and_then(Json::as_array)
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn a_v2_session_stands_for_one_upstream() {
    let (upstream, url) = upstream().await;
    let rest = r#""id":"up-as","environment":"up-env""#;
    let server = before(&url, "v2", rest).await;
    let opened = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await;
    let session = opened.text_at("session_id");
    let uri = format!("/v2/assistants/W1/sessions/{session}");
    for turn in 1..=2 {
        let body =
            r#"{"input":{"text":"hello","options":{"return_context":true}},"user_id":"u-1"}"#;
        let answer = server.post(&format!("{uri}/message?{V2}"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let turns = answer
            .json()
            .at(&["context", "global", "system", "turn_count"])
            .cloned();
        assert_eq!(turns, Some(Json::integer(turn)));
    }
    let over_there = logs(&upstream, &format!("/v2/assistants/up-env/logs?{V2}")).await;
    let over_here = logs(&server, &format!("/v2/assistants/W1/logs?{V2}")).await;
    assert_eq!((over_there.len(), over_here.len()), (2, 2));
    assert_eq!(
        text(&over_there[0], &["session_id"]),
        text(&over_there[1], &["session_id"])
    );
    assert_eq!(text(&over_here[0], &["session_id"]), session);
    assert_eq!(text(&over_there[0], &["request", "user_id"]), "u-1");
    assert_eq!(
        send(&server, "DELETE", &format!("{uri}?{V2}"), &[], "")
            .await
            .status,
        200
    );
    let foreign = text(&over_there[0], &["session_id"]);
    let uri = format!("/v2/assistants/up-as/sessions/{foreign}/message?{V2}");
    assert_eq!(error(&upstream.post(&uri, "{}").await).1, "Invalid Session");
}

#[tokio::test]
async fn a_session_that_ends_upstream_ends_here_too() {
    let (upstream, url) = upstream().await;
    let server = before(&url, "v2", r#""id":"up-as""#).await;
    let opened = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await;
    let uri = format!(
        "/v2/assistants/W1/sessions/{}/message?{V2}",
        opened.text_at("session_id")
    );
    assert_eq!(
        server.post(&uri, r#"{"input":{"text":"x"}}"#).await.status,
        200
    );
    upstream.clock.step(7 * 24 * 3_600_000_000);
    for _ in 0..2 {
        let answer = server.post(&uri, r#"{"input":{"text":"y"}}"#).await;
        assert_eq!(answer.text(), r#"{"error":"Invalid Session","code":404}"#);
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn a_stateless_message_passes_through() {
    let (upstream, url) = upstream().await;
    let server = before(&url, "v2", r#""id":"up-as""#).await;
    let uri = format!("/v2/assistants/W1/message?{V2}");
    let answer = server.post(&uri, r#"{"input":{"text":"hello"}}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json().get("context").is_some());
    assert_eq!(
        logs(&upstream, &format!("/v2/assistants/up-as/logs?{V2}"))
            .await
            .len(),
        1
    );
    assert_eq!(
        logs(&server, &format!("/v2/assistants/W1/logs?{V2}"))
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn what_upstream_refuses_about_the_message_is_passed_on() {
    let refusal =
        r#"{"error":"Invalid Request Body","errors":[{"message":"no","path":".x"}],"code":400}"#;
    let fake = Fake::start(Script::Answer(400, "application/json", refusal.to_owned())).await;
    let server = before(&fake.url(), "v1", r#""id":"up-ws""#).await;
    let answer = server.post(MESSAGE, HELLO).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text().as_str()),
        (400, refusal)
    );
    for (status, wanted) in [(401, 502), (403, 502), (404, 502), (500, 502), (429, 429)] {
        let body = r#"{"error":"x","code":0}"#.to_owned();
        fake.now_does(Script::Answer(status, "application/json", body));
        let answer = server.post(MESSAGE, HELLO).await;
        assert_eq!(
            answer.status.as_u16(),
            wanted,
            "{status}: {}",
            answer.text()
        );
    }
    assert_eq!(logs_of(&server, "W1", "").await.len(), 6);
}

#[tokio::test]
async fn the_key_goes_upstream_as_basic_and_the_clients_own_stays() {
    let fake =
        Fake::json(r#"{"output":{"generic":[]},"intents":[],"entities":[],"context":{}}"#).await;
    let server = before(&fake.url(), "v1", r#""id":"a/b c""#).await;
    assert_eq!(server.post(MESSAGE, HELLO).await.status, 200);
    let seen = &fake.seen()[0];
    assert_eq!(
        seen.uri.to_string(),
        "/v1/workspaces/a%2Fb%20c/message?version=2024-08-25"
    );
    let basic = crate::harness::basic("apikey", ADMIN);
    assert_eq!(seen.headers.get("authorization").unwrap(), basic.as_str());
    assert_eq!(seen.body, HELLO);
}

#[tokio::test]
async fn a_message_of_the_other_api_is_refused_clearly() {
    let fake = Fake::json("{}").await;
    let server = before(&fake.url(), "v2", r#""id":"up-as""#).await;
    let (status, general, _, _) = error(&server.post(MESSAGE, HELLO).await);
    assert_eq!(status, 409);
    assert!(general.contains("speaks v2"), "{general}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn an_erasure_is_repeated_upstream() {
    let (upstream, url) = upstream().await;
    let rest = r#""id":"up-ws","forward_erasure":true"#;
    let server = before(&url, "v1", rest).await;
    let headers = [("X-Watson-Metadata", "customer_id=acme")];
    assert_eq!(
        send(&server, "POST", MESSAGE, &headers, HELLO).await.status,
        200
    );
    let uri = format!("/v1/user_data?{V1}&customer_id=acme");
    assert_eq!(send(&server, "DELETE", &uri, &[], "").await.status, 202);
    assert!(logs_of(&server, "W1", "").await.is_empty());
    // The forwarding runs beside the answer: the erasure tells when it has ended.
    loop {
        let shown = server.get("/convlog/v1/erasures").await.text();
        if shown.contains(r#""forward":{"state":"done""#) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(logs_of(&upstream, "up-ws", "").await.is_empty());
}

#[tokio::test]
async fn a_customer_id_of_a_channel_that_could_not_be_kept_is_refused_before_the_bot_is_asked() {
    let fake = Fake::json(r#"{"output":[]}"#).await;
    let server = with_webhook(&fake, "").await;
    let user = "x".repeat(256);
    let body = format!(r#"{{"context":{{"integrations":{{"slack":{{}}}}}},"user_id":"{user}"}}"#);
    let stateless = format!("/v2/assistants/W1/message?{V2}");
    let session = server
        .post(&format!("/v2/assistants/W1/sessions?{V2}"), "")
        .await
        .text_at("session_id");
    let stateful = format!("/v2/assistants/W1/sessions/{session}/message?{V2}");
    for uri in [MESSAGE, &stateless, &stateful] {
        let (status, _, said, place) = error(&server.post(uri, &body).await);
        assert_eq!((status, place.as_str()), (400, "customer"), "{uri}");
        assert_eq!(said, "customer: longer than 256 bytes", "{uri}");
    }
    assert!(fake.seen().is_empty());
    let fitting = body.replace(&user, &"x".repeat(250));
    assert_eq!(server.post(MESSAGE, &fitting).await.status, 200);
}

#[tokio::test]
async fn a_message_beyond_the_rate_is_refused_before_the_bot_is_asked() {
    let fake = Fake::json(r#"{"output":[]}"#).await;
    let mut config = ServerConfig::default();
    config.connectors.listening_on = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    config.limits.ingest_per_second = 1;
    let server = Server::with(config).await;
    let url = fake.url();
    let body = format!(r#"{{"connector":{{"kind":"webhook","url":"{url}/ask"}}}}"#);
    bot(&server, "W1", &body).await;
    let mut answered = 0;
    while server.post(MESSAGE, HELLO).await.status == 200 {
        answered += 1;
    }
    assert_eq!(server.post(MESSAGE, HELLO).await.status, 429);
    assert_eq!(fake.seen().len(), answered);
}

#[tokio::test]
async fn a_message_that_servers_pass_round_comes_to_an_end() {
    let server = on_loopback().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = convlog_server::router(server.app.clone());
    background(async move { axum::serve(listener, router).await.unwrap() });
    let to_itself = format!(
        r#"{{"connector":{{"kind":"upstream","url":"{url}","api":"v1","id":"W1","apikey":"{ADMIN}","version":"2024-08-25"}}}}"#
    );
    bot(&server, "W1", &to_itself).await;
    let answer = server.post(MESSAGE, HELLO).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(logs_of(&server, "W1", "").await.len(), 4);
}

#[tokio::test]
async fn a_server_that_nothing_configured_connects_nowhere() {
    let fake = Fake::json("{}").await;
    let server = on_loopback().await;
    bot(&server, "W1", r#"{"connector":{"kind":"echo"}}"#).await;
    say(&server, "W1", HELLO).await;
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_turn_is_kept_though_its_client_has_gone() {
    let fake = Fake::json(r#"{"output":[{"type":"text","text":"late"}]}"#).await;
    let server = with_webhook(&fake, "").await;
    let mut message = Box::pin(server.post(MESSAGE, HELLO));
    while fake.seen().is_empty() {
        if futures::poll!(message.as_mut()).is_ready() {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(message);
    while logs_of(&server, "W1", "").await.is_empty() {
        tokio::task::yield_now().await;
    }
    let listed = logs_of(&server, "W1", "response.output.text:late").await;
    assert_eq!(listed.len(), 1);
}
