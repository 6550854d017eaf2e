//! How messages are checked, answered and logged.

use convlog_model::json::Json;
use convlog_model::record::Draft;
use proptest::prelude::*;

use super::*;
use crate::reply::Reply;
use crate::watson::decode;
use convlog_model::record::Dialect;

fn instance() -> InstanceId {
    InstanceId::default_instance()
}

fn turn(instance: &InstanceId) -> Turn<'_> {
    Turn {
        instance,
        bot: "W1",
        language: "en",
        assistant: Some("as-1"),
        environment: Some("env-1"),
        version: None,
        customer: None,
        channel: None,
        learning_opt_out: false,
        requested: Timestamp::from_millis(1_772_442_000_000),
        responded: Timestamp::from_millis(1_772_442_000_123),
        error: None,
    }
}

fn reply() -> Reply {
    Reply {
        intents: vec![
            Json::object([
                ("intent", Json::string("a")),
                ("confidence", Json::integer(1)),
            ]),
            Json::object([
                ("intent", Json::string("b")),
                ("confidence", Json::integer(0)),
            ]),
        ],
        context: Some(Json::object([("size", Json::string("large"))])),
        nodes_visited: vec!["node_a".to_owned()],
        fallback: Some(false),
        ..Reply::text("Coming up.")
    }
}

fn v1(body: &str) -> RequestV1 {
    RequestV1::parse(body.as_bytes()).unwrap()
}

fn v2(body: &str, mode: Mode) -> RequestV2 {
    RequestV2::parse(body.as_bytes(), mode).unwrap()
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap()
}

fn at(body: &Json, path: &[&str]) -> String {
    body.at(path).map(Json::to_string).unwrap_or_default()
}

#[test]
fn an_empty_body_is_an_empty_object() {
    assert_eq!(v1("").raw(), "{}");
    assert_eq!(v2(" \n", Mode::Stateful).raw(), "{}");
}

#[test]
fn wrong_bodies_name_the_field() {
    let newline = "text can not contain the following characters: tab, new line, carriage return.";
    let long = format!(r#"{{"input":{{"text":"{}"}}}}"#, "é".repeat(2049));
    for (body, message, path) in [
        ("[1]", "the body must be an object, not an array", None),
        (
            "{\n \"input\": x}",
            "expected value at line 2 column 11",
            None,
        ),
        (
            r#"{"input":"x"}"#,
            "must be an object, not a string",
            Some(".input"),
        ),
        (
            r#"{"input":{"text":5}}"#,
            "must be a string, not a number",
            Some(".input.text"),
        ),
        (r#"{"input":{"text":"a\nb"}}"#, newline, Some(".input.text")),
        (r#"{"input":{"text":"a\tb"}}"#, newline, Some(".input.text")),
        (r#"{"input":{"text":"a\rb"}}"#, newline, Some(".input.text")),
        (
            &long,
            "text can not be longer than 2048 characters.",
            Some(".input.text"),
        ),
        (
            r#"{"user_id":""}"#,
            "user_id can not be empty.",
            Some(".user_id"),
        ),
        (
            r#"{"user_id":7}"#,
            "must be a string, not a number",
            Some(".user_id"),
        ),
    ] {
        let expected = Err((message.to_owned(), path.map(str::to_owned)));
        let got = RequestV1::parse(body.as_bytes()).map_err(|e| (e.message, e.path));
        assert_eq!(got, expected, "{body}");
        let got =
            RequestV2::parse(body.as_bytes(), Mode::Stateful).map_err(|e| (e.message, e.path));
        assert_eq!(
            got,
            expected.map(|_: RequestV1| v2("", Mode::Stateful)),
            "{body}"
        );
    }
}

#[test]
fn fields_of_one_version_are_checked_too() {
    let conversation = "conversation_id can not contain the following characters: \
                        + = && || > < ! ( ) { } [ ] ^ \" ~ * ? : \\ /";
    for (body, message, path) in [
        (
            r#"{"context":{"conversation_id":"a/b"}}"#,
            conversation,
            ".context.conversation_id",
        ),
        (
            r#"{"context":{"conversation_id":"a&&b"}}"#,
            conversation,
            ".context.conversation_id",
        ),
        (
            r#"{"alternate_intents":"true"}"#,
            "must be a boolean, not a string",
            ".alternate_intents",
        ),
        (
            r#"{"intents":[{"confidence":1}]}"#,
            "is missing",
            ".intents[0].intent",
        ),
        (
            r#"{"context":{"metadata":{"deployment":"a\nb"}}}"#,
            "deployment can not contain the following characters: tab, new line, carriage return.",
            ".context.metadata.deployment",
        ),
    ] {
        let error = RequestV1::parse(body.as_bytes()).unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.path.as_deref()),
            (message, Some(path))
        );
    }
    for (body, message, path) in [
        (
            r#"{"input":{"message_type":"x"}}"#,
            "must be `text` or `search`",
            ".input.message_type",
        ),
        (
            r#"{"input":{"options":{"debug":1}}}"#,
            "must be a boolean, not a number",
            ".input.options.debug",
        ),
        (
            r#"{"context":{"skills":[]}}"#,
            "must be an object, not an array",
            ".context.skills",
        ),
        (
            r#"{"input":{"suggestion_id":7}}"#,
            "must be a string, not a number",
            ".input.suggestion_id",
        ),
        (
            r#"{"input":{"attachments":[{}]}}"#,
            "is missing",
            ".input.attachments[0].url",
        ),
    ] {
        let error = RequestV2::parse(body.as_bytes(), Mode::Stateless).unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.path.as_deref()),
            (message, Some(path))
        );
    }
    let single = r#"{"context":{"conversation_id":"a&b|c"}}"#;
    assert!(RequestV1::parse(single.as_bytes()).is_ok());
}

