//! Keys of conversation log entries, and the canonical fields that refer to them.

/// A canonical field with the key that it refers to.
pub const NAMES: &[(&str, &str)] = &[
    ("bot", "botName"),
    ("environment", "botAlias"),
    ("version", "botVersion"),
    ("conversation", "sessionId"),
    ("user", "userId"),
    ("locale", "locale"),
    ("input.text", "inputTranscript"),
    ("input.mode", "inputDialogMode"),
    ("top_intent", "intent"),
    ("steps.name", "slotToElicit"),
    ("steps.type", "dialogState"),
];
