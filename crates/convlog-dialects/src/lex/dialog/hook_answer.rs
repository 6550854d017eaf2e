//! What a code hook and a client's `PutSession` say of a conversation: read and checked.

use std::collections::BTreeMap;

use convlog_model::json::Json;

use super::compiled::{Compiled, Known};
use super::say;
use super::session::{ActionKind, CONTEXTS_MAX, Confirmation, Dialog, RECENT_MAX, Summary};
use crate::DecodeError;
use crate::lex::model::{ActiveContext, MessageFormat, TimeToLive};

/// Longest answer of a hook, in bytes.
const BODY_MAX: usize = 256 * 1024;
/// Levels of one.
const DEPTH_MAX: usize = 16;
/// Longest message, in characters.
const MESSAGE_MAX: usize = 1024;
/// Longest value of a slot or an attribute, in characters.
const VALUE_MAX: usize = 10_240;
/// Most attributes.
const ATTRIBUTES_MAX: usize = 1000;

/// Contexts that a hook set.
pub(super) type HookContexts = Vec<ActiveContext>;
/// Values by name, some without.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// An answer of a code hook.
#[derive(Debug)]
pub(super) struct HookAnswer {
    pub(super) session_attributes: Option<BTreeMap<String, String>>,
    pub(super) recent: Option<Vec<Summary>>,
    pub(super) contexts: Option<HookContexts>,
    pub(super) kind: ActionKind,
    pub(super) is_failed: bool,
    pub(super) message: Option<(MessageFormat, String)>,
    pub(super) intent: Option<String>,
    pub(super) slots: Option<Values>,
    pub(super) slot_to_elicit: Option<String>,
    pub(super) card: Option<Json>,
}

impl HookAnswer {
    /// Reads an answer of a hook of `dialog`'s intent.
    pub(super) fn parse(body: &[u8], bot: &Compiled, dialog: &Dialog) -> Result<Self, DecodeError> {
        if body.len() > BODY_MAX {
            let message = format!("the answer is longer than {BODY_MAX} bytes");
            return Err(DecodeError::new(message, None));
        }
        let body = Json::parse_within(body, DEPTH_MAX)?;
        if body.as_object().is_none() {
            return Err(DecodeError::new("the answer must be an object", None));
        }
        let action = member(&body, "dialogAction").ok_or_else(|| missing("dialogAction"))?;
        let mut answer = Self::of_action(action, bot, dialog)?;
        answer.message = hook_message(action)?;
        let card = member(action, "responseCard");
        answer.card = card.map(hook_card).transpose()?;
        answer.session_attributes = attributes(&body, "sessionAttributes")?;
        answer.recent = summaries(&body)?;
        answer.contexts = contexts(&body)?;
        Ok(answer)
    }

    /// Reads what an action says but for its message, which hooks and clients write differently.
    pub(super) fn of_action(
        action: &Json,
        bot: &Compiled,
        dialog: &Dialog,
    ) -> Result<Self, DecodeError> {
        const PATH: &str = "dialogAction";
        if action.as_object().is_none() {
            return Err(DecodeError::wrong_type("an object", action, PATH));
        }
        let kind = text(action, "type", "dialogAction.type")?;
        let kind = kind.ok_or_else(|| missing("dialogAction.type"))?;
        let kind = ActionKind::parse(kind).ok_or_else(|| {
            let kinds = "must be ElicitIntent, ElicitSlot, ConfirmIntent, Delegate or Close";
            DecodeError::new(kinds, Some("dialogAction.type"))
        })?;
        let intent = text(action, "intentName", "dialogAction.intentName")?;
        let needs_intent = matches!(kind, ActionKind::ElicitSlot | ActionKind::ConfirmIntent);
        if intent.is_none() && needs_intent {
            return Err(missing("dialogAction.intentName"));
        }
        let known = intent.or(dialog.intent.as_deref()).map(|name| {
            let unknown = DecodeError::new(
                "names no intent of the bot",
                Some("dialogAction.intentName"),
            );
            bot.intent(name).ok_or(unknown)
        });
        let known = known.transpose()?;
        let slots = slots(action, known)?;
        let slot_to_elicit = slot_to_elicit(action, kind, known)?;
        Ok(HookAnswer {
            session_attributes: None,
            recent: None,
            contexts: None,
            kind,
            is_failed: is_failed(action, kind)?,
            message: None,
            intent: intent.map(str::to_owned),
            slots,
            slot_to_elicit,
            card: None,
        })
    }
}

fn is_failed(action: &Json, kind: ActionKind) -> Result<bool, DecodeError> {
    const PATH: &str = "dialogAction.fulfillmentState";
    match (text(action, "fulfillmentState", PATH)?, kind) {
        (Some("Fulfilled" | "ReadyForFulfillment"), _) => Ok(false),
        (Some("Failed"), _) => Ok(true),
        (Some(_), _) => Err(DecodeError::new("must be Fulfilled or Failed", Some(PATH))),
        (None, ActionKind::Close) => Err(missing(PATH)),
        (None, _) => Ok(false),
    }
}

