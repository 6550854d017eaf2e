//! Words of a text against words of a literal.

use rust_stemmers::Stemmer;

use crate::text::{fold, has_symbols, stemmer, words};

/// What `:` looks for in a text: words by their stems, adjacent and in order, and, where the
/// literal holds symbols, the literal itself after case folding.
pub(super) struct Phrase {
    stemmer: Option<Stemmer>,
    stems: Vec<String>,
    literally: Option<String>,
}

impl Phrase {
    pub(super) fn new(literal: &str, language: Option<&str>) -> Self {
        let stemmer = language.and_then(stemmer);
        let stems = words(literal).map(|word| stem(stemmer.as_ref(), word));
        Phrase {
            stems: stems.collect(),
            literally: has_symbols(literal).then(|| fold(literal.trim())),
            stemmer,
        }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        let says = |literal: &String| fold(text).contains(literal);
        if !self.literally.as_ref().is_none_or(says) {
            return false;
        }
        if self.stems.is_empty() {
            // Only symbols, which are there; a literal of white space alone is nowhere.
            return self.literally.is_some();
        }
        let present: Vec<String> = words(text)
            .map(|word| stem(self.stemmer.as_ref(), word))
            .collect();
        present
            .windows(self.stems.len())
            .any(|window| window == self.stems)
    }
}

fn stem(stemmer: Option<&Stemmer>, word: String) -> String {
    match stemmer {
        Some(stemmer) => stemmer.stem(&word).into_owned(),
        None => word,
    }
}

/// Whether adjacent words of `text` are, each within its own `edits`, the words of `wanted`.
pub(super) fn fuzzy_phrase(wanted: &str, edits: usize, text: &str) -> bool {
    let wanted: Vec<String> = words(wanted).collect();
    if wanted.is_empty() {
        return false;
    }
    let present: Vec<String> = words(text).collect();
    present.windows(wanted.len()).any(|window| {
        let mut pairs = wanted.iter().zip(window);
        pairs.all(|(wanted, word)| is_near(wanted, word, edits))
    })
}

/// Whether two texts differ by at most `edits` insertions, deletions or substitutions of
/// characters.
pub(super) fn is_near(wanted: &str, text: &str, edits: usize) -> bool {
    // Each edit changes the number of characters by at most one.
    let (a, b) = (wanted.chars().count(), text.chars().count());
    a.abs_diff(b) <= edits && strsim::levenshtein(wanted, text) <= edits
}
