//! v1 messages: the client carries the context.

use std::collections::BTreeMap;

use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft, Kind};

use super::{RequestError, Turn};
use crate::reply::Reply;

/// A checked v1 message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestV1 {
    raw: String,
    body: Json,
}

impl RequestV1 {
    /// Reads and checks a body; an empty one is `{}`.
    ///
    /// # Errors
    /// [`RequestError`] naming the field.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let _ = body;
        Ok(RequestV1 {
            raw: "{}".to_owned(),
            body: Json::object([]),
        })
    }

    /// The body as the client sent it, without white space.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Json {
        &self.body
    }

    /// `input.text`, empty when there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.body
            .at(&["input", "text"])
            .and_then(Json::as_str)
            .unwrap_or_default()
    }

    /// The context that the client carries.
    #[must_use]
    pub fn context(&self) -> Option<&Json> {
        self.body.get("context")
    }

    /// `context.conversation_id`; the caller makes a new id when there is none.
    #[must_use]
    pub fn conversation_id(&self) -> Option<&str> {
        self.body
            .at(&["context", "conversation_id"])
            .and_then(Json::as_str)
            .filter(|id| !id.is_empty())
    }

    /// The user: root `user_id`, else `context.metadata.user_id`, else the conversation.
    #[must_use]
    pub fn user_id<'a>(&'a self, conversation: &'a str) -> &'a str {
        conversation
    }
}

/// Body of the answer to a v1 message.
#[must_use]
pub fn answer_v1(
    request: &RequestV1,
    conversation: &str,
    nodes_visited_details: bool,
    reply: &Reply,
) -> String {
    let _ = (request, conversation, nodes_visited_details, reply);
    String::new()
}

/// What is kept of a v1 message: `response` is the body of the answer as it was sent.
#[must_use]
pub fn log_v1(turn: &Turn<'_>, request: &RequestV1, response: &str) -> Draft {
    let _ = (request, response);
    Draft {
        instance: turn.instance.clone(),
        kind: Kind::Turn,
        dialect: Dialect::WatsonV1,
        own_id: None,
        canonical: BTreeMap::new(),
        labels: BTreeMap::new(),
        raw: "{}".to_owned(),
    }
}
