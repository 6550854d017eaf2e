//! Messages of a conversation: the request that makes one, the turn that is kept of it, and how
//! one is shown.
//!
//! The raw body of a turn is an object of ours: `conversationId`, `botId`, `contactId`, `request`
//! (the message as it was sent), `response` (what the bot answered, in neutral form), and times.

use convlog_model::ids::InstanceId;
use convlog_model::json::{Json, Text};
use convlog_model::record::{Canonical, Dialect, Draft, Kind};
use convlog_model::time::Timestamp;

use super::conversation::{self, Conversation, text};
use super::ids;
use super::item::Item;
use super::project::MESSAGE_CREATE;
use crate::DecodeError;
use crate::reply::{Reply, millis};
use crate::splice::{self, quote};

/// Types of messages.
const KINDS: [&str; 8] = [
    "user",
    "bot",
    "reasoning",
    "context",
    "instruction",
    "backstory",
    "activity",
    "checkpoint",
];
/// Most bytes of a message's text.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// A request for a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageRequest {
    /// Its type, as `user`.
    pub kind: String,
    /// Its text.
    pub text: String,
    /// The request as it was sent, compact.
    raw: String,
}

/// What a turn is made of besides the request.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// The tenant.
    pub instance: &'a InstanceId,
    /// Where it was said.
    pub conversation: &'a Conversation,
    /// Language of the bot.
    pub language: &'a str,
    /// When the request came.
    pub requested: Timestamp,
    /// When it was answered.
    pub responded: Timestamp,
    /// Class of the error that ended it.
    pub error: Option<&'a str>,
}

impl MessageRequest {
    /// Reads a body.
    ///
    /// # Errors
    /// [`DecodeError`] naming the field.
    pub fn parse(body: &Json, raw: &str) -> Result<Self, DecodeError> {
        if body.as_object().is_none() {
            let message = format!("must be an object, not {}", body.type_name());
            return Err(DecodeError::new(message, None));
        }
        let missing = |name| DecodeError::new("is missing", Some(name));
        let kind = text(body, "type", 32)?.ok_or_else(|| missing("type"))?;
        if !KINDS.contains(&kind) {
            let message = format!("must be one of {}", KINDS.join(", "));
            return Err(DecodeError::new(message, Some("type")));
        }
        let said = text(body, "text", TEXT_BYTES_MAX)?.ok_or_else(|| missing("text"))?;
        text(body, "name", conversation::TEXT_BYTES_MAX)?;
        text(body, "description", conversation::TEXT_BYTES_MAX)?;
        match body.get("meta") {
            None | Some(Json::Null | Json::Object(_)) => {}
            Some(other) => return Err(DecodeError::wrong_type("an object", other, "meta")),
        }
        match body.get("entities") {
            None | Some(Json::Null | Json::Array(_)) => {}
            Some(other) => return Err(DecodeError::wrong_type("an array", other, "entities")),
        }
        Ok(MessageRequest {
            kind: kind.to_owned(),
            text: said.to_owned(),
            raw: splice::compact(raw),
        })
    }

    /// Whether a bot is to answer.
    #[must_use]
    pub fn is_of_user(&self) -> bool {
        self.kind == "user"
    }

    /// Which item of its record shows it.
    #[must_use]
    pub fn ordinal(&self) -> Option<u8> {
        match self.kind.as_str() {
            "user" => Some(1),
            "bot" => Some(2),
            _ => None,
        }
    }

    /// The record of the message, with the bot's answer where one was asked for.
    #[must_use]
    pub fn draft(&self, turn: &Turn<'_>, reply: Option<&Reply>) -> Draft {
        match self.ordinal() {
            Some(_) => self.turn(turn, reply),
            None => self.aside(turn),
        }
    }

