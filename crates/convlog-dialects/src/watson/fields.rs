//! Names of Watson v1 and v2, and the canonical fields that they mean.
//!
//! Both versions' names are understood in both: real clients filter v1 logs by `session_id` and
//! v2 logs by `response.intents`.

use convlog_model::fields::FieldRef;

/// Where a name comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Api {
    /// Log objects of v1.
    V1,
    /// Log objects of v2.
    V2,
    /// Both.
    Both,
}

/// One name of Watson's and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The name.
    pub name: &'static str,
    /// Where it comes from.
    pub api: Api,
    /// The canonical fields that carry it; a record has it in one of them.
    pub canonical: &'static [&'static str],
}

const fn name(name: &'static str, api: Api, canonical: &'static [&'static str]) -> Name {
    Name {
        name,
        api,
        canonical,
    }
}

use Api::{Both, V1, V2};

/// Every name that means a canonical field.
pub const NAMES: &[Name] = &[
    name("log_id", Both, &["own_id", "id"]),
    name("language", Both, &["language"]),
    name("customer_id", Both, &["customer"]),
    name("request_timestamp", Both, &["time.request"]),
    name("response_timestamp", Both, &["time.response"]),
    name("workspace_id", V1, &["bot"]),
    name("skill_id", V2, &["bot"]),
    name("snapshot", V2, &["version"]),
    name("request.context.system.assistant_id", V1, &["assistant"]),
    name("response.context.system.assistant_id", V1, &["assistant"]),
    name("assistant_id", V2, &["assistant"]),
    name("request.context.metadata.deployment", V1, &["environment"]),
    name("response.context.metadata.deployment", V1, &["environment"]),
    name("environment_id", V2, &["environment"]),
    name("environment", V2, &["environment"]),
    name("response.context.conversation_id", V1, &["conversation"]),
    name("session_id", V2, &["conversation"]),
    name("request.context.global.session_id", V2, &["conversation"]),
    name("response.context.global.session_id", V2, &["conversation"]),
    name("request.context.metadata.user_id", V1, &["user"]),
    name("response.context.metadata.user_id", V1, &["user"]),
    name("request.header.metadata.user_id", V1, &["user"]),
    name("request.context.global.system.user_id", V2, &["user"]),
    name("response.context.global.system.user_id", V2, &["user"]),
    name("request.user_id", Both, &["user"]),
    name("response.user_id", Both, &["user"]),
    name("user_id", Both, &["user"]),
    name("request.input.text", Both, &["input.text"]),
    name("request.input.message_type", V2, &["input.mode"]),
    name("meta.summary.input_text_length_i", Both, &["input.length"]),
    name("response.intents.intent", V1, &["intents.name"]),
    name("response.intents.confidence", V1, &["intents.confidence"]),
    name("response.output.intents.intent", V2, &["intents.name"]),
    name(
        "response.output.intents.confidence",
        V2,
        &["intents.confidence"],
    ),
    name("response.top_intent", Both, &["top_intent"]),
    name("response.output.top_intent", V2, &["top_intent"]),
    name("response.entities.entity", V1, &["entities.entity"]),
    name("response.entities.value", V1, &["entities.value"]),
    name("response.entities.confidence", V1, &["entities.confidence"]),
    name("response.entities.location", V1, &["entities.location"]),
    name("response.output.entities.entity", V2, &["entities.entity"]),
    name("response.output.entities.value", V2, &["entities.value"]),
    name(
        "response.output.entities.confidence",
        V2,
        &["entities.confidence"],
    ),
    name(
        "response.output.entities.location",
        V2,
        &["entities.location"],
    ),
    name("meta.message.entities_count", Both, &["entities_count"]),
    name("response.output.text", V1, &["output.text"]),
    name("response.output.generic.text", Both, &["output.text"]),
    name(
        "response.output.generic.response_type",
        Both,
        &["output.type"],
    ),
    name("response.output.nodes_visited", V1, &["steps.name"]),
    name(
        "response.output.debug.nodes_visited.dialog_node",
        V2,
        &["steps.name"],
    ),
];

/// Arrays of objects and the canonical group that carries them.
pub const GROUPS: &[(&str, &str)] = &[
    ("response.intents", "intents"),
    ("response.output.intents", "intents"),
    ("response.entities", "entities"),
    ("response.output.entities", "entities"),
    ("response.output.generic", "output"),
    ("response.output.debug.nodes_visited", "steps"),
];

/// Branches that v1 and v2 write in different places and no canonical field carries.
const TWINS: &[(&str, &str)] = &[
    ("request.intents", "request.input.intents"),
    ("request.entities", "request.input.entities"),
    ("response.intents", "response.output.intents"),
    ("response.entities", "response.output.entities"),
    (
        "response.context.system.branch_exited",
        "response.output.debug.branch_exited",
    ),
    (
        "response.context.system.branch_exited_reason",
        "response.output.debug.branch_exited_reason",
    ),
    (
        "response.output.log_messages",
        "response.output.debug.log_messages",
    ),
];

/// Arrays of objects that only the raw body holds.
const RAW_GROUPS: &[&str] = &[
    "request.intents",
    "request.input.intents",
    "request.entities",
    "request.input.entities",
];

/// Tops of the paths that address the raw body when no table knows them.
const OPEN: &[&str] = &["request", "response", "meta", "context", "input", "output"];

/// The canonical fields of a name.
#[must_use]
pub fn canonical(path: &str) -> Option<Vec<FieldRef>> {
    let found = NAMES.iter().find(|one| one.name == path)?;
    let fields = found.canonical.iter();
    Some(fields.map(|path| FieldRef::canonical(path)).collect())
}

/// The canonical group of an array of objects.
#[must_use]
pub fn group(path: &str) -> Option<&'static str> {
    let found = GROUPS.iter().find(|(name, _)| *name == path);
    found.map(|(_, canonical)| *canonical)
}

/// Whether a path is an array of objects.
#[must_use]
pub fn is_group(path: &str) -> bool {
    group(path).is_some() || RAW_GROUPS.contains(&path)
}

/// Whether names of the table lie below a path.
#[must_use]
pub fn is_branch(path: &str) -> bool {
    let below = |one: &Name| {
        let rest = one.name.strip_prefix(path);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    NAMES.iter().any(below)
}

/// Whether a path that no table knows may address the raw body.
#[must_use]
pub fn is_open(path: &str) -> bool {
    OPEN.iter().any(|top| is_at_or_below(path, top).is_some())
}

/// The raw paths of a path: itself, and where the other version writes the same.
#[must_use]
pub fn raw(path: &str) -> Vec<FieldRef> {
    let mut paths = vec![FieldRef::Raw(path.to_owned())];
    for (one, other) in TWINS {
        for (from, to) in [(one, other), (other, one)] {
            if let Some(rest) = is_at_or_below(path, from) {
                paths.push(FieldRef::Raw(format!("{to}{rest}")));
            }
        }
    }
    paths
}

/// What of `path` follows `top`: empty, or a dot and more.
fn is_at_or_below<'a>(path: &'a str, top: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(top)?;
    (rest.is_empty() || rest.starts_with('.')).then_some(rest)
}

#[cfg(test)]
mod tests;
