//! The way of a turn: what the utterance is to what was asked, and what follows from it.

use std::collections::BTreeMap;

use super::compiled::{Compiled, Known};
use super::fill;
use super::hook_answer::HookAnswer;
use super::recognise::{self, Candidate};
use super::session::{Asking, Confirmation, Dialog};
use super::slots::Finder;
use super::template::Taken;
use super::words::Said;
use super::{Alternative, Answer, DialogMode, Heard, HookCall, HookError, Request, Step};
use crate::lex::model::FulfillmentKind;

/// Most calls of code hooks in one turn.
const CALLS_MAX: u8 = 4;
/// Times that is asked what no prompt limits: the most that a prompt may.
pub(super) const ATTEMPTS_MAX: u32 = 5;

/// A turn that waits for a code hook.
#[derive(Clone, Debug)]
pub struct Pending(Turn);

impl Pending {
    pub(super) fn into_turn(self) -> Turn {
        self.0
    }
}

/// A turn on its way, with the conversation as it is so far.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) dialog: Dialog,
    pub(super) utterance: Option<String>,
    pub(super) request_attributes: BTreeMap<String, String>,
    pub(super) user_id: String,
    pub(super) bot_alias: String,
    pub(super) now_ms: i64,
    pub(super) mode: DialogMode,
    pub(super) recognised: Option<String>,
    pub(super) confidence: Option<f64>,
    pub(super) alternatives: Vec<Alternative>,
    pub(super) missed: bool,
    pub(super) overridden: bool,
    pub(super) heard: Vec<Heard>,
    pub(super) elicited: Option<String>,
    /// Whether what was asked is still to be answered.
    pub(super) again: bool,
    /// Whether the last hook called was that of the fulfilment.
    pub(super) fulfilling: bool,
    calls: u8,
}

/// Where a turn goes.
#[derive(Debug)]
pub(super) enum Next {
    /// To the code hook of the dialogue.
    DialogHook,
    /// To that of the fulfilment.
    FulfillmentHook,
    /// To its end.
    Done(Box<Answer>),
}

impl Turn {
    /// Begins a turn of a conversation.
    pub(super) fn new(dialog: &Dialog, request: &Request<'_>) -> Self {
        let mut dialog = dialog.clone();
        if let Some(attributes) = &request.session_attributes {
            dialog.session_attributes.clone_from(attributes);
        }
        if let Some(contexts) = &request.active_contexts {
            dialog.set_contexts(contexts.clone(), request.now_ms);
        }
        dialog.end_contexts(request.now_ms);
        let elicited = match &dialog.asking {
            Asking::Slot(name) => Some(name.clone()),
            _ => None,
        };
        Turn {
            dialog,
            utterance: request.utterance.map(str::to_owned),
            request_attributes: request.request_attributes.clone(),
            user_id: request.user_id.to_owned(),
            bot_alias: request.bot_alias.to_owned(),
            now_ms: request.now_ms,
            mode: request.dialog_mode,
            recognised: None,
            confidence: None,
            alternatives: Vec::new(),
            missed: false,
            overridden: false,
            heard: Vec::new(),
            elicited,
            again: false,
            fulfilling: false,
            calls: 0,
        }
    }

    /// Leaves the turn where it goes; its end becomes the conversation.
    pub(super) fn step(mut self, bot: &Compiled, dialog: &mut Dialog, next: Next) -> Step {
        self.fulfilling = matches!(next, Next::FulfillmentHook);
        let uri = match next {
            Next::Done(answer) => {
                *dialog = self.dialog;
                return Step::Done(answer);
            }
            Next::DialogHook => self.known(bot).and_then(dialog_hook),
            Next::FulfillmentHook => self.known(bot).and_then(fulfillment_hook),
        };
        self.calls = self.calls.saturating_add(1);
        Step::Hook(Box::new(HookCall {
            uri: uri.unwrap_or_default().to_owned(),
            event: self.event(bot),
            pending: Pending(self),
        }))
    }

