//! Intents, slots, confirmation and the end of a conversation, without hooks.

use super::*;

const ASK_KIND: &str = "ElicitSlot kind: What kind?";
const ASK_DAY: &str = "ElicitSlot day: On which day?";
const ASK_HOUR: &str = "ElicitSlot hour: At what time on 2026-11-28?";
const ASK_ALL: &str = "ConfirmIntent: roses on 2026-11-28 at 17:00, right?";

#[test]
fn an_order_is_taken_slot_by_slot_and_confirmed() {
    let answer = check(
        flowers(),
        &[
            ("I would like to order flowers!", ASK_KIND),
            ("red roses please", ASK_DAY),
            ("tomorrow", ASK_HOUR),
            ("5 pm", ASK_ALL),
            ("yes", "ReadyForFulfillment"),
        ],
    );
    assert_eq!(answer.intent_name.as_deref(), Some("OrderFlowers"));
    assert_eq!(values(&answer), "day=2026-11-28 hour=17:00 kind=roses");
    assert!(answer.slots.get("note").is_some_and(Option::is_none));
}

#[test]
fn values_of_the_first_utterance_are_not_asked_for() {
    let mut talk = Talk::new(flowers());
    let answer = talk.say("Order tulips for tomorrow");
    assert_eq!(
        brief(&answer),
        "ElicitSlot hour: At what time on 2026-11-28?"
    );
    assert_eq!(values(&answer), "day=2026-11-28 kind=tulips");
    assert_eq!(answer.nlu_confidence, Some(1.0));
    let heard: Vec<_> = answer
        .heard
        .iter()
        .map(|it| (it.slot.as_str(), it.span.clone()))
        .collect();
    assert_eq!(heard, [("kind", 6..12), ("day", 17..25)]);
    assert_eq!(answer.elicited, None);
    let answer = talk.say("at noon");
    assert_eq!(answer.elicited.as_deref(), Some("hour"));
    assert_eq!(answer.heard.len(), 1);
    assert_eq!(answer.nlu_confidence, None);
}

#[test]
fn a_longer_way_to_say_it_is_understood_with_less_confidence() {
    let mut talk = Talk::new(flowers());
    let answer = talk.say("hello there, I would like to order some roses");
    assert_eq!(answer.intent_name.as_deref(), Some("OrderFlowers"));
    assert_eq!(values(&answer), "kind=roses");
    let score = answer.nlu_confidence.unwrap();
    assert!((0.4..1.0).contains(&score), "{score}");
}

#[test]
fn a_denial_ends_it() {
    check(
        flowers(),
        &[
            ("order roses for tomorrow", ASK_HOUR),
            ("5 pm", ASK_ALL),
            ("no, thanks", "Failed: No order then."),
            ("when are you open", "ReadyForFulfillment"),
        ],
    );
}

#[test]
fn an_unclear_confirmation_is_asked_again_then_given_up() {
    check(
        flowers(),
        &[
            ("order roses for tomorrow", ASK_HOUR),
            ("5 pm", ASK_ALL),
            ("perhaps", ASK_ALL),
            ("perhaps", "Failed: Call us."),
        ],
    );
}

#[test]
fn a_slot_is_asked_as_often_as_its_prompt_says_in_other_words() {
    let bot = flowers();
    let mut talk = Talk::new(bot);
    talk.say("order flowers");
    let answer = talk.say("cabbage");
    assert_eq!(brief(&answer), "ElicitSlot kind: Roses or tulips?");
    assert_eq!(answer.intent_name.as_deref(), Some("OrderFlowers"));
    assert_eq!(answer.elicited.as_deref(), Some("kind"));
    assert!(answer.heard.is_empty());
    let answer = talk.say("cabbage");
    assert_eq!(brief(&answer), "Failed: Call us.");
    assert_eq!(answer.intent_name.as_deref(), Some("OrderFlowers"));
    // A new conversation begins.
    assert_eq!(brief(&talk.say("order flowers")), ASK_KIND);
}

