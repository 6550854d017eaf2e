//! v1 messages: the client carries the context.

use convlog_model::json::Json;
use convlog_model::record::{Dialect, Draft};

use super::check::{self, Checked};
use super::{RequestError, Turn, log};
use crate::reply::Reply;
use crate::splice::quote;

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
        let (raw, body) = check::parse(body)?;
        let checked = Checked(&body);
        checked.objects(&[
            ".input",
            ".context",
            ".context.system",
            ".context.metadata",
            ".output",
        ])?;
        checked.input()?;
        checked.booleans(&[
            ".alternate_intents",
            ".input.spelling_suggestions",
            ".input.spelling_auto_correct",
        ])?;
        checked.lists(&[(".intents", "intent"), (".entities", "entity")])?;
        checked.ids(&[
            ".user_id",
            ".context.metadata.user_id",
            ".context.metadata.deployment",
        ])?;
        checked.conversation(".context.conversation_id")?;
        Ok(RequestV1 { raw, body })
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

    /// The context that the client carries.
    #[must_use]
    pub fn context(&self) -> Option<&Json> {
        self.body.get("context")
    }

    /// `context.conversation_id`; the caller makes a new id when there is none.
    #[must_use]
    pub fn conversation_id(&self) -> Option<&str> {
        self.string(&["context", "conversation_id"])
    }

    /// The user: root `user_id`, else `context.metadata.user_id`, else the conversation.
    #[must_use]
    pub fn user_id<'a>(&'a self, conversation: &'a str) -> &'a str {
        self.string(&["user_id"])
            .or_else(|| self.string(&["context", "metadata", "user_id"]))
            .unwrap_or(conversation)
    }

    fn string(&self, path: &[&str]) -> Option<&str> {
        let text = self.body.at(path).and_then(Json::as_str);
        text.filter(|text| !text.is_empty())
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
    let mut input = object_or_empty(request.body.get("input"));
    input.take("spelling_suggestions");
    input.take("spelling_auto_correct");
    let all = request
        .body
        .get("alternate_intents")
        .and_then(Json::as_bool)
        == Some(true);
    let user = request.user_id(conversation);
    let mut answer = Json::object([
        ("input", input),
        ("intents", intents(reply, all)),
        ("entities", Json::Array(reply.entities.clone())),
        ("output", output(reply, nodes_visited_details)),
        ("context", context(request, conversation, user, reply)),
        ("user_id", Json::string(user)),
    ]);
    if all {
        answer.set("alternate_intents", Json::Bool(true));
    }
    answer.to_string()
}

/// The intents of an answer: all of them only if asked for.
pub(super) fn intents(reply: &Reply, all: bool) -> Json {
    let shown = if all { usize::MAX } else { 1 };
    Json::Array(reply.intents.iter().take(shown).cloned().collect())
}

/// A visited node as v2 and `nodes_visited_details` show it.
pub(super) fn node(name: &str) -> Json {
    Json::object([
        ("dialog_node", Json::string(name)),
        ("title", Json::string(name)),
        ("conditions", Json::string("")),
    ])
}

/// `branch_exited_reason` of a reply.
pub(super) fn exit_reason(reply: &Reply) -> Option<&'static str> {
    let reason = |fallback| if fallback { "fallback" } else { "completed" };
    reply.fallback.map(reason)
}

pub(super) fn object_or_empty(value: Option<&Json>) -> Json {
    match value {
        Some(object @ Json::Object(_)) => object.clone(),
        _ => Json::object([]),
    }
}

fn output(reply: &Reply, details: bool) -> Json {
    let texts = reply.texts().map(Json::string).collect();
    let nodes = reply.nodes_visited.iter();
    let mut output = Json::object([
        ("generic", Json::Array(reply.output.clone())),
        ("text", Json::Array(texts)),
        (
            "nodes_visited",
            Json::Array(
                nodes
                    .clone()
                    .map(|name| Json::string(name.as_str()))
                    .collect(),
            ),
        ),
        ("log_messages", Json::Array(Vec::new())),
    ]);
    if details {
        let details = nodes.map(|name| node(name)).collect();
        output.set("nodes_visited_details", Json::Array(details));
    }
    if let Some(user_defined) = &reply.user_defined {
        output.set("user_defined", user_defined.clone());
    }
    output
}

/// The context that the client carries on: its own, with the bot's variables and the counters.
fn context(request: &RequestV1, conversation: &str, user: &str, reply: &Reply) -> Json {
    let mut context = object_or_empty(request.context());
    if let Some(variables) = reply.context.as_ref().and_then(Json::as_object) {
        for (key, value) in variables {
            context.set(key, value.clone());
        }
    }
    context.set("conversation_id", Json::string(conversation));
    let mut system = object_or_empty(request.context().and_then(|old| old.get("system")));
    let root = Json::object([("dialog_node", Json::string("root"))]);
    system.set("dialog_stack", Json::Array(vec![root]));
    for counter in ["dialog_turn_counter", "dialog_request_counter"] {
        let before = system.get(counter).and_then(Json::as_i64).unwrap_or(0);
        system.set(counter, Json::integer(before.max(0).saturating_add(1)));
    }
    system.take("branch_exited");
    system.take("branch_exited_reason");
    if let Some(reason) = exit_reason(reply) {
        system.set("branch_exited", Json::Bool(true));
        system.set("branch_exited_reason", Json::string(reason));
    }
    context.set("system", system);
    let mut metadata = object_or_empty(request.context().and_then(|old| old.get("metadata")));
    metadata.set("user_id", Json::string(user));
    context.set("metadata", metadata);
    context
}

/// What is kept of a v1 message: `response` is the body of the answer as it was sent.
#[must_use]
pub fn log_v1(turn: &Turn<'_>, request: &RequestV1, response: &str) -> Draft {
    let rest = [("workspace_id", quote(turn.bot))];
    log::draft(turn, Dialect::WatsonV1, request.raw(), response, &rest)
}
