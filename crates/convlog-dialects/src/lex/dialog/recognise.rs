//! Which intents an utterance has, and how well it fits each.
//!
//! A sample that covers the whole utterance scores 1, less where words are a value only because a
//! slot takes any. A sample that covers a part scores twice the words that it covers over the sum
//! of both. Else the same is taken over weighted words in any order: a word weighs less the more
//! intents use it, words such as `the` weigh little, and a known value weighs as one word.

use std::collections::{BTreeMap, BTreeSet};

use super::Alternative;
use super::compiled::{Compiled, Known};
use super::slots::Finder;
use super::template::{Fit, Taken, Template};

/// Most alternatives that are told.
const ALTERNATIVES_MAX: usize = 4;
/// Weight of a word that no sample has.
const UNKNOWN: f64 = 0.5;
/// What the weight of a word that tells little is multiplied with.
const LITTLE: f64 = 0.2;
/// Weight of a slot of a sample of which no value was said.
const MISSING: f64 = 0.25;
/// The best that is not certain.
const UNCERTAIN_MAX: f64 = 0.99;

/// English words that tell little; stems of some stand here as well.
const LITTLE_WORDS: [&str; 44] = [
    "a", "an", "and", "are", "at", "be", "can", "could", "do", "does", "for", "from", "have", "i",
    "i'd", "i'm", "in", "is", "it", "like", "me", "my", "need", "of", "on", "please", "pleas",
    "so", "some", "that", "the", "there", "this", "to", "want", "what", "who", "will", "with",
    "would", "you", "your", "how", "we",
];

/// An intent that an utterance may have.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) known: &'a Known,
    /// From 0 to 1, two decimals.
    pub(super) score: f64,
    pub(super) taken: Vec<Taken>,
    /// Whether a sample covers the whole utterance, with words of its own in at least half of it.
    pub(super) is_exact: bool,
}

/// The intents with a score whose contexts are active, best first; of equal ones that which needs
/// more contexts, then in the order of the bot.
pub(super) fn candidates<'a>(
    bot: &'a Compiled,
    finder: &Finder<'_>,
    contexts: &BTreeSet<&str>,
) -> Vec<Candidate<'a>> {
    let tokens = finder.said.tokens.iter();
    let stems: BTreeSet<&str> = tokens.map(|token| token.stem.as_str()).collect();
    let is_open = |known: &&Known| {
        let mut needed = known.intent.input_contexts.iter();
        !known.is_fallback && needed.all(|context| contexts.contains(context.name.as_str()))
    };
    let mut found: Vec<Candidate<'a>> = bot
        .intents
        .iter()
        .filter(is_open)
        .filter_map(|known| candidate(bot, known, finder, &stems))
        .collect();
    found.sort_by(|a, b| {
        let needed = |candidate: &Candidate<'_>| candidate.known.intent.input_contexts.len();
        let by_score = b.score.total_cmp(&a.score);
        by_score.then(needed(b).cmp(&needed(a)))
    });
    found
}

fn candidate<'a>(
    bot: &Compiled,
    known: &'a Known,
    finder: &Finder<'_>,
    stems: &BTreeSet<&str>,
) -> Option<Candidate<'a>> {
    let mut best: Option<Candidate<'a>> = None;
    for template in &known.templates {
        let scored = exact(known, template, finder, stems)
            .or_else(|| part(known, template, finder, stems))
            .or_else(|| loose(bot, known, template, finder));
        let Some(candidate) = scored else {
            continue;
        };
        let better = best.as_ref().is_none_or(|best| {
            let more = candidate.taken.len() > best.taken.len();
            candidate.score > best.score || (candidate.score >= best.score && more)
        });
        if better {
            best = Some(candidate);
        }
    }
    best.filter(|best| best.score > 0.0)
}

