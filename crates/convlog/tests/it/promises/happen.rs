//! What happens is an event, whether it went well or not, and the numbers that are shown follow.

use serde_json::{Value, json};

use super::{found_items, tell};
use crate::events_log::{CREATE, EXPORT, LIST, items, text, walk};
use crate::harness::{KEY, Server, Start, echo_bot, log_lines, scratch};

/// A server, and up to where its events have been read.
struct Watched {
    server: Server,
    cursor: String,
}

impl Watched {
    fn new(server: Server) -> Self {
        let mut watched = Watched {
            server,
            cursor: String::new(),
        };
        watched.news();
        watched
    }

    /// The events since the last look.
    fn news(&mut self) -> Vec<Value> {
        let cursor = &self.cursor;
        let page = self
            .server
            .get(&format!("{LIST}?order=asc&take=500&cursor={cursor}"));
        text(&page, "resumeCursor").clone_into(&mut self.cursor);
        items(&page).clone()
    }

    /// Does something that is answered with `status`; the answer. The events are those of the
    /// given types and no others, each about these resources, as soon as it is answered.
    #[track_caller]
    fn does(
        &mut self,
        (method, path, body): (&str, &str, Value),
        status: u16,
        kinds: &[&str],
        about: &[(&str, &str)],
    ) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = self.server.client().request(method, path, &body).unwrap();
        assert_eq!(answer.0, status, "{method} {path}: {}", answer.1);
        let answer: Value = serde_json::from_str(&answer.1).unwrap_or_default();
        let news = self.news();
        let told: Vec<&str> = news.iter().map(|item| text(item, "type")).collect();
        assert_eq!(told, kinds, "{method} {path}");
        for item in &news {
            for (name, id) in about {
                // An id that is drawn is in the answer.
                let id = match *id {
                    "" => text(&answer, "id"),
                    id => id,
                };
                assert_eq!(item["meta"]["relations"][name], id, "{item}");
            }
        }
        answer
    }
}