#[test]
fn a_good_answer_begins_the_count_anew() {
    check(
        flowers(),
        &[
            ("order flowers", ASK_KIND),
            ("cabbage", "ElicitSlot kind: Roses or tulips?"),
            ("roses", ASK_DAY),
            ("soon", ASK_DAY),
            ("tomorrow", ASK_HOUR),
        ],
    );
}

#[test]
fn what_is_not_understood_is_clarified_then_given_up() {
    let answer = check(
        flowers(),
        &[
            ("quantum physics", "ElicitIntent: What was that? (missed)"),
            (
                "what is the weather",
                "ElicitIntent: Sorry, again? (missed)",
            ),
            ("qqq", "Failed: Call us. (missed)"),
            ("qqq", "ElicitIntent: What was that? (missed)"),
            ("order flowers", ASK_KIND),
            ("cancel that", "ElicitSlot kind: Roses or tulips?"),
            ("help", "ReadyForFulfillment"),
            ("qqq", "ElicitIntent: What was that? (missed)"),
        ],
    );
    assert_eq!((answer.intent_name, answer.recognised), (None, None));
}

#[test]
fn audio_without_a_transcript_is_missed() {
    let mut talk = Talk::new(flowers());
    let Step::Done(answer) = talk.step(None) else {
        panic!("a hook is called");
    };
    assert_eq!(brief(&answer), "ElicitIntent: What was that? (missed)");
    talk.say("order flowers");
    let Step::Done(answer) = talk.step(None) else {
        panic!("a hook is called");
    };
    assert_eq!(brief(&answer), "ElicitSlot kind: Roses or tulips?");
}

#[test]
fn another_intent_word_for_word_is_switched_to() {
    let mut talk = Talk::new(flowers());
    talk.say("order roses for tomorrow");
    let answer = talk.say("what are your opening hours?");
    assert_eq!(brief(&answer), "ReadyForFulfillment");
    assert_eq!(answer.intent_name.as_deref(), Some("Hours"));
    assert!(answer.slots.is_empty() && answer.heard.is_empty());
    assert_eq!(answer.nlu_confidence, Some(1.0));
}

#[test]
fn a_change_while_confirming_is_taken() {
    check(
        flowers(),
        &[
            ("order roses for tomorrow", ASK_HOUR),
            ("5 pm", ASK_ALL),
            (
                "order tulips for sunday",
                "ConfirmIntent: tulips on 2026-11-29 at 17:00, right?",
            ),
            ("that's right", "ReadyForFulfillment"),
        ],
    );
}

#[test]
fn answers_to_a_slot_may_be_in_its_own_samples() {
    let bot = flowers_with(&[("\"TOP_RESOLUTION\"", "\"ORIGINAL_VALUE\"")]);
    let mut talk = Talk::new(bot);
    talk.say("order flowers");
    let answer = talk.say("I would like sunflowers");
    assert_eq!(values(&answer), "kind=sunflowers");
    assert_eq!(answer.heard.first().map(|it| it.span.clone()), Some(13..23));
    let bot = flowers_with(&[("\"TOP_RESOLUTION\"", "\"ORIGINAL_VALUE\"")]);
    let mut talk = Talk::new(bot);
    talk.say("order flowers");
    assert_eq!(
        values(&talk.say("blue cornflowers")),
        "kind=blue cornflowers"
    );
}