#[test]
fn a_context_is_bounded_by_who_keeps_it() {
    let body = |kilobytes: usize| {
        format!(
            r#"{{"context":{{"skills":{{"x":"{}"}}}}}}"#,
            "a".repeat(kilobytes << 10)
        )
    };
    let size = |kilobytes, mode| RequestV2::parse(body(kilobytes).as_bytes(), mode);
    assert!(size(99, Mode::Stateful).is_ok() && size(249, Mode::Stateless).is_ok());
    let error = size(100, Mode::Stateful).unwrap_err();
    assert_eq!(error.message, "context can not be larger than 100 KB.");
    let error = size(250, Mode::Stateless).unwrap_err();
    assert_eq!(error.message, "context can not be larger than 250 KB.");
    let mut session = Session::new("s", Timestamp::default());
    session.begin(&size(60, Mode::Stateful).unwrap()).unwrap();
    let more = body(60).replace("\"x\"", "\"y\"");
    let before = session.clone();
    assert!(session.begin(&v2(&more, Mode::Stateful)).is_err());
    assert_eq!(session, before);
}

#[test]
fn the_user_is_the_root_then_the_context_then_the_conversation() {
    let context = r#""context":{"metadata":{"user_id":"m"}}"#;
    assert_eq!(
        v1(&format!(r#"{{"user_id":"r",{context}}}"#)).user_id("c"),
        "r"
    );
    assert_eq!(v1(&format!("{{{context}}}")).user_id("c"), "m");
    assert_eq!(v1("{}").user_id("c"), "c");
    let user = |body: &str| {
        let mut session = Session::new("s", Timestamp::default());
        session.begin(&v2(body, Mode::Stateful)).unwrap();
        session.user_id().to_owned()
    };
    let context = r#""context":{"global":{"system":{"user_id":"g"}}}"#;
    assert_eq!(user(&format!(r#"{{"user_id":"r",{context}}}"#)), "r");
    assert_eq!(user(&format!("{{{context}}}")), "g");
    assert_eq!(user("{}"), "s");
}

#[test]
fn a_v1_answer_carries_the_context_on() {
    let request = v1(
        r#"{"input":{"text":"hi","spelling_suggestions":true,"x":1.0},
        "context":{"conversation_id":"c","mine":[1],"system":{"dialog_turn_counter":4,"keep":1}}}"#,
    );
    let body = json(&answer_v1(&request, "c", true, &reply()));
    assert_eq!(at(&body, &["input"]), r#"{"text":"hi","x":1.0}"#);
    assert_eq!(
        at(&body, &["intents"]),
        r#"[{"intent":"a","confidence":1}]"#
    );
    assert_eq!(at(&body, &["output", "text"]), r#"["Coming up."]"#);
    assert_eq!(at(&body, &["output", "nodes_visited"]), r#"["node_a"]"#);
    assert_eq!(at(&body, &["output", "log_messages"]), "[]");
    assert!(at(&body, &["output", "nodes_visited_details"]).contains("node_a"));
    assert_eq!(at(&body, &["context", "mine"]), "[1]");
    assert_eq!(at(&body, &["context", "size"]), r#""large""#);
    assert_eq!(at(&body, &["context", "metadata", "user_id"]), r#""c""#);
    assert_eq!(at(&body, &["user_id"]), r#""c""#);
    let system = |key| at(&body, &["context", "system", key]);
    assert_eq!(system("dialog_turn_counter"), "5");
    assert_eq!(system("dialog_request_counter"), "1");
    assert_eq!(system("branch_exited_reason"), r#""completed""#);
    assert_eq!(system("keep"), "1");
    assert_eq!(at(&body, &["alternate_intents"]), "");
}

#[test]
fn all_intents_are_shown_only_if_asked_for() {
    let request = v1(r#"{"alternate_intents":true}"#);
    let body = json(&answer_v1(&request, "c", false, &reply()));
    assert_eq!(
        body.get("intents")
            .and_then(Json::as_array)
            .map(<[Json]>::len),
        Some(2)
    );
    assert_eq!(at(&body, &["alternate_intents"]), "true");
    assert_eq!(at(&body, &["output", "nodes_visited_details"]), "");
}

#[test]
fn a_log_holds_request_and_response_as_they_were() {
    let request = v1("{ \"b\" : 1.0, \"a\":\"\\u00e9\", \"a\":2, \"input\":{\"text\":\"hi\"} }");
    let response = r#"{"output":{"text":["x"]}, "context":{"conversation_id":"c"},"n":1e+2}"#;
    let instance = instance();
    let draft = log_v1(&turn(&instance), &request, response);
    assert_eq!(
        draft.raw,
        concat!(
            r#"{"request":{"b":1.0,"a":"\u00e9","a":2,"input":{"text":"hi"}},"#,
            r#""response":{"output":{"text":["x"]},"context":{"conversation_id":"c"},"n":1e+2},"#,
            r#""workspace_id":"W1","request_timestamp":"2026-03-02T09:00:00.000Z","#,
            r#""response_timestamp":"2026-03-02T09:00:00.123Z","language":"en"}"#
        )
    );
    let shown = |field: &str| draft.flat().text(field).map(str::to_owned);
    assert_eq!(shown("bot").as_deref(), Some("W1"));
    assert_eq!(shown("assistant").as_deref(), Some("as-1"));
    assert_eq!(shown("environment").as_deref(), Some("env-1"));
    assert_eq!(shown("conversation").as_deref(), Some("c"));
    assert_eq!(shown("user").as_deref(), Some("c"));
    assert_eq!(shown("latency_ms").as_deref(), Some("123"));
    assert_eq!(shown("outcome.missed").as_deref(), Some("true"));
    assert_eq!(shown("customer"), None);
}

#[test]
fn a_live_log_reads_back_as_an_imported_one() {
    let request = v1(r#"{"input":{"text":"hi"},"context":{"metadata":{"deployment":"d"}}}"#);
    let response = answer_v1(&request, "c", false, &reply());
    let instance = instance();
    let mut plain = turn(&instance);
    (plain.assistant, plain.environment) = (None, None);
    let draft = log_v1(&plain, &request, &response);
    assert_eq!(
        decode::log(&instance, Dialect::WatsonV1, &draft.raw),
        Ok(draft)
    );
}

#[test]
fn whatever_a_connector_sent_is_kept() {
    let instance = instance();
    let mut failed = turn(&instance);
    failed.error = Some("connector_malformed");
    for response in ["", "<html>\n", "[1]", r#"{"intents":5,"output":{}}"#] {
        let draft = log_v1(&failed, &v1(r#"{"input":{"text":"hi"}}"#), response);
        assert!(Json::parse(draft.raw.as_bytes()).is_ok(), "{}", draft.raw);
        let flat = draft.flat();
        assert_eq!(flat.text("error"), Some("connector_malformed"));
        assert_eq!(flat.text("bot"), Some("W1"));
        assert_eq!(flat.text("input.text"), Some("hi"));
        assert!(flat.time("time.request").is_some());
    }
}

#[test]
fn a_session_keeps_the_context_and_shows_it_when_asked() {
    let mut session = Session::new("s", Timestamp::from_millis(0));
    let first = v2(
        r#"{"input":{"text":"a"},"context":{"skills":{"main skill":{"user_defined":{"x":{"y":1,"z":2}}}}}}"#,
        Mode::Stateful,
    );
    session.begin(&first).unwrap();
    let answer = answer_v2(&first, &mut session, &reply());
    assert_eq!(at(&json(&answer.response), &["context"]), "");
    assert_eq!(at(&json(&answer.response), &["output", "debug"]), "");
    let mut session = Session::from_bytes(&session.to_bytes()).unwrap();
    let second = v2(
        r#"{"input":{"options":{"return_context":true,"debug":true}},
        "context":{"skills":{"main skill":{"user_defined":{"x":{"y":3}}}}}}"#,
        Mode::Stateful,
    );
    session.begin(&second).unwrap();
    let body = json(&answer_v2(&second, &mut session, &reply()).response);
    let skill = |key| at(&body, &["context", "skills", "main skill", key]);
    assert_eq!(
        skill("user_defined"),
        r#"{"x":{"y":3,"z":2},"size":"large"}"#
    );
    assert_eq!(skill("system"), "{}");
    let system = |key| at(&body, &["context", "global", "system", key]);
    assert_eq!(system("turn_count"), "2");
    assert_eq!(
        system("session_start_time"),
        r#""1970-01-01T00:00:00.000Z""#
    );
    assert_eq!(at(&body, &["context", "global", "session_id"]), r#""s""#);
    assert!(at(&body, &["output", "debug", "nodes_visited"]).contains("node_a"));
}

#[test]
fn an_export_and_a_stateless_answer_have_the_state() {
    for (body, mode) in [
        (r#"{"input":{"options":{"export":true}}}"#, Mode::Stateful),
        (
            r#"{"context":{"global":{"system":{"turn_count":6}}}}"#,
            Mode::Stateless,
        ),
    ] {
        let request = v2(body, mode);
        let mut session = Session::new("s", Timestamp::default());
        session.begin(&request).unwrap();
        let answer = json(&answer_v2(&request, &mut session, &reply()).response);
        let state = at(
            &answer,
            &["context", "skills", "main skill", "system", "state"],
        );
        assert!(state.len() > 10, "{answer}");
        let turns = at(&answer, &["context", "global", "system", "turn_count"]);
        assert_eq!(turns, if mode == Mode::Stateless { "7" } else { "1" });
    }
}

fn logged_v2(turn: &Turn<'_>, body: &str) -> Draft {
    let request = v2(body, Mode::Stateful);
    let mut session = Session::new("s", turn.requested);
    session.begin(&request).unwrap();
    let answer = answer_v2(&request, &mut session, &reply());
    log_v2(turn, &request, &session, &answer.logged)
}

#[test]
fn a_v2_log_always_has_the_context_and_debug() {
    let instance = instance();
    let draft = logged_v2(&turn(&instance), r#"{"input":{"text":"hi"}}"#);
    let body = json(&draft.raw);
    assert_eq!(at(&body, &["request"]), r#"{"input":{"text":"hi"}}"#);
    assert!(at(&body, &["response", "output", "debug", "nodes_visited"]).contains("node_a"));
    assert_eq!(
        at(
            &body,
            &["response", "context", "global", "system", "turn_count"]
        ),
        "1"
    );
    for (key, value) in [
        ("assistant_id", "as-1"),
        ("session_id", "s"),
        ("skill_id", "W1"),
        ("snapshot", "draft"),
        ("language", "en"),
    ] {
        assert_eq!(at(&body, &[key]), format!("\"{value}\""));
    }
    assert_eq!(at(&body, &["customer_id"]), "");
    assert_eq!(draft.flat().text("environment"), Some("env-1"));
}

#[test]
fn the_header_wins_over_the_channel_and_the_channel_over_nothing() {
    let instance = instance();
    let customer = |header, channel, body: &str| {
        let mut turn = turn(&instance);
        (turn.customer, turn.channel) = (header, channel);
        let draft = logged_v2(&turn, body);
        let shown = at(&json(&draft.raw), &["customer_id"]);
        let found = draft.flat().text("customer").map(str::to_owned);
        assert_eq!(
            shown,
            found.map(|id| format!("\"{id}\"")).unwrap_or_default()
        );
        shown
    };
    let slack = r#"{"context":{"integrations":{"slack":{}}},"user_id":"T1"}"#;
    assert_eq!(customer(Some("acme"), Some("slack"), slack), r#""acme""#);
    assert_eq!(customer(None, None, slack), r#""slack_T1""#);
    assert_eq!(customer(None, Some("web chat"), slack), r#""T1""#);
    assert_eq!(customer(None, Some("facebook"), slack), "");
    assert_eq!(customer(None, None, "{}"), "");
}

#[test]
fn an_opt_out_is_kept_beside_the_log() {
    let instance = instance();
    let mut out = turn(&instance);
    out.learning_opt_out = true;
    let draft = logged_v2(&out, "{}");
    assert!(draft.flat().is_true("learning_opt_out"));
    assert!(!draft.raw.contains("opt_out"));
}

proptest! {
    #[test]
    fn no_bytes_make_a_message_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,40}") {
        drop(RequestV1::parse(&bytes));
        drop(RequestV2::parse(&bytes, Mode::Stateless));
        drop(Session::from_bytes(&bytes));
        let instance = instance();
        let draft = log_v1(&turn(&instance), &v1("{}"), &text);
        prop_assert!(Json::parse(draft.raw.as_bytes()).is_ok());
    }
}