#[test]
fn p01_everything_that_happens_is_an_event_by_itself() {
    const ECHO: &str = r#"{"name":"Bot","language":"en","connector":{"kind":"echo"}}"#;
    let dir = scratch();
    let mut it = Watched::new(Start::on(dir.path()).server());
    let echo: Value = serde_json::from_str(ECHO).unwrap();
    let bot = ("botId", "b1");
    let put_bot = ("PUT", "/convlog/v1/bots/b1", echo);
    it.does(put_bot.clone(), 200, &["bot.create"], &[bot]);
    it.does(put_bot, 200, &["bot.update"], &[bot]);
    let made = ("POST", "/api/v1/bot/create", json!({"name": "Other"}));
    it.does(made, 200, &["bot.create"], &[("botId", "")]);
    let data = || {
        (
            "PUT",
            "/convlog/v1/bots/b1/definition",
            json!({"intents": []}),
        )
    };
    let of_data = [bot, ("datasetId", "b1")];
    it.does(data(), 200, &["dataset.create"], &of_data);
    it.does(data(), 200, &["dataset.update"], &of_data);

    // Conversations, in every dialect.
    let begun = json!({"botId": "b1", "contactId": "acme"});
    let begun = ("POST", "/api/v1/conversation/create", begun);
    let of_talk = [bot, ("contactId", "acme"), ("conversationId", "")];
    let talk = it.does(begun, 200, &["conversation.create"], &of_talk);
    let path = format!("/api/v1/conversation/{}/message/create", text(&talk, "id"));
    let said = (
        "POST",
        path.as_str(),
        json!({"type": "user", "text": "hello"}),
    );
    let of_talk = [
        bot,
        ("contactId", "acme"),
        ("conversationId", text(&talk, "id")),
    ];
    let exchange = ["message.create", "message.create", "response.time"];
    it.does(said, 200, &exchange, &of_talk);
    let whole = [
        "conversation.create",
        "message.create",
        "message.create",
        "response.time",
    ];
    let message = || json!({"input": {"text": "hello"}});
    let v1 = "/v1/workspaces/b1/message?version=2021-11-27";
    let answer = it.does(("POST", v1, message()), 200, &whole, &[bot]);
    let next = json!({"input": {"text": "more"}, "context": answer["context"]});
    let of_talk = [
        bot,
        (
            "conversationId",
            text(&answer["context"], "conversation_id"),
        ),
    ];
    it.does(("POST", v1, next), 200, &exchange, &of_talk);
    let v2 = "/v2/assistants/b1/message?version=2024-08-25";
    it.does(("POST", v2, message()), 200, &whole, &[bot]);

    // Integrations.
    let hook = || ("PUT", "/convlog/v1/hooks/h1", json!({"secret": "hush"}));
    let of_hook = [("webhookId", "h1")];
    it.does(hook(), 200, &["integration.connect"], &of_hook);
    it.does(hook(), 200, &["integration.update"], &of_hook);
    let gone = ("DELETE", "/convlog/v1/hooks/h1", Value::Null);
    it.does(gone, 204, &["integration.disconnect"], &of_hook);

    // Skills are run elsewhere: what they did is told from there.
    let ran = json!({"id": "run-1", "type": "action.fetch", "skillsetId": "s1",
        "abilityId": "a1", "meta": {"params": {"url": "https://example.org"}}});
    let of_skill = [("skillsetId", "s1"), ("abilityId", "a1")];
    it.does(("POST", CREATE, ran), 200, &["action.fetch"], &of_skill);

    // Files in and out.
    let lines = log_lines("b1", 2);
    it.server.load("watson-v1", &lines);
    let told: Vec<String> = it
        .news()
        .iter()
        .map(|item| text(item, "type").to_owned())
        .collect();
    let uploads = told.iter().filter(|kind| *kind == "file.upload").count();
    let messages = told.iter().filter(|kind| *kind == "message.create").count();
    assert_eq!((uploads, messages), (1, 4), "{told:?}");
    it.does(
        ("GET", "/convlog/v1/export", Value::Null),
        200,
        &["file.download"],
        &[],
    );
    it.does(("GET", EXPORT, Value::Null), 200, &["file.download"], &[]);

    // People and what they may do.
    let key = ("POST", "/convlog/v1/keys", json!({"roles": ["read"]}));
    let key = it.does(key, 201, &["key.create"], &[("keyId", "")]);
    let path = format!("/convlog/v1/keys/{}", text(&key, "id"));
    let gone = ("DELETE", path.as_str(), Value::Null);
    it.does(gone, 204, &["key.delete"], &[("keyId", text(&key, "id"))]);
    let (id, _) = KEY.split_once('.').unwrap();
    let login = json!({"username": "apikey", "api_key": KEY});
    it.does(
        ("POST", "/v1/authorize", login),
        200,
        &["user.login"],
        &[("keyId", id)],
    );
    let settings = (
        "PUT",
        "/convlog/v1/settings",
        json!({"retention_days": 400}),
    );
    it.does(settings, 200, &["settings.update"], &[]);

    // The end.
    let gone = ("DELETE", "/convlog/v1/bots/b1", Value::Null);
    it.does(gone, 204, &["bot.delete", "dataset.delete"], &[bot]);
    let erasure = (
        "POST",
        "/convlog/v1/erasures",
        json!({"customer_id": "acme"}),
    );
    let erased = it.does(erasure, 202, &["erasure.request"], &[("erasureId", "")]);
    assert_eq!(
        found_items(&it.server.client(), &[("contactId", "acme")]),
        [Value::Null; 0]
    );
    assert!(erased["records"].as_u64().unwrap() >= 2);
    it.server.stop();
    let server = Start::on(dir.path()).server();
    for kind in ["system.start", "system.stop"] {
        let found = found_items(&server.client(), &[("type", kind)]).len();
        assert_eq!(found, if kind == "system.start" { 2 } else { 1 }, "{kind}");
    }
}

