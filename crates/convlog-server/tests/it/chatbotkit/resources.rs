//! Conversations, messages and bots: a client of ChatBotKit drives a bot of ours, and every dialect
//! shows what was said.

use super::*;
use crate::connectors::on_loopback;
use crate::fake::{Fake, Script};

async fn post(server: &Server, uri: &str, body: &str) -> Json {
    let answer = server.post(uri, body).await;
    assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
    answer.json()
}

async fn get(server: &Server, uri: &str) -> Json {
    let answer = server.get(uri).await;
    assert_eq!(answer.status, 200, "{uri}: {}", answer.text());
    answer.json()
}

fn list(page: &Json) -> Vec<Json> {
    page.get("items").and_then(Json::as_array).unwrap().to_vec()
}

async fn with_bot(connector: &str) -> Server {
    let server = on_loopback().await;
    let body = format!(r#"{{"name":"Bot","language":"de","connector":{connector}}}"#);
    let made = server.put("/convlog/v1/bots/b1", &body).await;
    assert!(made.status.is_success(), "{}", made.text());
    server
}

const CREATE_CONVERSATION: &str = "/api/v1/conversation/create";

#[tokio::test]
async fn a_conversation_is_answered_and_found_everywhere() {
    let server = with_bot(r#"{"kind":"echo"}"#).await;
    let body = r#"{"name":"Talk","botId":"b1","contactId":"k1","meta":{"team":"blue"},
        "model":"any","messages":[{"type":"bot","text":"Welcome"},{"type":"context","text":"VIP"}]}"#;
    let made = post(&server, CREATE_CONVERSATION, body).await;
    let id = text(&made, "id");
    let first = made.get("messages").and_then(Json::as_array).unwrap();
    assert_eq!(text(&first[0], "text"), "Welcome");
    let uri = format!("/v1/conversation/{id}/message/create");
    let said = r#"{"type":"user","text":"Grüße 東京","name":"n","meta":{"a":1},"entities":[]}"#;
    let sent = post(&server, &uri, said).await;
    assert_eq!(sent.get("entities"), Some(&Json::Array(Vec::new())));

    let messages = get(&server, &format!("/v1/conversation/{id}/message/list")).await;
    let messages = list(&messages);
    let told: Vec<(String, String)> = messages
        .iter()
        .map(|m| (text(m, "type"), text(m, "text")))
        .collect();
    let expected = [
        ("bot", "Welcome"),
        ("context", "VIP"),
        ("user", "Grüße 東京"),
        ("bot", "Grüße 東京"),
    ];
    assert_eq!(
        told,
        expected.map(|(kind, text)| (kind.to_owned(), text.to_owned()))
    );
    assert_eq!(messages[2].get("id"), sent.get("id"));
    assert_eq!(messages[0].get("id"), first[0].get("id"));
    assert_eq!(
        messages[2].at(&["meta", "a"]).and_then(Json::as_i64),
        Some(1)
    );
    assert_eq!(text(&messages[2], "name"), "n");
    assert_eq!(text(&messages[3], "name"), "");
    let desc = get(
        &server,
        &format!("/v1/conversation/{id}/message/list?order=desc&take=1"),
    )
    .await;
    assert_eq!(list(&desc)[0].get("id"), messages[3].get("id"));

    let conversations = list(&get(&server, "/v1/conversation/list?botId=b1&meta.team=blue").await);
    assert_eq!(conversations.len(), 1);
    let fetched = get(&server, &format!("/v1/conversation/{id}/fetch")).await;
    assert_eq!(conversations[0], fetched);
    for (name, value) in [
        ("id", id.as_str()),
        ("name", "Talk"),
        ("botId", "b1"),
        ("model", "any"),
    ] {
        assert_eq!(text(&fetched, name), value);
    }
    assert_eq!(
        fetched.get("meta").unwrap().to_string(),
        r#"{"team":"blue"}"#
    );

    let events = items(
        &server
            .get(&format!("{LIST}?order=asc&conversationId={id}"))
            .await,
    );
    let kinds: Vec<String> = events.iter().map(|event| text(event, "type")).collect();
    let message = "message.create";
    let expected = [
        "conversation.create",
        message,
        message,
        message,
        message,
        "response.time",
    ];
    assert_eq!(kinds, expected);
    assert!(events.iter().all(|event| text(event, "contactId") == "k1"));

    let filter = format!("response.context.conversation_id::%22{id}%22");
    let logs =
        format!("/v1/workspaces/b1/logs?version=2021-11-27&filter={filter}&sort=request_timestamp");
    let logs = get(&server, &logs).await;
    let logs = logs.get("logs").and_then(Json::as_array).unwrap().to_vec();
    let inputs: Vec<&str> = logs
        .iter()
        .map(|log| {
            log.at(&["request", "input", "text"])
                .and_then(Json::as_str)
                .unwrap()
        })
        .collect();
    assert_eq!(inputs, ["", "Grüße 東京"]);
    assert_eq!(logs[1].get("language").and_then(Json::as_str), Some("de"));

    // Erasing the contact takes the conversation with it.
    let erased = server
        .post("/convlog/v1/erasures", r#"{"customer_id":"k1"}"#)
        .await;
    assert_eq!(erased.status, 202);
    assert!(ids(&server.get(&format!("{LIST}?conversationId={id}")).await).is_empty());
    assert_eq!(
        server
            .get(&format!("/v1/conversation/{id}/fetch"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_conversation_of_another_dialect_is_shown_and_goes_on() {
    let server = with_bot(r#"{"kind":"echo"}"#).await;
    let uri = "/v1/workspaces/b1/message?version=2021-11-27";
    let said = post(&server, uri, r#"{"input":{"text":"hi"}}"#).await;
    let id = said
        .at(&["context", "conversation_id"])
        .and_then(Json::as_str)
        .unwrap()
        .to_owned();
    let fetched = get(&server, &format!("/v1/conversation/{id}/fetch")).await;
    assert_eq!(text(&fetched, "botId"), "b1");
    assert_eq!(
        list(&get(&server, "/v1/conversation/list").await),
        [fetched]
    );
    let uri = format!("/v1/conversation/{id}/message/create");
    post(&server, &uri, r#"{"type":"user","text":"there"}"#).await;
    let messages = list(&get(&server, &format!("/v1/conversation/{id}/message/list")).await);
    let texts: Vec<String> = messages.iter().map(|m| text(m, "text")).collect();
    assert_eq!(texts, ["hi", "hi", "there", "there"]);
}

#[tokio::test]
async fn a_webhook_is_asked_with_its_context_and_a_failure_is_kept() {
    let fake = Fake::json(r#"{"output":[{"type":"text","text":"Hi"}],"context":{"seen":1}}"#).await;
    let server = with_bot(&format!(
        r#"{{"kind":"webhook","url":"{}/ask"}}"#,
        fake.url()
    ))
    .await;
    let made = post(
        &server,
        CREATE_CONVERSATION,
        r#"{"botId":"b1","contactId":"k"}"#,
    )
    .await;
    let uri = format!("/v1/conversation/{}/message/create", text(&made, "id"));
    for _ in 0..2 {
        post(&server, &uri, r#"{"type":"user","text":"hello"}"#).await;
    }
    let seen = fake.seen();
    let asked = Json::parse(seen[1].body.as_bytes()).unwrap();
    assert_eq!(
        asked.at(&["context", "seen"]).and_then(Json::as_i64),
        Some(1)
    );
    assert_eq!(text(&asked, "user"), "k");
    let large = format!(
        r#"{{"output":[],"context":{{"large":"{}"}}}}"#,
        "x".repeat(260_000)
    );
    fake.now_does(Script::Answer(200, "application/json", large));
    let refused = server.post(&uri, r#"{"type":"user","text":"more"}"#).await;
    assert_eq!(refused.status.as_u16(), 502);
    fake.now_does(Script::Answer(500, "text/plain", "broken".to_owned()));
    let failed = server.post(&uri, r#"{"type":"user","text":"again"}"#).await;
    assert_eq!(
        (failed.status.as_u16(), failed.text_at("code")),
        (502, "BAD_GATEWAY".to_owned())
    );
    let asked = Json::parse(fake.seen()[3].body.as_bytes()).unwrap();
    let context = asked.get("context").map(Json::to_string);
    assert_eq!(
        context.as_deref(),
        Some(r#"{"seen":1}"#),
        "what was refused is not kept"
    );
    let events = format!("{LIST}?type=message.create&take=1");
    let last = items(&server.get(&events).await).remove(0);
    assert_eq!(text(&last, "outcome"), "error");
    assert_eq!(
        last.at(&["meta", "text"]).and_then(Json::as_str),
        Some("again")
    );
}

#[tokio::test]
async fn a_bot_is_made_changed_and_deleted() {
    let server = Server::start().await;
    let body =
        r#"{"name":"B","backstory":"You are kind","model":"m","meta":{"x":"y"},"privacy":false}"#;
    let id = text(&post(&server, "/v1/bot/create", body).await, "id");
    post(
        &server,
        &format!("/v1/bot/{id}/update"),
        r#"{"name":"C","model":null}"#,
    )
    .await;
    let bot = get(&server, &format!("/v1/bot/{id}/fetch")).await;
    assert_eq!(
        (text(&bot, "name"), text(&bot, "backstory")),
        ("C".to_owned(), "You are kind".to_owned())
    );
    assert!(bot.get("model").is_none());
    let put = r#"{"name":"D","connector":{"kind":"echo"}}"#;
    assert_eq!(
        server
            .put(&format!("/convlog/v1/bots/{id}"), put)
            .await
            .status,
        200
    );
    let bots = list(&get(&server, "/v1/bot/list?meta.x=y").await);
    assert_eq!(bots.len(), 1);
    assert_eq!(
        (text(&bots[0], "name"), text(&bots[0], "backstory")),
        ("D".to_owned(), "You are kind".to_owned())
    );
    let jsonl = accepting(&server, "/v1/bot/list", "application/jsonl").await;
    assert_eq!(lines(&jsonl.text()), bots);
    let next = get(&server, &format!("/v1/bot/list?cursor={id}")).await;
    assert_eq!(text(&next, "cursor"), "");
    post(&server, &format!("/v1/bot/{id}/delete"), "").await;
    assert_eq!(server.get(&format!("/v1/bot/{id}/fetch")).await.status, 404);
    let told = items(&server.get(&format!("{LIST}?botId={id}&order=asc")).await);
    let kinds: Vec<String> = told.iter().map(|event| text(event, "type")).collect();
    assert_eq!(
        kinds,
        ["bot.create", "bot.update", "bot.update", "bot.delete"]
    );
}

#[tokio::test]
async fn mistakes_name_their_field() {
    let server = with_bot(r#"{"kind":"none"}"#).await;
    let made = post(&server, CREATE_CONVERSATION, r#"{"botId":"b1"}"#).await;
    let message = format!("/v1/conversation/{}/message/create", text(&made, "id"));
    for (uri, body, message) in [
        (
            CREATE_CONVERSATION,
            r#"{"botId":"no"}"#,
            "botId: is no bot of this instance",
        ),
        (
            CREATE_CONVERSATION,
            r#"{"meta":1}"#,
            "meta: must be an object, not a number",
        ),
        (
            CREATE_CONVERSATION,
            r#"{"messages":[{"type":"user"}]}"#,
            "messages[0].text: is missing",
        ),
        (message.as_str(), r#"{"text":"x"}"#, "type: is missing"),
        (
            message.as_str(),
            r#"{"type":"user","text":1}"#,
            "text: must be a string, not a number",
        ),
        (message.as_str(), "[]", "the body must be an object"),
        (
            "/v1/bot/create",
            r#"{"privacy":"x"}"#,
            "privacy: must be true or false",
        ),
    ] {
        let answer = server.post(uri, body).await;
        assert_eq!(answer.status, 400, "{uri} {body}: {}", answer.text());
        assert_eq!(answer.text_at("message"), message);
    }
    let unknown = "/v1/conversation/none/message/create";
    let answer = server.post(unknown, r#"{"type":"user","text":"x"}"#).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text_at("message")),
        (404, "Not found".to_owned())
    );
    // A bot without a connector takes what is said.
    post(&server, &message, r#"{"type":"user","text":"x"}"#).await;
}

#[tokio::test]
async fn usage_is_what_the_events_add_up_to() {
    let server = with_bot(r#"{"kind":"echo"}"#).await;
    crate::api::load(&server, &[crate::api::log(1), crate::api::log(2)]).await;
    let line = r#"{"input":{"text":"q"},"output":[{"text":"a"}],"tokens":{"in":7,"out":5},"latency_ms":12.5}"#;
    server
        .post("/convlog/v1/records?dialect=convlog", line)
        .await;
    let made = post(&server, CREATE_CONVERSATION, r#"{"botId":"b1"}"#).await;
    let uri = format!("/v1/conversation/{}/message/create", text(&made, "id"));
    post(&server, &uri, r#"{"type":"user","text":"x"}"#).await;
    post(&server, &uri, r#"{"type":"activity","text":"x"}"#).await;
    let usage = get(&server, "/v1/usage/fetch").await;
    let count = |name: &str| usage.get(name).and_then(Json::as_i64);
    assert_eq!(count("tokens"), Some(12));
    for (name, kind) in [
        ("conversations", "conversation.create"),
        ("messages", "message.create"),
    ] {
        let uri = format!("{LIST}?take=500&type={kind}");
        let n = ids(&server.get(&uri).await).len();
        assert_eq!(count(name), i64::try_from(n).ok(), "{name}");
    }
    assert_eq!(count("conversations"), Some(3));
    for name in [
        "datasets",
        "records",
        "skillsets",
        "abilities",
        "files",
        "users",
    ] {
        assert!(
            usage
                .at(&["database", name])
                .and_then(Json::as_i64)
                .is_some(),
            "{name}"
        );
    }
    let series = get(&server, "/v1/event/metric/series/fetch?type=response.time").await;
    let values = series.get("values").and_then(Json::as_array).unwrap();
    let total: f64 = values
        .iter()
        .map(|v| v.get("total").and_then(Json::as_f64).unwrap())
        .sum();
    let metrics = items(&server.get("/v1/event/metric/list?type=response.time").await);
    let recent: f64 = metrics
        .iter()
        .filter(|m| m.get("createdAt").and_then(Json::as_i64).unwrap() >= series_begin(&server))
        .map(|m| m.get("value").and_then(Json::as_f64).unwrap())
        .sum();
    assert!(recent > 0.0);
    assert!((total - recent).abs() < 1e-6, "{total} {recent}");
    let missing = server.get("/v1/event/metric/series/fetch").await;
    assert_eq!(missing.text_at("message"), "type: is missing");
}

/// The first moment that a series shows, in milliseconds.
fn series_begin(server: &Server) -> i64 {
    let day = 86_400_000;
    (server.app.now().millis().div_euclid(day) - 89) * day
}

#[tokio::test]
async fn what_was_said_goes_out_and_comes_in_the_same() {
    let server = with_bot(r#"{"kind":"echo"}"#).await;
    let body = r#"{"botId":"b1","contactId":"k","meta":{"a":[1]},"messages":[{"type":"context","text":"c"}]}"#;
    let made = post(&server, CREATE_CONVERSATION, body).await;
    let uri = format!("/v1/conversation/{}/message/create", text(&made, "id"));
    post(
        &server,
        &uri,
        r#"{"type":"user","text":"x","meta":{"b":2}}"#,
    )
    .await;
    create(
        &server,
        r#"{"id":"e","type":"t","meta":{"c":{"d":true}},"createdAt":5,"value":1}"#,
    )
    .await;
    let export = "/convlog/v1/export?format=jsonl";
    let out = server.get(export).await.text();
    assert_eq!(out.lines().count(), 4, "{out}");
    let other = Server::start().await;
    let bulk = other
        .post("/convlog/v1/records?dialect=convlog", &out)
        .await;
    assert_eq!(
        bulk.text(),
        r#"{"accepted":4,"duplicates":0,"erased":0,"rejected":[]}"#
    );
    let again = other.get(export).await.text();
    let given = |line: &str| {
        let mut json = Json::parse(line.as_bytes()).unwrap();
        json.take("id");
        if let Some(mut time) = json.take("time") {
            time.take("received");
            json.set("time", time);
        }
        json.to_string()
    };
    let texts = |text: &str| -> Vec<String> { text.lines().map(given).collect() };
    assert_eq!(texts(&again), texts(&out));
}
