//! From a log object of a file to a line of a request: its dialect, its own id, its time.

use convlog_dialects::import::shape;
use convlog_model::json::Json;
use convlog_model::record::Dialect;
use convlog_model::time::Timestamp;

use super::reader::Item;
use crate::ids;

/// A line that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Form of the text.
    pub(super) dialect: Dialect,
    /// One JSON object without line breaks, with an own id.
    pub(super) text: String,
    /// When the turn began.
    pub(super) requested: Option<Timestamp>,
    /// The bot that it names.
    pub(super) bot: Option<String>,
}

/// The line of an item. `dialect` is what the user says the file holds.
pub(super) fn line(item: &Item, text: &str, dialect: Option<Dialect>) -> Result<Line, String> {
    let object = Json::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    if object.as_object().is_none() {
        return Err(format!("not a log object but {}", object.type_name()));
    }
    let dialect = match dialect {
        Some(dialect) => dialect,
        None => shape(text).map_err(|error| error.to_string())?,
    };
    let (id_key, time_paths, bot_keys) = names(dialect);
    // Between tokens only: a line break inside a string is not JSON.
    let mut one_line = text.trim().replace(['\n', '\r'], " ");
    if object.get(id_key).is_none_or(|id| *id == Json::Null) {
        one_line = with_id(&object, &one_line, id_key, &derived_id(item, text));
    }
    let time = time_paths.iter().find_map(|path| object.at(path)?.as_str());
    let bot = bot_keys.iter().find_map(|key| object.get(key)?.as_str());
    Ok(Line {
        dialect,
        text: one_line,
        requested: time.and_then(Timestamp::parse_rfc3339),
        bot: bot.map(str::to_owned),
    })
}

type Names = (
    &'static str,
    &'static [&'static [&'static str]],
    &'static [&'static str],
);

/// Where a dialect's own id, time of request and bot stand.
fn names(dialect: Dialect) -> Names {
    match dialect {
        Dialect::LexV1 => ("requestId", &[&["timestamp"]], &["botName"]),
        Dialect::Convlog => (
            "own_id",
            &[&["time.request"], &["time", "request"]],
            &["bot"],
        ),
        _ => (
            "log_id",
            &[&["request_timestamp"]],
            &["workspace_id", "skill_id", "assistant_id"],
        ),
    }
}

/// The same for the same log at the same place of the same file, wherever that lies: a second run
/// recognises it, and equal logs at different places stay different.
fn derived_id(item: &Item, text: &str) -> String {
    let name = item.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let index = item.index.to_string();
    ids::derived("convlog import: id of a log", &[name, &index, text])
}

/// The object with an id, which may stand there as null.
fn with_id(object: &Json, text: &str, key: &str, id: &str) -> String {
    if object.get(key).is_some() {
        let mut object = object.clone();
        object.set(key, Json::string(id));
        return object.to_string();
    }
    let rest = text.strip_prefix('{').unwrap_or(text).trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    format!("{{\"{key}\":\"{id}\"{comma}{rest}")
}

#[cfg(test)]
mod tests {
    use super::super::reader::Content;
    use super::*;

    fn item(index: u64) -> Item {
        Item {
            file: "some/dir/logs.json".into(),
            line: 1,
            index,
            content: Content::Other,
        }
    }

    fn of_v1(index: u64, text: &str) -> Line {
        line(&item(index), text, Some(Dialect::WatsonV1)).unwrap()
    }

    #[test]
    fn an_entry_of_lex_is_known_by_its_request() {
        let text = r#"{"botName":"B","requestId":"r","timestamp":"2026-01-02T03:04:05.678Z"}"#;
        let entry = line(&item(0), text, None).unwrap();
        assert_eq!((entry.dialect, entry.text.as_str()), (Dialect::LexV1, text));
        assert_eq!(entry.bot.as_deref(), Some("B"));
        assert!(entry.requested.is_some());
        let without = line(&item(0), r#"{"botName":"B","inputTranscript":"hi"}"#, None).unwrap();
        assert!(
            without.text.starts_with("{\"requestId\":\""),
            "{}",
            without.text
        );
    }

    #[test]
    fn a_log_with_an_id_keeps_its_text_on_one_line() {
        let line = of_v1(
            0,
            "{\n \"log_id\": \"a\",\r\n \"workspace_id\": \"w\",\n \"n\": 1.50}\n",
        );
        assert_eq!(
            line.text,
            "{  \"log_id\": \"a\",   \"workspace_id\": \"w\",  \"n\": 1.50}"
        );
        assert_eq!(line.bot.as_deref(), Some("w"));
    }

    #[test]
    fn a_log_without_an_id_gets_the_same_one_in_every_run() {
        let text = "{\"request_timestamp\":\"2026-01-01T00:00:00Z\"}";
        let first = of_v1(3, text);
        assert_eq!(first, of_v1(3, text));
        assert_ne!(first.text, of_v1(4, text).text);
        let object = Json::parse(first.text.as_bytes()).unwrap();
        let id = object.get("log_id").and_then(Json::as_str).unwrap();
        assert_eq!(id.len(), 36);
        assert!(
            first
                .text
                .ends_with(",\"request_timestamp\":\"2026-01-01T00:00:00Z\"}")
        );
        assert_eq!(
            first.requested.unwrap().to_millis_text(),
            "2026-01-01T00:00:00.000Z"
        );
        assert!(of_v1(0, "{}").text.ends_with("\"}"));
        assert!(!of_v1(0, "{\"log_id\":null,\"a\":1}").text.contains("null"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let refusal = |text: &str| line(&item(0), text, Some(Dialect::WatsonV1)).unwrap_err();
        assert_eq!(refusal("[1]"), "not a log object but an array");
        assert!(
            refusal("{\"a\":\"\n\"}").contains("control character"),
            "{}",
            refusal("{\"a\":\"\n\"}")
        );
    }
}
