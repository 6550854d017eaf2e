//! Entries of hits, misses and speech.

use super::*;
use crate::lex::dialog::{Alternative, Heard};
use crate::lex::model::MessageFormat;

fn answer() -> Answer {
    Answer {
        intent_name: Some("OrderFlowers".to_owned()),
        recognised: Some("OrderFlowers".to_owned()),
        nlu_confidence: Some(0.91),
        alternatives: vec![Alternative {
            name: "Cancel".to_owned(),
            confidence: 0.2,
            slots: Slots::new(),
        }],
        slots: Slots::from([
            ("count".to_owned(), Some("12".to_owned())),
            ("day".to_owned(), None),
            ("kind".to_owned(), Some("roses".to_owned())),
        ]),
        session_attributes: BTreeMap::new(),
        message: Some((MessageFormat::PlainText, "When?".to_owned())),
        dialog_state: DialogState::ElicitSlot,
        slot_to_elicit: Some("day".to_owned()),
        response_card: None,
        active_contexts: Vec::new(),
        missed: false,
        developer_override: false,
        heard: vec![Heard {
            slot: "count".to_owned(),
            span: 5..7,
            value: "12".to_owned(),
        }],
        elicited: None,
    }
}

fn entry(answer: &Answer, utterance: &str) -> Json {
    let hidden = BTreeMap::from([(
        "OrderFlowers".to_owned(),
        BTreeSet::from(["count".to_owned()]),
    )]);
    Turn {
        bot: "OrderFlowers",
        alias: "PROD",
        version: "3",
        locale: "en-US",
        utterance,
        is_speech: false,
        answer,
        hidden: &hidden,
        request_id: "6f6d",
        user: "u1",
        session: "2026-01-02T03:04:05.006Z-aBcDeFgH",
        time: Timestamp::from_millis(1_767_323_045_678),
        session_attributes: None,
        request_attributes: Some(&BTreeMap::from([("channel".to_owned(), "web".to_owned())])),
        sentiment: None,
        audio: None,
    }
    .entry()
}

#[test]
fn a_hit_has_the_keys_of_the_guide() {
    let shown = entry(&answer(), "send 12 roses").to_string();
    let expected = concat!(
        r#"{"messageVersion":"1.0","botName":"OrderFlowers","botAlias":"PROD","#,
        r#""botVersion":"3","inputTranscript":"send {count} roses","botResponse":"When?","#,
        r#""intent":"OrderFlowers","slots":{"count":"{count}","day":null,"kind":"roses"},"#,
        r#""nluIntentConfidence":"0.91","alternativeIntents":[{"name":"Cancel","#,
        r#""nluIntentConfidence":"0.2","slots":{}}],"developerOverride":"false","#,
        r#""missedUtterance":false,"inputDialogMode":"Text","requestId":"6f6d","userId":"u1","#,
        r#""sessionId":"2026-01-02T03:04:05.006Z-aBcDeFgH","slotToElicit":"day","#,
        r#""dialogState":"ElicitSlot","locale":"en-US","timestamp":"2026-01-02T03:04:05.678Z","#,
        r#""requestAttributes":{"channel":"web"}}"#
    );
    assert_eq!(shown, expected);
}

#[test]
fn a_missed_utterance_has_no_intent_and_no_slots() {
    let missed = Answer {
        intent_name: None,
        recognised: None,
        nlu_confidence: None,
        alternatives: Vec::new(),
        slots: Slots::new(),
        dialog_state: DialogState::ElicitIntent,
        slot_to_elicit: None,
        missed: true,
        heard: Vec::new(),
        ..answer()
    };
    let shown = entry(&missed, "hm {12}");
    for key in [
        "intent",
        "slots",
        "slotToElicit",
        "nluIntentConfidence",
        "alternativeIntents",
        "responseCard",
        "s3PathForAudio",
        "sessionAttributes",
        "sentimentResponse",
    ] {
        assert_eq!(shown.get(key), None, "{key}");
    }
    let transcript = shown.get("inputTranscript").and_then(Json::as_str);
    assert_eq!(transcript, Some("hm {12}"));
    assert_eq!(shown.get("missedUtterance"), Some(&Json::Bool(true)));
}

#[test]
fn a_hidden_slot_of_an_intent_that_ended_is_hidden_all_the_same() {
    let failed = Answer {
        intent_name: None,
        recognised: None,
        slots: Slots::new(),
        heard: Vec::new(),
        missed: true,
        dialog_state: DialogState::Failed,
        elicited: Some("count".to_owned()),
        ..answer()
    };
    let shown = entry(&failed, "a dozen or so");
    let transcript = shown.get("inputTranscript").and_then(Json::as_str);
    assert_eq!(transcript, Some("{count}"));
}

#[test]
fn a_card_has_its_version_as_a_number() {
    let card = Json::parse(br#"{"version":"1","contentType":"x","genericAttachments":[]}"#);
    let with_card = Answer {
        response_card: Some(card.unwrap()),
        ..answer()
    };
    let shown = entry(&with_card, "send 12 roses");
    let version = shown
        .at(&["responseCard", "version"])
        .and_then(Json::as_i64);
    assert_eq!(version, Some(1));
}
