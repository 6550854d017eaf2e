//! What a log object means, and which ones are refused.

use convlog_model::flatten::Flat;
use convlog_model::record::Source;
use proptest::prelude::*;

use convlog_model::json::Json;

use super::*;

fn read(dialect: Dialect, raw: &str) -> Result<Draft, DecodeError> {
    log(&InstanceId::default_instance(), dialect, raw)
}

fn v1(response: &str, rest: &str) -> Flat {
    let raw = format!(r#"{{"request":{{"input":{{"text":"x"}}}},"response":{response}{rest}}}"#);
    read(Dialect::WatsonV1, &raw).unwrap().flat()
}

fn v2(output: &str, rest: &str) -> Flat {
    let raw = format!(
        r#"{{"request":{{"input":{{"text":"x"}}}},"response":{{"output":{output}}}{rest}}}"#
    );
    read(Dialect::WatsonV2, &raw).unwrap().flat()
}

#[test]
fn the_raw_body_is_kept_but_for_its_id_and_white_space() {
    let raw = "{ \"log_id\" : \"a\",\n\"request\":{\"b\":1.0,\"b\":2},\"response\":{},\"customer_id\":\"c\" }";
    let draft = read(Dialect::WatsonV1, raw).unwrap();
    assert_eq!(draft.raw, r#"{"request":{"b":1.0,"b":2},"response":{}}"#);
    assert_eq!(draft.own_id.as_deref(), Some("a"));
    assert_eq!(draft.flat().text("customer"), Some("c"));
    let draft = read(Dialect::WatsonV2, raw).unwrap();
    assert_eq!(
        draft.raw,
        r#"{"request":{"b":1.0,"b":2},"response":{},"customer_id":"c"}"#
    );
    assert_eq!(draft.flat().text("customer"), Some("c"));
}

#[test]
fn the_top_intent_is_the_first_of_the_highest_confidence() {
    let flat = v1(
        r#"{"intents":[{"intent":"a","confidence":0.4},{"intent":"b","confidence":0.9},{"intent":"c","confidence":0.9}]}"#,
        "",
    );
    assert_eq!(flat.text("top_intent"), Some("b"));
    assert_eq!(
        v1(r#"{"intents":[{"intent":"a"}]}"#, "").text("top_intent"),
        Some("a")
    );
    assert_eq!(v1(r#"{"intents":[]}"#, "").text("top_intent"), None);
}

#[test]
fn missed_means_said_and_neither_intent_nor_entity() {
    let missed = |flat: Flat| flat.text("outcome.missed").map(str::to_owned);
    assert_eq!(missed(v1("{}", "")).as_deref(), Some("true"));
    assert_eq!(
        missed(v1(r#"{"entities":[{"entity":"e"}]}"#, "")).as_deref(),
        Some("false")
    );
    let welcome = r#"{"request":{"input":{"text":""}},"response":{}}"#;
    let welcome = read(Dialect::WatsonV1, welcome).unwrap().flat();
    assert_eq!(welcome.text("outcome.missed"), Some("false"));
    assert_eq!(welcome.text("input.length"), Some("0"));
}

#[test]
fn an_agent_is_asked_for_by_a_message_or_a_variable() {
    let escalated = |flat: Flat| flat.is_true("outcome.escalated");
    assert!(escalated(v1(
        r#"{"output":{"generic":[{"response_type":"connect_to_agent"}]}}"#,
        ""
    )));
    assert!(escalated(v1(
        r#"{"context":{"context_connect_to_agent":true}}"#,
        ""
    )));
    assert!(!escalated(v1(
        r#"{"context":{"context_connect_to_agent":false}}"#,
        ""
    )));
    let skill = r#"{"request":{},"response":{"context":{"skills":{"main skill":{"user_defined":{"context_connect_to_agent":true}}}}}}"#;
    assert!(escalated(read(Dialect::WatsonV2, skill).unwrap().flat()));
}

#[test]
fn the_reason_of_the_exit_says_how_it_ended() {
    let outcome = |flat: &Flat| {
        (
            flat.is_true("outcome.fallback"),
            flat.is_true("outcome.completed"),
        )
    };
    let reason = |reason: &str| {
        v1(
            &format!(r#"{{"context":{{"system":{{"branch_exited_reason":"{reason}"}}}}}}"#),
            "",
        )
    };
    assert_eq!(outcome(&reason("fallback")), (true, false));
    assert_eq!(outcome(&reason("completed")), (false, true));
    assert_eq!(v1("{}", "").text("outcome.fallback"), None);
    assert_eq!(
        outcome(&v2(r#"{"debug":{"branch_exited_reason":"fallback"}}"#, "")),
        (true, false)
    );
}

#[test]
fn texts_and_kinds_of_the_output_are_found_wherever_they_stand() {
    let output = |flat: Flat| Json::Array(flat.group("output")).to_string();
    assert_eq!(
        output(v1(r#"{"output":{"text":["a","b"]}}"#, "")),
        r#"[{"text":"a"},{"text":"b"}]"#
    );
    let generic = r#"{"output":{"text":["a"],"generic":[{"response_type":"text","text":"a"},{"response_type":"pause"}]}}"#;
    assert_eq!(
        output(v1(generic, "")),
        r#"[{"type":"text","text":"a"},{"type":"pause"}]"#
    );
    let apart = r#"{"output":{"text":["a"],"generic":[{"response_type":"option"}]}}"#;
    assert_eq!(
        output(v1(apart, "")),
        r#"[{"type":"option"},{"type":"text","text":"a"}]"#
    );
}

#[test]
fn actions_have_steps_and_ends_of_their_own() {
    let flat = v2(
        r#"{"debug":{"turn_events":[{"event":"action_visited","source":{"action":"a"},"reason":"intent"},
        {"event":"step_answered","source":{"action":"a","step":"s"}},{"event":"action_finished","source":{"action":"a"},"reason":"all_steps_done"}]}}"#,
        "",
    );
    let steps = r#"[{"name":"a","type":"action_visited"},{"name":"s","type":"step_answered"},{"name":"a","type":"action_finished"}]"#;
    assert_eq!(Json::Array(flat.group("steps")).to_string(), steps);
    assert!(flat.is_true("outcome.completed"));
}

#[test]
fn times_of_old_exports_are_kept_beside_in_rfc_3339() {
    for (written, moment) in [
        ("2018-07-20T12:00:00.5", "2018-07-20T12:00:00.500000Z"),
        ("2018-07-20 12:00:00", "2018-07-20T12:00:00.000000Z"),
        (
            "2018-07-20T12:00:00.000+0200",
            "2018-07-20T10:00:00.000000Z",
        ),
        ("2018-07-20", "2018-07-20T00:00:00.000000Z"),
    ] {
        let raw = format!(r#"{{"request":{{}},"response":{{}},"request_timestamp":"{written}"}}"#);
        let draft = read(Dialect::WatsonV1, &raw).unwrap();
        let expected = Source::Value(Json::string(moment));
        assert_eq!(
            draft.canonical.get("time.request"),
            Some(&expected),
            "{written}"
        );
    }
}

#[test]
fn latency_is_exact_and_never_negative() {
    let latency = |from: &str, to: &str| {
        let rest = format!(r#","request_timestamp":"{from}","response_timestamp":"{to}""#);
        v1("{}", &rest).text("latency_ms").map(str::to_owned)
    };
    let start = "2026-03-02T09:00:00Z";
    assert_eq!(
        latency(start, "2026-03-02T09:00:00.0015Z").as_deref(),
        Some("1.5")
    );
    assert_eq!(
        latency(start, "2026-03-02T09:00:02Z").as_deref(),
        Some("2000")
    );
    assert_eq!(latency(start, "2026-03-02T08:00:02Z"), None);
}

#[test]
fn the_language_is_english_unless_said() {
    assert_eq!(v1("{}", "").text("language"), Some("en"));
    assert_eq!(v1("{}", r#","language":"es""#).text("language"), Some("es"));
}

#[test]
fn the_environment_has_two_names_in_v2() {
    for (rest, expected) in [
        (r#","environment_id":"e1""#, Some("e1")),
        (r#","environment":"e2""#, Some("e2")),
        (r#","environment_id":"e1","environment":"e2""#, Some("e1")),
        (r#","environment":{"id":"e3"}"#, None),
    ] {
        assert_eq!(v2("{}", rest).text("environment"), expected, "{rest}");
    }
}

#[test]
fn what_no_table_knows_is_found_under_its_raw_path() {
    let flat = v1(r#"{"context":{"skills":{"main skill":{"x":1}}}}"#, "");
    let field = convlog_model::fields::FieldRef::Raw("response.context.skills.main skill.x".into());
    assert!(flat.exists(&field, None));
}

#[test]
fn wrong_logs_name_the_field() {
    for (raw, error) in [
        ("[]", "a log must be an object, not an array"),
        ("{\"a\":", "EOF while parsing a value at line 1 column 5"),
        ("{}", "request: is missing"),
        (r#"{"request":{}}"#, "response: is missing"),
        (
            r#"{"request":"x","response":{}}"#,
            "request: must be an object, not a string",
        ),
        (
            r#"{"request":{"input":[]},"response":{}}"#,
            "request.input: must be an object, not an array",
        ),
        (
            r#"{"request":{"input":{"text":1}},"response":{}}"#,
            "request.input.text: must be a string, not a number",
        ),
        (
            r#"{"request":{},"response":{},"log_id":7}"#,
            "log_id: must be a string, not a number",
        ),
        (
            r#"{"request":{},"response":{},"customer_id":7}"#,
            "customer_id: must be a string, not a number",
        ),
        (
            r#"{"request":{},"response":{},"request_timestamp":"yesterday"}"#,
            "request_timestamp: must be a time in RFC 3339",
        ),
        (
            r#"{"request":{},"response":{"intents":{}}}"#,
            "response.intents: must be an array, not an object",
        ),
        (
            r#"{"request":{},"response":{"intents":[{"intent":"a"},5]}}"#,
            "response.intents[1]: must be an object, not a number",
        ),
        (
            r#"{"request":{},"response":{"intents":[{"intent":"a","confidence":"1"}]}}"#,
            "response.intents[0].confidence: must be a number, not a string",
        ),
        (
            r#"{"request":{},"response":{"entities":[{}]}}"#,
            "response.entities[0].entity: is missing",
        ),
        (
            r#"{"request":{},"response":{"output":{"generic":"x"}}}"#,
            "response.output.generic: must be an array, not a string",
        ),
        (
            r#"{"request":{"input":{"text":"\ud800"}},"response":{}}"#,
            "unexpected end of hex escape at line 1 column 36",
        ),
    ] {
        assert_eq!(
            read(Dialect::WatsonV1, raw).unwrap_err().to_string(),
            error,
            "{raw}"
        );
    }
}

#[test]
fn deep_nesting_is_refused_and_huge_numbers_are_kept() {
    let deep = format!(
        r#"{{"request":{{}},"response":{{}},"x":{}{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let error = read(Dialect::WatsonV1, &deep).unwrap_err().to_string();
    assert!(
        error.starts_with("nested deeper than 100 levels"),
        "{error}"
    );
    let huge = r#"{"request":{},"response":{},"x":[1e999999,123456789012345678901234567890.10]}"#;
    assert_eq!(read(Dialect::WatsonV1, huge).unwrap().raw, huge);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for dialect in Dialect::ALL {
            drop(read(dialect, &text));
        }
        drop(crate::watson::webhook::parse(&InstanceId::default_instance(), &bytes));
        drop(crate::watson::definition::check(&bytes));
    }
}
