//! v2 messages: the server keeps the context of a session, or the client carries it.

use std::collections::BTreeMap;

use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft, Kind};
use convlog_model::time::Timestamp;

use super::{RequestError, Turn};
use crate::reply::Reply;

/// Who keeps the context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The server, in a session.
    Stateful,
    /// The client.
    Stateless,
}

/// A checked v2 message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestV2 {
    mode: Mode,
    raw: String,
    body: Json,
}

impl RequestV2 {
    /// Reads and checks a body; an empty one is `{}`.
    ///
    /// # Errors
    /// [`RequestError`] naming the field.
    pub fn parse(body: &[u8], mode: Mode) -> Result<Self, RequestError> {
        let _ = body;
        Ok(RequestV2 {
            mode,
            raw: "{}".to_owned(),
            body: Json::object([]),
        })
    }

    /// Who keeps the context.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
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

    /// `context.global.session_id`, by which a stateless client names its conversation.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.body
            .at(&["context", "global", "session_id"])
            .and_then(Json::as_str)
            .filter(|id| !id.is_empty())
    }
}

/// A dialogue session: what the server keeps between the messages of a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// Messages so far.
    pub turn_count: u64,
    /// The whole v2 context.
    pub context: Json,
}

impl Session {
    /// A session without messages.
    #[must_use]
    pub fn new(id: &str, started: Timestamp) -> Self {
        Session {
            id: id.to_owned(),
            started,
            turn_count: 0,
            context: Json::object([]),
        }
    }

    /// Begins a turn: counts it, merges the request's context over the session's (starts it anew
    /// on `options.restart`) and fills `global`. What connectors see as context is `context` after
    /// this.
    pub fn begin(&mut self, request: &RequestV2) {
        let _ = request;
    }

    /// The user of the current turn: root `user_id`, else that of the context, else the session.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.id
    }

    /// The context variables of the skill: `skills."main skill".user_defined`.
    #[must_use]
    pub fn variables(&self) -> Option<&Json> {
        self.context.at(&["skills", "main skill", "user_defined"])
    }

    /// The session as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    /// The session of bytes; `None` when they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let _ = bytes;
        None
    }
}

/// Answer to a v2 message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerV2 {
    /// Body for the client.
    pub response: String,
    /// Body for the log: the same with the whole context and `output.debug`.
    pub logged: String,
}

/// Body of the answer to a v2 message. Call [`Session::begin`] first; the reply's context is
/// merged into the session's variables here.
#[must_use]
pub fn answer_v2(request: &RequestV2, session: &mut Session, reply: &Reply) -> AnswerV2 {
    let _ = (request, session, reply);
    AnswerV2 {
        response: String::new(),
        logged: String::new(),
    }
}

/// What is kept of a v2 message: `logged` is [`AnswerV2::logged`], or the body of an upstream
/// server as it came.
#[must_use]
pub fn log_v2(turn: &Turn<'_>, request: &RequestV2, session: &Session, logged: &str) -> Draft {
    let _ = (request, session, logged);
    Draft {
        instance: turn.instance.clone(),
        kind: Kind::Turn,
        dialect: Dialect::WatsonV2,
        own_id: None,
        canonical: BTreeMap::new(),
        labels: BTreeMap::new(),
        raw: "{}".to_owned(),
    }
}
