//! Redaction over HTTP: policies of configuration, instance and bot, what they leave of records of
//! every way in, and what a preview says.

use convlog_model::json::Json;
use convlog_model::redaction::RuleSpec;
use convlog_server::ServerConfig;

use super::{BULK_V1, EXPORT, RECORDS, load, log, problem, records};
use crate::harness::{ADMIN, Answer, Server};

const POLICY: &str = "/convlog/v1/redaction";
const PREVIEW: &str = "/convlog/v1/redaction/preview";
const NATIVE: &str = "/convlog/v1/records?dialect=convlog";

const EMAIL: &str = r#"{"rules":[{"name":"mail","detector":"email","action":"mask"}]}"#;

async fn put(server: &Server, uri: &str, body: &str) -> Answer {
    let answer = server.put(uri, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// A bot of that id, with further members.
async fn bot(server: &Server, id: &str, more: &str) {
    let body = format!(r#"{{"connector":{{"kind":"echo"}}{more}}}"#);
    put(server, &format!("/convlog/v1/bots/{id}"), &body).await;
}

async fn say(server: &Server, bot: &str, text: &str) -> Answer {
    let uri = format!("/v1/workspaces/{bot}/message?version=2021-11-27");
    let answer = server
        .post(&uri, &format!(r#"{{"input":{{"text":"{text}"}}}}"#))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// The records of a bot, newest first.
async fn of_bot(server: &Server, bot: &str) -> Vec<Json> {
    records(&server.get(&format!("{RECORDS}?filter=bot::{bot}")).await)
}

fn input(record: &Json) -> &str {
    record
        .at(&["input", "text"])
        .and_then(Json::as_str)
        .unwrap()
}

/// The notes of a record, as `rule@version path action`.
fn notes(record: &Json) -> Vec<String> {
    let notes = record.get("redactions").and_then(Json::as_array);
    let text = |note: &Json, key: &str| note.get(key).unwrap().to_string().replace('"', "");
    let line = |note: &Json| {
        format!(
            "{}@{} {} {}",
            text(note, "rule"),
            text(note, "version"),
            text(note, "path"),
            text(note, "action")
        )
    };
    notes.unwrap_or_default().iter().map(line).collect()
}

#[tokio::test]
async fn a_policy_is_shown_as_it_was_put_and_counts_its_versions() {
    let server = Server::start().await;
    let fresh = server.get(POLICY).await;
    assert_eq!(
        fresh.text(),
        r#"{"version":0,"rules":[],"event_keys":true}"#
    );
    let first = put(&server, POLICY, &fresh.text()).await;
    assert_eq!(
        first.text(),
        r#"{"version":1,"rules":[],"event_keys":true}"#
    );
    let second = put(&server, POLICY, EMAIL).await;
    let expected = r#"{"version":2,"rules":[{"name":"mail","detector":"email","action":"mask"}],"event_keys":true}"#;
    assert_eq!(second.text(), expected);
    assert_eq!(server.get(POLICY).await.text(), expected);
    bot(&server, "b", "").await;
    let uri = "/convlog/v1/bots/b/redaction";
    assert_eq!(server.get(uri).await.text(), r#"{"version":0,"rules":[]}"#);
    let body = r#"{"version":7,"rules":[{"name":"ids","keys":["ssn","*_no"],"action":"hash"},{"name":"where","paths":["raw.a[0].*"],"replacement":"-"}]}"#;
    let of_bot = put(&server, uri, body).await;
    assert_eq!(
        of_bot.text(),
        r#"{"version":7,"rules":[{"name":"ids","keys":["ssn","*_no"],"action":"hash"},{"name":"where","paths":["raw.a[0].*"],"action":"mask","replacement":"-"}]}"#
    );
    assert_eq!(server.get(uri).await.text(), of_bot.text());
    let audit = server.get("/convlog/v1/audit?limit=2").await.text();
    assert_eq!(audit.matches(r#""type":"redaction.update""#).count(), 1);
    assert!(
        audit.contains(r#""refs":{"botId":"b"},"meta":{"rules":"2","version":"7"}"#),
        "{audit}"
    );
}

#[tokio::test]
async fn mistakes_name_the_field_and_unknown_bots_are_404() {
    let server = Server::start().await;
    let body = r#"{"rules":[{"name":"a","detector":"email"},{"name":"b","keys":["k"]},{"name":"c","pattern":"("}]}"#;
    let answer = server.put(POLICY, body).await;
    let expected = "rules[2].pattern is no regular expression: unclosed group";
    assert_eq!(problem(&answer), (400, expected.to_owned()));
    assert!(
        answer.text().contains(r#""path":"rules[2].pattern""#),
        "{}",
        answer.text()
    );
    let answer = server
        .put(
            POLICY,
            r#"{"rules":[{"name":"a","paths":["learning_opt_out"]}]}"#,
        )
        .await;
    assert_eq!(
        problem(&answer),
        (
            400,
            "rules[0].paths[0] names a field that no rule may change; with raw. it means the body \
             alone"
                .to_owned()
        )
    );
    assert_eq!(
        server.get(POLICY).await.text(),
        r#"{"version":0,"rules":[],"event_keys":true}"#
    );
    for method in ["GET", "PUT"] {
        let body = if method == "PUT" { "{}" } else { "" };
        let answer = server
            .call(ADMIN, method, "/convlog/v1/bots/none/redaction", body)
            .await;
        assert_eq!(answer.status, 404);
    }
}

#[tokio::test]
async fn a_live_turn_is_answered_as_ever_and_kept_redacted() {
    let server = Server::start().await;
    bot(&server, "b", "").await;
    put(&server, POLICY, EMAIL).await;
    let answer = say(&server, "b", "I am alice@example.com").await;
    assert!(
        answer.text().contains("alice@example.com"),
        "{}",
        answer.text()
    );
    let kept = of_bot(&server, "b").await;
    assert_eq!(input(&kept[0]), "I am [redacted:mail]");
    assert_eq!(
        notes(&kept[0]),
        [
            "mail@1 raw.request.input.text mask",
            "mail@1 raw.response.input.text mask",
            "mail@1 raw.response.output.generic.text mask",
            "mail@1 raw.response.output.text mask",
        ]
    );
    let by_note = format!("{RECORDS}?filter=redactions.rule::mail");
    assert_eq!(records(&server.get(&by_note).await).len(), 1);
    for uri in [EXPORT, "/v1/workspaces/b/logs?version=2021-11-27"] {
        let text = server.get(uri).await.text();
        assert!(
            text.contains("[redacted:mail]") && !text.contains("alice@"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_is_sent_again_under_the_same_policy_is_a_duplicate() {
    let server = Server::start().await;
    let rules = r#"{"rules":[{"name":"mail","detector":"email","action":"hash"},{"name":"no","keys":["intent"],"action":"remove"},{"name":"order","pattern":"\\border\\b","action":"mask"}]}"#;
    put(&server, POLICY, rules).await;
    let mut first = log(1);
    first.text = "my order, alice@example.com";
    load(&server, &[first.clone()]).await;
    let again = server.post(BULK_V1, &first.line()).await.text();
    assert!(
        again.starts_with(r#"{"accepted":0,"duplicates":1,"#),
        "{again}"
    );
    first.text = "my order, bob@example.com";
    let other = server.post(BULK_V1, &first.line()).await.text();
    assert!(
        other.contains("another body is stored under the same id"),
        "{other}"
    );
    // What was exported comes back as the same, with its notes.
    let exported = server.get(EXPORT).await.text();
    let turn = exported
        .lines()
        .find(|line| line.contains("log-1"))
        .unwrap();
    let back = server.post(NATIVE, turn).await.text();
    assert!(
        back.starts_with(r#"{"accepted":0,"duplicates":1,"#),
        "{back}"
    );
    let (_, key) = server.instance().await;
    let moved = server.call(&key, "POST", NATIVE, turn).await.text();
    assert!(moved.starts_with(r#"{"accepted":1,"#), "{moved}");
    let there = records(&server.call(&key, "GET", RECORDS, "").await);
    assert_eq!(
        notes(&there[there.len() - 1]),
        notes(&Json::parse(turn.as_bytes()).unwrap())
    );
    assert!(!exported.contains("alice@"), "{exported}");
}

#[tokio::test]
async fn configuration_instance_and_bot_apply_in_this_order() {
    let mut config = ServerConfig::default();
    let pattern = |name: &str, text: &str| RuleSpec {
        name: name.to_owned(),
        pattern: Some(text.to_owned()),
        action: "mask".to_owned(),
        replacement: Some(name.to_uppercase()),
        ..RuleSpec::default()
    };
    config.redaction.version = 5;
    config.redaction.rules = vec![pattern("first", "zero")];
    let server = Server::with(config).await;
    bot(&server, "b", "").await;
    bot(&server, "c", "").await;
    let rule = |name: &str, text: &str, to: &str| {
        format!(r#"{{"rules":[{{"name":"{name}","pattern":"{text}","replacement":"{to}"}}]}}"#)
    };
    put(&server, POLICY, &rule("second", "FIRST", "SECOND")).await;
    put(
        &server,
        "/convlog/v1/bots/b/redaction",
        &rule("third", "SECOND", "THIRD"),
    )
    .await;
    for bot in ["b", "c"] {
        say(&server, bot, "zero").await;
    }
    let b = of_bot(&server, "b").await;
    assert_eq!(input(&b[0]), "THIRD");
    let notes = notes(&b[0]);
    for note in [
        "first@5 raw.request.input.text mask",
        "second@1 raw.request.input.text mask",
        "third@1 raw.request.input.text mask",
    ] {
        assert!(notes.iter().any(|it| it == note), "{notes:?}");
    }
    assert_eq!(input(&of_bot(&server, "c").await[0]), "SECOND");
    // A change holds for what comes next, in another instance nothing does.
    put(&server, POLICY, r#"{"rules":[]}"#).await;
    say(&server, "b", "zero").await;
    assert_eq!(input(&of_bot(&server, "b").await[0]), "FIRST");
    // A bot that is deleted takes its rules along.
    assert_eq!(
        server
            .call(ADMIN, "DELETE", "/convlog/v1/bots/b", "")
            .await
            .status,
        204
    );
    bot(&server, "b", "").await;
    let of_b = server.get("/convlog/v1/bots/b/redaction").await;
    assert_eq!(of_b.text(), r#"{"version":0,"rules":[]}"#);
}

#[tokio::test]
async fn privacy_of_a_bot_switches_every_detector_on() {
    let server = Server::start().await;
    bot(&server, "shy", r#","privacy":true"#).await;
    bot(&server, "open", "").await;
    assert!(
        server
            .get("/convlog/v1/bots/shy")
            .await
            .text()
            .contains(r#""privacy":true"#)
    );
    let text = "a@b.com 4111111111111111 10.0.0.1 +49 30 1234567";
    for bot in ["shy", "open"] {
        say(&server, bot, text).await;
    }
    assert_eq!(
        input(&of_bot(&server, "shy").await[0]),
        "[redacted:email] [redacted:card] [redacted:ip] [redacted:phone]"
    );
    assert_eq!(input(&of_bot(&server, "open").await[0]), text);
    bot(&server, "shy", r#","privacy":false"#).await;
    let audit = server.get("/convlog/v1/audit").await.text();
    for is_on in [true, false] {
        let told = format!(r#""refs":{{"botId":"shy"}},"meta":{{"privacy":"{is_on}"}}"#);
        assert_eq!(audit.matches(&told).count(), 1, "{audit}");
    }
    say(&server, "shy", text).await;
    assert_eq!(input(&of_bot(&server, "shy").await[0]), text);
}

const EVENT: &str = r#"{"kind":"event","own_id":"e1","event":{"type":"webhook.request","meta":{"authorization":"Bearer abc123def456","headers":{"Cookie":"c=1"},"hasToken":true,"tokens":5}},"raw":{"type":"webhook.request","meta":{"apiKey":"k-1"},"token":"stays"}}"#;

#[tokio::test]
async fn secrets_of_events_are_cut_by_their_keys_unless_that_is_switched_off() {
    let server = Server::start().await;
    server.post(NATIVE, EVENT).await;
    let filter = format!("{RECORDS}?filter=event.type::webhook.request");
    let kept = records(&server.get(&filter).await);
    let text = kept[0].to_string();
    for secret in ["abc123def456", "c=1", "k-1"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(
        text.contains(r#""hasToken":true"#) && text.contains(r#""token":"stays""#),
        "{text}"
    );
    assert_eq!(
        notes(&kept[0]),
        [
            "event-keys@1 raw.meta.apiKey mask",
            "event-keys@1 event.meta.authorization mask",
            "event-keys@1 event.meta.headers.Cookie mask",
        ]
    );
    put(&server, POLICY, r#"{"rules":[],"event_keys":false}"#).await;
    server.post(NATIVE, &EVENT.replace("e1", "e2")).await;
    let kept = records(&server.get(&filter).await);
    assert!(kept[0].to_string().contains("abc123def456"), "{}", kept[0]);
    // Turns have no such details.
    let turn = r#"{"own_id":"t1","bot":"b","raw":{"meta":{"token":"stays"}}}"#;
    server.post(NATIVE, turn).await;
    assert!(
        of_bot(&server, "b").await[0]
            .to_string()
            .contains(r#""token":"stays""#)
    );
}

#[tokio::test]
async fn ids_that_a_rule_names_are_changed_everywhere_and_within_the_key_s_scope() {
    let server = Server::start().await;
    let rules = r#"{"rules":[{"name":"who","paths":["customer"],"action":"hash"},{"name":"bot","paths":["bot"],"replacement":"other"}]}"#;
    put(&server, POLICY, rules).await;
    let mut line = log(1);
    line.customer = Some("cust-1");
    load(&server, &[line.clone()]).await;
    let kept = of_bot(&server, "other").await;
    assert!(!kept[0].to_string().contains("cust-1"));
    let customer = kept[0].get("customer").and_then(Json::as_str).unwrap();
    assert!(customer.starts_with("[hash:who:"), "{customer}");
    assert_eq!(server.get("/convlog/v1/bots/shop").await.status, 404);
    assert_eq!(server.get("/convlog/v1/bots/other").await.status, 200);
    let key = server.key(r#""write""#, r#""shop""#).await;
    line.id = "log-2".to_owned();
    let refused = server
        .call(&key, "POST", BULK_V1, &line.line())
        .await
        .text();
    assert!(
        refused.contains("bot: outside of the key's scope"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_rule_that_cannot_run_refuses_the_record() {
    let mut config = ServerConfig::default();
    config.redaction.rules = vec![RuleSpec {
        name: "broken".to_owned(),
        pattern: Some("(".to_owned()),
        action: "mask".to_owned(),
        ..RuleSpec::default()
    }];
    let server = Server::with(config).await;
    let reason =
        "redaction: rule `broken` cannot run: pattern is no regular expression: unclosed group";
    let answer = server.post(BULK_V1, &log(1).line()).await;
    let expected = format!(
        r#"{{"accepted":0,"duplicates":0,"erased":0,"rejected":[{{"line":1,"error":"{reason}"}}]}}"#
    );
    assert_eq!(answer.text(), expected);
    bot(&server, "b", "").await;
    let uri = "/v1/workspaces/b/message?version=2021-11-27";
    let answer = server
        .post(uri, r#"{"input":{"text":"secret words"}}"#)
        .await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("rule `broken`") && !answer.text().contains("words"));
    // A bot that keeps nothing has nothing to redact.
    bot(&server, "quiet", r#","logging":false"#).await;
    say(&server, "quiet", "hello").await;
    assert!(of_bot(&server, "b").await.is_empty() && of_bot(&server, "shop").await.is_empty());
}

#[tokio::test]
async fn a_record_with_too_many_places_is_refused_by_line() {
    let server = Server::start().await;
    put(
        &server,
        POLICY,
        r#"{"rules":[{"name":"all","pattern":"."}]}"#,
    )
    .await;
    let long = format!(r#"{{"raw":{{"x":"{}"}}}}"#, "y".repeat(10_001));
    let short = r#"{"raw":{"x":"y"}}"#;
    let answer = server.post(NATIVE, &format!("{long}\n{short}")).await;
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"accepted":1,"duplicates":0,"erased":0,"rejected":[{"line":1,"error":"#,
            r#""redaction: rule `all` of version 1 cannot run: more than 10000 places of the record are to be cut"}]}"#
        )
    );
}

#[tokio::test]
async fn a_preview_shows_what_would_be_kept_and_keeps_nothing() {
    let server = Server::start().await;
    bot(&server, "shy", r#","privacy":true"#).await;
    let preview = async |body: &str| {
        let answer = server.post(PREVIEW, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    };
    // Any body, with rules on trial.
    let body = format!(r#"{{"record":{{"n":1.0,"mail":"a@b.com"}},"policy":{EMAIL}}}"#);
    assert_eq!(
        preview(&body).await,
        r#"{"record":{"n":1.0,"mail":"[redacted:mail]"},"redactions":[{"rule":"mail","version":0,"path":"raw.mail","action":"mask"}]}"#
    );
    // By the rules of a bot.
    assert_eq!(
        preview(r#"{"bot":"shy","record":{"mail":"a@b.com"}}"#).await,
        r#"{"record":{"mail":"[redacted:email]"},"redactions":[{"rule":"email","version":1,"path":"raw.mail","action":"mask"}]}"#
    );
    assert_eq!(
        preview(r#"{"record":{"mail":"a@b.com"}}"#).await,
        r#"{"record":{"mail":"a@b.com"},"redactions":[]}"#
    );
    // A canonical record, whose bot says which rules hold.
    let text =
        preview(r#"{"record":{"bot":"shy","input":{"text":"a@b.com"},"raw":{"x":"10.0.0.1"}}}"#)
            .await;
    assert_eq!(
        text,
        concat!(
            r#"{"record":{"kind":"turn","dialect":"convlog","bot":"shy","input":{"text":"[redacted:email]"},"#,
            r#""redactions":[{"rule":"ip","version":1,"path":"raw.x","action":"mask"},"#,
            r#"{"rule":"email","version":1,"path":"input.text","action":"mask"}],"#,
            r#""labels":{},"raw":{"x":"[redacted:ip]"}},"#,
            r#""redactions":[{"rule":"ip","version":1,"path":"raw.x","action":"mask"},"#,
            r#"{"rule":"email","version":1,"path":"input.text","action":"mask"}]}"#
        )
    );
    let watson = format!(
        r#"{{"dialect":"watson-v1","policy":{EMAIL},"record":{}}}"#,
        log(1).line().replace("where", "a@b.com")
    );
    let text = preview(&watson).await;
    assert!(
        text.starts_with(r#"{"record":{"request":{"input":{"text":"[redacted:mail] is my order"}"#),
        "{text}"
    );
    for (body, expected) in [
        ("{}", "record is required"),
        (
            r#"{"record":{},"dialect":"x"}"#,
            "dialect: must be one of watson-v1, watson-v2, convlog, chatbotkit, lex-v1",
        ),
        (
            r#"{"record":{},"policy":{"rules":[{"name":"a"}]}}"#,
            "policy.rules[0].name must have exactly one of detector, pattern, keys and paths beside it",
        ),
    ] {
        let (status, detail) = problem(&server.post(PREVIEW, body).await);
        assert_eq!((status, detail.as_str()), (400, expected));
    }
    assert_eq!(
        server
            .post(PREVIEW, r#"{"bot":"none","record":{}}"#)
            .await
            .status,
        404
    );
    assert!(records(&server.get(&format!("{RECORDS}?filter=kind::turn")).await).is_empty());
}

#[tokio::test]
async fn a_key_of_one_bot_settles_and_tries_that_bot_s_policy_alone() {
    let server = Server::start().await;
    bot(&server, "mine", "").await;
    bot(&server, "other", "").await;
    let key = server.key(r#""admin""#, r#""mine""#).await;
    for (method, uri, body, status) in [
        ("PUT", "/convlog/v1/bots/mine/redaction", EMAIL, 200),
        ("PUT", "/convlog/v1/bots/other/redaction", EMAIL, 404),
        ("GET", "/convlog/v1/bots/other/redaction", "", 404),
        ("PUT", POLICY, EMAIL, 403),
        ("POST", PREVIEW, r#"{"bot":"mine","record":{"a":1}}"#, 200),
        ("POST", PREVIEW, r#"{"bot":"other","record":{"a":1}}"#, 404),
        ("POST", PREVIEW, r#"{"record":{"a":1}}"#, 400),
        ("POST", PREVIEW, r#"{"record":{"bot":"other"}}"#, 400),
    ] {
        let answer = server.call(&key, method, uri, body).await;
        assert_eq!(
            answer.status,
            status,
            "{method} {uri} {body}: {}",
            answer.text()
        );
    }
}
