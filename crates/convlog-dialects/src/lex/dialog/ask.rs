//! What a turn ends in: a question, the end of an intent, or that nothing was understood.

use convlog_model::json::Json;

use super::compiled::{Compiled, Known};
use super::flow::{Next, Turn, fulfillment_hook};
use super::say::{self, Quotable};
use super::session::{Action, ActionKind, Asking, Confirmation, Summary};
use super::{Answer, DialogState};
use crate::lex::model::{
    FollowUp, Message, MessageFormat, Prompt, Slot, SlotConstraint, Statement,
};

/// What is said at the end of a turn.
#[derive(Debug, Default)]
pub(super) struct Saying {
    pub(super) message: Option<(MessageFormat, String)>,
    pub(super) card: Option<Json>,
}

impl Turn {
    /// What follows by the bot's own rules: the next question, or the fulfilment.
    pub(super) fn next(&mut self, bot: &Compiled) -> Next {
        let Some(known) = self.known(bot) else {
            return self.not_understood(bot);
        };
        if self.dialog.confirmation == Confirmation::Denied {
            return self.denied(known);
        }
        if self.again {
            match self.dialog.asking.clone() {
                Asking::Slot(name) if self.is_empty(&name) => {
                    return self.ask_slot(known, &name, None);
                }
                Asking::Confirmation if self.dialog.confirmation == Confirmation::None => {
                    return self.ask_confirmation(known, None);
                }
                _ => {}
            }
        }
        if let Some(slot) = self.missing(known) {
            return self.ask_slot(known, &slot.name, None);
        }
        let is_asked = known.intent.confirmation_prompt.is_some();
        if is_asked && self.dialog.confirmation == Confirmation::None {
            return self.ask_confirmation(known, None);
        }
        match fulfillment_hook(known) {
            Some(_) => Next::FulfillmentHook,
            None => self.return_intent(known),
        }
    }

    fn is_empty(&self, slot: &str) -> bool {
        self.dialog.slots.get(slot).is_none_or(Option::is_none)
    }

