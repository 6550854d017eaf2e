//! `PutSession`: a client sets what a conversation carries and what is asked next.

use convlog_model::json::Json;

use super::ask::Saying;
use super::compiled::Compiled;
use super::flow::{Next, Turn};
use super::hook_answer::{self, HookAnswer, Values, member, text};
use super::session::{ActionKind, Asking, Confirmation};
use super::{Dialog, DialogState, Request, Step};
use crate::DecodeError;
use crate::lex::model::MessageFormat;

/// Applies a body of `PutSession`, checked. Of `request` the utterance, the attributes and the
/// contexts are not looked at: the body has its own. What it does not name stays. `Delegate`
/// goes on by the bot's rules and may need the code hook of the fulfilment.
///
/// # Errors
/// [`DecodeError`] naming the field; the conversation stays as it was.
pub fn put_session(
    bot: &Compiled,
    dialog: &mut Dialog,
    body: &Json,
    request: &Request<'_>,
) -> Result<Step, DecodeError> {
    if body.as_object().is_none() {
        return Err(DecodeError::new("the body must be an object", None));
    }
    let silent = Request {
        utterance: None,
        session_attributes: hook_answer::attributes(body, "sessionAttributes")?,
        active_contexts: hook_answer::contexts(body)?,
        ..request.clone()
    };
    let mut turn = Turn::new(dialog, &silent);
    // The end of a turn takes one from each context; here nothing was said.
    turn.dialog.spare_contexts();
    turn.elicited = None;
    if let Some(recent) = hook_answer::summaries(body)? {
        turn.dialog.recent = recent;
    }
    let next = match member(body, "dialogAction") {
        Some(action) => {
            let mut answer = HookAnswer::of_action(action, bot, &turn.dialog)?;
            answer.message = message(action)?;
            check_intent(&answer, &turn)?;
            turn.put(bot, answer)
        }
        None => {
            let (recent, last) = (turn.dialog.recent.clone(), turn.dialog.last.clone());
            let next = turn.stay();
            (turn.dialog.recent, turn.dialog.last) = (recent, last);
            next
        }
    };
    Ok(turn.step(bot, dialog, next))
}

fn check_intent(answer: &HookAnswer, turn: &Turn) -> Result<(), DecodeError> {
    let needs_intent = answer.kind == ActionKind::Delegate;
    let has_intent = answer.intent.is_some() || turn.dialog.intent.is_some();
    match needs_intent && !has_intent {
        true => Err(DecodeError::new(
            "is missing",
            Some("dialogAction.intentName"),
        )),
        false => Ok(()),
    }
}

/// A message of a client: text and format beside each other.
fn message(action: &Json) -> Result<Option<(MessageFormat, String)>, DecodeError> {
    const PATH: &str = "dialogAction.message";
    let Some(content) = text(action, "message", PATH)? else {
        return Ok(None);
    };
    let path = "dialogAction.messageFormat";
    let name = text(action, "messageFormat", path)?.unwrap_or("PlainText");
    let kinds = "must be PlainText, CustomPayload, SSML or Composite";
    let format = hook_answer::format(name);
    let format = format.ok_or_else(|| DecodeError::new(kinds, Some(path)))?;
    Ok(Some((format, hook_answer::content_of(content, PATH)?)))
}

impl Turn {
    /// Does what a client wants.
    fn put(&mut self, bot: &Compiled, answer: HookAnswer) -> Next {
        let is_new = answer.intent.is_some() && answer.intent != self.dialog.intent;
        let named = answer.intent.as_deref().and_then(|name| bot.intent(name));
        let slots = answer
            .slots
            .or_else(|| self.remembered(answer.intent.as_deref()?));
        if let Some(known) = named.filter(|_| is_new) {
            self.start(known);
            self.set_defaults(known);
        }
        self.set_slots(slots.unwrap_or_default());
        let said = answer.message.map(|message| Saying {
            message: Some(message),
            card: None,
        });
        self.dialog.asked = 0;
        self.dialog.confirmation = Confirmation::None;
        let known = self.known(bot);
        match (answer.kind, known) {
            (ActionKind::ElicitSlot, Some(known)) => {
                let slot = answer.slot_to_elicit.unwrap_or_default();
                self.ask_slot(known, &slot, said)
            }
            (ActionKind::ConfirmIntent, Some(known)) => self.ask_confirmation(known, said),
            (ActionKind::Delegate, Some(_)) => self.next(bot),
            (ActionKind::Close, _) => {
                let state = match answer.is_failed {
                    true => DialogState::Failed,
                    false => DialogState::Fulfilled,
                };
                self.done(state, said.unwrap_or_default(), None)
            }
            _ => {
                let clarification = bot.bot.clarification_prompt.as_ref();
                let saying = said.unwrap_or_else(|| self.prompt_at(None, clarification, 0));
                self.elicit_intent(saying)
            }
        }
    }

    /// Values of an intent that the conversation goes back to.
    fn remembered(&self, intent: &str) -> Option<Values> {
        let goes_back = self.dialog.intent.as_deref() != Some(intent);
        let mut recent = self.dialog.recent.iter().filter(|_| goes_back);
        let summary = recent.find(|summary| summary.intent.as_deref() == Some(intent))?;
        Some(summary.slots.clone())
    }

    /// What is asked stays asked; nothing is said.
    fn stay(&mut self) -> Next {
        let (state, slot) = match &self.dialog.asking {
            Asking::Slot(name) => (DialogState::ElicitSlot, Some(name.clone())),
            Asking::Confirmation => (DialogState::ConfirmIntent, None),
            Asking::Intent | Asking::FollowUp(_) => (DialogState::ElicitIntent, None),
        };
        self.done(state, Saying::default(), slot.as_deref())
    }
}
