//! What a code hook is told, and what its answer makes of a turn.

use std::collections::BTreeMap;

use convlog_model::json::Json;

use super::ask::Saying;
use super::compiled::{Compiled, Known};
use super::flow::{Next, Turn};
use super::hook_answer::{HookAnswer, HookContexts};
use super::session::{ActionKind, Confirmation, Context, Filled, Slots};
use super::shown::{nullable_map, optional, string_map};
use super::{DialogMode, DialogState};
use crate::DecodeError;

/// Why the answer of a code hook leads nowhere. Names the field, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// It is not what an answer must be.
    #[error("{0}")]
    Answer(#[from] DecodeError),
    /// The turn has called hooks too often.
    #[error("the turn calls code hooks too often")]
    TooManyCalls,
}

impl Turn {
    /// The input event of Lex V1.
    pub(super) fn event(&self, bot: &Compiled) -> Json {
        let source = match self.fulfilling {
            true => "FulfillmentCodeHook",
            false => "DialogCodeHook",
        };
        let mode = match self.mode {
            DialogMode::Text => "Text",
            DialogMode::Voice => "Voice",
        };
        let attributes = &self.request_attributes;
        let request_attributes = match attributes.is_empty() {
            true => Json::Null,
            false => string_map(attributes),
        };
        Json::object([
            ("messageVersion", Json::string("1.0")),
            ("invocationSource", Json::string(source)),
            ("userId", Json::string(self.user_id.as_str())),
            (
                "sessionAttributes",
                string_map(&self.dialog.session_attributes),
            ),
            ("requestAttributes", request_attributes),
            (
                "bot",
                Json::object([
                    ("name", Json::string(bot.bot.name.as_str())),
                    ("alias", Json::string(self.bot_alias.as_str())),
                    ("version", Json::string(bot.bot.version.as_str())),
                ]),
            ),
            ("outputDialogMode", Json::string(mode)),
            ("currentIntent", self.current_intent()),
            ("alternativeIntents", self.alternatives_json()),
            ("inputTranscript", optional(self.utterance.as_deref())),
            (
                "recentIntentSummaryView",
                self.dialog.recent_intent_summary_view(None),
            ),
            ("sentimentResponse", Json::Null),
            (
                "activeContexts",
                self.dialog.active_contexts_json(self.now_ms),
            ),
        ])
    }

    fn current_intent(&self) -> Json {
        Json::object([
            ("name", optional(self.dialog.intent.as_deref())),
            ("nluIntentConfidenceScore", confidence(self.confidence)),
            ("slots", nullable_map(&self.dialog.values())),
            ("slotDetails", details(&self.dialog.slots)),
            (
                "confirmationStatus",
                Json::string(self.dialog.confirmation.as_str()),
            ),
        ])
    }

    fn alternatives_json(&self) -> Json {
        let each = self.alternatives.iter().map(|alternative| {
            let slots = alternative.slots.iter();
            let given: Slots = slots
                .map(|(name, value)| (name.clone(), value.clone().map(Filled::given)))
                .collect();
            Json::object([
                ("name", Json::string(alternative.name.as_str())),
                (
                    "nluIntentConfidenceScore",
                    confidence(Some(alternative.confidence)),
                ),
                ("slots", nullable_map(&alternative.slots)),
                ("slotDetails", details(&given)),
                ("confirmationStatus", Json::string("None")),
            ])
        });
        Json::Array(each.collect())
    }

    /// Does what a code hook wants.
    pub(super) fn obey(&mut self, bot: &Compiled, answer: HookAnswer) -> Next {
        if let Some(attributes) = answer.session_attributes {
            self.dialog.session_attributes = attributes;
        }
        if let Some(recent) = answer.recent {
            self.dialog.recent = recent;
        }
        if let Some(contexts) = answer.contexts {
            self.set_hook_contexts(contexts);
        }
        if let Some(name) = answer
            .intent
            .filter(|name| self.dialog.intent.as_ref() != Some(name))
        {
            let recognised = self.recognised.clone();
            if let Some(known) = bot.intent(&name) {
                self.start(known);
            }
            self.overridden = true;
            self.recognised = recognised;
        }
        if let Some(slots) = answer.slots {
            self.set_slots(slots);
        }
        let said = (answer.message.is_some() || answer.card.is_some()).then_some(Saying {
            message: answer.message,
            card: answer.card,
        });
        let Some(known) = self.known(bot) else {
            return self.not_understood(bot);
        };
        match answer.kind {
            ActionKind::Delegate if self.fulfilling => self.fulfilled(known, None),
            ActionKind::Delegate => self.next(bot),
            ActionKind::Close if answer.is_failed => {
                self.done(DialogState::Failed, said.unwrap_or_default(), None)
            }
            ActionKind::Close => self.fulfilled(known, said),
            ActionKind::ElicitIntent => {
                let clarification = bot.bot.clarification_prompt.as_ref();
                let saying = said.unwrap_or_else(|| self.prompt_at(None, clarification, 0));
                self.elicit_intent(saying)
            }
            ActionKind::ElicitSlot => self.elicit_slot(known, answer.slot_to_elicit, said),
            ActionKind::ConfirmIntent => {
                self.dialog.confirmation = Confirmation::None;
                self.ask_confirmation(known, said)
            }
        }
    }

    fn elicit_slot(&mut self, known: &Known, slot: Option<String>, said: Option<Saying>) -> Next {
        self.dialog.confirmation = Confirmation::None;
        self.ask_slot(known, &slot.unwrap_or_default(), said)
    }

    /// Values that a hook or a client set; of those that it left as they were, what is known of
    /// them stays.
    pub(super) fn set_slots(&mut self, given: BTreeMap<String, Option<String>>) {
        for (name, value) in given {
            if !self.dialog.slots.contains_key(&name) {
                continue;
            }
            let old = self.dialog.slots.get(&name).cloned().flatten();
            let filled = value.map(|value| match old {
                Some(old) if old.value == value => old,
                _ => Filled::given(value),
            });
            self.dialog.slots.insert(name, filled);
        }
    }

    /// Contexts that a hook set. One that is new lives in the turns after this one.
    fn set_hook_contexts(&mut self, given: HookContexts) {
        let old: Vec<String> = self
            .dialog
            .contexts
            .iter()
            .map(|it| it.name.clone())
            .collect();
        let given = given.into_iter().map(|given| {
            let mut context = Context::new(given, self.now_ms);
            if !old.contains(&context.name) {
                context.turns = context.turns.map(|turns| turns.saturating_add(1));
            }
            context
        });
        self.dialog.contexts = given.collect();
    }
}

fn confidence(score: Option<f64>) -> Json {
    score.map_or(Json::Null, |score| Json::Number(score.to_string().into()))
}

fn details(slots: &Slots) -> Json {
    let each = slots.iter().map(|(name, filled)| {
        let detail = filled.as_ref().map_or(Json::Null, |filled| {
            let resolutions = filled.resolutions.iter();
            let resolutions = resolutions
                .map(|value| Json::object([("value", Json::string(value.as_str()))]))
                .collect();
            let original = filled.original.as_deref().unwrap_or(&filled.value);
            Json::object([
                ("resolutions", Json::Array(resolutions)),
                ("originalValue", Json::string(original)),
            ])
        });
        (name.as_str().into(), detail)
    });
    Json::Object(each.collect())
}
