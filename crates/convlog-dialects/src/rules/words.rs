//! Words of a text with their places.

use convlog_model::text::{fold, stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// A word: its stem, and where it stands, in characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) stem: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The words of a text.
pub(super) fn tokens(text: &str, language: &str) -> Vec<Token> {
    let stemmer = stemmer(language);
    let (mut characters, mut bytes) = (0, 0);
    let mut tokens = Vec::new();
    for (offset, word) in text.unicode_word_indices() {
        characters += text.get(bytes..offset).unwrap_or_default().chars().count();
        bytes = offset;
        let folded = fold(word);
        let stem = match &stemmer {
            Some(stemmer) => stemmer.stem(&folded).into_owned(),
            None => folded,
        };
        tokens.push(Token {
            stem,
            start: characters,
            end: characters + word.chars().count(),
        });
    }
    tokens
}

/// The stems of a text.
pub(super) fn stems(text: &str, language: &str) -> Vec<String> {
    let tokens = tokens(text, language).into_iter();
    tokens.map(|token| token.stem).collect()
}
