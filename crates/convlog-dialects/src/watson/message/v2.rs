//! v2 messages: the server keeps the context of a session, or the client carries it.

mod session;

use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft};

pub use self::session::Session;
use super::check::{self, Checked};
use super::v1::{exit_reason, intents, node};
use super::{RequestError, STATEFUL_CONTEXT_MAX, STATELESS_CONTEXT_MAX, Turn, log};
use crate::reply::Reply;
use crate::splice::{self, quote};

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
        let (raw, body) = check::parse(body)?;
        let checked = Checked(&body);
        checked.objects(&[
            ".input",
            ".input.options",
            ".input.options.spelling",
            ".input.analytics",
            ".context",
            ".context.global",
            ".context.global.system",
            ".context.skills",
            ".context.integrations",
        ])?;
        checked.input()?;
        checked.booleans(&[
            ".input.options.restart",
            ".input.options.alternate_intents",
            ".input.options.async_callout",
            ".input.options.debug",
            ".input.options.return_context",
            ".input.options.export",
            ".input.options.spelling.suggestions",
            ".input.options.spelling.auto_correct",
        ])?;
        checked.lists(&[
            (".input.intents", "intent"),
            (".input.entities", "entity"),
            (".input.attachments", "url"),
        ])?;
        checked.string(".input.suggestion_id")?;
        checked.ids(&[".user_id", ".context.global.system.user_id"])?;
        checked.conversation(".context.global.session_id")?;
        if let Some(kind) = checked.string(".input.message_type")?
            && !matches!(kind, "text" | "search")
        {
            return check::fail("must be `text` or `search`", ".input.message_type");
        }
        let request = RequestV2 { mode, raw, body };
        let size = splice::member(&request.raw, "context").map_or(0, str::len);
        check_size(size, mode)?;
        Ok(request)
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
        self.string(&["input", "text"]).unwrap_or_default()
    }

    /// `context.global.session_id`, by which a stateless client names its conversation.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.string(&["context", "global", "session_id"])
    }

    /// The root `user_id`.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.string(&["user_id"])
    }

    /// Whether an option of the input is on.
    #[must_use]
    pub fn option(&self, name: &str) -> bool {
        let value = self.body.at(&["input", "options", name]);
        value.and_then(Json::as_bool) == Some(true)
    }

    fn string(&self, path: &[&str]) -> Option<&str> {
        let text = self.body.at(path).and_then(Json::as_str);
        text.filter(|text| !text.is_empty())
    }
}

fn check_size(bytes: usize, mode: Mode) -> Result<(), RequestError> {
    let max = match mode {
        Mode::Stateful => STATEFUL_CONTEXT_MAX,
        Mode::Stateless => STATELESS_CONTEXT_MAX,
    };
    if bytes > max {
        let message = format!("context can not be larger than {} KB.", max >> 10);
        return check::fail(message, ".context");
    }
    Ok(())
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
    session.set_variables(reply.context.as_ref());
    let mut output = Json::object([
        ("generic", Json::Array(reply.output.clone())),
        (
            "intents",
            intents(reply, request.option("alternate_intents")),
        ),
        ("entities", Json::Array(reply.entities.clone())),
    ]);
    if let Some(user_defined) = &reply.user_defined {
        output.set("user_defined", user_defined.clone());
    }
    let user = Json::string(session.user_id());
    let mut logged_output = output.clone();
    logged_output.set("debug", debug(reply));
    let logged = Json::object([
        ("output", logged_output.clone()),
        ("context", session.context.clone()),
        ("user_id", user.clone()),
    ]);
    let shown = if request.option("debug") {
        logged_output
    } else {
        output
    };
    let mut response = Json::object([("output", shown)]);
    let with_state = request.mode == Mode::Stateless || request.option("export");
    if with_state {
        response.set("context", session.exported());
    } else if request.option("return_context") {
        response.set("context", session.context.clone());
    }
    response.set("user_id", user);
    AnswerV2 {
        response: response.to_string(),
        logged: logged.to_string(),
    }
}

fn debug(reply: &Reply) -> Json {
    let nodes = reply.nodes_visited.iter().map(|name| node(name)).collect();
    let mut debug = Json::object([
        ("nodes_visited", Json::Array(nodes)),
        ("log_messages", Json::Array(Vec::new())),
        ("branch_exited", Json::Bool(reply.fallback.is_some())),
    ]);
    if let Some(reason) = exit_reason(reply) {
        debug.set("branch_exited_reason", Json::string(reason));
    }
    debug
}

/// What is kept of a v2 message: `logged` is [`AnswerV2::logged`], or the body of an upstream
/// server as it came.
#[must_use]
pub fn log_v2(turn: &Turn<'_>, request: &RequestV2, session: &Session, logged: &str) -> Draft {
    let rest = [
        ("assistant_id", quote(turn.assistant.unwrap_or(turn.bot))),
        ("session_id", quote(&session.id)),
        ("skill_id", quote(turn.bot)),
        ("snapshot", quote(turn.version.unwrap_or("draft"))),
    ];
    let mut draft = log::draft(turn, Dialect::WatsonV2, request.raw(), logged, &rest);
    let customer = draft.flat().text("customer").map(str::to_owned);
    if let (Some(customer), Some(mut members)) = (customer, splice::members(&draft.raw)) {
        let quoted = quote(&customer);
        members.push(("customer_id".to_owned(), &quoted));
        let raw = splice::object(members.iter().map(|(key, value)| (key.as_str(), *value)));
        draft.raw = raw.into();
        draft.set_ref("customer", &["customer_id"]);
    }
    draft
}