    /// Goes on with what a hook answered.
    pub(super) fn hook_answered(&mut self, bot: &Compiled, body: &[u8]) -> Result<Next, HookError> {
        if self.calls > CALLS_MAX {
            return Err(HookError::TooManyCalls);
        }
        let answer = HookAnswer::parse(body, bot, &self.dialog)?;
        Ok(self.obey(bot, answer))
    }

    /// Takes the utterance for what it is to what was asked.
    pub(super) fn hear(&mut self, bot: &Compiled) -> Next {
        let said = Said::new(
            self.utterance.as_deref().unwrap_or_default(),
            &bot.bot.locale,
        );
        let finder = Finder::new(&said, &bot.matchers, self.now_ms);
        match (self.dialog.asking.clone(), self.known(bot)) {
            (Asking::Slot(name), Some(known)) => self.hear_slot(bot, known, &name, &finder),
            (Asking::Confirmation, Some(known)) => self.hear_confirmation(bot, known, &finder),
            (Asking::FollowUp(intent), _) => match bot.intent(&intent) {
                Some(done) => self.hear_follow_up(bot, done, &finder),
                None => self.hear_intent(bot, &finder),
            },
            _ => self.hear_intent(bot, &finder),
        }
    }

    fn hear_intent(&mut self, bot: &Compiled, finder: &Finder<'_>) -> Next {
        match self.recognise(bot, finder) {
            Some(found) => self.begin(bot, found, finder),
            None => self.not_understood(bot),
        }
    }

    /// The intent of an utterance, where one is understood; the others become alternatives.
    fn recognise<'a>(&mut self, bot: &'a Compiled, finder: &Finder<'_>) -> Option<Candidate<'a>> {
        let mut found = recognise::candidates(bot, finder, &self.dialog.context_names());
        let understood = found
            .first()
            .is_some_and(|best| best.score >= bot.threshold());
        let best = understood.then(|| found.remove(0));
        self.alternatives = recognise::alternatives(&found);
        best
    }

    fn hear_slot(
        &mut self,
        bot: &Compiled,
        known: &Known,
        name: &str,
        finder: &Finder<'_>,
    ) -> Next {
        self.recognised = Some(known.intent.name.clone());
        let Some((index, slot)) = known.slot(name) else {
            return self.next(bot);
        };
        if let Some(taken) = fill::bare_value(known, index, finder) {
            return self.answered(bot, known, &taken, finder);
        }
        if let Some(found) = self.exact(bot, finder) {
            return self.switch(bot, known, found, finder);
        }
        if let Some(taken) = fill::value_within(known, index, finder) {
            return self.answered(bot, known, &[taken], finder);
        }
        let prompt = slot.value_elicitation_prompt.as_ref();
        self.failed(
            bot,
            prompt.map_or(ATTEMPTS_MAX, |prompt| prompt.max_attempts),
        )
    }

    fn hear_confirmation(&mut self, bot: &Compiled, known: &Known, finder: &Finder<'_>) -> Next {
        self.recognised = Some(known.intent.name.clone());
        let yes = bot.yes_no.of(finder.said);
        // `no` may be a sample of an intent too; `cancel` is more than a no.
        let is_more = |found: &Candidate<'_>| yes.is_none() || found.known.is_cancel();
        if let Some(found) = self.exact(bot, finder).filter(is_more) {
            return self.switch(bot, known, found, finder);
        }
        if let Some(yes) = yes {
            self.dialog.confirmation = match yes {
                true => Confirmation::Confirmed,
                false => Confirmation::Denied,
            };
            return self.through_hook(bot);
        }
        let prompt = known.intent.confirmation_prompt.as_ref();
        self.failed(
            bot,
            prompt.map_or(ATTEMPTS_MAX, |prompt| prompt.max_attempts),
        )
    }

    fn hear_follow_up(&mut self, bot: &Compiled, done: &Known, finder: &Finder<'_>) -> Next {
        let yes = bot.yes_no.of(finder.said);
        let is_more = |found: &Candidate<'_>| yes != Some(false) || found.is_exact;
        if let Some(found) = self.recognise(bot, finder).filter(is_more) {
            return self.begin(bot, found, finder);
        }
        let asked = done.intent.follow_up_prompt.as_ref();
        let Some((yes, follow_up)) = yes.zip(asked) else {
            return self.follow_up_again(bot, done);
        };
        self.recognised = Some(done.intent.name.clone());
        match yes {
            true => self.ask_what_else(bot),
            false => self.refuse_follow_up(done, follow_up),
        }
    }

