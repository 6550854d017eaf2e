//! Slot types of the account's own: a list of values, each with other words for it.

use std::collections::BTreeMap;

use super::super::words::Said;
use super::Find;
use crate::lex::model::{Selection, SlotType};

/// The values by the stem of their first word.
#[derive(Clone, Debug)]
pub(in super::super) struct Listed {
    pub(super) selection: Selection,
    phrases: BTreeMap<String, Vec<Phrase>>,
}

/// One way to say a value.
#[derive(Clone, Debug)]
struct Phrase {
    stems: Vec<String>,
    folds: Vec<String>,
    value: String,
}

impl Listed {
    pub(super) fn new(slot_type: &SlotType, locale: &str) -> Self {
        let mut phrases: BTreeMap<String, Vec<Phrase>> = BTreeMap::new();
        for known in &slot_type.enumeration_values {
            for spelling in std::iter::once(&known.value).chain(&known.synonyms) {
                let tokens = Said::new(spelling, locale).tokens;
                let (stems, folds) = tokens.into_iter().map(|t| (t.stem, t.fold)).unzip();
                let phrase = Phrase {
                    stems,
                    folds,
                    value: known.value.clone(),
                };
                if let Some(first) = phrase.stems.first() {
                    phrases.entry(first.clone()).or_default().push(phrase);
                }
            }
        }
        for same in phrases.values_mut() {
            // The sort keeps the order of the list among phrases of one length.
            same.sort_by_key(|phrase| std::cmp::Reverse(phrase.stems.len()));
        }
        Listed {
            selection: slot_type.value_selection_strategy,
            phrases,
        }
    }

    /// The values that begin at a word, the longest first; of equally long ones that which was
    /// said letter for letter.
    pub(super) fn find(&self, said: &Said, at: usize) -> Vec<Find> {
        let first = said.tokens.get(at).map(|token| &token.stem);
        let Some(phrases) = first.and_then(|stem| self.phrases.get(stem)) else {
            return Vec::new();
        };
        let is_here = |phrase: &&Phrase| {
            let here = said.tokens.get(at..at + phrase.stems.len());
            here.is_some_and(|here| here.iter().zip(&phrase.stems).all(|(a, b)| a.stem == *b))
        };
        let mut here: Vec<&Phrase> = phrases.iter().filter(is_here).collect();
        here.sort_by_key(|phrase| {
            let differs = !said.has(at, &phrase.folds);
            (std::cmp::Reverse(phrase.stems.len()), differs)
        });
        here.dedup_by_key(|phrase| phrase.stems.len());
        let finds = here.into_iter().map(|phrase| {
            let to = at + phrase.stems.len();
            let mut found = super::find(said, at, to, phrase.value.clone());
            if self.selection == Selection::OriginalValue {
                found.value = said.slice(&found.span).to_owned();
            }
            found
        });
        finds.collect()
    }
}
