//! Conversation logs of elsewhere: what an import of them makes, and how other dialects show it.

use convlog_model::json::Json;

use crate::harness::{Answer, Server};

const BULK: &str = "/convlog/v1/records?dialect=lex-v1";
const RECORDS: &str = "/convlog/v1/records?filter=kind::turn&sort=time.request";
const EXPORT: &str = "/convlog/v1/export?format=jsonl&filter=kind::turn";
const ENTRIES: &str = include_str!("../../../../../fixtures/lex/entries.jsonl");
const FILTERED: &str = include_str!("../../../../../fixtures/lex/filter-log-events.json");

async fn loaded() -> Server {
    let server = Server::start().await;
    let answer = server.post(BULK, ENTRIES).await;
    let expected = r#"{"accepted":7,"duplicates":0,"erased":0,"rejected":[]}"#;
    assert_eq!(answer.text(), expected);
    server
}

fn list(answer: &Answer, name: &str) -> Vec<Json> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    json.get(name).and_then(Json::as_array).unwrap().to_vec()
}

fn at<'a>(json: &'a Json, path: &[&str]) -> &'a str {
    let found = json.at(path).and_then(Json::as_str);
    found.unwrap_or_else(|| panic!("no {path:?} in {json}"))
}

async fn ok(server: &Server, method: &str, uri: &str, body: &str) -> Json {
    let answer = server.call(crate::harness::ADMIN, method, uri, body).await;
    assert!(answer.status.is_success(), "{uri}: {}", answer.text());
    answer.json()
}

#[tokio::test]
async fn entries_are_kept_once_as_they_stand() {
    let server = loaded().await;
    let again = server.post(BULK, ENTRIES).await;
    let expected = r#"{"accepted":0,"duplicates":7,"erased":0,"rejected":[]}"#;
    assert_eq!(again.text(), expected);
    let shown = list(&server.get(RECORDS).await, "records");
    for (record, line) in shown.iter().zip(ENTRIES.lines()) {
        let mut raw = record.get("raw").unwrap().clone();
        assert_eq!(at(record, &["own_id"]), at(&raw, &["requestId"]));
        // Beside the entry, since logs have no place for it.
        if line.contains("customer_id") {
            raw.set("customer_id", Json::string(at(record, &["customer"])));
        }
        assert_eq!(raw.to_string(), line);
    }
    let changed = ENTRIES.replace("the moon", "the sun");
    let refused = list(&server.post(BULK, &changed).await, "rejected");
    assert_eq!(refused.len(), 1);
    assert_eq!(
        at(&refused[0], &["error"]),
        "another body is stored under the same id"
    );
}

#[tokio::test]
async fn only_entries_by_themselves_come_in() {
    let server = Server::start().await;
    let event = Json::parse(FILTERED.as_bytes()).unwrap();
    let event = event.get("events").and_then(Json::as_array).unwrap()[0].to_string();
    let answer = server
        .post(BULK, &format!("{event}\n{{\"botName\":\"b\"}}"))
        .await;
    let expected = concat!(
        r#"{"accepted":1,"duplicates":0,"erased":0,"rejected":"#,
        r#"[{"line":1,"error":"botName: is missing"}]}"#
    );
    assert_eq!(answer.text(), expected);
}

#[tokio::test]
async fn a_bot_that_entries_name_has_no_connector_and_no_model() {
    let server = loaded().await;
    let bot = server.get("/convlog/v1/bots/OrderFlowers").await.json();
    assert_eq!(
        bot.get("connector").unwrap().to_string(),
        r#"{"kind":"none"}"#
    );
    for (uri, member) in [
        ("/bots/", "bots"),
        ("/intents/", "intents"),
        ("/slottypes/", "slotTypes"),
    ] {
        assert!(list(&server.get(uri).await, member).is_empty(), "{uri}");
    }
    let said = server
        .post(
            "/bot/OrderFlowers/alias/PROD/user/u1/text",
            r#"{"inputText":"hi"}"#,
        )
        .await;
    assert_eq!(said.status, 404, "{}", said.text());
    // Its model may come later, and answers from then on.
    build(&server, "OrderFlowers").await;
    let bot = server.get("/convlog/v1/bots/OrderFlowers").await.json();
    assert_eq!(
        bot.get("connector").unwrap().to_string(),
        r#"{"kind":"lex"}"#
    );
    // What somebody has made for another family stays that.
    server
        .put("/convlog/v1/bots/Shop", r#"{"connector":{"kind":"echo"}}"#)
        .await;
    let refused = server
        .put(
            "/bots/Shop/versions/$LATEST",
            r#"{"locale":"en-US","childDirected":false}"#,
        )
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text());
}