#[test]
fn p19_what_is_counted_is_what_the_events_add_up_to() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    echo_bot(&server, "echo");
    server.load("watson-v1", &log_lines("shop", 7));
    let line = json!({"input": {"text": "q"}, "output": [{"text": "a"}], "conversation": "c9",
        "tokens": {"in": 7, "out": 5}, "latency_ms": 12.5});
    server.load("convlog", &[line.to_string(), line.to_string()]);
    for n in 0..5 {
        tell(&server, "echo", &format!("text {n}"), "acme");
    }
    let check = |server: &Server| {
        let usage = server.get("/api/v1/usage/fetch");
        let all = walk(&server.client(), "asc", 100, "");
        let count = |kind: &str| all.iter().filter(|item| item["type"] == kind).count();
        assert_eq!(
            usage["conversations"],
            count("conversation.create"),
            "{usage}"
        );
        assert_eq!(usage["messages"], count("message.create"), "{usage}");
        let tokens = |turn: &Value| -> u64 {
            let of = |name: &str| turn["tokens"][name].as_u64().unwrap_or_default();
            of("in") + of("out")
        };
        let tokens: u64 = server.turns().iter().map(tokens).sum();
        assert_eq!(usage["tokens"], tokens, "{usage}");
        // And over time: each day has the sum of the metric's events on it.
        let path = "/api/v1/event/metric/series/fetch?type=response.time";
        for value in server.get(path)["values"].as_array().unwrap() {
            let begin = value["date"].as_i64().unwrap();
            let on_day = |item: &&Value| {
                let created = item["createdAt"].as_i64().unwrap();
                item["type"] == "response.time" && (begin..begin + 86_400_000).contains(&created)
            };
            let values = all
                .iter()
                .filter(on_day)
                .map(|item| item["value"].as_f64().unwrap());
            let (sum, total) = (values.sum::<f64>(), value["total"].as_f64().unwrap());
            assert!((sum - total).abs() < 1e-6, "{value}: {sum}");
        }
        usage
    };
    let before = check(&server);
    assert!(
        before["messages"].as_u64().unwrap() >= 24 && before["tokens"] == 24,
        "{before}"
    );
    let metrics = server.get("/api/v1/event/metric/list?type=response.time&take=500");
    assert!(items(&metrics).len() >= 5);
    assert!(items(&metrics).iter().all(|item| item["value"].is_number()));
    // Also when a customer is gone.
    server.send(
        "POST",
        "/convlog/v1/erasures",
        &json!({"customer_id": "acme"}),
    );
    let after = check(&server);
    assert_ne!(after["messages"], before["messages"]);
    server.stop();
}

#[test]
fn p20_successes_and_errors_are_both_recorded() {
    let dir = scratch();
    let mut it = Watched::new(Start::on(dir.path()).server());
    // Nothing answers at this port.
    let nowhere = json!({"kind": "webhook", "url": "http://127.0.0.1:9/"});
    let bot = json!({"name": "Bot", "language": "en", "connector": nowhere});
    it.does(
        ("PUT", "/convlog/v1/bots/b1", bot),
        200,
        &["bot.create"],
        &[],
    );
    let path = "/v1/workspaces/b1/message?version=2021-11-27";
    let message = json!({"input": {"text": "hello"}, "context": {"conversation_id": "c1"}});
    let answer = it
        .server
        .client()
        .request("POST", path, &message.to_string());
    assert_eq!(answer.unwrap().0, 502);
    let news = it.news();
    let failed: Vec<&Value> = news
        .iter()
        .filter(|item| item["type"] == "integration.webhook.failed")
        .collect();
    assert_eq!(failed.len(), 1, "{news:?}");
    assert_eq!(failed[0]["outcome"], "error");
    assert_eq!(
        (&failed[0]["botId"], &failed[0]["conversationId"]),
        (&json!("b1"), &json!("c1"))
    );
    let said = news
        .iter()
        .find(|item| item["type"] == "message.create")
        .unwrap();
    assert_eq!(
        (&said["meta"]["text"], &said["outcome"]),
        (&json!("hello"), &json!("error"))
    );
    // A login that fails, and one that does not.
    let (id, secret) = KEY.split_once('.').unwrap();
    let login = |key: &str| {
        let body = json!({"username": "apikey", "api_key": key});
        it.server
            .client()
            .request("POST", "/v1/authorize", &body.to_string())
            .unwrap()
            .0
    };
    assert_eq!(login(&format!("{id}.{}", secret.to_uppercase())), 401);
    assert_eq!(login(KEY), 200);
    let outcome = |kind: &str| {
        let found = found_items(&it.server.client(), &[("type", kind)]);
        let outcomes = found.iter().map(|item| text(item, "outcome").to_owned());
        outcomes.collect::<Vec<String>>()
    };
    assert_eq!(outcome("user.error"), ["error"]);
    assert_eq!(outcome("user.login"), ["ok"]);
    assert_eq!(outcome("bot.create"), ["ok"]);
    // What comes from outside says itself how it went, and errors of all kinds are found at once.
    let event = json!({"id": "e1", "type": "integration.slack.api.error", "outcome": "error"});
    it.server.send("POST", CREATE, &event);
    let kinds: Vec<String> = found_items(&it.server.client(), &[("type", "*.error,*.failed")])
        .iter()
        .map(|item| text(item, "type").to_owned())
        .collect();
    let expected = [
        "integration.webhook.failed",
        "user.error",
        "integration.slack.api.error",
    ];
    assert_eq!(kinds, expected);
}
