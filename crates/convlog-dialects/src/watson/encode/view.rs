//! The two shapes of a log object, made of a neutral turn. Every field that a typed client
//! requires is there.

use convlog_model::json::Json;

use super::neutral::{Neutral, renamed};

/// Response types that v1 clients know; typed ones fail on others.
const V1_TYPES: [&str; 11] = [
    "text",
    "pause",
    "image",
    "option",
    "connect_to_agent",
    "suggestion",
    "channel_transfer",
    "user_defined",
    "audio",
    "video",
    "iframe",
];

fn text(value: &str) -> Json {
    Json::string(value)
}

fn texts(values: &[String]) -> Json {
    Json::Array(values.iter().map(|value| text(value)).collect())
}

/// An object of the members that are there.
fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let present = members
        .into_iter()
        .filter_map(|(key, value)| Some((key.into(), value?)));
    Json::Object(present.collect())
}

/// The log object of v1.
pub(super) fn v1(turn: &Neutral) -> Json {
    let input = v1_input(&turn.input);
    let mut request = object([
        ("input", Some(input.clone())),
        (
            "context",
            Some(v1_context(turn, &turn.variables_before, false)),
        ),
    ]);
    if let Some(user) = &turn.user {
        request.set("user_id", text(user));
    }
    let known = |item: &&Json| {
        let kind = item.get("response_type").and_then(Json::as_str);
        kind.is_some_and(|kind| V1_TYPES.contains(&kind))
    };
    let generic = turn.generic.iter().filter(known).cloned().collect();
    let output = Json::object([
        ("generic", Json::Array(generic)),
        ("text", texts(&turn.texts)),
        ("nodes_visited", texts(&turn.nodes)),
        ("log_messages", Json::Array(v1_messages(turn))),
    ]);
    let response = Json::object([
        ("input", input),
        ("intents", Json::Array(turn.intents.clone())),
        ("entities", Json::Array(turn.entities.clone())),
        ("output", output),
        ("context", v1_context(turn, &turn.variables, true)),
        (
            "user_id",
            text(turn.user.as_deref().unwrap_or(&turn.conversation)),
        ),
    ]);
    Json::object([
        ("log_id", text(&turn.log_id)),
        ("request", request),
        ("response", response),
        ("request_timestamp", text(&turn.request_time)),
        ("response_timestamp", text(&turn.response_time)),
        ("workspace_id", text(&turn.bot)),
        ("language", text(&turn.language)),
    ])
}

/// Log messages with the members that v1 requires.
fn v1_messages(turn: &Neutral) -> Vec<Json> {
    let mut messages = renamed(turn.log_messages.clone(), "message", "msg");
    for message in &mut messages {
        for required in ["level", "msg", "code"] {
            if message.get(required).is_none() {
                message.set(required, text(""));
            }
        }
    }
    messages
}

/// The input without what only v2 knows.
fn v1_input(input: &Json) -> Json {
    let mut input = input.clone();
    for only_v2 in [
        "options",
        "message_type",
        "intents",
        "entities",
        "analytics",
    ] {
        input.take(only_v2);
    }
    if input.get("text").is_none() {
        input.set("text", text(""));
    }
    input
}

fn v1_context(turn: &Neutral, variables: &Json, after: bool) -> Json {
    let reason = turn.exit_reason.as_deref().filter(|_| after);
    let counter = turn.turn.clone().filter(|_| after);
    let stack = || Json::Array(vec![Json::object([("dialog_node", text("root"))])]);
    let system = object([
        ("assistant_id", turn.assistant.as_deref().map(text)),
        ("dialog_stack", after.then(stack)),
        ("dialog_turn_counter", counter.clone()),
        ("dialog_request_counter", counter),
        ("branch_exited", reason.map(|_| Json::Bool(true))),
        ("branch_exited_reason", reason.map(text)),
    ]);
    let metadata = object([
        ("user_id", turn.user.as_deref().map(text)),
        ("deployment", turn.environment.as_deref().map(text)),
    ]);
    let mut context = Json::object([("conversation_id", text(&turn.conversation))]);
    context.set("system", system);
    context.set("metadata", metadata);
    if let (Json::Object(members), Some(variables)) = (&mut context, variables.as_object()) {
        let own = ["conversation_id", "system", "metadata"];
        let free = variables
            .iter()
            .filter(|(key, _)| !own.contains(&key.as_str()));
        members.extend(free.cloned());
    }
    if let Some(integrations) = &turn.integrations {
        context.set("integrations", integrations.clone());
    }
    context
}

/// The log object of v2.
pub(super) fn v2(turn: &Neutral) -> Json {
    let mut input = turn.input.clone();
    if input.get("message_type").is_none() {
        input.set("message_type", text("text"));
    }
    let mut request = object([
        ("input", Some(input)),
        (
            "context",
            Some(v2_context(turn, &turn.variables_before, false)),
        ),
    ]);
    if let Some(user) = &turn.user {
        request.set("user_id", text(user));
    }
    let node = |name: &String| {
        Json::object([
            ("dialog_node", text(name)),
            ("title", text(name)),
            ("conditions", text("")),
        ])
    };
    let reason = turn.exit_reason.as_deref();
    let debug = object([
        (
            "nodes_visited",
            Some(Json::Array(turn.nodes.iter().map(node).collect())),
        ),
        ("log_messages", Some(Json::Array(turn.log_messages.clone()))),
        ("branch_exited", Some(Json::Bool(reason.is_some()))),
        ("branch_exited_reason", reason.map(text)),
    ]);
    let output = Json::object([
        ("generic", Json::Array(turn.generic.clone())),
        ("intents", Json::Array(turn.intents.clone())),
        ("entities", Json::Array(turn.entities.clone())),
        ("debug", debug),
    ]);
    let user = turn.user.as_deref().unwrap_or(&turn.conversation);
    let response = Json::object([
        ("output", output),
        ("context", v2_context(turn, &turn.variables, true)),
        ("user_id", text(user)),
    ]);
    let assistant = turn.assistant.as_ref().or(turn.environment.as_ref());
    object([
        ("log_id", Some(text(&turn.log_id))),
        ("request", Some(request)),
        ("response", Some(response)),
        ("assistant_id", Some(text(assistant.unwrap_or(&turn.bot)))),
        ("session_id", Some(text(&turn.conversation))),
        ("skill_id", Some(text(&turn.bot))),
        (
            "snapshot",
            Some(text(turn.version.as_deref().unwrap_or("draft"))),
        ),
        ("request_timestamp", Some(text(&turn.request_time))),
        ("response_timestamp", Some(text(&turn.response_time))),
        ("language", Some(text(&turn.language))),
        ("customer_id", turn.customer.as_deref().map(text)),
    ])
}

fn v2_context(turn: &Neutral, variables: &Json, after: bool) -> Json {
    let system = object([
        ("turn_count", turn.turn.clone().filter(|_| after)),
        ("user_id", turn.user.as_deref().map(text)),
    ]);
    let skill = Json::object([
        ("user_defined", variables.clone()),
        ("system", Json::object([])),
    ]);
    let global = Json::object([("system", system), ("session_id", text(&turn.conversation))]);
    object([
        ("global", Some(global)),
        ("skills", Some(Json::object([("main skill", skill)]))),
        ("integrations", turn.integrations.clone()),
    ])
}
