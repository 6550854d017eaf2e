//! Records go out and come back: messy logs, events, wrong lines, CSV rows.

use std::collections::BTreeMap;

use convlog_model::ids::{Position, RecordId};
use convlog_model::time::Timestamp;
use proptest::prelude::*;

use super::*;

fn instance() -> InstanceId {
    InstanceId::default_instance()
}

fn record(draft: Draft, n: u64) -> Record {
    Record {
        id: RecordId::from_parts(1_772_442_000_000 + n, 7),
        position: Position(u128::from(n)),
        received: Timestamp::from_millis(1_772_442_000_000 + i64::try_from(n).unwrap()),
        draft,
    }
}

fn watson(dialect: Dialect, raw: &str) -> Draft {
    watson::decode::log(&instance(), dialect, raw).unwrap()
}

/// A line without what the engine gives.
fn comparable(line: &str) -> Json {
    let mut body = Json::parse(line.as_bytes()).unwrap();
    body.take("id");
    let mut time = body.take("time").unwrap_or(Json::Null);
    time.take("received");
    body.set("time", time);
    body
}

/// Exports, imports and exports again; both exports and both drafts' leaves are the same.
fn round_trip(draft: Draft) -> Result<(), TestCaseError> {
    let first = encode(&record(draft.clone(), 1));
    let imported = decode(&instance(), &first).unwrap();
    let second = encode(&record(imported.clone(), 2));
    prop_assert_eq!(comparable(&first), comparable(&second), "{}", first);
    prop_assert_eq!(&imported.raw, &draft.raw);
    let third = decode(&instance(), &second).unwrap();
    prop_assert_eq!(third, imported);
    Ok(())
}

const V1: &str = include_str!("../../../../fixtures/watson/filter-logs.ndjson");

const MESSY: [&str; 8] = [
    r#"{"request":{"input":{"text":"x","text":"y"}},"response":{"output":{"text":"old"}},"request_timestamp":"2018-07-20 12:00:00"}"#,
    r#"{"log_id":"a","customer_id":"c","request":{},"response":{"intents":[{"intent":"a","confidence":1,"x":{"y":null}},{"intent":"b"}],"output":{"generic":[{"response_type":"option","title":"T"}],"text":["Pick one","or two"]}}}"#,
    r#"{"request":{"input":{"text":null}},"response":{"output":{"generic":[],"text":[],"nodes_visited":[]},"entities":[{"entity":"n","value":2,"location":[1]}]}}"#,
    r#"{"request":{"context":{"metadata":{"user_id":"u","deployment":"d"}}},"response":{"output":{"nodes_visited":[{"dialog_node":"n"}]},"context":{"a.b":{"c d":[1,[2,{"e":1e400}]]}}},"language":"pt-br"}"#,
    r#"{"request":{},"response":{"output":{"generic":[{"response_type":"text","text":"a"},{"response_type":"pause"},{"response_type":"connect_to_agent"}]}}}"#,
    r#"{"request":{"context":{"integrations":{"slack":{}}},"user_id":"T1"},"response":{}}"#,
    r#"{"request":{},"response":{"intents":[],"entities":[],"context":{"system":{"branch_exited_reason":"fallback"}}},"workspace_id":"\u0000é\ud83d\ude00"}"#,
    r#"{"request":{},"response":{"context":{"conversation_id":""},"user_id":""},"response_timestamp":"2018-07-20T12:00:00.000+0200"}"#,
];

const MESSY_V2: [&str; 3] = [
    r#"{"request":{},"response":{"output":{"debug":{"turn_events":[{"event":"action_visited","source":{"action":"a"}},{"event":"step_visited","source":{"action":"a","step":"s"}},{"event":"action_finished","reason":"all_steps_done"}]},"llm_metadata":[{"task":"t","model_id":"m1"},{"model_id":"m2"}]}},"session_id":"s","customer_id":"c"}"#,
    r#"{"request":{"input":{"message_type":"text"},"context":{"global":{"system":{"locale":"en-us"}}}},"response":{"output":{"generic":[{"response_type":"search","header":"h"}],"intents":[{"intent":"i","confidence":0.50}]}},"snapshot":"v2","skill_id":"sk","assistant_id":"as"}"#,
    r#"{"request":{"context":{"integrations":{"channel":{"name":"Web chat"}}},"user_id":"u9"},"response":{"context":{"skills":{"main skill":{"user_defined":{"context_connect_to_agent":true}}}}}}"#,
];

