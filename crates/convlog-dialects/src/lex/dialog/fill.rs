//! Values for slots: what was heard, what an answer to a question holds, what slots start with.

use super::Heard;
use super::compiled::Known;
use super::flow::Turn;
use super::session::Filled;
use super::slots::Finder;
use super::template::{Taken, Template};
use crate::lex::model::{DefaultValue, Slot};

impl Turn {
    pub(super) fn fill(&mut self, known: &Known, taken: &[Taken], finder: &Finder<'_>) {
        for Taken { slot, find } in taken {
            let Some(slot) = known.intent.slots.get(*slot) else {
                continue;
            };
            let text = finder.said.slice(&find.span);
            let filled = Filled::heard(find, text);
            self.dialog.slots.insert(slot.name.clone(), Some(filled));
            self.heard.push(Heard {
                slot: slot.name.clone(),
                span: find.span.clone(),
                value: find.value.clone(),
            });
        }
    }

    /// Gives empty slots the values that they start with.
    pub(super) fn set_defaults(&mut self, known: &Known) {
        for slot in &known.intent.slots {
            let is_empty = self
                .dialog
                .slots
                .get(&slot.name)
                .is_none_or(Option::is_none);
            if let Some(value) = self.default_of(slot).filter(|_| is_empty) {
                let filled = Some(Filled::given(value));
                self.dialog.slots.insert(slot.name.clone(), filled);
            }
        }
    }

    fn default_of(&self, slot: &Slot) -> Option<String> {
        let list = &slot.default_value_spec.as_ref()?.default_value_list;
        list.iter().find_map(|DefaultValue { default_value }| {
            if let Some(place) = default_value.strip_prefix('#') {
                let (name, parameter) = place.split_once('.')?;
                let mut contexts = self.dialog.contexts.iter();
                let context = contexts.find(|context| context.name == name)?;
                return context.parameters.get(parameter).cloned();
            }
            let inner = default_value.strip_prefix('[');
            match inner.and_then(|inner| inner.strip_suffix(']')) {
                Some(name) => self.dialog.session_attributes.get(name).cloned(),
                None => Some(default_value.clone()),
            }
        })
    }
}

/// Values in an answer to the question for a slot: by the slot's own samples, else the whole
/// answer where the type knows it.
pub(super) fn bare_value(known: &Known, index: usize, finder: &Finder<'_>) -> Option<Vec<Taken>> {
    let tokens = finder.said.tokens.iter();
    let stems = tokens.map(|token| token.stem.as_str()).collect();
    let samples = known.answers.get(index)?;
    let says_something = |sample: &&Template| sample.words().next().is_some();
    let fits = samples.iter().filter(says_something).find_map(|sample| {
        let fit = sample.fit(finder, &known.matchers, &stems, true)?;
        let has_value = fit.taken.iter().any(|taken| taken.slot == index);
        has_value.then_some(fit.taken)
    });
    fits.or_else(|| {
        let mut here = finder.known(*known.matchers.get(index)?, 0).iter();
        let find = here.find(|find| find.to == finder.said.len())?.clone();
        Some(vec![Taken { slot: index, find }])
    })
}

/// A value in the midst of an answer to the question for a slot; else the whole answer, where the
/// type takes any words.
pub(super) fn value_within(known: &Known, index: usize, finder: &Finder<'_>) -> Option<Taken> {
    let matcher = *known.matchers.get(index)?;
    let used = vec![false; finder.said.len()];
    let find = finder.first(matcher, &used);
    let whole = || finder.matcher(matcher)?.whole_answer(finder.said);
    let find = find.or_else(whole)?;
    Some(Taken { slot: index, find })
}