    /// The intent of which a sample covers the utterance.
    fn exact<'a>(&mut self, bot: &'a Compiled, finder: &Finder<'_>) -> Option<Candidate<'a>> {
        let found = recognise::candidates(bot, finder, &self.dialog.context_names());
        let mut exact = found.into_iter().filter(|one| one.is_exact);
        exact.find(|one| one.score >= bot.threshold())
    }

    /// Goes over to another intent, or takes what was said about the same.
    fn switch(
        &mut self,
        bot: &Compiled,
        known: &Known,
        found: Candidate<'_>,
        finder: &Finder<'_>,
    ) -> Next {
        if found.known.intent.name != known.intent.name {
            return self.begin(bot, found, finder);
        }
        self.confidence = Some(found.score);
        let elicited = self.elicited.as_deref().and_then(|name| known.slot(name));
        let is_answer = |taken: &Taken| elicited.is_none_or(|(index, _)| taken.slot == index);
        if found.taken.iter().any(is_answer) {
            return self.answered(bot, known, &found.taken, finder);
        }
        self.fill(known, &found.taken, finder);
        let prompt = elicited.and_then(|(_, slot)| slot.value_elicitation_prompt.as_ref());
        self.failed(
            bot,
            prompt.map_or(ATTEMPTS_MAX, |prompt| prompt.max_attempts),
        )
    }

    /// Goes on with a value of what was asked.
    fn answered(
        &mut self,
        bot: &Compiled,
        known: &Known,
        taken: &[Taken],
        finder: &Finder<'_>,
    ) -> Next {
        self.fill(known, taken, finder);
        self.dialog.asked = 0;
        self.dialog.confirmation = Confirmation::None;
        self.through_hook(bot)
    }

    /// Begins an intent.
    fn begin(&mut self, bot: &Compiled, found: Candidate<'_>, finder: &Finder<'_>) -> Next {
        self.start(found.known);
        self.confidence = Some(found.score);
        self.fill(found.known, &found.taken, finder);
        self.set_defaults(found.known);
        self.through_hook(bot)
    }

    /// Makes an intent that of the conversation.
    pub(super) fn start(&mut self, known: &Known) {
        self.recognised = Some(known.intent.name.clone());
        self.dialog.clear();
        self.dialog.clarified = 0;
        self.dialog.intent = Some(known.intent.name.clone());
        let slots = known.intent.slots.iter();
        self.dialog.slots = slots.map(|slot| (slot.name.clone(), None)).collect();
    }

    /// To the hook of the intent, where it has one, else on.
    fn through_hook(&mut self, bot: &Compiled) -> Next {
        match self.known(bot).and_then(dialog_hook) {
            Some(_) => Next::DialogHook,
            None => self.next(bot),
        }
    }

    /// What was asked is still open: asks again, as often as may be.
    fn failed(&mut self, bot: &Compiled, attempts_max: u32) -> Next {
        if self.dialog.asked >= attempts_max.max(1) {
            return self.give_up(bot);
        }
        self.again = true;
        self.through_hook(bot)
    }

    /// The intent of the conversation.
    pub(super) fn known<'a>(&self, bot: &'a Compiled) -> Option<&'a Known> {
        bot.intent(self.dialog.intent.as_deref()?)
    }
}

pub(super) fn dialog_hook(known: &Known) -> Option<&str> {
    let hook = known.intent.dialog_code_hook.as_ref()?;
    (!known.is_fallback).then_some(hook.uri.as_str())
}

pub(super) fn fulfillment_hook(known: &Known) -> Option<&str> {
    let activity = known.intent.fulfillment_activity.as_ref()?;
    let is_hook = activity.kind == FulfillmentKind::CodeHook;
    let hook = activity.code_hook.as_ref().filter(|_| is_hook)?;
    Some(&hook.uri)
}
