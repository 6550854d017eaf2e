//! Items as JSON, JSON lines, CSV rows and server-sent events.
//!
//! JSON is written in ASCII with `\u` escapes: the Node client breaks a character that two chunks
//! of a body share, and the Python client takes U+2028 for the end of a line.

use std::fmt::Write as _;

use convlog_model::json::{Json, Text};

use super::ids::IDS;
use super::item::Item;
use super::{conversation, message};

/// What an item is shown as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// An event.
    Event,
    /// The conversation that it tells of.
    Conversation,
    /// The message that it tells of.
    Message,
}

/// An item as one JSON object.
#[must_use]
pub fn json(item: &Item, shape: Shape) -> String {
    let tree = match shape {
        Shape::Event => tree(item),
        Shape::Conversation => conversation::show(item),
        Shape::Message => message::show(item),
    };
    ascii(tree.to_string())
}

/// An item as a line of a stream, with its line end.
#[must_use]
pub fn line(item: &Item, shape: Shape) -> String {
    let mut line = String::from("{\"type\":\"item\",\"data\":");
    line.push_str(&json(item, shape));
    line.push_str("}\n");
    line
}

/// What an idle stream sends, so that nobody on the way takes it for dead.
pub const PING: &str = "{\"type\":\"ping\",\"data\":{}}\n";

/// An item as a server-sent event.
#[must_use]
pub fn sse(item: &Item, shape: Shape) -> String {
    let id: String = item.id.chars().filter(|c| !c.is_control()).collect();
    format!("event: item\nid: {id}\ndata: {}\n\n", json(item, shape))
}

/// A text of JSON in ASCII.
#[must_use]
pub fn ascii(json: String) -> String {
    if json.is_ascii() {
        return json;
    }
    let mut out = String::with_capacity(json.len() * 2);
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            // Writing to a string does not fail.
            let _written = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

fn tree(item: &Item) -> Json {
    let mut members: Vec<(Text, Json)> = vec![
        ("id".into(), Json::string(item.id.as_str())),
        ("type".into(), Json::string(item.kind.as_str())),
        ("name".into(), Json::string(item.name.as_str())),
        (
            "description".into(),
            Json::string(item.description.as_str()),
        ),
    ];
    let ids = item.ids.iter();
    members.extend(ids.map(|(name, id)| (Text::from(*name), Json::string(id.as_str()))));
    if let Some(value) = &item.value {
        members.push(("value".into(), Json::Number(value.as_str().into())));
    }
    for (name, text) in [
        ("outcome", &item.outcome),
        ("actor", &item.actor),
        ("action", &item.action),
    ] {
        if let Some(text) = text {
            members.push((name.into(), Json::string(text.as_str())));
        }
    }
    if !item.redactions.is_empty() {
        let rules = Json::Array(item.redactions.clone());
        members.push(("redactions".into(), rules));
    }
    members.push(("meta".into(), item.meta.clone()));
    members.push(("createdAt".into(), Json::integer(item.created_ms)));
    members.push(("updatedAt".into(), Json::integer(item.created_ms)));
    Json::Object(members)
}

/// The columns of CSV, `meta` last.
#[must_use]
pub fn csv_header() -> String {
    let before = ["id", "type", "name", "description"];
    let behind = [
        "value",
        "outcome",
        "actor",
        "action",
        "createdAt",
        "updatedAt",
        "meta",
    ];
    let names: Vec<&str> = before.into_iter().chain(IDS).chain(behind).collect();
    format!("{}\n", names.join(","))
}

/// An item as a row of CSV: every cell in quotes, `meta` as compact JSON. A text that a spreadsheet
/// would take for a formula begins with an apostrophe.
#[must_use]
pub fn csv_row(item: &Item) -> String {
    let mut row = String::new();
    let mut cell = |text: &str| {
        if !row.is_empty() {
            row.push(',');
        }
        row.push('"');
        for c in text.chars() {
            if c == '"' {
                row.push('"');
            }
            row.push(c);
        }
        row.push('"');
    };
    for text in [&item.id, &item.kind, &item.name, &item.description] {
        cell(&guarded(text));
    }
    for name in IDS {
        cell(&guarded(item.id_of(name).unwrap_or_default()));
    }
    cell(item.value.as_deref().unwrap_or_default());
    for text in [&item.outcome, &item.actor, &item.action] {
        cell(&guarded(text.as_deref().unwrap_or_default()));
    }
    let created = item.created_ms.to_string();
    cell(&created);
    cell(&created);
    cell(&item.meta.to_string());
    row.push('\n');
    row
}

fn guarded(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use convlog_model::ids::Position;

    use super::*;
    use crate::chatbotkit::item::Place;

    fn item() -> Item {
        Item {
            place: Place {
                position: Position(1),
                ordinal: 0,
            },
            id: "e1".to_owned(),
            kind: "api.error".to_owned(),
            name: "=cmd()".to_owned(),
            description: "a \"b\"\u{2028}ž 😀".to_owned(),
            ids: vec![("botId", "b1".to_owned())],
            meta: Json::object([("k", Json::string("東"))]),
            created_ms: 7,
            value: Some("-1.5".to_owned()),
            outcome: Some("error".to_owned()),
            actor: None,
            action: None,
            redactions: Vec::new(),
            properties: Json::Null,
            full_text: None,
        }
    }

    #[test]
    fn json_is_ascii_and_means_the_same() {
        let text = json(&item(), Shape::Event);
        assert!(text.is_ascii());
        let tree = Json::parse(text.as_bytes()).unwrap();
        let description = tree.get("description").and_then(Json::as_str).unwrap();
        assert_eq!(description, "a \"b\"\u{2028}ž 😀");
        assert_eq!(tree.at(&["meta", "k"]).and_then(Json::as_str), Some("東"));
        assert_eq!(tree.get("createdAt").and_then(Json::as_i64), Some(7));
        assert!(tree.get("actor").is_none());
        assert_eq!(
            line(&item(), Shape::Event),
            format!("{{\"type\":\"item\",\"data\":{text}}}\n")
        );
        assert_eq!(
            sse(&item(), Shape::Event),
            format!("event: item\nid: e1\ndata: {text}\n\n")
        );
    }

    #[test]
    fn rows_are_quoted_and_no_formulas() {
        let header = csv_header();
        let row = csv_row(&item());
        let text = format!("{header}{row}");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names = reader.headers().unwrap().clone();
        let record = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| {
            let index = names.iter().position(|one| one == name).unwrap();
            record.get(index).unwrap().to_owned()
        };
        assert_eq!(cell("name"), "'=cmd()");
        assert_eq!(cell("description"), "a \"b\"\u{2028}ž 😀");
        assert_eq!(cell("value"), "-1.5");
        assert_eq!(cell("taskId"), "");
        assert_eq!(names.iter().next_back(), Some("meta"));
        assert_eq!(cell("meta"), r#"{"k":"東"}"#);
    }
}