#[test]
fn the_fallback_intent_takes_what_is_not_understood() {
    let fallback = r#"{"name": "Lost", "parentIntentSignature": "AMAZON.FallbackIntent",
      "fulfillmentActivity": {"type": "ReturnIntent"},
      "conclusionStatement": {"messages": [{"contentType": "PlainText", "content": "Lost."}]}},
      {"name": "Hours","#;
    let with = [("{\"name\": \"Hours\",", fallback)];
    let answer = check(
        flowers_with(&with),
        &[
            ("qqq", "ElicitIntent: What was that? (missed)"),
            ("qqq", "ElicitIntent: Sorry, again? (missed)"),
            ("qqq", "ReadyForFulfillment: Lost. (missed)"),
            ("order flowers", ASK_KIND),
            ("cabbage", "ElicitSlot kind: Roses or tulips?"),
            ("cabbage", "ReadyForFulfillment: Lost. (missed)"),
        ],
    );
    assert_eq!(answer.intent_name.as_deref(), Some("Lost"));
    assert_eq!(answer.nlu_confidence, None);
    assert_eq!(answer.elicited.as_deref(), Some("kind"));
    // Without a clarification prompt it takes it at once.
    let no_prompt = [with[0], ("\"clarificationPrompt\"", "\"other\"")];
    check(
        flowers_with(&no_prompt),
        &[("qqq", "ReadyForFulfillment: Lost. (missed)")],
    );
}

#[test]
fn a_bot_without_any_words_still_says_what_it_waits_for() {
    let silent = [
        ("\"clarificationPrompt\"", "\"a\""),
        ("\"abortStatement\"", "\"b\""),
    ];
    check(
        flowers_with(&silent),
        &[("qqq", "ElicitIntent (missed)"); 4],
    );
}

#[test]
fn confidence_below_the_bots_own_threshold_is_not_understood() {
    let said = "hello my dear, would you order roses";
    let sure = |threshold: &str| {
        let changed =
            format!("\"childDirected\": false, \"nluIntentConfidenceThreshold\": {threshold}");
        let bot = flowers_with(&[("\"childDirected\": false", &changed)]);
        let answer = Talk::new(bot).say(said);
        (
            answer.missed,
            answer.nlu_confidence,
            answer.alternatives.len(),
        )
    };
    let (missed, score, _) = sure("0.1");
    assert!(
        !missed && score.is_some_and(|score| score < 0.95),
        "{score:?}"
    );
    assert_eq!(sure("0.95"), (true, None, 3));
}

#[test]
fn cards_are_shown_in_the_form_of_the_api() {
    let answer = Talk::new(flowers()).say("order flowers");
    assert_eq!(
        answer.response_card.map(|card| card.to_string()).as_deref(),
        Some(concat!(
            r#"{"version":"1","contentType":"application/vnd.amazonaws.card.generic","#,
            r#""genericAttachments":[{"title":"Kinds","buttons":[{"text":"Roses","value":"roses"}]}]}"#
        ))
    );
}

#[test]
fn groups_of_messages_are_one_composite_with_values_in_them() {
    let grouped = r#"{"contentType": "PlainText", "content": "Hi [name], via ((channel))", "groupNumber": 1},
      {"contentType": "CustomPayload", "content": "{\"kinds\": [1, 2], \"k\": \"{kind}\"}", "groupNumber": 2}]"#;
    let bot = flowers_with(&[(
        r#"{"contentType": "PlainText", "content": "On which day?"}]"#,
        grouped,
    )]);
    let mut talk = Talk::new(bot);
    talk.attributes = Some(BTreeMap::from([("name".to_owned(), "Ann".to_owned())]));
    let answer = talk.say("I would like to order tulips");
    assert_eq!(
        answer.message,
        Some((
            MessageFormat::Composite,
            concat!(
                r#"{"messages":[{"type":"PlainText","group":1,"value":"Hi Ann, via web"},"#,
                r#"{"type":"CustomPayload","group":2,"value":"{\"kinds\": [1, 2], \"k\": \"tulips\"}"}]}"#
            )
            .to_owned()
        ))
    );
    assert_eq!(
        answer.session_attributes.get("name").map(String::as_str),
        Some("Ann")
    );
}