#[test]
fn messy_logs_come_back_the_same() {
    for raw in V1.lines().chain(MESSY) {
        round_trip(watson(Dialect::WatsonV1, raw)).unwrap();
    }
    for raw in MESSY_V2 {
        round_trip(watson(Dialect::WatsonV2, raw)).unwrap();
    }
}

#[test]
fn what_a_server_added_beside_the_raw_body_comes_back() {
    let mut draft = watson(Dialect::WatsonV1, MESSY[0]);
    draft.set_text("environment", "env-1");
    draft.set_text("customer", "c9");
    draft.set_value("learning_opt_out", Json::Bool(true));
    draft.set_text("error", "connector_timeout");
    draft.canonical.remove("user");
    draft.labels = BTreeMap::from([("a.b c".to_owned(), "x".to_owned())]);
    round_trip(draft).unwrap();
}

#[test]
fn only_what_differs_is_kept_beside_the_raw_body() {
    let mut draft = watson(Dialect::WatsonV1, V1.lines().next().unwrap());
    draft.set_text("environment", "other");
    let line = encode(&record(draft.clone(), 1));
    assert_eq!(decode(&instance(), &line), Ok(draft));
}

#[test]
fn events_come_back_with_their_free_names() {
    let mut draft = base(&instance(), Dialect::Convlog, Kind::Event, r#"{"a":[]}"#).unwrap();
    draft.set_text("event.type", "key.created");
    draft.set_text("event.refs.key", "k1");
    draft.set_value(
        "event.refs.log_id",
        Json::Array(vec![Json::string("1"), Json::string("2")]),
    );
    draft.set_value("event.meta.roles", Json::Array(vec![Json::string("read")]));
    draft.set_value("event.meta.deep.er", Json::integer(3));
    let line = encode(&record(draft.clone(), 1));
    assert!(
        line.contains(r#""event":{"type":"key.created","refs":{"key":"k1","log_id":["1","2"]},"meta":{"deep":{"er":3},"roles":["read"]}}"#),
        "{line}"
    );
    round_trip(draft).unwrap();
}

#[test]
fn the_form_is_as_documented() {
    let line = encode(&record(
        watson(Dialect::WatsonV1, V1.lines().nth(1).unwrap()),
        1,
    ));
    let body = Json::parse(line.as_bytes()).unwrap();
    let keys: Vec<&str> = body
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "id",
            "kind",
            "dialect",
            "own_id",
            "bot",
            "assistant",
            "environment",
            "conversation",
            "user",
            "customer",
            "language",
            "time",
            "input",
            "output",
            "intents",
            "top_intent",
            "entities",
            "entities_count",
            "steps",
            "outcome",
            "latency_ms",
            "labels",
            "raw"
        ]
    );
    let shown = |path: &[&str]| body.at(path).map(Json::to_string).unwrap_or_default();
    assert_eq!(
        shown(&["time"]),
        r#"{"request":"2020-07-01T09:00:20.000Z","response":"2020-07-01T09:00:20.200Z","received":"2026-03-02T09:00:00.001000Z"}"#
    );
    assert_eq!(
        shown(&["input"]),
        r#"{"text":"ordering two sodas please","length":25}"#
    );
    assert_eq!(shown(&["outcome"]), r#"{"missed":false,"escalated":false}"#);
    assert_eq!(shown(&["latency_ms"]), "200");
    assert_eq!(
        shown(&["entities"]),
        r#"[{"entity":"beverage","value":"soda","confidence":1,"location":[13,17]},{"entity":"sys-number","value":"2","confidence":1}]"#
    );
}

#[test]
fn wrong_lines_name_the_field() {
    for (line, error) in [
        ("[]", "a record must be an object, not an array"),
        ("{", "EOF while parsing an object at line 1 column 1"),
        (r#"{"kind":"x"}"#, "kind: must be `turn` or `event`"),
        (r#"{"dialect":"x"}"#, "dialect: is no dialect"),
        (r#"{"bots":"x"}"#, "bots: is no field of a record"),
        (
            r#"{"time":{"request":"yesterday"}}"#,
            "time.request: must be a time in RFC 3339",
        ),
        (r#"{"latency_ms":"1"}"#, "latency_ms: must be a number"),
        (
            r#"{"outcome":{"missed":1}}"#,
            "outcome.missed: must be true or false",
        ),
        (r#"{"intents":[1]}"#, "intents: must be an array of objects"),
        (
            r#"{"intents":[{"confidence":"x"}]}"#,
            "intents.confidence: must be a number",
        ),
        (r#"{"labels":{"a":1}}"#, "labels.a: must be a string"),
        (r#"{"bot":{}}"#, "bot: must be a string"),
    ] {
        assert_eq!(
            decode(&instance(), line).unwrap_err().to_string(),
            error,
            "{line}"
        );
    }
}

#[test]
fn rows_have_the_columns_of_the_export_script() {
    assert_eq!(
        csv_header(),
        "conversation_id,request_timestamp,response_timestamp,User Input,Output,Intent,Confidence,\
         Exit Reason,Logging,Context\n"
    );
    let draft = watson(Dialect::WatsonV1, V1.lines().next().unwrap());
    let row = csv_row(&record(draft, 1));
    let expected = "c1,2020-07-01T09:00:00.100Z,2020-07-01T09:00:00.350Z,\
                    I want to order a large coffee,Done.,place_order,0.92,,,\"{\"\"conversation_id\"\"";
    assert!(row.starts_with(expected), "{row}");
}

#[test]
fn no_cell_is_a_formula() {
    let raw =
        r#"{"request":{"input":{"text":"=1+1\n\"x\""}},"response":{"output":{"text":["@a","b"]}}}"#;
    let row = csv_row(&record(watson(Dialect::WatsonV1, raw), 1));
    assert!(row.contains(",\"'=1+1\n\"\"x\"\"\",'@a b,"), "{row}");
}

fn json(depth: u32) -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::integer),
        ".{0,6}".prop_map(Json::string),
    ];
    let key = prop_oneof![
        "intent|confidence|entity|value|text|response_type|generic|context",
        ".{0,4}"
    ];
    leaf.prop_recursive(depth, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec((key.clone().prop_map(Text::from), inner), 0..4)
                .prop_map(Json::Object),
        ]
    })
    .boxed()
}

/// An object of some of these members, with a free one behind them.
fn messy(members: Vec<(&'static str, BoxedStrategy<Json>)>) -> BoxedStrategy<Json> {
    let some: Vec<_> = members
        .into_iter()
        .map(|(key, value)| {
            prop::option::of(value).prop_map(move |value| Some((Text::from(key), value?)))
        })
        .collect();
    (some, prop::option::of((".{1,3}", json(2))))
        .prop_map(|(some, free)| {
            let free = free
                .into_iter()
                .map(|(key, value)| (Text::from(format!("x{key}")), value));
            Json::Object(some.into_iter().flatten().chain(free).collect())
        })
        .boxed()
}

fn list(element: BoxedStrategy<Json>) -> BoxedStrategy<Json> {
    prop::collection::vec(element, 0..3)
        .prop_map(Json::Array)
        .boxed()
}

fn word() -> BoxedStrategy<Json> {
    prop_oneof![
        ".{0,5}",
        Just("connect_to_agent".to_owned()),
        Just("text".to_owned())
    ]
    .prop_map(Json::string)
    .boxed()
}

fn with(element: BoxedStrategy<Json>, key: &'static str) -> BoxedStrategy<Json> {
    (element, word())
        .prop_map(move |(mut element, value)| {
            element.set(key, value);
            element
        })
        .boxed()
}

/// A log object that is read, of either version or of both mixed.
fn log() -> BoxedStrategy<String> {
    let number = || {
        prop_oneof![Just("1"), Just("0.50"), Just("1e-3")]
            .prop_map(|n| Json::Number(n.into()))
            .boxed()
    };
    let time = || {
        prop_oneof![
            Just("2026-03-02T09:00:00.5Z"),
            Just("2018-07-20 12:00:00"),
            Just("2018-07-20T12:00:00.000+0200"),
        ]
        .prop_map(Json::string)
        .boxed()
    };
    let intents = || list(with(messy(vec![("confidence", number())]), "intent"));
    let entities = || {
        list(with(
            messy(vec![
                ("value", word()),
                ("confidence", number()),
                ("location", list(number())),
            ]),
            "entity",
        ))
    };
    let generic = list(messy(vec![("response_type", word()), ("text", word())]));
    let nodes = list(messy(vec![("dialog_node", word())]));
    let system = || {
        messy(vec![
            ("branch_exited_reason", word()),
            ("assistant_id", word()),
            ("user_id", word()),
            ("turn_count", number()),
        ])
    };
    let context = || {
        messy(vec![
            ("conversation_id", word()),
            ("system", system()),
            (
                "metadata",
                messy(vec![("user_id", word()), ("deployment", word())]),
            ),
            (
                "global",
                messy(vec![("system", system()), ("session_id", word())]),
            ),
            (
                "integrations",
                messy(vec![
                    ("slack", json(1)),
                    ("channel", messy(vec![("name", word())])),
                ]),
            ),
        ])
    };
    let debug = messy(vec![
        ("nodes_visited", nodes),
        ("branch_exited_reason", word()),
        (
            "turn_events",
            list(messy(vec![
                ("event", word()),
                ("source", messy(vec![("action", word())])),
            ])),
        ),
    ]);
    let output = messy(vec![
        ("generic", generic),
        ("text", prop_oneof![word(), list(word())].boxed()),
        ("nodes_visited", list(word())),
        ("intents", intents()),
        ("entities", entities()),
        ("debug", debug),
    ]);
    let input = messy(vec![("text", word()), ("message_type", word())]);
    let request = messy(vec![
        ("input", input),
        ("context", context()),
        ("user_id", word()),
    ]);
    let response = messy(vec![
        ("output", output),
        ("context", context()),
        ("intents", intents()),
        ("entities", entities()),
        ("user_id", word()),
    ]);
    let rest = messy(vec![
        ("log_id", word()),
        ("customer_id", word()),
        ("workspace_id", word()),
        ("session_id", word()),
        ("language", word()),
        ("request_timestamp", time()),
        ("response_timestamp", time()),
    ]);
    (request, response, rest)
        .prop_map(|(request, response, mut rest)| {
            rest.set("request", request);
            rest.set("response", response);
            rest.to_string()
        })
        .boxed()
}

proptest! {
    #[test]
    fn any_log_that_is_read_comes_back_the_same(raw in log()) {
        use watson::encode::{Shape, export};

        for (dialect, shape, other) in [
            (Dialect::WatsonV1, Shape::V1, (Dialect::WatsonV2, Shape::V2)),
            (Dialect::WatsonV2, Shape::V2, (Dialect::WatsonV1, Shape::V1)),
        ] {
            let draft = watson(dialect, &raw);
            round_trip(draft.clone())?;
            // In its own shape a log comes back as it was, and in the other it is a log too.
            let mut own = watson(dialect, &export(&record(draft.clone(), 1), shape));
            if draft.own_id.is_none() {
                own.own_id = None;
            }
            let leaves = |draft: &Draft| fields::write(draft, &draft.flat());
            prop_assert_eq!(leaves(&own), leaves(&draft));
            let projected = watson(other.0, &export(&record(draft, 1), other.1));
            prop_assert!(projected.own_id.is_some());
            prop_assert!(csv_row(&record(projected, 1)).ends_with('\n'));
        }
    }

    #[test]
    fn no_line_makes_the_reader_panic(text in any::<String>(), value in json(4)) {
        drop(decode(&instance(), &text));
        drop(decode(&instance(), &value.to_string()));
        for key in ["intents", "time", "raw", "labels", "event", "outcome"] {
            drop(decode(&instance(), &Json::object([(key, value.clone())]).to_string()));
        }
    }
}
