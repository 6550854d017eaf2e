//! Records as items: an event is one, a turn shows its messages, its time to answer, and, when it
//! is the first, the beginning of its conversation.

use std::sync::LazyLock;

use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::flatten::Flat;
use convlog_model::json::{Json, Text, Value};
use convlog_model::record::{Dialect, Kind, Record, Source};

use super::ids::{self, IDS};
use super::item::{Item, Place};
use crate::native;

/// The first turn of a conversation.
pub const CONVERSATION_CREATE: &str = "conversation.create";
/// What the user or the bot said.
pub const MESSAGE_CREATE: &str = "message.create";
/// How long the bot took to answer, in milliseconds.
pub const RESPONSE_TIME: &str = "response.time";

/// Most bytes of a text in `meta`, so that every item stays below the longest line.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// The items of a record, in order.
#[must_use]
pub fn items(record: &Record) -> Vec<Item> {
    match record.draft.kind {
        Kind::Event => vec![event(record)],
        Kind::Turn => turn(record),
    }
}

fn event(record: &Record) -> Item {
    let held = record.draft.raw.read();
    let body = held.as_ref().map_or(Value::Null, |held| held.value());
    let shown = match record.draft.dialect {
        Dialect::ChatBotKit => record.shown_id(),
        _ => record.id.to_string(),
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let requested = record.flat_of(&[FieldRef::canonical("time.request")]);
    // What the server itself wrote happened when it was kept, so that times never decrease.
    let requested = match body.get("action") {
        Some(_) => None,
        None => requested.time("time.request"),
    };
    let created = requested.unwrap_or(record.received);
    let mut item = Item {
        place: place(record, 0),
        id: shown,
        kind: text("type").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        description: text("description").unwrap_or_default(),
        ids: IDS
            .into_iter()
            .filter_map(|name| Some((name, text(name)?)))
            .collect(),
        meta: match body.get("meta") {
            Some(meta @ Value::Object(_)) => meta.to_json(),
            _ => Json::Object(Vec::new()),
        },
        created_ms: created.millis(),
        value: match body.get("value") {
            Some(Value::Number(number)) => Some(number.to_owned()),
            _ => None,
        },
        outcome: text("outcome"),
        actor: text("actor"),
        action: text("action"),
        redactions: redactions(record),
        properties: properties(body),
        full_text: None,
    };
    item.ids.retain(|(_, id)| !id.is_empty());
    if item.kind.is_empty() {
        canonical(record, &mut item);
    }
    if let Some(older) = body.get("refs") {
        relate(
            &mut item.meta,
            older.to_json().as_object().unwrap_or_default(),
        );
    }
    let ids: Vec<(Text, Json)> = relations(&item.ids);
    relate(&mut item.meta, &ids);
    item
}

/// The properties of a conversation, or what a message has as `meta`.
fn properties(body: Value<'_>) -> Json {
    let of_message = body.get("message").and_then(|message| message.get("meta"));
    let found = body.get("conversation").or(of_message);
    found.map_or(Json::Null, Value::to_json)
}

/// What an event of another form tells by its canonical fields alone.
fn canonical(record: &Record, item: &mut Item) {
    let flat = record.flat();
    let text = |field: &str| flat.text(field).map(str::to_owned);
    item.kind = text("event.type").unwrap_or_default();
    item.outcome = text("event.outcome");
    item.actor = text("event.actor");
    item.value = text("event.value");
    let id = |name: &'static str| {
        let of_turn = || text(ids::of_turn(name)?);
        let id = text(&format!("event.refs.{name}")).or_else(of_turn)?;
        Some((name, id))
    };
    item.ids = IDS.into_iter().filter_map(id).collect();
    if let Some(meta @ Json::Object(_)) = native::branch(&record.draft, &flat, "event.meta") {
        item.meta = meta;
    }
}

