//! Logs in their own shape and in the other one; pages.

use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::json::Json;
use convlog_model::record::{Draft, Kind};
use convlog_model::time::Timestamp;
use expect_test::{Expect, expect};

use super::*;
use crate::watson::decode;

fn record(draft: Draft) -> Record {
    Record {
        id: RecordId::from_parts(1_772_442_000_000, 7),
        position: Position(1),
        received: Timestamp::from_millis(1_772_442_000_000),
        draft,
    }
}

fn watson(dialect: Dialect, raw: &str) -> Record {
    record(decode::log(&InstanceId::default_instance(), dialect, raw).unwrap())
}

fn check(text: &str, expected: &Expect) {
    let body: serde_json::Value = serde_json::from_str(text).unwrap();
    expected.assert_eq(&serde_json::to_string_pretty(&body).unwrap());
}

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap()
}

const V1: &str = r#"{"request":{"input":{"text":"two coffees"},"context":{"system":{"assistant_id":"as-1"},
"metadata":{"deployment":"prod","user_id":"u1"},"size":"x"}},"response":{"input":{"text":"two coffees"},
"intents":[{"intent":"order","confidence":0.92}],"entities":[{"entity":"drink","location":[4,11],"value":"coffee"}],
"output":{"text":["Coming up."],"nodes_visited":["n1"],"log_messages":[{"level":"warn","msg":"m","code":"c"}]},
"context":{"conversation_id":"c1","system":{"dialog_turn_counter":3,"branch_exited_reason":"completed"},
"metadata":{"user_id":"u1","deployment":"prod"},"size":"large"},"user_id":"u1"},"log_id":"L1","customer_id":"acme",
"request_timestamp":"2026-03-02T09:00:41.318Z","response_timestamp":"2026-03-02T09:00:41.521Z","workspace_id":"W1","language":"en"}"#;

const V2: &str = r#"{"log_id":"L2","request":{"input":{"message_type":"text","text":"hi","options":{"debug":true}},
"context":{"global":{"system":{"user_id":"u2"},"session_id":"s1"}},"user_id":"u2"},"response":{"output":{"generic":[
{"response_type":"text","text":"Hello."},{"response_type":"search","header":"h","primary_results":[],"additional_results":[]}],
"intents":[{"intent":"hello","confidence":1}],"entities":[],"debug":{"nodes_visited":[{"dialog_node":"n1","title":"T","conditions":"c"}],
"log_messages":[{"level":"info","message":"m"}],"branch_exited":true,"branch_exited_reason":"fallback"}},
"context":{"global":{"system":{"turn_count":2,"user_id":"u2"},"session_id":"s1"},"skills":{"main skill":{"user_defined":{"a":1},"system":{}}}},
"user_id":"u2"},"assistant_id":"as-2","session_id":"s1","skill_id":"sk-2","snapshot":"draft","customer_id":"acme-2",
"request_timestamp":"2026-03-02T09:00:41.318Z","response_timestamp":"2026-03-02T09:00:41.521Z","language":"en"}"#;

#[test]
fn each_version_shows_its_own_logs_unchanged() {
    for (dialect, shape, text) in [
        (Dialect::WatsonV1, Shape::V1, V1),
        (Dialect::WatsonV2, Shape::V2, V2),
    ] {
        let mut expected = json(text).key_sorted();
        if shape == Shape::V1 {
            expected.take("customer_id");
        }
        let shown = json(&log(&watson(dialect, text), shape)).key_sorted();
        assert_eq!(shown, expected);
        let exported = json(&export(&watson(dialect, text), shape)).key_sorted();
        assert_eq!(exported, json(text).key_sorted());
    }
}

#[test]
fn a_log_without_an_own_id_shows_that_of_the_record() {
    let text = r#"{"request":{},"response":{}}"#;
    let shown = log(&watson(Dialect::WatsonV1, text), Shape::V1);
    assert_eq!(
        shown,
        r#"{"log_id":"019cadc6-9a80-7000-8000-000000000007","request":{},"response":{}}"#
    );
}

