//! What a conversation carries from turn to turn.

use std::collections::{BTreeMap, BTreeSet};

use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use super::shown::contexts_json;
use super::slots::Find;
use crate::lex::model::{ActiveContext, MessageFormat, OutputContext, TimeToLive};

/// Most intents of which a conversation keeps a summary.
pub(super) const RECENT_MAX: usize = 3;
/// Most contexts of a conversation.
pub(super) const CONTEXTS_MAX: usize = 20;
/// Most parameters of a context.
const PARAMETERS_MAX: usize = 10;

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialog {
    pub(super) session_attributes: BTreeMap<String, String>,
    pub(super) contexts: Vec<Context>,
    /// The intent that is being talked about.
    pub(super) intent: Option<String>,
    pub(super) slots: Slots,
    pub(super) confirmation: Confirmation,
    pub(super) asking: Asking,
    /// How often that was asked.
    pub(super) asked: u32,
    /// How often the user was told that nothing was understood, one after the other.
    pub(super) clarified: u32,
    /// Summaries of intents, the last first.
    pub(super) recent: Vec<Summary>,
    pub(super) last: Option<Action>,
}

/// Values by slot.
pub(super) type Slots = BTreeMap<String, Option<Filled>>;

/// The value of a slot, and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Filled {
    pub(super) value: String,
    /// What was said; none for values that nobody said.
    pub(super) original: Option<String>,
    pub(super) resolutions: Vec<String>,
}

/// What a conversation waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Asking {
    /// Any utterance with an intent.
    #[default]
    Intent,
    /// A value of a slot.
    Slot(String),
    /// Yes or no.
    Confirmation,
    /// What else there is, once this intent is done.
    FollowUp(String),
}

/// Whether an intent was confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Confirmation {
    #[default]
    None,
    Confirmed,
    Denied,
}

/// A context that is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Context {
    pub(super) name: String,
    /// When it ends, in milliseconds since the epoch.
    pub(super) ends_ms: Option<i64>,
    /// Turns left.
    pub(super) turns: Option<u32>,
    pub(super) parameters: BTreeMap<String, String>,
}

/// What happened to an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) intent: Option<String>,
    pub(super) checkpoint: Option<String>,
    pub(super) slots: BTreeMap<String, Option<String>>,
    pub(super) confirmation: Confirmation,
    pub(super) action: ActionKind,
    pub(super) fulfillment: Option<String>,
    pub(super) slot_to_elicit: Option<String>,
}

/// The last that was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Action {
    pub(super) kind: ActionKind,
    pub(super) intent: Option<String>,
    pub(super) slots: BTreeMap<String, Option<String>>,
    pub(super) slot_to_elicit: Option<String>,
    pub(super) fulfillment: Option<String>,
    pub(super) message: Option<(MessageFormat, String)>,
}

/// What a bot does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ActionKind {
    ElicitIntent,
    ConfirmIntent,
    ElicitSlot,
    Close,
    Delegate,
}

impl Dialog {
    /// The conversation's attributes.
    #[must_use]
    pub fn session_attributes(&self) -> &BTreeMap<String, String> {
        &self.session_attributes
    }

    /// `GetSession`'s list of the last intents, at most 3, the last first; with `label`, only those
    /// that carry it as their checkpoint.
    #[must_use]
    pub fn recent_intent_summary_view(&self, label: Option<&str>) -> Json {
        let wanted = |summary: &&Summary| label.is_none() || summary.checkpoint.as_deref() == label;
        let shown = self.recent.iter().filter(wanted);
        Json::Array(shown.map(Summary::to_json).collect())
    }

    /// `GetSession`'s last action; `None` before the first.
    #[must_use]
    pub fn dialog_action(&self) -> Option<Json> {
        self.last.as_ref().map(Action::to_json)
    }

    /// Contexts that are active at a moment, as `GetSession` and answers list them.
    #[must_use]
    pub fn active_contexts(&self, now_ms: i64) -> Vec<ActiveContext> {
        let open = self.contexts.iter().filter(|context| context.lives(now_ms));
        open.map(|context| context.shown(now_ms)).collect()
    }

    /// [`Dialog::active_contexts`] as JSON.
    #[must_use]
    pub fn active_contexts_json(&self, now_ms: i64) -> Json {
        contexts_json(&self.active_contexts(now_ms))
    }

    pub(super) fn values(&self) -> BTreeMap<String, Option<String>> {
        let values = self.slots.iter();
        values
            .map(|(name, filled)| (name.clone(), filled.as_ref().map(|it| it.value.clone())))
            .collect()
    }

    pub(super) fn context_names(&self) -> BTreeSet<&str> {
        self.contexts.iter().map(|it| it.name.as_str()).collect()
    }

    /// Forgets the intent and what was asked.
    pub(super) fn clear(&mut self) {
        self.intent = None;
        self.slots.clear();
        self.confirmation = Confirmation::None;
        self.asking = Asking::Intent;
        self.asked = 0;
    }