#[test]
fn languages_without_spaces_match_and_confirm() {
    let bot = |locale: &str, sample: &str, value: &str| {
        compile(&format!(
            r#"{{"bot": {{"name": "b", "locale": "{locale}", "childDirected": false}},
            "intents": [{{"name": "Order", "sampleUtterances": ["{sample}"],
             "slots": [{{"name": "kind", "slotConstraint": "Optional", "slotType": "K"}}],
             "confirmationPrompt": {{"maxAttempts": 2, "messages": [{{"contentType": "PlainText", "content": "{{kind}}?"}}]}}}}],
            "slotTypes": [{{"name": "K", "enumerationValues": [{{"value": "{value}"}}]}}]}}"#
        ))
    };
    let asked = ("花を注文したい", "ConfirmIntent: ?");
    check(
        bot("ja-JP", "花を 注文したい", "x"),
        &[asked, ("はい、お願いします", "ReadyForFulfillment")],
    );
    check(
        bot("ja-JP", "花を注文したい", "x"),
        &[asked, ("いいえ", "Failed")],
    );
    check(
        bot("ja-JP", "{kind}を注文したい", "バラ"),
        &[("バラを注文したい", "ConfirmIntent: バラ?")],
    );
    check(
        bot("ko-KR", "{kind}를 주문하고 싶어요", "장미"),
        &[
            ("장미를주문하고싶어요", "ConfirmIntent: 장미?"),
            ("아니요", "Failed"),
        ],
    );
    for (locale, yes, no) in [
        ("de-DE", "Ja, bitte", "nein danke"),
        ("fr-CA", "oui", "Non merci"),
        ("es-419", "sí", "no"),
        ("it-IT", "sì", "No, grazie"),
        ("en-GB", "yes please", "yes, no, don't"),
        ("ko-KR", "네", "아니요"),
    ] {
        let asked = ("xyzzy", "ConfirmIntent: ?");
        check(
            bot(locale, "xyzzy", "x"),
            &[asked, (yes, "ReadyForFulfillment")],
        );
        check(bot(locale, "xyzzy", "x"), &[asked, (no, "Failed")]);
    }
}

#[test]
fn the_same_conversation_goes_the_same_way() {
    let lines = [
        "hi",
        "order flowers",
        "cabbage",
        "roses",
        "tomorrow",
        "5 pm",
        "sure",
    ];
    let run = || {
        let mut talk = Talk::new(flowers());
        let answers: Vec<Answer> = lines.iter().map(|line| talk.say(line)).collect();
        (answers, talk.dialog)
    };
    assert_eq!(run(), run());
}

#[test]
fn what_could_be_a_value_and_an_intent_is_what_covers_more() {
    let visit = r#"{"name": "Visit", "sampleUtterances": ["are you there {when}"],
      "slots": [{"name": "when", "slotConstraint": "Optional", "slotType": "AMAZON.DATE"}],
      "fulfillmentActivity": {"type": "ReturnIntent"}}, {"name": "Hours","#;
    let bot = flowers_with(&[("{\"name\": \"Hours\",", visit)]);
    let mut talk = Talk::new(bot);
    talk.say("I would like to order roses");
    let answer = talk.say("are you there tomorrow?");
    assert_eq!(answer.intent_name.as_deref(), Some("Visit"));
    talk.say("I would like to order roses");
    let answer = talk.say("how about tomorrow?");
    assert_eq!(values(&answer), "day=2026-11-28 kind=roses");
}

#[test]
fn a_cancel_intent_is_more_than_a_no() {
    let cancel = r#"{"name": "Cancel", "parentIntentSignature": "AMAZON.CancelIntent",
      "fulfillmentActivity": {"type": "ReturnIntent"}}, {"name": "Hours","#;
    let lines = [
        ("order roses for tomorrow", ASK_HOUR),
        ("5 pm", ASK_ALL),
        ("cancel", "Failed: No order then."),
    ];
    check(flowers(), &lines);
    let [first, second, (last, _)] = lines;
    let bot = flowers_with(&[("{\"name\": \"Hours\",", cancel)]);
    let answer = check(bot, &[first, second, (last, "ReadyForFulfillment")]);
    assert_eq!(answer.intent_name.as_deref(), Some("Cancel"));
}
