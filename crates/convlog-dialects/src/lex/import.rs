//! Conversation logs as CloudWatch Logs hands them out: entries as the messages of events, in lists
//! of events, in envelopes of subscriptions, packed or not, and on lines behind a time, as exports
//! to S3 have them. [`crate::import`] finds objects and lines; what they hold is said here.
//!
//! A log group may hold more than conversations: a message that is no entry is counted, not read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::json::Json;
use convlog_model::time::Timestamp;

use crate::DecodeError;
use crate::import::Found;

/// What an event or a packed envelope holds; `None` for any other object.
pub(crate) fn open(object: &Json) -> Option<Found> {
    if let (Some(Json::Number(_)), Some(text)) =
        (object.get("timestamp"), text(object, &["message"]))
    {
        return Some(message(text));
    }
    let packed = text(object, &["awslogs", "data"])?;
    Some(match STANDARD.decode(packed.trim_ascii()) {
        Ok(bytes) => Found::Packed(bytes),
        Err(_) => Found::Broken(DecodeError::new("must be base64", Some("awslogs.data"))),
    })
}

/// What a message is.
pub(crate) fn message(text: &str) -> Found {
    // Most of what else is in a log group does not look like an object.
    if !text.trim_ascii_start().starts_with('{') {
        return Found::Other;
    }
    match Json::parse(text.as_bytes()) {
        Ok(value) if is_entry(&value) => Found::Log(text.trim_ascii().to_owned()),
        _ => Found::Other,
    }
}

/// The message of a line that begins with a time.
pub(crate) fn stamped(line: &[u8]) -> Option<&[u8]> {
    let mut parts = line.splitn(2, |byte| *byte == b' ');
    let time = std::str::from_utf8(parts.next()?).ok()?;
    Timestamp::parse_rfc3339(time)?;
    parts.next()
}

/// Whether an object is an entry of Lex V1. Those of V2 name their bot in another way.
pub(crate) fn is_entry(object: &Json) -> bool {
    let has = |key: &str| text(object, &[key]).is_some();
    has("botName")
        && ["messageVersion", "requestId", "inputTranscript"]
            .into_iter()
            .any(has)
}

fn text<'a>(object: &'a Json, path: &[&str]) -> Option<&'a str> {
    object.at(path).and_then(Json::as_str)
}

#[cfg(test)]
mod tests;
