//! What a bot says: wordings, values in them, cards.

use std::collections::BTreeMap;

use convlog_model::json::Json;

use super::shown::format_name;
use crate::lex::model::{Message, MessageFormat, Slot};

/// Longest message, in characters.
const MESSAGE_MAX: usize = 1024;
/// Most attachments of a card, and most buttons of one.
const ATTACHMENTS_MAX: usize = 10;
const BUTTONS_MAX: usize = 5;

/// What messages may quote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotable<'a> {
    /// The slots of the intent.
    pub(super) slots: &'a [Slot],
    pub(super) values: &'a BTreeMap<String, Option<String>>,
    pub(super) session_attributes: &'a BTreeMap<String, String>,
    pub(super) request_attributes: &'a BTreeMap<String, String>,
}

/// What is said: of each group one wording, the next of them at each attempt (from 0). Several
/// groups make a composite message.
pub(super) fn message(
    messages: &[Message],
    attempt: u32,
    quotable: Quotable<'_>,
) -> Option<(MessageFormat, String)> {
    let mut groups: BTreeMap<u32, Vec<&Message>> = BTreeMap::new();
    for message in messages {
        let group = message.group_number.unwrap_or_default();
        groups.entry(group).or_default().push(message);
    }
    let chosen: Vec<(u32, &Message)> = groups
        .into_iter()
        .filter_map(|(group, wordings)| Some((group, choose(&wordings, attempt)?)))
        .collect();
    match chosen.as_slice() {
        [] => None,
        [(_, only)] => Some((only.content_type, quoted(&only.content, quotable))),
        several => {
            let each = several.iter().map(|(group, message)| {
                Json::object([
                    ("type", Json::string(format_name(message.content_type))),
                    ("group", Json::integer(i64::from(*group))),
                    ("value", Json::string(quoted(&message.content, quotable))),
                ])
            });
            let all = Json::object([("messages", Json::Array(each.collect()))]);
            Some((MessageFormat::Composite, all.to_string()))
        }
    }
}

fn choose<'a>(wordings: &[&'a Message], attempt: u32) -> Option<&'a Message> {
    let count = u32::try_from(wordings.len()).ok()?;
    let index = attempt.checked_rem(count)?;
    wordings.get(usize::try_from(index).ok()?).copied()
}

/// A text with `{slot}`, `[session attribute]` and `((request attribute))` replaced. Names of
/// nothing stay as they are, since payloads have braces and brackets of their own.
fn quoted(text: &str, quotable: Quotable<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '[', '(']) {
        let (before, here) = rest.split_at(at);
        out.push_str(before);
        match reference(here, quotable) {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                let mut characters = here.chars();
                out.extend(characters.next());
                rest = characters.as_str();
            }
        }
    }
    out.push_str(rest);
    out.chars().take(MESSAGE_MAX).collect()
}

/// The value that a text begins with a reference to, and what stands behind that.
fn reference<'a>(text: &'a str, quotable: Quotable<'a>) -> Option<(&'a str, &'a str)> {
    if let Some(inner) = text.strip_prefix("((") {
        let (name, after) = inner.split_once("))")?;
        return Some((quotable.request_attributes.get(name)?, after));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (name, after) = inner.split_once(']')?;
        return Some((quotable.session_attributes.get(name)?, after));
    }
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    quotable.slots.iter().find(|slot| slot.name == name)?;
    let value = quotable.values.get(name).and_then(Option::as_deref);
    Some((value.unwrap_or_default(), after))
}

/// A card's JSON text in the form of the API; `None` for what is no card.
pub(super) fn card(text: Option<&str>) -> Option<Json> {
    card_of(&Json::parse_within(text?.as_bytes(), 10).ok()?)
}

/// A card in the form of the API, where version is a text.
pub(super) fn card_of(card: &Json) -> Option<Json> {
    let attachments = card.get("genericAttachments")?.as_array()?;
    let shown = attachments.iter().take(ATTACHMENTS_MAX).map(attachment);
    let version = match card.get("version") {
        Some(Json::Number(version) | Json::String(version)) => version.as_str(),
        _ => "1",
    };
    let kind = card.get("contentType").and_then(Json::as_str);
    let kind = kind.unwrap_or("application/vnd.amazonaws.card.generic");
    Some(Json::object([
        ("version", Json::string(version)),
        ("contentType", Json::string(kind)),
        ("genericAttachments", Json::Array(shown.collect())),
    ]))
}

fn attachment(given: &Json) -> Json {
    let mut shown = Json::object([]);
    for key in ["title", "subTitle", "attachmentLinkUrl", "imageUrl"] {
        if let Some(text) = given.get(key).filter(|value| value.as_str().is_some()) {
            shown.set(key, text.clone());
        }
    }
    if let Some(buttons) = given.get("buttons").and_then(Json::as_array) {
        let texts = |button: &Json| {
            let text = button.get("text").filter(|text| text.as_str().is_some())?;
            let value = button.get("value").filter(|text| text.as_str().is_some())?;
            Some(Json::object([
                ("text", text.clone()),
                ("value", value.clone()),
            ]))
        };
        let buttons = buttons.iter().filter_map(texts).take(BUTTONS_MAX);
        shown.set("buttons", Json::Array(buttons.collect()));
    }
    shown
}
