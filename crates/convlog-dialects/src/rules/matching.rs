//! Which intents and entities a text has.

use std::collections::{BTreeMap, BTreeSet};

use convlog_model::json::Json;

use super::words::{Token, stems};
use super::{Entity, Intent, Threshold};

/// Weight of a word that no intent uses.
const UNKNOWN: f64 = 0.5;
/// What a keyword in a text is worth by itself.
const KEYWORD: f64 = 0.7;
/// Most entities of one text.
const ENTITIES_MAX: usize = 100;

/// The intents with a score, best first; of equal ones, in order of definition.
pub(super) fn intents<'a>(
    intents: &'a [Intent],
    words: &[Token],
    language: &str,
) -> Vec<(&'a Intent, Threshold)> {
    let said: BTreeSet<&str> = words.iter().map(|token| token.stem.as_str()).collect();
    let examples: Vec<Vec<BTreeSet<String>>> = intents
        .iter()
        .map(|intent| {
            let examples = intent.examples.iter();
            examples
                .map(|example| stems(example, language).into_iter().collect())
                .collect()
        })
        .collect();
    let weights = weights(&examples);
    let mut scored = Vec::new();
    for (intent, examples) in intents.iter().zip(&examples) {
        let by_example = examples
            .iter()
            .map(|example| share(&said, example, &weights))
            .fold(0.0, f64::max);
        let by_keyword = intent
            .keywords
            .iter()
            .map(|keyword| keyword_score(words, &stems(keyword, language)))
            .fold(0.0, f64::max);
        let score = Threshold::of(by_example.max(by_keyword));
        if score > Threshold(0) {
            scored.push((intent, score));
        }
    }
    scored.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    scored
}

/// How much each word tells: one divided by the number of intents that use it.
fn weights(examples: &[Vec<BTreeSet<String>>]) -> BTreeMap<String, f64> {
    let mut users: BTreeMap<&str, u32> = BTreeMap::new();
    for intent in examples {
        let words: BTreeSet<&str> = intent.iter().flatten().map(String::as_str).collect();
        for word in words {
            *users.entry(word).or_default() += 1;
        }
    }
    let weight = |count: u32| 1.0 / f64::from(count);
    users
        .into_iter()
        .map(|(word, count)| (word.to_owned(), weight(count)))
        .collect()
}

/// Twice the common weight over the sum of both.
fn share(
    said: &BTreeSet<&str>,
    example: &BTreeSet<String>,
    weights: &BTreeMap<String, f64>,
) -> f64 {
    let weigh = |word: &str| weights.get(word).copied().unwrap_or(UNKNOWN);
    let common: f64 = example
        .iter()
        .filter(|word| said.contains(word.as_str()))
        .map(|word| weigh(word))
        .sum();
    let all: f64 = said.iter().map(|word| weigh(word)).sum::<f64>()
        + example.iter().map(|word| weigh(word)).sum::<f64>();
    if all > 0.0 { 2.0 * common / all } else { 0.0 }
}

/// A keyword is worth more, the more of the text it is.
fn keyword_score(words: &[Token], keyword: &[String]) -> f64 {
    if places(words, keyword).next().is_none() {
        return 0.0;
    }
    let size = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    KEYWORD + (1.0 - KEYWORD) * size(keyword.len()) / size(words.len())
}

/// Where the words of a phrase stand side by side, as indexes of their first word.
fn places<'a>(words: &'a [Token], phrase: &'a [String]) -> impl Iterator<Item = usize> + 'a {
    let length = phrase.len().max(1);
    let windows = words.windows(length).enumerate();
    let same = move |window: &[Token]| {
        !phrase.is_empty()
            && window
                .iter()
                .zip(phrase)
                .all(|(token, stem)| token.stem == *stem)
    };
    windows
        .filter(move |(_, window)| same(window))
        .map(|(at, _)| at)
}

/// The entities in the order in which they stand; of spellings of one entity that overlap, the
/// longest.
pub(super) fn entities(entities: &[Entity], words: &[Token], language: &str) -> Vec<Json> {
    let mut found: Vec<(usize, usize, &str, &str)> = Vec::new();
    for entity in entities {
        let mut hits: Vec<(usize, usize, &str)> = Vec::new();
        for value in &entity.values {
            for spelling in &value.spellings {
                let phrase = stems(spelling, language);
                let hit = |at| (at, phrase.len(), value.value.as_str());
                hits.extend(places(words, &phrase).map(hit));
            }
        }
        // The longest first, then the leftmost; the sort keeps the order of definition.
        hits.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut used = vec![false; words.len()];
        for (at, length, value) in hits {
            let Some(span) = used.get_mut(at..at + length) else {
                continue;
            };
            if span.iter().all(|used| !used) {
                span.fill(true);
                found.push((at, at + length, &entity.name, value));
            }
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    let shown = found.into_iter().take(ENTITIES_MAX);
    shown
        .map(|(from, to, entity, value)| {
            let start = words.get(from).map_or(0, |token| token.start);
            let end = words.get(to - 1).map_or(start, |token| token.end);
            let place = [start, end].map(|at| Json::Number(at.to_string().into()));
            Json::object([
                ("entity", Json::string(entity)),
                ("location", Json::Array(place.to_vec())),
                ("value", Json::string(value)),
                ("confidence", Json::integer(1)),
            ])
        })
        .collect()
}
