//! Words: segmentation, case folding, stems.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// Full Unicode case folding.
#[must_use]
pub fn fold(text: &str) -> String {
    caseless::default_case_fold_str(text)
}

/// The case-folded words of a text, by Unicode word boundaries (UAX 29). Ideographs are a word
/// each, so that a phrase of them finds them inside of longer text.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.unicode_words().map(fold)
}

/// The stemmer of a language tag such as `en` or `pt-br`; `None` where words count as they are.
#[must_use]
pub fn stemmer(language: &str) -> Option<Stemmer> {
    let primary = language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let algorithm = match primary.as_str() {
        "en" => Algorithm::English,
        "de" => Algorithm::German,
        "es" => Algorithm::Spanish,
        "fr" => Algorithm::French,
        "it" => Algorithm::Italian,
        "nl" => Algorithm::Dutch,
        "pt" => Algorithm::Portuguese,
        "ar" => Algorithm::Arabic,
        _ => return None,
    };
    Some(Stemmer::create(algorithm))
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
