//! The built-in dialogue of Lex V1 bots: which intent an utterance has, what is asked next, when a
//! code hook is called and what the user is told.
//!
//! A pure function of its arguments: the same conversation always goes the same way. Time comes
//! with the request, and of several wordings of a prompt each attempt takes the next.
//!
//! [`turn`] ends in an answer or in a call of a code hook; the caller makes the call and gives what
//! came back to [`resume`]. The conversation is changed only by the answer, so that nothing of a
//! turn stays whose hook failed.

mod ask;
pub mod builtin;
mod compiled;
mod fill;
mod flow;
mod hook;
mod hook_answer;
mod put;
mod recognise;
mod say;
mod session;
mod shown;
mod slots;
mod template;
mod words;
mod yes_no;

use std::collections::BTreeMap;
use std::ops::Range;

use convlog_model::json::Json;

pub use self::compiled::Compiled;
pub use self::flow::Pending;
pub use self::hook::HookError;
pub use self::put::put_session;
pub use self::session::Dialog;
pub use self::slots::is_number_word;
use super::model::{ActiveContext, MessageFormat};

/// One request of a user.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What was said; `None` for audio without a transcript, which is never understood.
    pub utterance: Option<&'a str>,
    /// Takes the place of the conversation's attributes.
    pub session_attributes: Option<BTreeMap<String, String>>,
    /// What code hooks and messages may use in this turn only.
    pub request_attributes: &'a BTreeMap<String, String>,
    /// Takes the place of the active contexts; an empty list clears them.
    pub active_contexts: Option<Vec<ActiveContext>>,
    /// Who said it.
    pub user_id: &'a str,
    /// Through which alias of the bot.
    pub bot_alias: &'a str,
    /// When: milliseconds since the epoch.
    pub now_ms: i64,
    /// Whether the answer will be read or heard; only code hooks are told.
    pub dialog_mode: DialogMode,
}

/// In which form an answer goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DialogMode {
    /// Read.
    #[default]
    Text,
    /// Heard.
    Voice,
}

/// Where a turn stands.
#[derive(Clone, Debug)]
pub enum Step {
    /// It needs the answer of a code hook: make the call, then [`resume`].
    Hook(Box<HookCall>),
    /// It is done.
    Done(Box<Answer>),
}

/// A call of a code hook.
#[derive(Clone, Debug)]
pub struct HookCall {
    /// What to call, as the bot's author wrote it: an ARN.
    pub uri: String,
    /// The input event of Lex V1.
    pub event: Json,
    /// The turn, for [`resume`].
    pub pending: Pending,
}

/// What a user is told, and what a log tells of the turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The intent of the conversation; none while one is asked for.
    pub intent_name: Option<String>,
    /// The intent that the utterance was mapped to or is an answer for, whatever a code hook made
    /// of it; for a missed utterance none, or the fallback intent.
    pub recognised: Option<String>,
    /// How well the utterance fits the recognised intent, 0 to 1; none where it was understood as
    /// the answer to a question.
    pub nlu_confidence: Option<f64>,
    /// Other intents that it may have, best first, at most 4.
    pub alternatives: Vec<Alternative>,
    /// Values by slot of the intent.
    pub slots: BTreeMap<String, Option<String>>,
    /// The conversation's attributes.
    pub session_attributes: BTreeMap<String, String>,
    /// What is said.
    pub message: Option<(MessageFormat, String)>,
    /// What the conversation waits for.
    pub dialog_state: DialogState,
    /// The slot that is asked for.
    pub slot_to_elicit: Option<String>,
    /// A card to show, in the form of the API.
    pub response_card: Option<Json>,
    /// Contexts that are active after this turn.
    pub active_contexts: Vec<ActiveContext>,
    /// Whether the utterance was mapped to no intent, or only to the fallback intent.
    pub missed: bool,
    /// Whether a code hook went on with another intent than the recognised one.
    pub developer_override: bool,
    /// Which parts of the utterance became values.
    pub heard: Vec<Heard>,
    /// The slot that was being asked for when the utterance came.
    pub elicited: Option<String>,
}

/// Another intent that an utterance may have.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// Its name.
    pub name: String,
    /// How well the utterance fits, 0 to 1.
    pub confidence: f64,
    /// The values that it would have.
    pub slots: BTreeMap<String, Option<String>>,
}

/// A part of an utterance that became the value of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The slot.
    pub slot: String,
    /// The part, in bytes of the utterance.
    pub span: Range<usize>,
    /// The value.
    pub value: String,
}

/// What a conversation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogState {
    /// An utterance that has an intent.
    ElicitIntent,
    /// Yes or no.
    ConfirmIntent,
    /// A value of a slot.
    ElicitSlot,
    /// Nothing: the intent is done.
    Fulfilled,
    /// Nothing: the client does the intent.
    ReadyForFulfillment,
    /// Nothing: the conversation failed.
    Failed,
}

impl DialogState {
    /// As the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DialogState::ElicitIntent => "ElicitIntent",
            DialogState::ConfirmIntent => "ConfirmIntent",
            DialogState::ElicitSlot => "ElicitSlot",
            DialogState::Fulfilled => "Fulfilled",
            DialogState::ReadyForFulfillment => "ReadyForFulfillment",
            DialogState::Failed => "Failed",
        }
    }
}

/// Hears one utterance.
pub fn turn(bot: &Compiled, dialog: &mut Dialog, request: &Request<'_>) -> Step {
    let mut turn = flow::Turn::new(dialog, request);
    let next = turn.hear(bot);
    turn.step(bot, dialog, next)
}

/// Goes on with a turn whose code hook has answered `response`, a JSON text.
///
/// # Errors
/// [`HookError`] that names the field; the conversation is as it was before the turn.
pub fn resume(
    bot: &Compiled,
    dialog: &mut Dialog,
    pending: Pending,
    response: &[u8],
) -> Result<Step, HookError> {
    let mut turn = pending.into_turn();
    let next = turn.hook_answered(bot, response)?;
    Ok(turn.step(bot, dialog, next))
}

#[cfg(test)]
mod tests;
