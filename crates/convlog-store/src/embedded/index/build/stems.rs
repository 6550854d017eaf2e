//! Stems of words as terms, remembered: the words of one index are for the most part those of the
//! one before.

use convlog_model::text::{STEM_CLASSES, stemmer_of};
use hashbrown::HashMap;
use rust_stemmers::Stemmer;

use super::super::term;

/// Words that are remembered of each class.
const WORDS_MAX: usize = 4096;
/// Longer words are not remembered.
const WORD_LEN_MAX: usize = 32;

#[derive(Default)]
struct Class {
    /// Nothing until it is asked for; nothing inside for a class without a stemmer.
    stemmer: Option<Option<Stemmer>>,
    /// The value of the term of a word's stem, where that is not the word.
    known: HashMap<Box<str>, Option<Vec<u8>>>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Stemmed([Class; STEM_CLASSES as usize]);

impl Stemmed {
    /// The value of the term of a word's stem; `None` where the stem is the word.
    pub(super) fn of(&mut self, word: &str, class: u8) -> Option<Vec<u8>> {
        let place = self.0.get_mut(usize::from(class))?;
        if let Some(value) = place.known.get(word) {
            return value.clone();
        }
        let new = || stemmer_of(class);
        let stem = place.stemmer.get_or_insert_with(new).as_ref()?.stem(word);
        let value = (stem != word).then(|| term::of_stem(class, &stem));
        if word.len() <= WORD_LEN_MAX {
            if place.known.len() >= WORDS_MAX {
                place.known.clear();
            }
            place.known.insert(word.into(), value.clone());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use convlog_model::text::stem_class;

    use super::*;

    #[test]
    fn what_is_remembered_is_what_was_made() {
        let mut stemmed = Stemmed::default();
        let (english, german) = (stem_class("en"), stem_class("de"));
        for _ in 0..2 {
            let made = stemmed.of("orders", english);
            assert_eq!(made, Some(term::of_stem(english, "order")));
            assert_eq!(stemmed.of("order", english), None);
            let made = stemmed.of("bestellungen", german);
            assert_eq!(made, Some(term::of_stem(german, "bestell")));
            assert_eq!(stemmed.of("orders", 0), None);
        }
        for number in 0..=WORDS_MAX {
            stemmed.of(&number.to_string(), english);
        }
        assert!(stemmed.0[usize::from(english)].known.len() <= WORDS_MAX);
        let made = stemmed.of("orders", english);
        assert_eq!(made, Some(term::of_stem(english, "order")));
    }
}
