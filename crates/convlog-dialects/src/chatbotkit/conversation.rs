//! Conversations: the request that makes one, the event that tells of it, and how one is shown.

use std::collections::BTreeMap;

use convlog_model::ids::InstanceId;
use convlog_model::json::{Json, Text};
use convlog_model::record::{Canonical, Dialect, Draft, Kind};

use super::item::Item;
use super::message::MessageRequest;
use super::project::CONVERSATION_CREATE;
use super::{decode, ids};
use crate::DecodeError;

/// Most bytes of a name, and of a description.
pub const TEXT_BYTES_MAX: usize = 32 << 10;
/// Most bytes of an id.
pub const ID_BYTES_MAX: usize = 256;
/// Most messages of a new conversation.
const MESSAGES_MAX: usize = 100;
/// Resources that a conversation may name.
const IDS: [&str; 6] = [
    "botId",
    "contactId",
    "taskId",
    "datasetId",
    "skillsetId",
    "blueprintId",
];

/// A request for a conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct ConversationRequest {
    members: Vec<(Text, Json)>,
    /// Its first messages.
    pub messages: Vec<MessageRequest>,
}

/// What is known of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// The bot that answers.
    pub bot: Option<String>,
    /// The contact, who is the customer of everything said.
    pub contact: Option<String>,
    /// The task that it belongs to.
    pub task: Option<String>,
}

impl Conversation {
    /// Its id and what a message of it names besides, by their names in items.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = [
            ("conversationId", Some(&self.id)),
            ("botId", self.bot.as_ref()),
            ("contactId", self.contact.as_ref()),
        ];
        let named = named.into_iter();
        named.filter_map(|(name, id)| Some((name, id?.as_str())))
    }
}

impl ConversationRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`] naming the field.
    pub fn parse(body: &Json) -> Result<Self, DecodeError> {
        let Json::Object(members) = body else {
            let message = format!("the body must be an object, not {}", body.type_name());
            return Err(DecodeError::new(message, None));
        };
        text(body, "name", TEXT_BYTES_MAX)?;
        text(body, "description", TEXT_BYTES_MAX)?;
        for id in IDS {
            text(body, id, ID_BYTES_MAX)?;
        }
        match body.get("meta") {
            None | Some(Json::Null | Json::Object(_)) => {}
            Some(other) => return Err(DecodeError::wrong_type("an object", other, "meta")),
        }
        let messages = match body.get("messages") {
            None | Some(Json::Null) => &[],
            Some(Json::Array(items)) if items.len() <= MESSAGES_MAX => items.as_slice(),
            Some(Json::Array(_)) => {
                let message = format!("must have at most {MESSAGES_MAX} elements");
                return Err(DecodeError::new(message, Some("messages")));
            }
            Some(other) => return Err(DecodeError::wrong_type("an array", other, "messages")),
        };
        let messages = messages.iter().enumerate().map(|(i, message)| {
            let inside = |error: DecodeError| {
                let path = error.path.unwrap_or_default();
                let path = format!("messages[{i}].{path}");
                DecodeError::new(error.message, Some(path.trim_end_matches('.')))
            };
            MessageRequest::parse(message, &message.to_string()).map_err(inside)
        });
        Ok(ConversationRequest {
            members: members.clone(),
            messages: messages.collect::<Result<_, _>>()?,
        })
    }

    /// The conversation of that id.
    #[must_use]
    pub fn conversation(&self, id: &str) -> Conversation {
        let text = |name: &str| self.get(name)?.as_str().map(str::to_owned);
        Conversation {
            id: id.to_owned(),
            bot: text("botId"),
            contact: text("contactId"),
            task: text("taskId"),
        }
    }

    fn get(&self, name: &str) -> Option<&Json> {
        let found = self.members.iter().rev().find(|(key, _)| key == name);
        let filled = |value: &&Json| **value != Json::Null && value.as_str() != Some("");
        found.map(|(_, value)| value).filter(filled)
    }

    /// The event of the conversation: what is no part of an item stands under `conversation`.
    #[must_use]
    pub fn draft(&self, instance: &InstanceId, id: &str, actor: &str) -> Draft {
        let mut members: Vec<(Text, Json)> = vec![
            ("type".into(), Json::string(CONVERSATION_CREATE)),
            ("conversationId".into(), Json::string(id)),
            ("actor".into(), Json::string(actor)),
            ("outcome".into(), Json::string("ok")),
        ];
        let of_item =
            |key: &str| matches!(key, "name" | "description" | "meta") || IDS.contains(&key);
        let mut rest = Vec::new();
        let mut seen: Vec<&str> = vec!["messages"];
        for (key, _) in &self.members {
            if seen.contains(&key.as_str()) {
                continue;
            }
            seen.push(key);
            match self.get(key) {
                Some(value) if of_item(key) => members.push((key.clone(), value.clone())),
                Some(value) => rest.push((key.clone(), value.clone())),
                None => {}
            }
        }
        members.push(("conversation".into(), Json::Object(rest)));
        event(instance, members)
    }
}

/// The draft of an event of a conversation with these members of its item.
pub(super) fn event(instance: &InstanceId, members: Vec<(Text, Json)>) -> Draft {
    let named = members.iter().filter_map(|(name, _)| ids::lookup(name));
    let named: Vec<&str> = named.collect();
    let mut draft = Draft {
        instance: instance.clone(),
        kind: Kind::Event,
        dialect: Dialect::ChatBotKit,
        own_id: None,
        canonical: Canonical::new(),
        labels: BTreeMap::new(),
        raw: Json::Object(members).to_string().into(),
    };
    draft.set_ref("event.type", &["type"]);
    draft.set_ref("event.actor", &["actor"]);
    draft.set_ref("event.outcome", &["outcome"]);
    for id in named {
        decode::refer(&mut draft, id);
    }
    draft
}

/// A conversation as lists show it, of the event that tells of its beginning.
#[must_use]
pub fn show(item: &Item) -> Json {
    let id = item.id_of("conversationId").unwrap_or_default();
    let mut members: Vec<(Text, Json)> = vec![
        ("id".into(), Json::string(id)),
        ("name".into(), Json::string(item.name.as_str())),
        (
            "description".into(),
            Json::string(item.description.as_str()),
        ),
    ];
    let ids = item
        .ids
        .iter()
        .filter(|(name, _)| *name != "conversationId");
    members.extend(ids.map(|(name, id)| (Text::from(*name), Json::string(id.as_str()))));
    let rest = item.properties.as_object().unwrap_or_default();
    let is_new = |(key, _): &&(Text, Json)| !members.iter().any(|(known, _)| known == key);
    let rest: Vec<(Text, Json)> = rest.iter().filter(is_new).cloned().collect();
    members.extend(rest);
    let mut meta = item.meta.clone();
    meta.take("relations");
    members.push(("meta".into(), meta));
    members.push(("createdAt".into(), Json::integer(item.created_ms)));
    members.push(("updatedAt".into(), Json::integer(item.created_ms)));
    Json::Object(members)
}

/// The text of a member; `None` for one that is missing or `null`.
pub(super) fn text<'a>(
    body: &'a Json,
    name: &str,
    bytes_max: usize,
) -> Result<Option<&'a str>, DecodeError> {
    match body.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.len() <= bytes_max => Ok(Some(text)),
        Some(Json::String(_)) => {
            let message = format!("must have at most {bytes_max} bytes");
            Err(DecodeError::new(message, Some(name)))
        }
        Some(other) => Err(DecodeError::wrong_type("a string", other, name)),
    }
}
