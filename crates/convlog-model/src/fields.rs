//! The canonical fields: one meaning has one path. Data, versioned; docs/fields.md is made of it.

/// Version of this table; each chunk of the embedded engine names the one it was written with.
pub const VERSION: u32 = 2;

/// How values of a field compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldType {
    /// A whole value.
    Keyword,
    /// Words of a language.
    Text,
    /// A number.
    Number,
    /// A moment.
    Time,
    /// True or false.
    Bool,
}

/// One canonical field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its path; `*` as last segment stands for any name.
    pub path: &'static str,
    /// How its values compare.
    pub kind: FieldType,
    /// Whether the index keeps a column for it.
    pub column: bool,
    /// Whether one element may hold several values.
    pub list: bool,
    /// What it is.
    pub doc: &'static str,
}

const fn field(path: &'static str, kind: FieldType, column: bool, doc: &'static str) -> Field {
    Field {
        path,
        kind,
        column,
        list: false,
        doc,
    }
}

const fn list(path: &'static str, kind: FieldType, doc: &'static str) -> Field {
    Field {
        path,
        kind,
        column: false,
        list: true,
        doc,
    }
}

use FieldType::{Bool, Keyword, Number, Text, Time};

/// Every canonical field.
pub const FIELDS: &[Field] = &[
    field("id", Keyword, false, "id of the record, UUIDv7"),
    field("kind", Keyword, true, "`turn` or `event`"),
    field(
        "dialect",
        Keyword,
        true,
        "form in which the raw body is written",
    ),
    field("own_id", Keyword, false, "the dialect's own id"),
    field("bot", Keyword, true, "workspace, skill or bot"),
    field(
        "assistant",
        Keyword,
        true,
        "assistant that the bot answers for",
    ),
    field(
        "environment",
        Keyword,
        true,
        "environment, deployment or alias",
    ),
    field("version", Keyword, true, "version of the bot"),
    field("channel", Keyword, true, "channel on which the user wrote"),
    field("conversation", Keyword, true, "conversation or session"),
    field(
        "conversation_turn",
        Number,
        true,
        "which turn of its conversation it is, from 1",
    ),
    field("user", Keyword, true, "user id"),
    field(
        "customer",
        Keyword,
        true,
        "customer id, by which data is erased",
    ),
    field("language", Keyword, true, "language of the bot"),
    field("locale", Keyword, false, "locale as the dialect writes it"),
    field(
        "learning_opt_out",
        Bool,
        true,
        "not to be used for improvement",
    ),
    field("time.request", Time, true, "receipt of the request"),
    field("time.response", Time, true, "time of the answer"),
    field(
        "time.received",
        Time,
        true,
        "when convlog accepted the record",
    ),
    field("input.text", Text, false, "what the user said"),
    field("input.mode", Keyword, true, "how the user said it"),
    field(
        "input.length",
        Number,
        true,
        "characters of the user's text",
    ),
    field("output.type", Keyword, false, "kind of an output message"),
    field("output.text", Text, false, "what the bot said"),
    field("intents.name", Keyword, false, "recognised intent"),
    field("intents.confidence", Number, true, "its confidence, 0 to 1"),
    field(
        "top_intent",
        Keyword,
        true,
        "intent of the highest confidence",
    ),
    field(
        "entities.entity",
        Keyword,
        false,
        "recognised entity or slot",
    ),
    field("entities.value", Text, false, "its value"),
    field(
        "entities.confidence",
        Number,
        false,
        "its confidence, 0 to 1",
    ),
    list(
        "entities.location",
        Number,
        "first and last character in the user's text",
    ),
    field("entities_count", Number, true, "number of entities"),
    field("steps.name", Keyword, false, "dialog node, step or tool"),
    field("steps.type", Keyword, false, "kind of step"),
    field("outcome.missed", Bool, true, "nothing was understood"),
    field("outcome.escalated", Bool, true, "handed to a human"),
    field("outcome.fallback", Bool, true, "a fallback answered"),
    field(
        "outcome.completed",
        Bool,
        true,
        "what the user wanted was done",
    ),
    field("model", Keyword, true, "language model that answered"),
    field("tokens.in", Number, true, "tokens read by the model"),
    field("tokens.out", Number, true, "tokens written by the model"),
    field("latency_ms", Number, true, "time to answer in milliseconds"),
    field(
        "error",
        Keyword,
        true,
        "class of the error that ended the turn",
    ),
    field("event.type", Keyword, true, "what happened"),
    field("event.actor", Keyword, true, "who did it"),
    field(
        "event.action",
        Keyword,
        true,
        "what an entry of the audit did: `CREATE`, `READ`, `UPDATE`, `DELETE`, `LOGIN`, `RUN`",
    ),
    field("event.outcome", Keyword, true, "`ok` or `error`"),
    field("event.value", Number, true, "what a metric measured"),
    field(
        "event.refs.*",
        Keyword,
        false,
        "id of a resource that the event is about",
    ),
    field("event.meta.*", Keyword, false, "details of the event"),
    field("labels.*", Keyword, false, "free label"),
    field(
        "redactions.rule",
        Keyword,
        false,
        "rule that has cut something from the record",
    ),
    field(
        "redactions.version",
        Number,
        false,
        "version of the policy that the rule stands in",
    ),
    field(
        "redactions.path",
        Keyword,
        false,
        "where: a path of this table, or `raw.` and the path in the body",
    ),
    field(
        "redactions.action",
        Keyword,
        false,
        "what it did: `mask`, `hash` or `remove`",
    ),
];