fn slots(action: &Json, known: Option<&Known>) -> Result<Option<Values>, DecodeError> {
    const PATH: &str = "dialogAction.slots";
    let Some(given) = member(action, "slots") else {
        return Ok(None);
    };
    let values = values(given, PATH)?;
    let is_slot = |name: &String| known.is_some_and(|known| known.slot(name).is_some());
    if !values.keys().all(is_slot) {
        return Err(DecodeError::new(
            "names a slot that the intent does not have",
            Some(PATH),
        ));
    }
    Ok(Some(values))
}

fn slot_to_elicit(
    action: &Json,
    kind: ActionKind,
    known: Option<&Known>,
) -> Result<Option<String>, DecodeError> {
    const PATH: &str = "dialogAction.slotToElicit";
    if kind != ActionKind::ElicitSlot {
        return Ok(None);
    }
    let slot = text(action, "slotToElicit", PATH)?.ok_or_else(|| missing(PATH))?;
    match known.and_then(|known| known.slot(slot)) {
        Some(_) => Ok(Some(slot.to_owned())),
        None => Err(DecodeError::new(
            "names a slot that the intent does not have",
            Some(PATH),
        )),
    }
}

fn hook_message(action: &Json) -> Result<Option<(MessageFormat, String)>, DecodeError> {
    const PATH: &str = "dialogAction.message";
    let Some(message) = member(action, "message") else {
        return Ok(None);
    };
    if message.as_object().is_none() {
        return Err(DecodeError::wrong_type("an object", message, PATH));
    }
    let path = "dialogAction.message.contentType";
    let name = text(message, "contentType", path)?.ok_or_else(|| missing(path))?;
    let format = format(name).filter(|format| *format != MessageFormat::Composite);
    let Some(format) = format else {
        let kinds = "must be PlainText, SSML or CustomPayload";
        return Err(DecodeError::new(kinds, Some(path)));
    };
    let path = "dialogAction.message.content";
    let content = text(message, "content", path)?.ok_or_else(|| missing(path))?;
    Ok(Some((format, content_of(content, path)?)))
}

/// A text that can be said.
pub(super) fn content_of(content: &str, path: &str) -> Result<String, DecodeError> {
    if content.is_empty() || content.chars().count() > MESSAGE_MAX {
        let message = format!("must have 1 to {MESSAGE_MAX} characters");
        return Err(DecodeError::new(message, Some(path)));
    }
    Ok(content.to_owned())
}

/// A format by its name in the API.
pub(super) fn format(name: &str) -> Option<MessageFormat> {
    Some(match name {
        "PlainText" => MessageFormat::PlainText,
        "SSML" => MessageFormat::Ssml,
        "CustomPayload" => MessageFormat::CustomPayload,
        "Composite" => MessageFormat::Composite,
        _ => return None,
    })
}

fn hook_card(card: &Json) -> Result<Json, DecodeError> {
    let path = "dialogAction.responseCard.genericAttachments";
    if card.as_object().is_none() {
        let path = "dialogAction.responseCard";
        return Err(DecodeError::wrong_type("an object", card, path));
    }
    say::card_of(card).ok_or_else(|| DecodeError::new("must be an array", Some(path)))
}

/// Texts by name; `None` where there are none or `null`.
pub(super) fn attributes(
    body: &Json,
    key: &str,
) -> Result<Option<BTreeMap<String, String>>, DecodeError> {
    let given = member(body, key);
    given.map(|given| strings(given, key)).transpose()
}

fn strings(given: &Json, path: &str) -> Result<BTreeMap<String, String>, DecodeError> {
    let all = values(given, path)?.into_iter();
    let all = all.map(|(name, value)| {
        let value = value.ok_or_else(|| DecodeError::new("has a value of null", Some(path)))?;
        Ok((name, value))
    });
    all.collect()
}

fn values(given: &Json, path: &str) -> Result<Values, DecodeError> {
    let Some(members) = given.as_object() else {
        return Err(DecodeError::wrong_type("an object", given, path));
    };
    if members.len() > ATTRIBUTES_MAX {
        let message = format!("has more than {ATTRIBUTES_MAX} members");
        return Err(DecodeError::new(message, Some(path)));
    }
    let mut values = Values::new();
    for (name, value) in members {
        let value = match value {
            Json::Null => None,
            Json::String(text) if text.chars().count() <= VALUE_MAX => Some(text.to_string()),
            Json::String(_) => {
                let message = format!("has a value longer than {VALUE_MAX} characters");
                return Err(DecodeError::new(message, Some(path)));
            }
            other => {
                let message = format!("has a value that is {}, not a string", other.type_name());
                return Err(DecodeError::new(message, Some(path)));
            }
        };
        values.insert(name.to_string(), value);
    }
    Ok(values)
}

