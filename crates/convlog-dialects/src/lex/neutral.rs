//! The answer of a connector as an answer of Lex.

use std::collections::BTreeMap;
use std::ops::Range;

use convlog_model::json::Json;

use super::dialog::{Alternative, Answer, DialogState, Heard};
use super::model::MessageFormat;
use crate::reply::Reply;

/// Most alternatives, as the API has them.
const ALTERNATIVES_MAX: usize = 4;

/// What a connector answered: its first intent is the intent, its entities are the slots, and what
/// has an intent is done.
#[must_use]
pub fn answer(reply: &Reply, said: &str, session_attributes: BTreeMap<String, String>) -> Answer {
    let mut intents = reply.intents.iter().filter_map(intent);
    let first = intents.next();
    let missed = first.is_none() || reply.fallback == Some(true);
    let slots: BTreeMap<String, Option<String>> = reply.entities.iter().filter_map(slot).collect();
    let alternatives = intents
        .take(ALTERNATIVES_MAX)
        .map(|(name, confidence)| Alternative {
            name,
            confidence: confidence.unwrap_or_default(),
            slots: BTreeMap::new(),
        });
    let alternatives = alternatives.collect();
    let texts: Vec<&str> = reply.texts().collect();
    let message = match texts.is_empty() {
        true => None,
        false => Some((MessageFormat::PlainText, texts.join("\n"))),
    };
    let (intent_name, nlu_confidence) = match first {
        Some((name, confidence)) => (Some(name), confidence),
        None => (None, None),
    };
    Answer {
        recognised: intent_name.clone().filter(|_| !missed),
        intent_name,
        nlu_confidence,
        alternatives,
        session_attributes,
        message,
        dialog_state: match missed {
            true => DialogState::ElicitIntent,
            false => DialogState::Fulfilled,
        },
        slot_to_elicit: None,
        response_card: None,
        active_contexts: Vec::new(),
        missed,
        developer_override: false,
        heard: heard(&slots, said),
        slots,
        elicited: None,
    }
}

/// Where values stand in what was said; one that does not stand there may be all of it.
fn heard(slots: &BTreeMap<String, Option<String>>, said: &str) -> Vec<Heard> {
    let values = slots
        .iter()
        .filter_map(|(slot, value)| Some((slot, value.as_ref()?)));
    let mut all = Vec::new();
    for (slot, value) in values {
        let mut spans = places(said, value);
        if spans.is_empty() {
            spans.push(0..said.len());
        }
        all.extend(spans.into_iter().map(|span| Heard {
            slot: slot.clone(),
            span,
            value: value.clone(),
        }));
    }
    all
}

/// Every place of a value in a text; case does not matter in ASCII.
fn places(text: &str, value: &str) -> Vec<Range<usize>> {
    let (text, value) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    if value.is_empty() {
        return Vec::new();
    }
    let each = text.match_indices(&value);
    each.map(|(at, part)| at..at + part.len()).collect()
}

fn intent(item: &Json) -> Option<(String, Option<f64>)> {
    let name = item.get("intent")?.as_str()?;
    let confidence = item.get("confidence").and_then(Json::as_f64);
    Some((name.to_owned(), confidence))
}

fn slot(item: &Json) -> Option<(String, Option<String>)> {
    let name = item.get("entity")?.as_str()?;
    let value = match item.get("value")? {
        Json::String(text) => text.to_string(),
        other => other.to_string(),
    };
    Some((name.to_owned(), Some(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_intent_is_the_intent_and_entities_are_slots() {
        let body = br#"{"output":[{"type":"text","text":"a"},{"type":"text","text":"b"}],
            "intents":[{"name":"hello","confidence":0.5},{"name":"bye","confidence":0.25}],
            "entities":[{"name":"day","value":"monday"},{"name":"n","value":3}]}"#;
        let said = "Monday, if monday is free";
        let got = answer(&Reply::from_webhook(body).unwrap(), said, BTreeMap::new());
        let spans = |slot: &str| -> Vec<Range<usize>> {
            let heard = got.heard.iter().filter(|heard| heard.slot == slot);
            heard.map(|heard| heard.span.clone()).collect()
        };
        assert_eq!(spans("day"), [0..6, 11..17]);
        let all = 0..said.len();
        assert_eq!(
            spans("n"),
            std::slice::from_ref(&all),
            "it may be all of it"
        );
        assert_eq!(got.intent_name.as_deref(), Some("hello"));
        assert_eq!(got.nlu_confidence, Some(0.5));
        assert_eq!(got.alternatives[0].name, "bye");
        assert_eq!(got.slots["day"].as_deref(), Some("monday"));
        assert_eq!(got.slots["n"].as_deref(), Some("3"));
        assert_eq!(
            got.message,
            Some((MessageFormat::PlainText, "a\nb".to_owned()))
        );
        assert_eq!(
            (got.dialog_state, got.missed),
            (DialogState::Fulfilled, false)
        );
    }

    #[test]
    fn without_an_intent_the_utterance_is_missed() {
        let got = answer(&Reply::text("pardon?"), "", BTreeMap::new());
        assert!(got.missed);
        assert_eq!(got.dialog_state, DialogState::ElicitIntent);
    }
}
