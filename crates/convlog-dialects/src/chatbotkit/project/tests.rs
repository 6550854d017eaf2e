//! What records show as items, and that filters over records find every item that passes.

use convlog_model::filter::eval;
use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::record::Draft;
use convlog_model::time::Timestamp;

use super::*;
use crate::chatbotkit::params::Params;
use crate::{chatbotkit, watson};

fn record(n: u128, draft: Draft) -> Record {
    let millis = 1_760_000_003_000;
    Record {
        id: RecordId::from_parts(millis, n << 62),
        position: Position(n),
        received: Timestamp::from_millis(i64::try_from(millis).unwrap()),
        draft,
    }
}

fn home() -> InstanceId {
    InstanceId::default_instance()
}

fn turn_of(log_id: &str, counter: u32) -> Draft {
    let raw = format!(
        r#"{{"log_id":"{log_id}","request":{{"input":{{"text":"hi"}},"user_id":"u"}},
        "response":{{"output":{{"text":["yes","no"]}},"context":{{"conversation_id":"c",
        "system":{{"dialog_turn_counter":{counter}}}}}}},"workspace_id":"b","customer_id":"k",
        "request_timestamp":"2026-03-02T08:00:00.000Z",
        "response_timestamp":"2026-03-02T08:00:00.250Z"}}"#
    );
    watson::decode::log(&home(), Dialect::WatsonV1, &raw).unwrap()
}

fn event_of(raw: &str) -> Draft {
    chatbotkit::decode::event(&home(), raw).unwrap()
}

#[test]
fn a_first_turn_shows_its_conversation_its_messages_and_its_time() {
    let record = record(7, turn_of("l1", 1));
    let items = items(&record);
    let told: Vec<(u8, &str, &str)> = items
        .iter()
        .map(|item| {
            let text = item.meta.get("text").and_then(Json::as_str);
            (
                item.place.ordinal,
                item.kind.as_str(),
                text.unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, CONVERSATION_CREATE, ""),
            (1, MESSAGE_CREATE, "hi"),
            (2, MESSAGE_CREATE, "yes\nno"),
            (3, RESPONSE_TIME, ""),
        ]
    );
    for item in &items {
        assert_eq!(item.id, format!("{}-{}", record.id, item.place.ordinal));
        assert_eq!(item.id_of("conversationId"), Some("c"));
        assert_eq!(item.id_of("contactId"), Some("k"));
        let relation = item.meta.at(&["relations", "botId"]).and_then(Json::as_str);
        assert_eq!(relation, Some("b"));
        assert_eq!(item.created_ms, 1_772_438_400_000, "imported: its own time");
    }
    assert_eq!(items[3].value.as_deref(), Some("250"));
    let mut live = turn_of("l1", 2);
    live.own_id = None;
    let items = super::items(&self::record(8, live));
    assert_eq!(items.len(), 3);
    assert_eq!(
        items[0].created_ms, 1_760_000_003_000,
        "live: when it was kept"
    );
}

#[test]
fn long_texts_are_cut_and_say_so() {
    let mut draft = turn_of("l1", 2);
    draft.set_text("input.text", &"ž".repeat(TEXT_BYTES_MAX));
    let items = items(&record(1, draft));
    let text = items[0].meta.get("text").and_then(Json::as_str).unwrap();
    assert_eq!(text.len(), TEXT_BYTES_MAX);
    assert_eq!(items[0].meta.get("textTruncated"), Some(&Json::Bool(true)));
}

#[test]
fn an_event_is_the_item_that_came() {
    let raw = r#"{"id":"e1","type":"webhook.request","name":"n","webhookId":"w","value":2,
        "meta":{"a":[1],"relations":{"x":"y"}},"createdAt":5,"extra":1}"#;
    let item = items(&record(1, event_of(raw))).remove(0);
    assert_eq!((item.id.as_str(), item.created_ms), ("e1", 5));
    assert_eq!(item.value.as_deref(), Some("2"));
    assert_eq!(
        item.meta.to_string(),
        r#"{"a":[1],"relations":{"x":"y","webhookId":"w"}}"#
    );
}

