//! Rows: what a command hands to the next one, and how an event becomes the first.

use std::collections::HashMap;

use convlog_model::json::{Json, Value as JsonValue};
use convlog_model::number::Decimal;

use super::Event;
use super::order::Rank;
use super::syntax::{INGESTION_TIME, LOG, LOG_STREAM, MESSAGE, Names, PTR, Slot, TIMESTAMP};
use super::value::Value;

/// Most values of a message that can be asked for, in the order in which they stand there.
const KEYS_MAX: usize = 100;

/// Values by slot.
#[derive(Clone, Debug)]
pub(super) struct Row {
    values: Vec<Value>,
    /// Of the event; of what `stats` makes, 0.
    pub(super) time_ms: i64,
    /// Where the last `sort` puts it.
    pub(super) rank: Rank,
}

impl Row {
    pub(super) fn new(n_slots: usize) -> Self {
        Row {
            values: vec![Value::Absent; n_slots],
            time_ms: 0,
            rank: Rank::default(),
        }
    }

    pub(super) fn get(&self, slot: Slot) -> &Value {
        self.values.get(slot).unwrap_or(&Value::Absent)
    }

    pub(super) fn set(&mut self, slot: Slot, value: Value) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = value;
        }
    }

    /// About how many bytes it holds.
    pub(super) fn size(&self) -> usize {
        let values: usize = self.values.iter().map(Value::size).sum();
        size_of::<Row>() + values + self.rank.size()
    }
}

/// Makes rows of events.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    n_slots: usize,
    /// Slots of what events have beside their JSON, where they are asked for.
    own: Vec<Slot>,
    /// What is looked for in the JSON.
    paths: HashMap<String, Slot>,
}

impl Reader {
    pub(super) fn new(names: &Names) -> Self {
        let read = (0..names.len()).filter(|slot| names.is_read(*slot));
        let path = |slot: Slot| Some((names.json_path(slot)?.to_owned(), slot));
        Reader {
            n_slots: names.len(),
            own: (TIMESTAMP..=INGESTION_TIME)
                .filter(|slot| names.is_read(*slot))
                .collect(),
            paths: read.filter_map(path).collect(),
        }
    }

    /// A row without values.
    pub(super) fn empty(&self) -> Row {
        Row::new(self.n_slots)
    }

    pub(super) fn read(&self, event: &Event<'_>) -> Row {
        let mut row = self.empty();
        row.time_ms = event.timestamp_ms;
        for slot in &self.own {
            let value = match *slot {
                TIMESTAMP => Value::Time(event.timestamp_ms),
                INGESTION_TIME => Value::Time(event.ingestion_ms),
                MESSAGE => Value::text(event.message),
                LOG_STREAM => Value::text(event.log_stream),
                LOG => Value::text(event.log),
                PTR => Value::text(event.ptr),
                _ => Value::Absent,
            };
            row.set(*slot, value);
        }
        let is_object = event.message.trim_start().starts_with('{');
        if !self.paths.is_empty()
            && is_object
            && let Ok(json) = Json::parse(event.message.as_bytes())
        {
            let mut walk = Walk {
                paths: &self.paths,
                row: &mut row,
                path: String::new(),
                n_left: KEYS_MAX,
            };
            walk.visit(JsonValue::from(&json));
        }
        row
    }
}

/// A way through the values of a message; as deep as the parser lets it be.
struct Walk<'a> {
    paths: &'a HashMap<String, Slot>,
    row: &'a mut Row,
    path: String,
    n_left: usize,
}

impl Walk<'_> {
    fn visit(&mut self, json: JsonValue<'_>) {
        let value = match json {
            JsonValue::Object(members) => {
                for (key, member) in members {
                    self.visit_below(key, member);
                }
                return;
            }
            JsonValue::Array(items) => {
                for (i, item) in items.enumerate() {
                    if self.n_left == 0 {
                        return;
                    }
                    self.visit_below(&i.to_string(), item);
                }
                return;
            }
            JsonValue::Null => Value::Absent,
            JsonValue::Bool(true) => Value::text("1"),
            JsonValue::Bool(false) => Value::text("0"),
            JsonValue::Number(text) => {
                let plain = Decimal::parse(text).and_then(|number| number.plain_text());
                Value::text(plain.as_deref().unwrap_or(text))
            }
            JsonValue::String(text) => Value::text(text),
        };
        if self.n_left == 0 {
            return;
        }
        self.n_left -= 1;
        if let Some(slot) = self.paths.get(&self.path) {
            self.row.set(*slot, value);
        }
    }

    fn visit_below(&mut self, key: &str, value: JsonValue<'_>) {
        let len = self.path.len();
        if len > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        self.visit(value);
        self.path.truncate(len);
    }
}
