//! The answer of a connector as an answer of Lex.

use std::collections::BTreeMap;

use convlog_model::json::Json;

use super::dialog::{Alternative, Answer, DialogState};
use super::model::MessageFormat;
use crate::reply::Reply;

/// Most alternatives, as the API has them.
const ALTERNATIVES_MAX: usize = 4;

/// What a connector answered: its first intent is the intent, its entities are the slots, and what
/// has an intent is done.
#[must_use]
pub fn answer(reply: &Reply, session_attributes: BTreeMap<String, String>) -> Answer {
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
        slots,
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
        heard: Vec::new(),
        elicited: None,
    }
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
        let got = answer(&Reply::from_webhook(body).unwrap(), BTreeMap::new());
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
        let got = answer(&Reply::text("pardon?"), BTreeMap::new());
        assert!(got.missed);
        assert_eq!(got.dialog_state, DialogState::ElicitIntent);
    }
}