/// `recentIntentSummaryView`, checked; `None` where there is none.
pub(super) fn summaries(body: &Json) -> Result<Option<Vec<Summary>>, DecodeError> {
    const PATH: &str = "recentIntentSummaryView";
    let Some(items) = list(body, PATH, RECENT_MAX)? else {
        return Ok(None);
    };
    let each = items.iter().enumerate();
    let each = each.map(|(i, item)| summary(item, &format!("{PATH}[{i}]")));
    each.collect::<Result<_, _>>().map(Some)
}

fn summary(item: &Json, path: &str) -> Result<Summary, DecodeError> {
    if item.as_object().is_none() {
        return Err(DecodeError::wrong_type("an object", item, path));
    }
    let at = |key: &str| format!("{path}.{key}");
    let optional = |key: &str| Ok::<_, DecodeError>(text(item, key, &at(key))?.map(str::to_owned));
    let action = text(item, "dialogActionType", &at("dialogActionType"))?;
    let action = action.ok_or_else(|| missing(&at("dialogActionType")))?;
    let unknown = |key: &str| DecodeError::new("has an unknown value", Some(&at(key)));
    let confirmation = match text(item, "confirmationStatus", &at("confirmationStatus"))? {
        Some(name) => Confirmation::parse(name).ok_or_else(|| unknown("confirmationStatus"))?,
        None => Confirmation::None,
    };
    let slots = member(item, "slots").map(|given| values(given, &at("slots")));
    Ok(Summary {
        intent: optional("intentName")?,
        checkpoint: optional("checkpointLabel")?,
        slots: slots.transpose()?.unwrap_or_default(),
        confirmation,
        action: ActionKind::parse(action).ok_or_else(|| unknown("dialogActionType"))?,
        fulfillment: optional("fulfillmentState")?,
        slot_to_elicit: optional("slotToElicit")?,
    })
}

/// `activeContexts`, checked; `None` where there are none.
pub(super) fn contexts(body: &Json) -> Result<Option<HookContexts>, DecodeError> {
    const PATH: &str = "activeContexts";
    let Some(items) = list(body, PATH, CONTEXTS_MAX)? else {
        return Ok(None);
    };
    let each = items.iter().enumerate();
    let each = each.map(|(i, item)| context(item, &format!("{PATH}[{i}]")));
    each.collect::<Result<_, _>>().map(Some)
}

fn context(item: &Json, path: &str) -> Result<ActiveContext, DecodeError> {
    let at = |key: &str| format!("{path}.{key}");
    if item.as_object().is_none() {
        return Err(DecodeError::wrong_type("an object", item, path));
    }
    let name = text(item, "name", &at("name"))?.ok_or_else(|| missing(&at("name")))?;
    let life = member(item, "timeToLive").ok_or_else(|| missing(&at("timeToLive")))?;
    let count = |key: &str, range: std::ops::RangeInclusive<i64>| {
        let Some(value) = member(life, key) else {
            return Ok(None);
        };
        let fits = value.as_i64().filter(|count| range.contains(count));
        let count = fits.and_then(|count| u32::try_from(count).ok());
        let (least, most) = range.into_inner();
        let message = format!("must be a number from {least} to {most}");
        let path = format!("{path}.timeToLive.{key}");
        let wrong = || DecodeError::new(message, Some(&path));
        count.map(Some).ok_or_else(wrong)
    };
    let parameters = member(item, "parameters").map(|given| strings(given, &at("parameters")));
    Ok(ActiveContext {
        name: name.to_owned(),
        time_to_live: TimeToLive {
            time_to_live_in_seconds: count("timeToLiveInSeconds", 0..=86_400)?,
            turns_to_live: count("turnsToLive", 0..=20)?,
        },
        parameters: parameters.transpose()?.unwrap_or_default(),
    })
}

/// The elements of a list of at most so many; `None` where there is none or `null`.
fn list<'a>(body: &'a Json, key: &str, max: usize) -> Result<Option<&'a [Json]>, DecodeError> {
    let Some(given) = member(body, key) else {
        return Ok(None);
    };
    let items = given.as_array();
    let items = items.ok_or_else(|| DecodeError::wrong_type("an array", given, key))?;
    if items.len() > max {
        let message = format!("has more than {max} elements");
        return Err(DecodeError::new(message, Some(key)));
    }
    Ok(Some(items))
}

/// A member that is there and not `null`.
pub(super) fn member<'a>(object: &'a Json, key: &str) -> Option<&'a Json> {
    object.get(key).filter(|value| **value != Json::Null)
}

/// A member that is a text.
pub(super) fn text<'a>(
    object: &'a Json,
    key: &str,
    path: &str,
) -> Result<Option<&'a str>, DecodeError> {
    match member(object, key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(DecodeError::wrong_type("a string", other, path)),
    }
}

fn missing(path: &str) -> DecodeError {
    DecodeError::new("is missing", Some(path))
}
