//! Log events as records and records as log events: a turn of Lex shows its raw body, what
//! `PutLogEvents` brought shows its message.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::json::{Json, Text, Value};
use convlog_model::record::{Canonical, Dialect, Draft, Kind, Record};
use convlog_model::time::Timestamp;

/// The label that names the group of a record.
pub const GROUP: &str = "log_group";
/// The label that names the stream of a record.
pub const STREAM: &str = "log_stream";
/// The canonical field of [`GROUP`].
pub const GROUP_FIELD: &str = "labels.log_group";
/// The canonical field of [`STREAM`].
pub const STREAM_FIELD: &str = "labels.log_stream";
/// The type of the events that `PutLogEvents` brings.
pub const LOG_EVENT: &str = "log.event";

/// The record of an event of `PutLogEvents`.
#[must_use]
pub fn draft(
    instance: &InstanceId,
    (group, stream): (&str, &str),
    timestamp_ms: i64,
    message: &str,
) -> Draft {
    let members: Vec<(Text, Json)> = vec![
        ("type".into(), Json::string(LOG_EVENT)),
        ("timestamp".into(), Json::integer(timestamp_ms)),
        ("message".into(), Json::string(message)),
    ];
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Event,
        dialect: Dialect::Convlog,
        own_id: None,
        canonical: Canonical::new(),
        labels: BTreeMap::from([
            (GROUP.to_owned(), group.to_owned()),
            (STREAM.to_owned(), stream.to_owned()),
        ]),
        raw: Json::Object(members).to_string().into(),
    };
    draft.set_ref("event.type", &["type"]);
    let time = Timestamp::from_millis(timestamp_ms);
    draft.set_text("time.request", &time.to_micros_text());
    draft
}

/// The records that a group shows, but for when they came.
#[must_use]
pub fn of_group(group: &str) -> Filter {
    let shown = Filter::Or(vec![turns(), put()]);
    Filter::equals(GROUP_FIELD, group).and(shown)
}

/// The records that turns of Lex are.
#[must_use]
pub fn turns() -> Filter {
    Filter::equals("kind", Kind::Turn.as_str())
        .and(Filter::equals("dialect", Dialect::LexV1.as_str()))
}

/// The records that `PutLogEvents` has brought.
#[must_use]
pub fn put() -> Filter {
    Filter::equals("kind", Kind::Event.as_str()).and(Filter::equals("event.type", LOG_EVENT))
}

/// A log event as readers see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its id.
    pub id: RecordId,
    /// Its stream.
    pub stream: String,
    /// When it happened.
    pub time: Timestamp,
    /// When it came.
    pub received: Timestamp,
    /// What it says.
    pub message: String,
}

static TIME: LazyLock<[FieldRef; 1]> = LazyLock::new(|| [FieldRef::canonical("time.request")]);

impl Shown {
    /// What a record shows in its group.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let draft = &record.draft;
        let message = match draft.kind {
            Kind::Turn => None,
            Kind::Event => draft.raw.read().and_then(|held| {
                let message = held.value().get("message").and_then(Value::as_str);
                message.map(ToOwned::to_owned)
            }),
        };
        Shown {
            id: record.id,
            stream: draft.labels.get(STREAM).cloned().unwrap_or_default(),
            time: record
                .flat_of(&*TIME)
                .time("time.request")
                .unwrap_or(record.received),
            received: record.received,
            message: message.unwrap_or_else(|| draft.raw.as_str().to_owned()),
        }
    }

    /// As `GetLogEvents` shows it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::object([
            ("timestamp", Json::integer(self.time.millis())),
            ("message", Json::string(self.message.as_str())),
            ("ingestionTime", Json::integer(self.received.millis())),
        ])
    }

    /// As `FilterLogEvents` shows it.
    #[must_use]
    pub fn to_filtered_json(&self) -> Json {
        Json::object([
            ("logStreamName", Json::string(self.stream.as_str())),
            ("timestamp", Json::integer(self.time.millis())),
            ("message", Json::string(self.message.as_str())),
            ("ingestionTime", Json::integer(self.received.millis())),
            ("eventId", Json::string(self.id.to_string())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use convlog_model::ids::Position;

    use super::*;

    fn record(draft: Draft) -> Record {
        Record {
            id: RecordId::from_parts(1, 2),
            position: Position(1),
            received: Timestamp::from_millis(9),
            draft,
        }
    }

    #[test]
    fn a_message_comes_back_as_it_was_sent() {
        let instance = InstanceId::default_instance();
        for message in ["plain", "{\"a\": 1 }", "ž\u{2028}\n\t\"\\", " "] {
            let draft = draft(&instance, ("g", "s"), 7, message);
            let shown = Shown::of(&record(draft));
            assert_eq!(shown.message, message);
            assert_eq!((shown.time.millis(), shown.received.millis()), (7, 9));
            assert_eq!(shown.stream, "s");
        }
    }

    #[test]
    fn a_turn_shows_its_raw_body() {
        let instance = InstanceId::default_instance();
        let mut turn = draft(&instance, ("g", "s"), 7, "x");
        turn.kind = Kind::Turn;
        turn.dialect = Dialect::LexV1;
        turn.raw = r#"{"message": "not this",  "botName":"B"}"#.to_owned().into();
        let shown = Shown::of(&record(turn));
        assert_eq!(shown.message, r#"{"message": "not this",  "botName":"B"}"#);
    }
}
