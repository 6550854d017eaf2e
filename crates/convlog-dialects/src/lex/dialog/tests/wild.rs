//! Whatever is said: no panic, the same answer each time, places inside the utterance.

use proptest::prelude::*;

use super::*;

const EVERYTHING: &str = r#"{
 "bot": {"name": "b", "locale": "en-US", "childDirected": false},
 "intents": [{"name": "All",
  "sampleUtterances": ["go {n} {d} {t} {u} {p}", "{w} and {v} or {m}", "say {w}", "{f} {c}", "花 {w}", "{n}"],
  "slots": [
   {"name": "n", "slotConstraint": "Required", "slotType": "AMAZON.NUMBER"},
   {"name": "d", "slotConstraint": "Required", "slotType": "AMAZON.DATE"},
   {"name": "t", "slotConstraint": "Required", "slotType": "AMAZON.TIME"},
   {"name": "u", "slotConstraint": "Required", "slotType": "AMAZON.DURATION"},
   {"name": "p", "slotConstraint": "Required", "slotType": "AMAZON.PhoneNumber"},
   {"name": "m", "slotConstraint": "Required", "slotType": "AMAZON.EmailAddress"},
   {"name": "c", "slotConstraint": "Required", "slotType": "AMAZON.Percentage"},
   {"name": "f", "slotConstraint": "Required", "slotType": "AMAZON.FOUR_DIGIT_NUMBER"},
   {"name": "a", "slotConstraint": "Required", "slotType": "AMAZON.AlphaNumeric"},
   {"name": "s", "slotConstraint": "Required", "slotType": "AMAZON.SpeedUnit"},
   {"name": "v", "slotConstraint": "Required", "slotType": "V"},
   {"name": "w", "slotConstraint": "Required", "slotType": "AMAZON.Person"}]}],
 "slotTypes": [{"name": "V", "enumerationValues": [{"value": "ab"}, {"value": "ab cd"}]}]}"#;

const SLOTS: [&str; 12] = ["n", "d", "t", "u", "p", "m", "c", "f", "a", "s", "v", "w"];

/// A conversation in which `slot` is asked for.
fn asked_for(slot: &str) -> Dialog {
    let bot = compile(EVERYTHING);
    let mut talk = Talk::new(bot);
    let body = format!(
        r#"{{"dialogAction": {{"type": "ElicitSlot", "intentName": "All", "slotToElicit": "{slot}"}}}}"#
    );
    let body = Json::parse(body.as_bytes()).unwrap();
    let none = BTreeMap::new();
    let request = Request {
        utterance: None,
        session_attributes: None,
        request_attributes: &none,
        active_contexts: None,
        user_id: "u1",
        bot_alias: "PROD",
        now_ms: NOW_MS,
        dialog_mode: DialogMode::Text,
    };
    put_session(&talk.bot, &mut talk.dialog, &body, &request).unwrap();
    talk.dialog
}

/// Text that is near to what the types look for.
fn utterance() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("go"),
        Just("and"),
        Just("12"),
        Just("1234"),
        Just(":30"),
        Just("pm"),
        Just("2026-02-30"),
        Just("march"),
        Just("the"),
        Just("third"),
        Just("next"),
        Just("week"),
        Just("friday"),
        Just("one"),
        Just("hundred"),
        Just("thousand"),
        Just("%"),
        Just("a@b.co"),
        Just("+"),
        Just("("),
        Just(")"),
        Just("-"),
        Just("."),
        Just("/"),
        Just("hours"),
        Just("half"),
        Just("past"),
        Just("ab"),
        Just("cd"),
        Just("花"),
        Just("꽃"),
        Just("é"),
        Just("’s"),
        Just("999999999999999999"),
        Just("in"),
        Just("{n}"),
        Just("PT"),
    ];
    let near = proptest::collection::vec((piece, prop_oneof![Just(" "), Just("")]), 0..60)
        .prop_map(|pieces| {
            pieces
                .into_iter()
                .flat_map(|(piece, gap)| [piece, gap])
                .collect()
        });
    let any_text = proptest::collection::vec(any::<char>(), 0..1024)
        .prop_map(|characters| characters.into_iter().collect());
    prop_oneof![3 => near, 1 => any_text]
}

proptest! {
    #[test]
    fn nothing_that_is_said_breaks_it(text in utterance(), slot in 0..SLOTS.len(), now_ms in any::<i64>()) {
        let bot = compile(EVERYTHING);
        for dialog in [Dialog::default(), asked_for(SLOTS[slot])] {
            let run = || {
                let mut talk = Talk::new(bot.clone());
                talk.dialog = dialog.clone();
                talk.now_ms = now_ms;
                (talk.say(&text), talk.dialog)
            };
            let (answer, after) = run();
            for heard in &answer.heard {
                let part = text.get(heard.span.clone());
                prop_assert!(part.is_some_and(|part| !part.is_empty()), "{heard:?}");
            }
            prop_assert_eq!(run(), (answer, after));
        }
    }

    #[test]
    fn nothing_that_a_hook_answers_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let document = EVERYTHING.replacen(
            "\"slots\": [",
            "\"dialogCodeHook\": {\"uri\": \"u\", \"messageVersion\": \"1.0\"}, \"slots\": [",
            1,
        );
        let mut talk = Talk::new(compile(&document));
        let Step::Hook(call) = talk.step(Some("say hello")) else {
            panic!("no hook is called");
        };
        let _answer = resume(&talk.bot, &mut talk.dialog, call.pending, &body);
    }
}

#[test]
fn the_longest_utterances_and_samples_take_little_time() {
    let sample = "{w} ".repeat(25) + "end";
    let document = EVERYTHING.replacen("\"say {w}\"", &format!("\"say {{w}}\", \"{sample}\""), 1);
    let bot = compile(&document);
    for text in [
        "a ".repeat(512),
        "a ".repeat(510) + "end",
        "花".repeat(1024),
        "1".repeat(1024),
    ] {
        let answer = Talk::new(bot.clone()).say(&text);
        assert!(answer.heard.len() <= 25);
    }
}
