//! Sample utterances: words and slots in braces, laid over what was said.

use std::collections::BTreeSet;

use super::slots::{Find, Finder};
use super::words::Said;

/// Most places of a sample, above what the longest has; one with more fits nothing.
const PARTS_MAX: usize = 300;

/// A sample utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

/// One place of a sample utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// The stem of a word.
    Word(String),
    /// A slot, by its index in the intent.
    Slot(usize),
}

/// A value for a slot of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its index in the intent.
    pub(super) slot: usize,
    /// The value.
    pub(super) find: Find,
}

/// How a sample lies over an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// Values of its slots.
    pub(super) taken: Vec<Taken>,
    /// Words of the utterance that it covers.
    pub(super) words: usize,
    /// Of these, words of the sample.
    pub(super) literals: usize,
    /// Of these, words that are a value only because the slot takes any words.
    pub(super) open: usize,
}

impl Template {
    /// Reads a sample; braces around anything but one of `slots` are left out of account.
    pub(super) fn new(sample: &str, language: &str, slots: &[&str]) -> Self {
        let mut parts = Vec::new();
        let words = |text: &str| -> Vec<Part> {
            let tokens = Said::new(text, language).tokens.into_iter();
            tokens.map(|token| Part::Word(token.stem)).collect()
        };
        let mut rest = sample;
        while let Some((before, after)) = rest.split_once('{') {
            parts.extend(words(before));
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            match slots.iter().position(|slot| *slot == name.trim()) {
                Some(slot) => parts.push(Part::Slot(slot)),
                None => parts.extend(words(name)),
            }
            rest = after;
        }
        parts.extend(words(rest));
        if parts.len() > PARTS_MAX {
            parts.clear();
        }
        Template { parts }
    }

    /// The stems of its words.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Word(stem) => Some(stem.as_str()),
            Part::Slot(_) => None,
        })
    }

    /// The slots that it has.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().filter_map(|part| match part {
            Part::Slot(slot) => Some(*slot),
            Part::Word(_) => None,
        })
    }

    /// Lays it over the whole utterance, or where that is not asked for, over a part of it.
    /// `matchers` gives for each slot of the intent the matcher that it has.
    pub(super) fn fit(
        &self,
        finder: &Finder<'_>,
        matchers: &[usize],
        stems: &BTreeSet<&str>,
        whole: bool,
    ) -> Option<Fit> {
        let possible = self.words().all(|word| stems.contains(word));
        if self.parts.is_empty() || !possible {
            return None;
        }
        let mut search = Search {
            template: self,
            finder,
            matchers,
            whole,
            dead: BTreeSet::new(),
            taken: Vec::new(),
        };
        let starts = if whole { 1 } else { finder.said.len() };
        let (from, to) = (0..starts).find_map(|from| Some((from, search.lay(0, from)?)))?;
        let taken = search.taken;
        let open = taken.iter().filter(|taken| taken.find.open);
        Some(Fit {
            words: to - from,
            literals: self.words().count(),
            open: open.map(|taken| taken.find.words).sum(),
            taken,
        })
    }
}

/// A search with steps back; what has once led nowhere is not tried again.
struct Search<'a> {
    template: &'a Template,
    finder: &'a Finder<'a>,
    matchers: &'a [usize],
    whole: bool,
    dead: BTreeSet<(usize, usize)>,
    taken: Vec<Taken>,
}

impl Search<'_> {
    /// Lays the parts from `part` on over the words from `at` on; gives where they end.
    fn lay(&mut self, part: usize, at: usize) -> Option<usize> {
        let Some(here) = self.template.parts.get(part) else {
            let ends = !self.whole || at == self.finder.said.len();
            return ends.then_some(at);
        };
        let end = match here {
            Part::Word(stem) => {
                let token = self.finder.said.tokens.get(at);
                let same = token.is_some_and(|token| token.stem == *stem);
                return if same {
                    self.lay(part + 1, at + 1)
                } else {
                    None
                };
            }
            Part::Slot(_) if self.dead.contains(&(part, at)) => None,
            Part::Slot(slot) => self.slot(part, *slot, at),
        };
        if end.is_none() {
            self.dead.insert((part, at));
        }
        end
    }

    fn slot(&mut self, part: usize, slot: usize, at: usize) -> Option<usize> {
        let matcher = *self.matchers.get(slot)?;
        for find in self.finder.from(matcher, at) {
            if !self.finder.may_try() {
                return None;
            }
            let before = self.taken.len();
            let to = find.to;
            self.taken.push(Taken { slot, find });
            let end = self.lay(part + 1, to);
            if end.is_some() {
                return end;
            }
            self.taken.truncate(before);
        }
        None
    }
}
