//! What logs show in place of the values of slots that are to be hidden. Answers and code hooks
//! see the real values.
//!
//! Source: the developer guide of Lex V1, "Encrypting conversation logs" and "Obfuscating slots";
//! where it is silent, what hides more is done.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::dialog::{Heard, is_number_word};

/// Values by slot.
pub type Slots = BTreeMap<String, Option<String>>;

/// What of a turn decides what is shown of it.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// What the user said.
    pub utterance: &'a str,
    /// Which parts of it became values.
    pub heard: &'a [Heard],
    /// The slot that was being asked for.
    pub elicited: Option<&'a str>,
    /// The slots whose values are hidden.
    pub hidden: &'a BTreeSet<String>,
}

/// The utterance as logs show it.
///
/// A part that became the value of a hidden slot is `{slot}`. Where that is a number and digits or
/// words of numbers are left over, all of the utterance is: of a number that is said in groups one
/// may have become the value alone. When a hidden slot was being asked
/// for and got no value, all of the utterance is: it may well be one. Else nothing is changed,
/// missed utterances included. Braces of the user's own are escaped where a slot's name is shown.
#[must_use]
pub fn transcript(said: Said<'_>) -> String {
    let spans = hidden_spans(said);
    if let Some(slot) = cut_number(said) {
        return name(slot);
    }
    if !spans.is_empty() {
        return with_names(said.utterance, &spans);
    }
    match said.elicited.filter(|slot| said.hidden.contains(*slot)) {
        Some(slot) => name(slot),
        None => said.utterance.to_owned(),
    }
}

/// The values of slots as logs show them.
#[must_use]
pub fn slots(values: &Slots, hidden: &BTreeSet<String>) -> Slots {
    let each = values.iter().map(|(slot, value)| {
        let is_hidden = hidden.contains(slot);
        let shown = value.as_ref().map(|value| match is_hidden {
            true => name(slot),
            false => value.clone(),
        });
        (slot.clone(), shown)
    });
    each.collect()
}

fn name(slot: &str) -> String {
    format!("{{{slot}}}")
}

/// Parts that are hidden, in order and apart from each other. Of parts that overlap the longest
/// gives the name, and all that any of them covers is hidden.
fn hidden_spans(said: Said<'_>) -> Vec<(Range<usize>, &str)> {
    let hidden = said
        .heard
        .iter()
        .filter(|heard| said.hidden.contains(&heard.slot));
    let mut spans: Vec<(Range<usize>, &str)> = hidden
        .map(|heard| (heard.span.clone(), heard.slot.as_str()))
        .filter(|(span, _)| !span.is_empty())
        .collect();
    spans.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut apart: Vec<(Range<usize>, &str, usize)> = Vec::new();
    for (span, slot) in spans {
        match apart.last_mut() {
            Some((last, name, longest)) if span.start < last.end => {
                if span.len() > *longest {
                    *name = slot;
                    *longest = span.len();
                }
                last.end = last.end.max(span.end);
            }
            _ => {
                let length = span.len();
                apart.push((span, slot, length));
            }
        }
    }
    apart
        .into_iter()
        .map(|(span, slot, _)| (span, slot))
        .collect()
}

/// The hidden slot that may have got a part of a number alone.
fn cut_number(said: Said<'_>) -> Option<&str> {
    let mut hidden = said
        .heard
        .iter()
        .filter(|heard| said.hidden.contains(&heard.slot));
    let number = hidden.find(|heard| heard.value.contains(char::is_numeric))?;
    let is_covered = |at: usize| said.heard.iter().any(|heard| heard.span.contains(&at));
    let mut left = said.utterance.char_indices();
    let has_digits = left.any(|(at, c)| c.is_numeric() && !is_covered(at));
    let mut words = said.utterance.unicode_word_indices();
    let has_words = words.any(|(at, word)| !is_covered(at) && is_number_word(word));
    (has_digits || has_words).then_some(number.slot.as_str())
}

fn with_names(utterance: &str, spans: &[(Range<usize>, &str)]) -> String {
    let mut shown = String::with_capacity(utterance.len());
    let mut at = 0;
    for (span, slot) in spans {
        escape(utterance.get(at..span.start), &mut shown);
        shown.push_str(&name(slot));
        at = span.end;
    }
    escape(utterance.get(at..), &mut shown);
    shown
}

