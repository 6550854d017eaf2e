//! Where the versions of the log API write what a turn is made of.

/// Where a version of the API writes what a turn is made of.
pub(super) struct Places {
    pub(super) intents: &'static str,
    /// Where the fields of `intents[]` are.
    pub(super) intent: [(&'static str, &'static str); 2],
    pub(super) entities: &'static str,
    /// Where the fields of `entities[]` are.
    pub(super) entity: [(&'static str, &'static str); 4],
    pub(super) exit_reason: &'static str,
    pub(super) user: &'static [&'static str],
    pub(super) conversation: &'static [&'static str],
    /// The number of the turn in its conversation.
    pub(super) turn: &'static str,
    /// Where the variable `context_connect_to_agent` may stand.
    pub(super) variables: &'static [&'static str],
}

pub(super) const V1: Places = Places {
    intents: "response.intents",
    intent: [
        ("intents.confidence", "response.intents.confidence"),
        ("intents.name", "response.intents.intent"),
    ],
    entities: "response.entities",
    entity: [
        ("entities.confidence", "response.entities.confidence"),
        ("entities.entity", "response.entities.entity"),
        ("entities.location", "response.entities.location"),
        ("entities.value", "response.entities.value"),
    ],
    exit_reason: "response.context.system.branch_exited_reason",
    user: &[
        "request.user_id",
        "request.context.metadata.user_id",
        "response.user_id",
        "response.context.metadata.user_id",
    ],
    conversation: &[
        "response.context.conversation_id",
        "request.context.conversation_id",
    ],
    turn: "response.context.system.dialog_turn_counter",
    variables: &["response.context"],
};

pub(super) const V2: Places = Places {
    intents: "response.output.intents",
    intent: [
        ("intents.confidence", "response.output.intents.confidence"),
        ("intents.name", "response.output.intents.intent"),
    ],
    entities: "response.output.entities",
    entity: [
        ("entities.confidence", "response.output.entities.confidence"),
        ("entities.entity", "response.output.entities.entity"),
        ("entities.location", "response.output.entities.location"),
        ("entities.value", "response.output.entities.value"),
    ],
    exit_reason: "response.output.debug.branch_exited_reason",
    user: &[
        "request.user_id",
        "request.context.global.system.user_id",
        "response.user_id",
        "response.context.global.system.user_id",
    ],
    conversation: &[
        "session_id",
        "response.context.global.session_id",
        "request.context.global.session_id",
        "response.context.conversation_id",
    ],
    turn: "response.context.global.system.turn_count",
    variables: &[
        "response.context.skills.main skill.user_defined",
        "response.context.skills.actions skill.user_defined",
        "response.context.skills.actions skill.skill_variables",
    ],
};