    /// The required slot without a value that comes first by priority, then by order.
    fn missing<'a>(&self, known: &'a Known) -> Option<&'a Slot> {
        let slots = known.intent.slots.iter();
        slots
            .filter(|slot| slot.slot_constraint == SlotConstraint::Required)
            .filter(|slot| self.is_empty(&slot.name))
            .min_by_key(|slot| slot.priority.unwrap_or(u32::MAX))
    }

    /// Asks for a slot, in the words of a hook where it gave some.
    pub(super) fn ask_slot(&mut self, known: &Known, name: &str, said: Option<Saying>) -> Next {
        self.ask(Asking::Slot(name.to_owned()));
        let slot = known.slot(name).map(|(_, slot)| slot);
        let saying = said.unwrap_or_else(|| {
            let prompt = slot.and_then(|slot| slot.value_elicitation_prompt.as_ref());
            let mut saying = self.prompt(known, prompt);
            let own_card = slot.and_then(|slot| say::card(slot.response_card.as_deref()));
            saying.card = saying.card.or(own_card);
            saying
        });
        self.done(DialogState::ElicitSlot, saying, Some(name))
    }

    /// Asks whether to do the intent, in the words of a hook where it gave some.
    pub(super) fn ask_confirmation(&mut self, known: &Known, said: Option<Saying>) -> Next {
        self.ask(Asking::Confirmation);
        let prompt = known.intent.confirmation_prompt.as_ref();
        let saying = said.unwrap_or_else(|| self.prompt(known, prompt));
        self.done(DialogState::ConfirmIntent, saying, None)
    }

    /// Notes what is asked, and how often.
    fn ask(&mut self, asking: Asking) {
        let same = self.dialog.asking == asking;
        self.dialog.asked = if same { self.dialog.asked } else { 0 }.saturating_add(1);
        self.dialog.asking = asking;
    }

    fn denied(&mut self, known: &Known) -> Next {
        let saying = self.statement(Some(known), known.intent.rejection_statement.as_ref());
        self.done(DialogState::Failed, saying, None)
    }

    fn return_intent(&mut self, known: &Known) -> Next {
        self.open_contexts(known);
        let saying = self.statement(Some(known), known.intent.conclusion_statement.as_ref());
        self.done(DialogState::ReadyForFulfillment, saying, None)
    }

    /// Ends an intent that a hook has done: with what the hook said, what follows, or the
    /// conclusion.
    pub(super) fn fulfilled(&mut self, known: &Known, said: Option<Saying>) -> Next {
        self.open_contexts(known);
        if let Some(saying) = said {
            return self.done(DialogState::Fulfilled, saying, None);
        }
        if let Some(follow_up) = &known.intent.follow_up_prompt {
            return self.follow_up(known, &follow_up.prompt);
        }
        let saying = self.statement(Some(known), known.intent.conclusion_statement.as_ref());
        self.done(DialogState::Fulfilled, saying, None)
    }

    fn open_contexts(&mut self, known: &Known) {
        for context in &known.intent.output_contexts {
            self.dialog.open(context, self.now_ms);
        }
    }

    fn follow_up(&mut self, known: &Known, prompt: &Prompt) -> Next {
        let saying = self.prompt_at(Some(known), Some(prompt), 0);
        // The summary tells that the intent is closed, though the conversation goes on.
        self.summarise(ActionKind::Close, Some("Fulfilled"), None);
        self.dialog.clear();
        self.ask(Asking::FollowUp(known.intent.name.clone()));
        self.done(DialogState::ElicitIntent, saying, None)
    }

    /// What else there is was not understood.
    pub(super) fn follow_up_again(&mut self, bot: &Compiled, done: &Known) -> Next {
        let prompt = done.intent.follow_up_prompt.as_ref();
        let Some(FollowUp { prompt, .. }) = prompt else {
            return self.not_understood(bot);
        };
        self.missed = true;
        if self.dialog.asked >= prompt.max_attempts.max(1) {
            return self.give_up(bot);
        }
        let saying = self.prompt_at(Some(done), Some(prompt), self.dialog.asked);
        self.ask(Asking::FollowUp(done.intent.name.clone()));
        self.done(DialogState::ElicitIntent, saying, None)
    }

    /// There is something else: asks for it.
    pub(super) fn ask_what_else(&mut self, bot: &Compiled) -> Next {
        let saying = self.prompt_at(None, bot.bot.clarification_prompt.as_ref(), 0);
        self.elicit_intent(saying)
    }

    pub(super) fn refuse_follow_up(&mut self, done: &Known, follow_up: &FollowUp) -> Next {
        let saying = self.statement(Some(done), Some(&follow_up.rejection_statement));
        self.done(DialogState::Fulfilled, saying, None)
    }

    /// Waits for any intent.
    pub(super) fn elicit_intent(&mut self, saying: Saying) -> Next {
        self.dialog.clear();
        self.done(DialogState::ElicitIntent, saying, None)
    }

    /// No intent was understood: says so, as often as the bot may, then gives up.
    pub(super) fn not_understood(&mut self, bot: &Compiled) -> Next {
        self.missed = true;
        let prompt = bot.bot.clarification_prompt.as_ref();
        let attempt = self.dialog.clarified;
        let may_ask = match prompt {
            Some(prompt) => attempt < prompt.max_attempts.max(1),
            // A bot that can neither ask nor end nor fall back still says what it waits for.
            None => bot.fallback().is_none() && bot.bot.abort_statement.is_none(),
        };
        if !may_ask {
            return self.give_up(bot);
        }
        self.dialog.clarified = attempt.saturating_add(1);
        let saying = self.prompt_at(None, prompt, attempt);
        self.elicit_intent(saying)
    }

    /// Ends in the fallback intent, else in the bot's last words.
    pub(super) fn give_up(&mut self, bot: &Compiled) -> Next {
        if let Some(fallback) = bot.fallback() {
            self.start(fallback);
            self.missed = true;
            self.confidence = None;
            return self.next(bot);
        }
        let known = self.known(bot);
        let saying = self.statement(known, bot.bot.abort_statement.as_ref());
        self.done(DialogState::Failed, saying, None)
    }

    /// A prompt for what is being asked, in the wording of this attempt.
    fn prompt(&self, known: &Known, prompt: Option<&Prompt>) -> Saying {
        let attempt = self.dialog.asked.saturating_sub(1);
        self.prompt_at(Some(known), prompt, attempt)
    }

    pub(super) fn prompt_at(
        &self,
        known: Option<&Known>,
        prompt: Option<&Prompt>,
        attempt: u32,
    ) -> Saying {
        prompt.map_or_else(Saying::default, |prompt| Saying {
            message: self.words(known, &prompt.messages, attempt),
            card: say::card(prompt.response_card.as_deref()),
        })
    }

    fn statement(&self, known: Option<&Known>, statement: Option<&Statement>) -> Saying {
        statement.map_or_else(Saying::default, |statement| Saying {
            message: self.words(known, &statement.messages, 0),
            card: say::card(statement.response_card.as_deref()),
        })
    }

    fn words(
        &self,
        known: Option<&Known>,
        messages: &[Message],
        attempt: u32,
    ) -> Option<(MessageFormat, String)> {
        let quotable = Quotable {
            slots: known.map_or(&[], |known| &known.intent.slots),
            values: &self.dialog.values(),
            session_attributes: &self.dialog.session_attributes,
            request_attributes: &self.request_attributes,
        };
        say::message(messages, attempt, quotable)
    }

    fn summarise(&mut self, action: ActionKind, fulfillment: Option<&str>, slot: Option<&str>) {
        let summary = Summary {
            intent: self.dialog.intent.clone(),
            checkpoint: None,
            slots: self.dialog.values(),
            confirmation: self.dialog.confirmation,
            action,
            fulfillment: fulfillment.map(str::to_owned),
            slot_to_elicit: slot.map(str::to_owned),
        };
        self.dialog.note(summary);
    }

    /// The end of a turn.
    pub(super) fn done(&mut self, state: DialogState, saying: Saying, slot: Option<&str>) -> Next {
        let kind = match state {
            DialogState::ElicitIntent => ActionKind::ElicitIntent,
            DialogState::ConfirmIntent => ActionKind::ConfirmIntent,
            DialogState::ElicitSlot => ActionKind::ElicitSlot,
            _ => ActionKind::Close,
        };
        let is_closed = kind == ActionKind::Close;
        let fulfillment = is_closed.then(|| state.as_str());
        if self.dialog.intent.is_some() {
            self.summarise(kind, fulfillment, slot);
        }
        self.dialog.age(self.now_ms);
        let slots = self.dialog.values();
        let intent_name = match state {
            DialogState::ElicitIntent => None,
            // Where the follow-up was refused, the intent that it followed is told.
            _ => self
                .dialog
                .intent
                .clone()
                .or_else(|| self.recognised.clone()),
        };
        self.dialog.last = Some(Action {
            kind,
            intent: intent_name.clone(),
            slots: slots.clone(),
            slot_to_elicit: slot.map(str::to_owned),
            fulfillment: fulfillment.map(str::to_owned),
            message: saying.message.clone(),
        });
        if is_closed {
            self.dialog.clear();
            self.dialog.clarified = 0;
        }
        Next::Done(Box::new(Answer {
            intent_name,
            recognised: self.recognised.clone(),
            nlu_confidence: self.confidence,
            alternatives: self.alternatives.clone(),
            slots,
            session_attributes: self.dialog.session_attributes.clone(),
            message: saying.message,
            dialog_state: state,
            slot_to_elicit: slot.map(str::to_owned),
            response_card: saying.card,
            active_contexts: self.dialog.active_contexts(self.now_ms),
            missed: self.missed,
            developer_override: self.overridden,
            heard: self.heard.clone(),
            elicited: self.elicited.clone(),
        }))
    }
}