#[tokio::test]
async fn customers_of_history_are_found_and_erased() {
    let server = loaded().await;
    // One names her on its line, one in the attribute of the configuration.
    let of_ann = "/convlog/v1/records?filter=customer::ann&sort=time.request";
    let shown = list(&server.get(of_ann).await, "records");
    let said: Vec<&str> = shown
        .iter()
        .map(|record| at(record, &["input", "text"]))
        .collect();
    let expected = [
        "I would like to order some flowers",
        "sí, {Name} \\{gracias\\}",
    ];
    assert_eq!(said, expected);
    let erased = server
        .post("/convlog/v1/erasures", r#"{"customer_id":"ann"}"#)
        .await;
    assert_eq!(erased.json().get("records"), Some(&Json::integer(2)));
    let again = server.post(BULK, ENTRIES).await;
    let expected = r#"{"accepted":0,"duplicates":5,"erased":2,"rejected":[]}"#;
    assert_eq!(again.text(), expected);
}

#[tokio::test]
async fn history_is_listed_through_both_versions_of_watson() {
    let server = loaded().await;
    let v1 = "/v1/workspaces/OrderFlowers/logs?version=2021-11-27&sort=request_timestamp";
    let logs = list(&server.get(v1).await, "logs");
    assert_eq!(logs.len(), 7);
    let log = &logs[2];
    assert_eq!(at(log, &["log_id"]), "6f6d0c1e-0000-4000-8000-000000000003");
    assert_eq!(at(log, &["workspace_id"]), "OrderFlowers");
    assert_eq!(at(log, &["language"]), "en");
    assert_eq!(at(log, &["request_timestamp"]), "2026-01-02T03:07:05.678Z");
    assert_eq!(at(log, &["request", "input", "text"]), "my name is {Name}");
    let response = log.get("response").unwrap();
    let expected = r#"["Thanks. Shall I order roses for 2026-01-05?"]"#;
    assert_eq!(
        response.at(&["output", "text"]).unwrap().to_string(),
        expected
    );
    let expected = concat!(
        r#"[{"intent":"OrderFlowers","confidence":1.0},"#,
        r#"{"intent":"CancelOrder","confidence":0.11}]"#
    );
    assert_eq!(response.get("intents").unwrap().to_string(), expected);
    let entities = response.get("entities").and_then(Json::as_array).unwrap();
    let entities: Vec<_> = entities
        .iter()
        .map(|entity| (at(entity, &["entity"]), at(entity, &["value"])))
        .collect();
    let expected = [
        ("FlowerType", "roses"),
        ("PickupDate", "2026-01-05"),
        ("Name", "{Name}"),
    ];
    assert_eq!(entities, expected);
    let last = list(
        &server.get(&format!("{v1}&filter=customer_id::ann")).await,
        "logs",
    );
    assert_eq!(last.len(), 2);
    assert_eq!(at(&last[1], &["language"]), "es");

    let v2 = "/v2/assistants/OrderFlowers/logs?version=2021-11-27&sort=request_timestamp";
    let logs = list(
        &server.get(&format!("{v2}&filter=customer_id::ann")).await,
        "logs",
    );
    assert_eq!(logs.len(), 2);
    let log = &logs[1];
    assert_eq!(at(log, &["customer_id"]), "ann");
    assert_eq!(at(log, &["skill_id"]), "OrderFlowers");
    assert_eq!(at(log, &["language"]), "es");
    assert_eq!(
        at(log, &["request", "input", "text"]),
        "sí, {Name} \\{gracias\\}"
    );
    let output = log.at(&["response", "output"]).unwrap();
    let expected = r#"[{"response_type":"text","text":"¡Gracias! 🌹"}]"#;
    assert_eq!(output.get("generic").unwrap().to_string(), expected);
    let expected = r#"[{"intent":"OrderFlowers","confidence":0.64}]"#;
    assert_eq!(output.get("intents").unwrap().to_string(), expected);
}

#[tokio::test]
async fn history_is_listed_as_events_of_chatbotkit() {
    let server = loaded().await;
    let items = list(
        &server.get("/api/v1/event/log/list?take=100").await,
        "items",
    );
    let messages: Vec<(&str, &str, &str, &str)> = items
        .iter()
        .filter(|item| at(item, &["type"]) == "message.create")
        .map(|item| {
            let meta = item.get("meta").unwrap();
            let relations = meta.get("relations").unwrap();
            let contact = relations.get("contactId").and_then(Json::as_str);
            let bot = at(relations, &["botId"]);
            (
                at(meta, &["type"]),
                at(meta, &["text"]),
                bot,
                contact.unwrap_or("-"),
            )
        })
        .collect();
    let of_ann = [
        (
            "bot",
            "What type of flowers would you like?",
            "OrderFlowers",
            "ann",
        ),
        (
            "user",
            "I would like to order some flowers",
            "OrderFlowers",
            "ann",
        ),
    ];
    let missed = [
        (
            "bot",
            "Sorry, can you please repeat that?",
            "OrderFlowers",
            "-",
        ),
        ("user", "the moon is made of cheese", "OrderFlowers", "-"),
    ];
    for pair in [of_ann, missed] {
        for message in pair {
            assert!(messages.contains(&message), "{message:?} in {messages:?}");
        }
    }
    // Of speech that nobody could read there is only the answer.
    assert_eq!(messages.len(), 13);
}

/// A bot with one intent whose alias logs text.
async fn build(server: &Server, name: &str) {
    let intent = r#"{"sampleUtterances":["flowers please"],
        "conclusionStatement":{"messages":[{"contentType":"PlainText","content":"Here they are."}]},
        "fulfillmentActivity":{"type":"ReturnIntent"},"createVersion":true}"#;
    ok(server, "PUT", "/intents/Flowers/versions/$LATEST", intent).await;
    let bot = r#"{"locale":"en-US","childDirected":false,"createVersion":true,
        "intents":[{"intentName":"Flowers","intentVersion":"1"}],
        "abortStatement":{"messages":[{"contentType":"PlainText","content":"Sorry."}]}}"#;
    ok(
        server,
        "PUT",
        &format!("/bots/{name}/versions/$LATEST"),
        bot,
    )
    .await;
    let alias = r#"{"botVersion":"1","conversationLogs":{
        "iamRoleArn":"arn:aws:iam::123456789012:role/logs","logSettings":[{"logType":"TEXT",
        "destination":"CLOUDWATCH_LOGS",
        "resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:flowers:*"}]}}"#;
    ok(server, "PUT", &format!("/bots/{name}/aliases/PROD"), alias).await;
}