fn exact<'a>(
    known: &'a Known,
    template: &Template,
    finder: &Finder<'_>,
    stems: &BTreeSet<&str>,
) -> Option<Candidate<'a>> {
    let fit = template.fit(finder, &known.matchers, stems, true)?;
    let open = size(fit.open) / size(finder.said.len().max(1));
    let is_exact = fit.literals > 0 && fit.literals >= fit.open;
    Some(Candidate {
        known,
        score: rounded(1.0 - open / 2.0),
        is_exact,
        taken: fit.taken,
    })
}

fn part<'a>(
    known: &'a Known,
    template: &Template,
    finder: &Finder<'_>,
    stems: &BTreeSet<&str>,
) -> Option<Candidate<'a>> {
    // A sample that is all slots lies anywhere and says nothing.
    template.words().next()?;
    let fit = template.fit(finder, &known.matchers, stems, false)?;
    let Fit { words, open, .. } = fit;
    let counted = size(words) - size(open) / 2.0;
    let score = 2.0 * counted / (size(words) + size(finder.said.len()));
    Some(Candidate {
        known,
        score: rounded(score).min(UNCERTAIN_MAX),
        is_exact: false,
        taken: fit.taken,
    })
}

fn loose<'a>(
    bot: &Compiled,
    known: &'a Known,
    template: &Template,
    finder: &Finder<'_>,
) -> Option<Candidate<'a>> {
    let weigh = |stem: &str| {
        let own = bot.weights.get(stem).copied().unwrap_or(UNKNOWN);
        let little = LITTLE_WORDS.contains(&stem);
        if little { own * LITTLE } else { own }
    };
    let words: BTreeSet<&str> = template.words().collect();
    let said = &finder.said.tokens;
    if !said.iter().any(|token| words.contains(token.stem.as_str())) {
        return None;
    }
    let mut used = vec![false; said.len()];
    let mut taken = Vec::new();
    let (mut common, mut of_template) = (0.0, 0.0);
    for slot in template.slots() {
        let matcher = *known.matchers.get(slot)?;
        match finder.first(matcher, &used) {
            Some(find) => {
                let from = finder.said.after(find.span.start);
                used.iter_mut()
                    .take(find.to)
                    .skip(from)
                    .for_each(|used| *used = true);
                taken.push(Taken { slot, find });
                common += 1.0;
                of_template += 1.0;
            }
            None => of_template += MISSING,
        }
    }
    let mut of_said = common;
    let mut seen = BTreeSet::new();
    for (token, _) in said.iter().zip(&used).filter(|(_, used)| !**used) {
        let stem = token.stem.as_str();
        let weight = weigh(stem);
        of_said += weight;
        if words.contains(stem) && seen.insert(stem) {
            common += weight;
        }
    }
    of_template += words.iter().map(|word| weigh(word)).sum::<f64>();
    let all = of_said + of_template;
    let score = if all > 0.0 { 2.0 * common / all } else { 0.0 };
    Some(Candidate {
        known,
        score: rounded(score).min(UNCERTAIN_MAX),
        is_exact: false,
        taken,
    })
}

/// What the intents behind the chosen one are told as.
pub(super) fn alternatives(others: &[Candidate<'_>]) -> Vec<Alternative> {
    let shown = others.iter().take(ALTERNATIVES_MAX);
    shown
        .map(|candidate| {
            let slots = &candidate.known.intent.slots;
            let mut values: BTreeMap<String, Option<String>> =
                slots.iter().map(|slot| (slot.name.clone(), None)).collect();
            for taken in &candidate.taken {
                if let Some(slot) = slots.get(taken.slot) {
                    values.insert(slot.name.clone(), Some(taken.find.value.clone()));
                }
            }
            Alternative {
                name: candidate.known.intent.name.clone(),
                confidence: candidate.score,
                slots: values,
            }
        })
        .collect()
}

fn size(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn rounded(share: f64) -> f64 {
    (share.clamp(0.0, 1.0) * 100.0).round() / 100.0
}
