//! Words: segmentation, case folding, stems.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// Full Unicode case folding.
#[must_use]
pub fn fold(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => caseless::default_case_fold_str(text),
    }
}

/// The case-folded words of a text, by Unicode word boundaries (UAX 29). Ideographs are a word
/// each, so that a phrase of them finds them inside of longer text.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_words().map(fold)
}

/// Languages whose words are stemmed: the number of each is part of the format of indexes.
const STEMMED: [(&str, Algorithm); 8] = [
    ("en", Algorithm::English),
    ("de", Algorithm::German),
    ("es", Algorithm::Spanish),
    ("fr", Algorithm::French),
    ("it", Algorithm::Italian),
    ("nl", Algorithm::Dutch),
    ("pt", Algorithm::Portuguese),
    ("ar", Algorithm::Arabic),
];

/// Which stemmer the words of a language tag such as `en` or `pt-br` have, from 1; 0 where words
/// count as they are.
#[must_use]
pub fn stem_class(language: &str) -> u8 {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    let numbered = (1..).zip(STEMMED);
    let mut found = numbered.filter(|(_, (name, _))| primary.eq_ignore_ascii_case(name));
    found.next().map_or(0, |(class, _)| class)
}

/// The stemmer of a class that [`stem_class`] gave.
#[must_use]
pub fn stemmer_of(class: u8) -> Option<Stemmer> {
    let index = usize::from(class).checked_sub(1)?;
    let (_, algorithm) = STEMMED.get(index)?;
    Some(Stemmer::create(*algorithm))
}

/// Number of classes, that of no stemmer included.
pub const STEM_CLASSES: u8 = 9;

/// The stemmer of a language tag; `None` where words count as they are.
#[must_use]
pub fn stemmer(language: &str) -> Option<Stemmer> {
    stemmer_of(stem_class(language))
}

/// Whether a text holds anything but words and white space.
#[must_use]
pub fn has_symbols(text: &str) -> bool {
    let is_symbol = |piece: &str| {
        !piece.chars().any(char::is_alphanumeric) && !piece.chars().all(char::is_whitespace)
    };
    text.split_word_bounds().any(is_symbol)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn words_are_folded_and_ideographs_stand_alone() {
        assert_eq!(
            split("Is IBM Watson open?"),
            ["is", "ibm", "watson", "open"]
        );
        assert_eq!(
            split("東京に行きたい").first().map(String::as_str),
            Some("東")
        );
        assert_eq!(split("Straße"), ["strasse"]);
        let ascii: String = (0..128_u8).map(char::from).collect();
        assert_eq!(fold(&ascii), caseless::default_case_fold_str(&ascii));
        assert_eq!(split(" ,;! "), Vec::<String>::new());
    }

    #[test]
    fn languages_without_a_stemmer_have_none() {
        assert!(stemmer("pt-br").is_some());
        for language in ["cs", "ja", "ko", "zh-cn", ""] {
            assert!(stemmer(language).is_none(), "{language}");
        }
    }
}