/// Raw paths whose strings are words too, though no canonical field refers to them: a user's
/// corrected text, and the answer in both places that Watson v1 writes it.
pub const RAW_TEXT: &[&str] = &[
    "request.input.text",
    "response.input.text",
    "response.input.original_text",
    "response.output.text",
    "response.output.generic.text",
    "request.entities.value",
    "request.input.entities.value",
    "response.entities.value",
    "response.output.entities.value",
    "inputTranscript",
    "botResponse",
];

/// Groups of canonical fields whose values stand in arrays of objects.
pub const GROUPS: &[&str] = &["output", "intents", "entities", "steps", "redactions"];

/// What a filter, sort or aggregate points at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum FieldRef {
    /// A canonical field, by path.
    Canonical(String),
    /// Every path of the raw body whose segments, joined by dots, spell this.
    Raw(String),
}

impl FieldRef {
    /// The canonical field of that path.
    #[must_use]
    pub fn canonical(path: &str) -> Self {
        FieldRef::Canonical(path.to_owned())
    }

    /// The path, without saying of which kind.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            FieldRef::Canonical(path) | FieldRef::Raw(path) => path,
        }
    }

    /// How values compare; raw paths outside of [`RAW_TEXT`] are keywords, whose numbers and
    /// dates compare by value.
    #[must_use]
    pub fn kind(&self) -> FieldType {
        match self {
            FieldRef::Canonical(path) => lookup(path).map_or(Keyword, |field| field.kind),
            FieldRef::Raw(path) if RAW_TEXT.contains(&path.as_str()) => Text,
            FieldRef::Raw(_) => Keyword,
        }
    }

    /// The reference `sub` below this one.
    #[must_use]
    pub fn child(&self, sub: &str) -> Self {
        match self {
            FieldRef::Canonical(path) => FieldRef::Canonical(format!("{path}.{sub}")),
            FieldRef::Raw(path) => FieldRef::Raw(format!("{path}.{sub}")),
        }
    }
}

/// The canonical field of a path, `None` when no field has it.
#[must_use]
pub fn lookup(path: &str) -> Option<&'static Field> {
    FIELDS
        .iter()
        .find(|field| match field.path.strip_suffix('*') {
            Some(stem) => path.len() > stem.len() && path.starts_with(stem),
            None => field.path == path,
        })
}

/// Whether a name means something canonical: a field, a group, or a branch that holds fields.
#[must_use]
pub fn is_canonical(path: &str) -> bool {
    let below = |field: &Field| {
        field
            .path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    lookup(path).is_some() || FIELDS.iter().any(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_resolve_to_fields_groups_and_open_branches() {
        assert_eq!(
            lookup("event.meta.a.b").map(|f| f.path),
            Some("event.meta.*")
        );
        assert!(lookup("event.meta").is_none() && is_canonical("event.meta"));
        assert!(is_canonical("intents") && !is_canonical("intent"));
        assert_eq!(FieldRef::canonical("entities.value").kind(), Text);
        assert_eq!(FieldRef::Raw("response.input.text".into()).kind(), Text);
        assert_eq!(FieldRef::Raw("response.input.other".into()).kind(), Keyword);
    }
}