    /// Notes what happened to an intent: with what is known of it already, while it goes on.
    pub(super) fn note(&mut self, mut summary: Summary) {
        let goes_on = self
            .recent
            .first()
            .filter(|last| last.intent == summary.intent && last.action != ActionKind::Close);
        if let Some(last) = goes_on {
            summary.checkpoint.clone_from(&last.checkpoint);
            self.recent.remove(0);
        }
        self.recent.insert(0, summary);
        self.recent.truncate(RECENT_MAX);
    }

    /// Sets contexts that a client gave.
    pub(super) fn set_contexts(&mut self, given: Vec<ActiveContext>, now_ms: i64) {
        let given = given.into_iter().take(CONTEXTS_MAX);
        self.contexts = given.map(|one| Context::new(one, now_ms)).collect();
    }

    /// Opens a context of an intent that is done, with its slots. It lives in the turns after this
    /// one, at whose end [`Dialog::age`] is called.
    pub(super) fn open(&mut self, opened: &OutputContext, now_ms: i64) {
        let filled = self.slots.iter();
        let filled =
            filled.filter_map(|(name, it)| Some((name.clone(), it.as_ref()?.value.clone())));
        let parameters = filled.take(PARAMETERS_MAX).collect();
        self.contexts.retain(|context| context.name != opened.name);
        if self.contexts.len() >= CONTEXTS_MAX {
            self.contexts.remove(0);
        }
        self.contexts.push(Context {
            name: opened.name.clone(),
            ends_ms: Some(ends(now_ms, opened.time_to_live_in_seconds)),
            turns: Some(opened.turns_to_live.saturating_add(1)),
            parameters,
        });
    }

    /// Drops contexts whose time is over.
    pub(super) fn end_contexts(&mut self, now_ms: i64) {
        self.contexts.retain(|context| context.lives(now_ms));
    }

    /// Gives each context the turn back that [`Dialog::age`] will take.
    pub(super) fn spare_contexts(&mut self) {
        for context in &mut self.contexts {
            context.turns = context.turns.map(|turns| turns.saturating_add(1));
        }
    }

    /// Takes a turn from each context and drops those that end.
    pub(super) fn age(&mut self, now_ms: i64) {
        for context in &mut self.contexts {
            context.turns = context.turns.map(|turns| turns.saturating_sub(1));
        }
        self.contexts.retain(|context| context.lives(now_ms));
    }
}

impl Context {
    pub(super) fn new(given: ActiveContext, now_ms: i64) -> Self {
        let seconds = given.time_to_live.time_to_live_in_seconds;
        Context {
            name: given.name,
            ends_ms: seconds.map(|seconds| ends(now_ms, seconds)),
            turns: given.time_to_live.turns_to_live,
            parameters: given.parameters.into_iter().take(PARAMETERS_MAX).collect(),
        }
    }

    fn lives(&self, now_ms: i64) -> bool {
        self.ends_ms.is_none_or(|end| now_ms < end) && self.turns != Some(0)
    }

    fn shown(&self, now_ms: i64) -> ActiveContext {
        let left = self.ends_ms.map(|end| {
            let seconds = end.saturating_sub(now_ms).saturating_add(999) / 1000;
            u32::try_from(seconds).unwrap_or(u32::MAX)
        });
        ActiveContext {
            name: self.name.clone(),
            time_to_live: TimeToLive {
                time_to_live_in_seconds: left,
                turns_to_live: self.turns,
            },
            parameters: self.parameters.clone(),
        }
    }
}

fn ends(now_ms: i64, seconds: u32) -> i64 {
    now_ms.saturating_add(i64::from(seconds) * 1000)
}

impl Filled {
    /// A value that nobody said.
    pub(super) fn given(value: String) -> Self {
        Filled {
            value,
            original: None,
            resolutions: Vec::new(),
        }
    }

    pub(super) fn heard(find: &Find, text: &str) -> Self {
        Filled {
            value: find.value.clone(),
            original: Some(text.to_owned()),
            resolutions: find.resolutions.clone(),
        }
    }
}

impl Confirmation {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Confirmation::None => "None",
            Confirmation::Confirmed => "Confirmed",
            Confirmation::Denied => "Denied",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [
            Confirmation::None,
            Confirmation::Confirmed,
            Confirmation::Denied,
        ];
        all.into_iter().find(|one| one.as_str() == text)
    }
}

impl ActionKind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            ActionKind::ElicitIntent => "ElicitIntent",
            ActionKind::ConfirmIntent => "ConfirmIntent",
            ActionKind::ElicitSlot => "ElicitSlot",
            ActionKind::Close => "Close",
            ActionKind::Delegate => "Delegate",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let all = [
            ActionKind::ElicitIntent,
            ActionKind::ConfirmIntent,
            ActionKind::ElicitSlot,
            ActionKind::Close,
            ActionKind::Delegate,
        ];
        all.into_iter().find(|one| one.as_str() == text)
    }
}