async fn say(server: &Server, text: &str) {
    let body = format!(
        r#"{{"inputText":"{text}","requestAttributes":{{"x-convlog-customer-id":"ann"}}}}"#
    );
    ok(
        server,
        "POST",
        "/bot/Florist/alias/PROD/user/u1/text",
        &body,
    )
    .await;
    server.clock.step(1_000_000);
}

#[tokio::test]
async fn a_live_turn_that_comes_back_as_an_entry_is_a_duplicate() {
    let server = Server::start().await;
    build(&server, "Florist").await;
    for text in ["flowers please", "something that it does not know {braces}"] {
        say(&server, text).await;
    }
    let before = list(&server.get(RECORDS).await, "records");
    assert_eq!(before.len(), 2);
    let entries: Vec<String> = before
        .iter()
        .map(|record| record.get("raw").unwrap().to_string())
        .collect();
    // As they are, and with what exports carry along.
    let labelled = entries.iter().map(|entry| {
        let rest = entry.strip_prefix('{').unwrap();
        format!(r#"{{"customer_id":"ann",{rest}"#)
    });
    let lines: Vec<String> = entries.iter().cloned().chain(labelled).collect();
    let answer = server.post(BULK, &lines.join("\n")).await;
    let expected = r#"{"accepted":0,"duplicates":4,"erased":0,"rejected":[]}"#;
    assert_eq!(answer.text(), expected);
    assert_eq!(list(&server.get(RECORDS).await, "records"), before);
}

/// A line without what a new instance gives anew.
fn without_receipt(line: &str) -> Json {
    let mut json = Json::parse(line.as_bytes()).unwrap();
    assert!(json.take("id").is_some(), "{line}");
    let mut time = json.take("time").unwrap();
    assert!(time.take("received").is_some(), "{line}");
    json.set("time", time);
    json
}

#[tokio::test]
async fn an_export_of_live_and_old_turns_comes_back_the_same() {
    let server = loaded().await;
    build(&server, "Florist").await;
    say(&server, "flowers please").await;
    let first = server.get(EXPORT).await.text();
    let live = first.lines().last().unwrap();
    assert!(
        live.contains(r#""labels":{"log_group":"flowers","log_stream":"aws/lex/"#),
        "{live}"
    );
    let (_, other) = server.instance().await;
    let path = "/convlog/v1/records?dialect=convlog";
    let answer = server.call(&other, "POST", path, &first).await;
    let expected = r#"{"accepted":8,"duplicates":0,"erased":0,"rejected":[]}"#;
    assert_eq!(answer.text(), expected);
    let second = server.call(&other, "GET", EXPORT, "").await.text();
    let [first, second] =
        [first, second].map(|export| export.lines().map(without_receipt).collect::<Vec<_>>());
    assert_eq!(first, second);
}