fn turn(record: &Record) -> Vec<Item> {
    let flat = record.flat_of(&*TURN_FIELDS);
    let mut items = Vec::new();
    let ids: Vec<(&'static str, String)> = IDS
        .into_iter()
        .filter_map(|name| Some((name, flat.text(ids::of_turn(name)?)?.to_owned())))
        .collect();
    let created_ms = created_ms(record, &flat);
    let outcome = match flat.text("error") {
        None => "ok",
        Some(_) => "error",
    };
    let redactions = redactions(record);
    let make = |ordinal: u8, kind: &str, mut meta: Vec<(Text, Json)>| {
        meta.push(("relations".into(), Json::Object(relations(&ids))));
        Item {
            properties: Json::Null,
            full_text: None,
            place: place(record, ordinal),
            id: format!("{}-{ordinal}", record.id),
            kind: kind.to_owned(),
            name: String::new(),
            description: String::new(),
            ids: ids.clone(),
            meta: Json::Object(meta),
            created_ms,
            value: None,
            outcome: Some(outcome.to_owned()),
            actor: flat.text("user").map(str::to_owned),
            action: None,
            redactions: redactions.clone(),
        }
    };
    if flat.text("conversation_turn") == Some("1") {
        items.push(make(0, CONVERSATION_CREATE, Vec::new()));
    }
    for (ordinal, kind, text) in [(1, "user", user(&flat)), (2, "bot", bot(&flat))] {
        if let Some(text) = text {
            let mut meta = vec![(Text::from("type"), Json::string(kind))];
            meta.extend(cut(&text));
            let mut item = make(ordinal, MESSAGE_CREATE, meta);
            item.full_text = Some(text).filter(|text| text.len() > TEXT_BYTES_MAX);
            if record.draft.dialect == Dialect::ChatBotKit {
                as_sent(record, &mut item);
            }
            items.push(item);
        }
    }
    if let Some(took) = flat.text("latency_ms") {
        let mut item = make(3, RESPONSE_TIME, Vec::new());
        item.value = Some(took.to_owned());
        items.push(item);
    }
    items
}

/// What the client gave its message besides type and text.
fn as_sent(record: &Record, item: &mut Item) {
    let Some(held) = record.draft.raw.read() else {
        return;
    };
    let Some(sent) = held.value().get("request") else {
        return;
    };
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
    if Some(text("type")) == item.meta.get("type").and_then(Json::as_str) {
        item.name = text("name").to_owned();
        item.description = text("description").to_owned();
        item.properties = sent.get("meta").map_or(Json::Null, Value::to_json);
    }
}

/// What the user said in a turn.
fn user(flat: &Flat) -> Option<String> {
    let text = flat.text("input.text").filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

/// What the bot said in a turn; several texts are lines.
fn bot(flat: &Flat) -> Option<String> {
    let texts: Vec<&str> = flat.texts("output.text").collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// The text as members of `meta`, cut where it is too long.
fn cut(text: &str) -> Vec<(Text, Json)> {
    if text.len() <= TEXT_BYTES_MAX {
        return vec![("text".into(), Json::string(text))];
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    let kept = text.get(..end).unwrap_or_default();
    vec![
        ("text".into(), Json::string(kept)),
        ("textTruncated".into(), Json::Bool(true)),
    ]
}

/// A turn that came from elsewhere, with an id, keeps its time; else it happened when it was kept,
/// so that times never decrease along the log.
fn created_ms(record: &Record, flat: &Flat) -> i64 {
    let requested = match record.draft.own_id {
        Some(_) => flat.time("time.request"),
        None => None,
    };
    requested.unwrap_or(record.received).millis()
}

/// The records whose own time counts, as the time of making says of turns.
#[must_use]
pub fn keeps_its_time() -> Filter {
    let of_others = Filter::equals("kind", "event").and(Filter::exists("event.action").negate());
    let imported = Filter::equals("kind", "turn").and(Filter::exists("own_id"));
    Filter::exists("time.request").and(Filter::Or(vec![of_others, imported]))
}

/// The fields of a turn that its items are made of.
static TURN_FIELDS: LazyLock<[FieldRef; 10]> = LazyLock::new(|| {
    [
        "conversation",
        "conversation_turn",
        "bot",
        "customer",
        "user",
        "time.request",
        "input.text",
        "output.text",
        "latency_ms",
        "error",
    ]
    .map(FieldRef::canonical)
});

/// The rules that have cut something from a record, each once. Where, the record itself says: there
/// may be much of it.
fn redactions(record: &Record) -> Vec<Json> {
    let Some(Source::Value(Json::Array(notes))) = record.draft.canonical.get("redactions") else {
        return Vec::new();
    };
    let mut rules: Vec<Json> = Vec::new();
    for note in notes {
        let of_rule = ["rule", "version", "action"]
            .into_iter()
            .filter_map(|name| Some((Text::from(name), note.get(name)?.clone())));
        let rule = Json::Object(of_rule.collect());
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    rules
}

fn place(record: &Record, ordinal: u8) -> Place {
    Place {
        position: record.position,
        ordinal,
    }
}

fn relations(ids: &[(&'static str, String)]) -> Vec<(Text, Json)> {
    let members = ids.iter();
    let members = members.map(|(name, id)| (Text::from(*name), Json::string(id.as_str())));
    members.collect()
}

/// Adds ids to `meta.relations`; those that are there stay.
fn relate(meta: &mut Json, ids: &[(Text, Json)]) {
    let Json::Object(members) = meta else {
        return;
    };
    let found = members.iter().position(|(key, _)| key == "relations");
    let index = match found {
        Some(index) => index,
        None if ids.is_empty() => return,
        None => {
            members.push(("relations".into(), Json::Object(Vec::new())));
            members.len() - 1
        }
    };
    if let Some((_, Json::Object(relations))) = members.get_mut(index) {
        for (name, id) in ids {
            if !relations.iter().any(|(known, _)| known == name) {
                relations.push((name.clone(), id.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