#[test]
fn an_event_of_canonical_fields_alone_is_an_item_too() {
    let line = r#"{"kind":"event","bot":"b","event":{"type":"t","actor":"a","meta":{"k":"v"},
        "refs":{"fileId":"f"}},"time":{"request":"2026-03-02T08:00:00Z"}}"#;
    let draft = native::decode(&home(), line).unwrap();
    let item = items(&record(1, draft)).remove(0);
    assert_eq!(
        (item.kind.as_str(), item.actor.as_deref()),
        ("t", Some("a"))
    );
    assert_eq!(item.id_of("fileId"), Some("f"));
    assert_eq!(item.id_of("botId"), Some("b"));
    assert_eq!(item.meta.get("k").and_then(Json::as_str), Some("v"));
    assert_eq!(item.created_ms, 1_772_438_400_000);
}

/// Records of every kind, and parameters of every kind.
#[test]
fn the_filter_over_records_finds_every_item_that_passes() {
    let mut live = turn_of("x", 1);
    live.own_id = None;
    let drafts = [
        turn_of("l1", 1),
        turn_of("l2", 2),
        live,
        event_of(
            r#"{"id":"e1","type":"bot.create","botId":"b","meta":{"n":1.0,"t":true},"createdAt":5}"#,
        ),
        event_of(
            r#"{"type":"x.error","conversationId":"c","meta":{"a":{"b":["u","v"]},"z":null}}"#,
        ),
        event_of(
            r#"{"id":"e3","type":"m","value":3,"contactId":"k","createdAt":"2026-03-02T08:00:00.0005Z"}"#,
        ),
        native::decode(
            &home(),
            r#"{"kind":"event","event":{"type":"t","meta":{"a.b":"v"}}}"#,
        )
        .unwrap(),
    ];
    let records: Vec<Record> = drafts
        .into_iter()
        .zip(1..)
        .map(|(d, n)| record(n, d))
        .collect();
    let queries: &[(&[(&str, &str)], usize)] = &[
        (&[], 15),
        (&[("type", "message.create")], 6),
        (&[("type", "conversation.create")], 2),
        (&[("type", "conversation.message.create,bot.*")], 7),
        (&[("type", "*.error")], 1),
        (&[("botId", "b")], 12),
        (&[("conversationId", "c"), ("type", "*.create")], 8),
        (&[("contactId", "k,other")], 12),
        (&[("fileId", "f")], 0),
        (&[("meta.n", "1")], 1),
        (&[("meta.t", "true")], 1),
        (&[("meta.z", "null")], 1),
        (&[("meta[a][b][1]", "v")], 1),
        (&[("meta.a.b", "v")], 1),
        (&[("meta.type", "bot")], 3),
        (&[("meta.relations.contactId", "k")], 12),
        (&[("from", "2026-03-02T08:00:00Z")], 8),
        (&[("from", "2026-03-02T08:00:00.001Z")], 0),
        (&[("to", "6")], 1),
        (&[("from", "1760000003000"), ("to", "1760000003001")], 6),
    ];
    for (query, expected) in queries {
        let pairs: Vec<(String, String)> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let filter = Params::parse(&pairs).unwrap().filter;
        let records_filter = filter.records();
        let mut n_passed = 0;
        for record in &records {
            let n_items = items(record)
                .iter()
                .filter(|item| filter.passes(item))
                .count();
            let is_found = eval::matches(&records_filter, &record.flat());
            assert!(
                is_found || n_items == 0,
                "{query:?} misses {}",
                record.draft.raw
            );
            n_passed += n_items;
        }
        assert_eq!(n_passed, *expected, "{query:?}");
    }
}