fn escape(text: Option<&str>, shown: &mut String) {
    for c in text.unwrap_or_default().chars() {
        if matches!(c, '{' | '}') {
            shown.push('\\');
        }
        shown.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(utterance: &str, parts: &[(&str, &str)]) -> Vec<Heard> {
        let each = parts.iter().map(|(slot, part)| {
            let start = utterance.find(part).unwrap();
            Heard {
                slot: (*slot).to_owned(),
                span: start..start + part.len(),
                value: (*part).to_owned(),
            }
        });
        each.collect()
    }

    fn shown(utterance: &str, parts: &[(&str, &str)], elicited: Option<&str>) -> String {
        let hidden = BTreeSet::from(["full_name".to_owned(), "ssn".to_owned()]);
        let heard = heard(utterance, parts);
        transcript(Said {
            utterance,
            heard: &heard,
            elicited,
            hidden: &hidden,
        })
    }

    #[test]
    fn each_case_of_the_guide_is_shown_as_it_says() {
        for (utterance, parts, elicited, expected) in [
            // First turn, a value is recognised.
            (
                "my name is Ann",
                &[("full_name", "Ann")][..],
                None,
                "my name is {full_name}",
            ),
            // First turn, nothing is recognised.
            ("my name is Ann", &[], None, "my name is Ann"),
            // Later turn, the slot is asked for and a value is recognised.
            (
                "it is Ann",
                &[("full_name", "Ann")],
                Some("full_name"),
                "it is {full_name}",
            ),
            // Later turn, the slot is asked for and no value is recognised.
            ("Ann B. Smith", &[], Some("full_name"), "{full_name}"),
            // Another slot is asked for, and nothing is recognised: a missed utterance.
            ("what do you mean", &[], Some("city"), "what do you mean"),
            // A slot that is not hidden.
            ("roses", &[("kind", "roses")], Some("kind"), "roses"),
            // Braces of the user's own.
            (
                "{Ann}",
                &[("full_name", "Ann")],
                Some("full_name"),
                "\\{{full_name}\\}",
            ),
            ("{Ann}", &[("kind", "Ann")], None, "{Ann}"),
            // Several values.
            (
                "Ann, 12-34, roses",
                &[("full_name", "Ann"), ("ssn", "12-34"), ("kind", "roses")],
                None,
                "{full_name}, {ssn}, roses",
            ),
            // Values that overlap.
            (
                "Ann Smith",
                &[("ssn", "Ann"), ("full_name", "Ann Smith")],
                None,
                "{full_name}",
            ),
            (
                "a bc d",
                &[("ssn", "a bc"), ("full_name", "c d")],
                None,
                "{ssn}",
            ),
            // A hidden value that answers another question.
            ("Ann", &[("full_name", "Ann")], Some("kind"), "{full_name}"),
            // A hidden slot is asked for, and only another slot gets a value.
            ("roses", &[("kind", "roses")], Some("ssn"), "{ssn}"),
            (
                "東京のアン",
                &[("full_name", "アン")],
                None,
                "東京の{full_name}",
            ),
        ] {
            assert_eq!(shown(utterance, parts, elicited), expected, "{utterance}");
        }
    }

    #[test]
    fn values_of_hidden_slots_are_their_names_and_nothing_stays_nothing() {
        let values = Slots::from([
            ("full_name".to_owned(), Some("Ann".to_owned())),
            ("ssn".to_owned(), None),
            ("kind".to_owned(), Some("roses".to_owned())),
        ]);
        let hidden = BTreeSet::from(["full_name".to_owned(), "ssn".to_owned()]);
        let shown = slots(&values, &hidden);
        assert_eq!(shown["full_name"].as_deref(), Some("{full_name}"));
        assert_eq!(shown["ssn"], None);
        assert_eq!(shown["kind"].as_deref(), Some("roses"));
    }

    #[test]
    fn of_a_number_that_was_heard_in_part_nothing_is_left() {
        for (utterance, part, expected) in [
            ("4111 1111 1111 1111", "4111", "{ssn}"),
            ("123-45-6789", "123", "{ssn}"),
            ("it is AB-12-34", "34", "{ssn}"),
            ("it is 4711", "4711", "it is {ssn}"),
        ] {
            assert_eq!(shown(utterance, &[("ssn", part)], None), expected);
        }
        let said = "four one one oh";
        let heard = [Heard {
            slot: "ssn".to_owned(),
            span: 0..4,
            value: "4".to_owned(),
        }];
        let hidden = BTreeSet::from(["ssn".to_owned()]);
        let shown = transcript(Said {
            utterance: said,
            heard: &heard,
            elicited: None,
            hidden: &hidden,
        });
        assert_eq!(shown, "{ssn}");
    }

    #[test]
    fn other_values_with_numbers_do_not_hide_the_rest() {
        let parts = [("ssn", "12"), ("count", "3")];
        assert_eq!(shown("12 and 3", &parts, None), "{ssn} and 3");
    }
}