#[test]
fn a_v1_log_in_the_shape_of_v2() {
    let expected = expect![[r#"
        {
          "assistant_id": "as-1",
          "customer_id": "acme",
          "language": "en",
          "log_id": "L1",
          "request": {
            "context": {
              "global": {
                "session_id": "c1",
                "system": {
                  "user_id": "u1"
                }
              },
              "skills": {
                "main skill": {
                  "system": {},
                  "user_defined": {
                    "size": "x"
                  }
                }
              }
            },
            "input": {
              "message_type": "text",
              "text": "two coffees"
            },
            "user_id": "u1"
          },
          "request_timestamp": "2026-03-02T09:00:41.318Z",
          "response": {
            "context": {
              "global": {
                "session_id": "c1",
                "system": {
                  "turn_count": 3,
                  "user_id": "u1"
                }
              },
              "skills": {
                "main skill": {
                  "system": {},
                  "user_defined": {
                    "size": "large"
                  }
                }
              }
            },
            "output": {
              "debug": {
                "branch_exited": true,
                "branch_exited_reason": "completed",
                "log_messages": [
                  {
                    "code": "c",
                    "level": "warn",
                    "message": "m"
                  }
                ],
                "nodes_visited": [
                  {
                    "conditions": "",
                    "dialog_node": "n1",
                    "title": "n1"
                  }
                ]
              },
              "entities": [
                {
                  "entity": "drink",
                  "location": [
                    4,
                    11
                  ],
                  "value": "coffee"
                }
              ],
              "generic": [
                {
                  "response_type": "text",
                  "text": "Coming up."
                }
              ],
              "intents": [
                {
                  "confidence": 0.92,
                  "intent": "order"
                }
              ]
            },
            "user_id": "u1"
          },
          "response_timestamp": "2026-03-02T09:00:41.521Z",
          "session_id": "c1",
          "skill_id": "W1",
          "snapshot": "draft"
        }"#]];
    check(&log(&watson(Dialect::WatsonV1, V1), Shape::V2), &expected);
}

#[test]
fn a_v2_log_in_the_shape_of_v1() {
    let expected = expect![[r#"
        {
          "language": "en",
          "log_id": "L2",
          "request": {
            "context": {
              "conversation_id": "s1",
              "metadata": {
                "user_id": "u2"
              },
              "system": {
                "assistant_id": "as-2"
              }
            },
            "input": {
              "text": "hi"
            },
            "user_id": "u2"
          },
          "request_timestamp": "2026-03-02T09:00:41.318Z",
          "response": {
            "context": {
              "a": 1,
              "conversation_id": "s1",
              "metadata": {
                "user_id": "u2"
              },
              "system": {
                "assistant_id": "as-2",
                "branch_exited": true,
                "branch_exited_reason": "fallback",
                "dialog_request_counter": 2,
                "dialog_stack": [
                  {
                    "dialog_node": "root"
                  }
                ],
                "dialog_turn_counter": 2
              }
            },
            "entities": [],
            "input": {
              "text": "hi"
            },
            "intents": [
              {
                "confidence": 1,
                "intent": "hello"
              }
            ],
            "output": {
              "generic": [
                {
                  "response_type": "text",
                  "text": "Hello."
                }
              ],
              "log_messages": [
                {
                  "code": "",
                  "level": "info",
                  "msg": "m"
                }
              ],
              "nodes_visited": [
                "n1"
              ],
              "text": [
                "Hello."
              ]
            },
            "user_id": "u2"
          },
          "response_timestamp": "2026-03-02T09:00:41.521Z",
          "workspace_id": "sk-2"
        }"#]];
    check(&log(&watson(Dialect::WatsonV2, V2), Shape::V1), &expected);
}

#[test]
fn a_turn_of_another_dialect_in_both_shapes() {
    let mut draft = Draft {
        instance: InstanceId::default_instance(),
        kind: Kind::Turn,
        dialect: Dialect::LexV1,
        own_id: Some("r1".to_owned()),
        canonical: convlog_model::record::Canonical::new(),
        labels: std::collections::BTreeMap::new(),
        raw: r#"{"inputTranscript":"ja","botResponse":"gut"}"#.into(),
    };
    draft.set_text("bot", "B");
    draft.set_text("conversation", "c");
    draft.set_ref("input.text", &["inputTranscript"]);
    draft.set_ref("output.text", &["botResponse"]);
    draft.set_value(
        "intents",
        Json::Array(vec![Json::object([
            ("name", Json::string("Yes")),
            ("confidence", Json::Number("0.7".into())),
        ])]),
    );
    let record = record(draft);
    let v1 = log(&record, Shape::V1);
    for part in [
        r#""text":["gut"]"#,
        r#""intents":[{"intent":"Yes","confidence":0.7}]"#,
        r#""request_timestamp":"2026-03-02T09:00:00.000Z""#,
        r#""workspace_id":"B""#,
        r#""log_id":"r1""#,
    ] {
        assert!(v1.contains(part), "{v1}");
    }
    let v2 = log(&record, Shape::V2);
    for part in [
        r#""generic":[{"response_type":"text","text":"gut"}]"#,
        r#""skill_id":"B""#,
        r#""assistant_id":"B""#,
        r#""session_id":"c""#,
    ] {
        assert!(v2.contains(part), "{v2}");
    }
}

#[test]
fn projections_are_logs_that_can_be_read_again() {
    for (dialect, other, shape, text) in [
        (Dialect::WatsonV1, Dialect::WatsonV2, Shape::V2, V1),
        (Dialect::WatsonV2, Dialect::WatsonV1, Shape::V1, V2),
    ] {
        let first = watson(dialect, text);
        let second = watson(other, &export(&first, shape));
        let (first, second) = (first.draft, second.draft);
        assert_eq!(first.own_id, second.own_id);
        let (first, second) = (first.flat(), second.flat());
        for field in [
            "bot",
            "conversation",
            "user",
            "customer",
            "language",
            "time.request",
            "input.text",
            "output.text",
            "top_intent",
            "entities.value",
            "steps.name",
            "outcome.missed",
            "outcome.fallback",
            "outcome.completed",
            "latency_ms",
            "assistant",
        ] {
            assert_eq!(first.text(field), second.text(field), "{field}");
        }
    }
}

#[test]
fn the_last_page_has_an_empty_pagination() {
    assert_eq!(page(&[], None), r#"{"logs":[],"pagination":{}}"#);
    assert_eq!(
        page(&["{}".to_owned(), "1".to_owned()], None),
        r#"{"logs":[{},1],"pagination":{}}"#
    );
}

#[test]
fn the_next_page_has_every_parameter_and_the_cursor_twice() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let params = [
        pair("version", "2021-11-27"),
        pair("cursor", "old"),
        pair("filter", "language::en,a:\"ä b\"&+"),
    ];
    let next = Next {
        path: "/v1/workspaces/W1/logs",
        params: &params,
        cursor: "new-_",
    };
    assert_eq!(
        page(&[], Some(&next)),
        concat!(
            r#"{"logs":[],"pagination":{"next_url":"/v1/workspaces/W1/logs?version=2021-11-27"#,
            r#"&filter=language%3A%3Aen%2Ca%3A%22%C3%A4%20b%22%26%2B&cursor=new-_","next_cursor":"new-_"}}"#
        )
    );
}

#[test]
fn a_single_text_of_an_old_log_is_a_list_of_one_in_the_other_shape() {
    let text = r#"{"request":{},"response":{"output":{"text":"old"}}}"#;
    let shown = log(&watson(Dialect::WatsonV1, text), Shape::V2);
    assert!(
        shown.contains(r#""generic":[{"response_type":"text","text":"old"}]"#),
        "{shown}"
    );
}
