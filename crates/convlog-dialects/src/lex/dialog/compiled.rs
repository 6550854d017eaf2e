//! A version of a bot with its samples and slot types taken apart, made once.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin;
use super::slots::Matcher;
use super::template::Template;
use super::yes_no::YesNo;
use crate::lex::model::{Bot, Intent, Slot, SlotType};

/// Confidence below which an intent is not understood, unless the bot says another.
const THRESHOLD: f64 = 0.4;
/// What built-in intents of which a bot has a variant begin with.
const FALLBACK: &str = "AMAZON.FallbackIntent";

/// A bot that can be talked to. Made once per version; costs as much memory as its samples.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub(super) bot: Bot,
    pub(super) intents: Vec<Known>,
    pub(super) matchers: Vec<Matcher>,
    /// How much each stem tells: one divided by the number of intents that use it.
    pub(super) weights: BTreeMap<String, f64>,
    pub(super) yes_no: YesNo,
}

/// An intent and its samples.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) intent: Intent,
    pub(super) templates: Vec<Template>,
    /// For each slot, which matcher finds its values.
    pub(super) matchers: Vec<usize>,
    /// For each slot, what users say when they are asked for it.
    pub(super) answers: Vec<Vec<Template>>,
    pub(super) is_fallback: bool,
}

impl Compiled {
    /// A bot of `intents` in the order in which it lists them. Slots whose type is neither of
    /// `slot_types` nor known as built-in take any words; patterns that are none are left out.
    #[must_use]
    pub fn new(bot: Bot, intents: Vec<Intent>, slot_types: Vec<SlotType>) -> Compiled {
        let mut types = Types::default();
        let intents: Vec<Known> = intents
            .into_iter()
            .map(|intent| known(intent, &bot.locale, &slot_types, &mut types))
            .collect();
        Compiled {
            weights: weights(&intents),
            yes_no: YesNo::new(&bot.locale),
            matchers: types.matchers,
            intents,
            bot,
        }
    }

    /// The bot.
    #[must_use]
    pub fn bot(&self) -> &Bot {
        &self.bot
    }

    pub(super) fn threshold(&self) -> f64 {
        let own = self.bot.nlu_intent_confidence_threshold;
        own.unwrap_or(THRESHOLD)
    }

    pub(super) fn intent(&self, name: &str) -> Option<&Known> {
        self.intents.iter().find(|known| known.intent.name == name)
    }

    pub(super) fn fallback(&self) -> Option<&Known> {
        self.intents.iter().find(|known| known.is_fallback)
    }
}

impl Known {
    pub(super) fn is_cancel(&self) -> bool {
        let parent = self.intent.parent_intent_signature.as_deref();
        parent == Some("AMAZON.CancelIntent")
    }

    /// The slot of a name, with its index.
    pub(super) fn slot(&self, name: &str) -> Option<(usize, &Slot)> {
        let mut slots = self.intent.slots.iter().enumerate();
        slots.find(|(_, slot)| slot.name == name)
    }
}

/// The slot types that the intents use, each once.
#[derive(Default)]
struct Types {
    matchers: Vec<Matcher>,
    by_name: BTreeMap<String, usize>,
}

impl Types {
    fn index(&mut self, name: &str, own: &[SlotType], locale: &str) -> usize {
        if let Some(index) = self.by_name.get(name) {
            return *index;
        }
        let index = self.matchers.len();
        self.matchers.push(Matcher::new(name, own, locale));
        self.by_name.insert(name.to_owned(), index);
        index
    }
}

fn known(intent: Intent, locale: &str, own: &[SlotType], types: &mut Types) -> Known {
    let names: Vec<&str> = intent.slots.iter().map(|slot| slot.name.as_str()).collect();
    let template = |sample: &String| Template::new(sample, locale, &names);
    let built_in = intent.parent_intent_signature.as_deref();
    let signature = built_in.unwrap_or(&intent.name);
    let own_samples = intent.sample_utterances.iter().map(template);
    let more = builtin::samples(signature, locale).iter();
    let more = more.map(|sample| Template::new(sample, locale, &[]));
    let templates = own_samples.chain(more).collect();
    let slots = intent.slots.iter();
    let answers = slots
        .clone()
        .map(|slot| slot.sample_utterances.iter().map(template).collect())
        .collect();
    let matchers = slots
        .map(|slot| types.index(slot.slot_type.as_deref().unwrap_or_default(), own, locale))
        .collect();
    Known {
        templates,
        matchers,
        answers,
        is_fallback: signature == FALLBACK,
        intent,
    }
}

fn weights(intents: &[Known]) -> BTreeMap<String, f64> {
    let mut users: BTreeMap<&str, u32> = BTreeMap::new();
    for known in intents {
        let words: BTreeSet<&str> = known.templates.iter().flat_map(Template::words).collect();
        for word in words {
            *users.entry(word).or_default() += 1;
        }
    }
    let shares = users.into_iter();
    shares
        .map(|(word, count)| (word.to_owned(), 1.0 / f64::from(count)))
        .collect()
}