    fn turn(&self, turn: &Turn<'_>, reply: Option<&Reply>) -> Draft {
        let mut members: Vec<(&str, String)> = Vec::new();
        let named = || turn.conversation.ids();
        members.extend(named().map(|(name, id)| (name, quote(id))));
        members.push(("request", self.raw.clone()));
        if let Some(reply) = reply {
            members.push(("response", response(reply).to_string()));
        }
        members.push(("requestTimestamp", quote(&turn.requested.to_micros_text())));
        members.push(("responseTimestamp", quote(&turn.responded.to_micros_text())));
        let raw = splice::object(members.iter().map(|(key, value)| (*key, value.as_str())));
        let mut draft = Draft {
            instance: turn.instance.clone(),
            kind: Kind::Turn,
            dialect: Dialect::ChatBotKit,
            own_id: None,
            canonical: Canonical::new(),
            labels: std::collections::BTreeMap::new(),
            raw: raw.into(),
        };
        for (name, _) in named() {
            if let Some(field) = ids::of_turn(name) {
                draft.set_ref(field, &[name]);
            }
        }
        draft.set_text("language", turn.language);
        draft.set_ref("time.request", &["requestTimestamp"]);
        draft.set_ref("time.response", &["responseTimestamp"]);
        if let Some(error) = turn.error {
            draft.set_text("error", error);
        }
        match self.is_of_user() {
            true => self.of_user(turn, reply, &mut draft),
            false => draft.set_ref("output.text", &["request", "text"]),
        }
        draft
    }

    fn of_user(&self, turn: &Turn<'_>, reply: Option<&Reply>, draft: &mut Draft) {
        draft.set_ref("input.text", &["request", "text"]);
        let n_chars = i64::try_from(self.text.chars().count()).unwrap_or(i64::MAX);
        draft.set_value("input.length", Json::integer(n_chars));
        let Some(reply) = reply else {
            return;
        };
        let took = turn
            .responded
            .micros()
            .saturating_sub(turn.requested.micros());
        draft.set_value("latency_ms", millis(took));
        draft.set_ref("output.type", &["response", "output", "response_type"]);
        draft.set_ref("output.text", &["response", "output", "text"]);
        let missed = reply.intents.is_empty() && reply.entities.is_empty() && !self.text.is_empty();
        draft.set_value("outcome.missed", Json::Bool(missed));
        if let Some(fallback) = reply.fallback {
            draft.set_value("outcome.fallback", Json::Bool(fallback));
        }
        if let Some(top) = reply
            .intents
            .first()
            .and_then(|one| one.get("intent")?.as_str())
        {
            draft.set_text("top_intent", top);
            draft.set_ref("intents.name", &["response", "intents", "intent"]);
            draft.set_ref("intents.confidence", &["response", "intents", "confidence"]);
        }
        if !reply.entities.is_empty() {
            for member in ["entity", "value", "confidence", "location"] {
                let field = format!("entities.{member}");
                draft.set_ref(&field, &["response", "entities", member]);
            }
        }
    }

    /// A message that is neither of the user nor of the bot is an event of the conversation.
    fn aside(&self, turn: &Turn<'_>) -> Draft {
        let conversation = turn.conversation;
        let sent = Json::parse(self.raw.as_bytes()).unwrap_or(Json::Null);
        let mut members: Vec<(Text, Json)> = vec![
            ("type".into(), Json::string(MESSAGE_CREATE)),
            ("outcome".into(), Json::string("ok")),
        ];
        for (name, id) in conversation.ids() {
            members.push((name.into(), Json::string(id)));
        }
        for name in ["name", "description"] {
            members.extend(
                sent.get(name)
                    .map(|value| (Text::from(name), value.clone())),
            );
        }
        let meta = Json::object([
            ("type", Json::string(self.kind.as_str())),
            ("text", Json::string(self.text.as_str())),
        ]);
        members.push(("meta".into(), meta));
        members.push(("message".into(), sent));
        conversation::event(turn.instance, members)
    }
}

fn response(reply: &Reply) -> Json {
    Json::object([
        ("output", Json::Array(reply.output.clone())),
        ("intents", Json::Array(reply.intents.clone())),
        ("entities", Json::Array(reply.entities.clone())),
    ])
}

/// A message as lists show it.
#[must_use]
pub fn show(item: &Item) -> Json {
    let of_meta = |name: &str| {
        item.meta
            .get(name)
            .and_then(Json::as_str)
            .unwrap_or_default()
    };
    let text = item.full_text.as_deref().unwrap_or_else(|| of_meta("text"));
    let meta = match &item.properties {
        Json::Object(meta) => Json::Object(meta.clone()),
        _ => Json::Object(Vec::new()),
    };
    Json::object([
        ("id", Json::string(item.id.as_str())),
        ("type", Json::string(of_meta("type"))),
        ("text", Json::string(text)),
        ("name", Json::string(item.name.as_str())),
        ("description", Json::string(item.description.as_str())),
        ("meta", meta),
        ("createdAt", Json::integer(item.created_ms)),
        ("updatedAt", Json::integer(item.created_ms)),
    ])
}
