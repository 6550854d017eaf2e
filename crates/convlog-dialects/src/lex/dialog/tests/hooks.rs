//! Code hooks: what they are told, and what their answers do.

use super::*;

const DELEGATE: &str = r#"{"dialogAction": {"type": "Delegate"}}"#;

/// The bot of the flowers whose order asks hooks at each turn and for the fulfilment.
fn hooked() -> Compiled {
    hooked_with(&[])
}

fn hooked_with(changes: &[(&str, &str)]) -> Compiled {
    let hooks = r#""dialogCodeHook": {"uri": "arn:check", "messageVersion": "1.0"},
   "conclusionStatement": {"messages": [{"contentType": "PlainText", "content": "Thanks."}]},
   "fulfillmentActivity": {"type": "CodeHook", "codeHook": {"uri": "arn:do", "messageVersion": "1.0"}}},
  {"name": "Hours""#;
    let without = r#""fulfillmentActivity": {"type": "ReturnIntent"}},
  {"name": "Hours""#;
    let mut all = vec![(without, hooks)];
    all.extend(changes);
    flowers_with(&all)
}

fn call(talk: &mut Talk, utterance: &str) -> HookCall {
    match talk.step(Some(utterance)) {
        Step::Hook(call) => *call,
        Step::Done(answer) => panic!("no hook is called: {answer:?}"),
    }
}

#[test]
fn the_event_is_that_of_lex() {
    let mut talk = Talk::new(hooked());
    talk.attributes = Some(BTreeMap::from([("tier".to_owned(), "gold".to_owned())]));
    let call = call(&mut talk, "order Tulip for tomorrow");
    assert_eq!(call.uri, "arn:check");
    let expected = concat!(
        r#"{"messageVersion":"1.0","invocationSource":"DialogCodeHook","userId":"u1","#,
        r#""sessionAttributes":{"tier":"gold"},"requestAttributes":{"channel":"web"},"#,
        r#""bot":{"name":"OrderFlowers","alias":"PROD","version":"3"},"outputDialogMode":"Text","#,
        r#""currentIntent":{"name":"OrderFlowers","nluIntentConfidenceScore":1,"#,
        r#""slots":{"day":"2026-11-28","hour":null,"kind":"tulips","note":null},"#,
        r#""slotDetails":{"day":{"resolutions":[{"value":"2026-11-28"}],"originalValue":"tomorrow"},"hour":null,"#,
        r#""kind":{"resolutions":[{"value":"tulips"}],"originalValue":"Tulip"},"note":null},"#,
        r#""confirmationStatus":"None"},"alternativeIntents":[],"#,
        r#""inputTranscript":"order Tulip for tomorrow","recentIntentSummaryView":[],"#,
        r#""sentimentResponse":null,"activeContexts":[]}"#
    );
    assert_eq!(call.event.to_string(), expected);
    // The conversation is as it was until there is an answer.
    assert_eq!(talk.dialog, Dialog::default());
}

#[test]
fn hooks_that_delegate_leave_the_way_to_the_bot() {
    let mut talk = Talk::new(hooked());
    let answer = talk.say_through("order roses for tomorrow", &[DELEGATE]);
    assert_eq!(
        brief(&answer),
        "ElicitSlot hour: At what time on 2026-11-28?"
    );
    let call = call(&mut talk, "never");
    assert_eq!(
        call.event.at(&["currentIntent", "slots", "hour"]),
        Some(&Json::Null)
    );
    let view = call
        .event
        .get("recentIntentSummaryView")
        .unwrap()
        .to_string();
    assert_eq!(
        view,
        concat!(
            r#"[{"intentName":"OrderFlowers","checkpointLabel":null,"#,
            r#""slots":{"day":"2026-11-28","hour":null,"kind":"roses","note":null},"#,
            r#""confirmationStatus":"None","dialogActionType":"ElicitSlot","fulfillmentState":null,"#,
            r#""slotToElicit":"hour"}]"#
        )
    );
    let answer = talk.say_through("5 pm", &[DELEGATE]);
    assert_eq!(
        brief(&answer),
        "ConfirmIntent: roses on 2026-11-28 at 17:00, right?"
    );
    let answer = talk.say_through("yes", &[DELEGATE, DELEGATE]);
    assert_eq!(brief(&answer), "Fulfilled: Thanks.");
    assert_eq!(values(&answer), "day=2026-11-28 hour=17:00 kind=roses");
}

#[test]
fn a_denial_is_told_to_the_hook_first() {
    let mut talk = Talk::new(hooked());
    talk.say_through("order roses for tomorrow", &[DELEGATE]);
    talk.say_through("5 pm", &[DELEGATE]);
    let call = call(&mut talk, "no");
    assert_eq!(
        call.event
            .at(&["currentIntent", "confirmationStatus"])
            .and_then(Json::as_str),
        Some("Denied")
    );
    let answer = talk.say_through("no", &[DELEGATE]);
    assert_eq!(brief(&answer), "Failed: No order then.");
}

#[test]
fn a_hook_may_ask_for_a_slot_in_its_own_words() {
    let mut talk = Talk::new(hooked());
    talk.say_through("order roses", &[DELEGATE]);
    let answer = talk.say_through(
        "tomorrow",
        &[r#"{"sessionAttributes": {"full": "2026-11-28"},
           "dialogAction": {"type": "ElicitSlot", "intentName": "OrderFlowers", "slotToElicit": "day",
            "slots": {"kind": "roses", "day": null, "hour": null, "note": null},
            "message": {"contentType": "SSML", "content": "<speak>Full.</speak>"},
            "responseCard": {"version": 1, "contentType": "application/vnd.amazonaws.card.generic",
             "genericAttachments": [{"title": "Days", "buttons": []}]}}}"#],
    );
    assert_eq!(brief(&answer), "ElicitSlot day: <speak>Full.</speak>");
    assert_eq!(
        answer.message.as_ref().map(|it| it.0),
        Some(MessageFormat::Ssml)
    );
    assert_eq!(values(&answer), "kind=roses");
    assert_eq!(answer.session_attributes.len(), 1);
    assert!(answer.response_card.is_some() && !answer.developer_override);
    assert_eq!(answer.heard.len(), 1);
    // The hook's attributes stay when it says nothing of them.
    let answer = talk.say_through("sunday", &[DELEGATE]);
    assert_eq!(answer.session_attributes.len(), 1);
    assert_eq!(
        brief(&answer),
        "ElicitSlot hour: At what time on 2026-11-29?"
    );
}

#[test]
fn a_slot_that_only_the_hook_asks_for_is_asked_again() {
    let mut talk = Talk::new(hooked());
    let ask = |text: &str| {
        format!(
            r#"{{"dialogAction": {{"type": "ElicitSlot", "intentName": "OrderFlowers", "slotToElicit": "hour",
             "slots": {{"kind": "roses"}}{text}}}}}"#
        )
    };
    let own = ask(r#", "message": {"contentType": "PlainText", "content": "When?"}"#);
    let answer = talk.say_through("order roses", &[&own]);
    assert_eq!(brief(&answer), "ElicitSlot hour: When?");
    let answer = talk.say_through("xyz", &[DELEGATE]);
    assert_eq!(brief(&answer), "ElicitSlot hour: At what time on ?");
    assert_eq!(brief(&talk.say("xyz")), "Failed: Call us.");
}

#[test]
fn a_hook_may_end_it() {
    let close = |state: &str, message: &str| {
        format!(
            r#"{{"dialogAction": {{"type": "Close", "fulfillmentState": "{state}"{message}}}}}"#
        )
    };
    let bye = r#", "message": {"contentType": "PlainText", "content": "Bye."}"#;
    let mut talk = Talk::new(hooked());
    let answer = talk.say_through("order roses", &[&close("Failed", bye)]);
    assert_eq!(brief(&answer), "Failed: Bye.");
    let answer = talk.say_through("order roses", &[&close("Fulfilled", bye)]);
    assert_eq!(brief(&answer), "Fulfilled: Bye.");
    let answer = talk.say_through("order roses", &[&close("Fulfilled", "")]);
    assert_eq!(brief(&answer), "Fulfilled: Thanks.");
    let answer = talk.say_through("order roses", &[&close("Failed", "")]);
    assert_eq!(brief(&answer), "Failed");
    assert_eq!(
        talk.dialog
            .recent_intent_summary_view(None)
            .as_array()
            .map(<[Json]>::len),
        Some(3)
    );
}

#[test]
fn a_hook_may_go_on_with_another_intent() {
    let mut talk = Talk::new(hooked());
    let confirm = r#"{"dialogAction": {"type": "ConfirmIntent", "intentName": "Hours", "slots": {},
      "message": {"contentType": "PlainText", "content": "Opening hours?"}}}"#;
    let answer = talk.say_through("order roses", &[confirm]);
    assert_eq!(brief(&answer), "ConfirmIntent: Opening hours?");
    assert!(answer.developer_override && !answer.missed);
    assert_eq!(answer.intent_name.as_deref(), Some("Hours"));
    assert_eq!(answer.recognised.as_deref(), Some("OrderFlowers"));
    let answer = talk.say("hm");
    assert_eq!(brief(&answer), "ConfirmIntent");
    let answer = talk.say("yes");
    assert_eq!(brief(&answer), "ReadyForFulfillment");
    assert!(!answer.developer_override);
}

#[test]
fn a_hook_may_ask_what_the_user_wants() {
    let mut talk = Talk::new(hooked());
    let answer = talk.say_through(
        "order roses",
        &[r#"{"dialogAction": {"type": "ElicitIntent", "message": {"contentType": "PlainText", "content": "What else?"}}}"#],
    );
    assert_eq!(brief(&answer), "ElicitIntent: What else?");
    assert_eq!(
        (answer.intent_name, answer.developer_override),
        (None, false)
    );
    let answer = talk.say_through(
        "order roses",
        &[r#"{"dialogAction": {"type": "ElicitIntent"}}"#],
    );
    assert_eq!(brief(&answer), "ElicitIntent: What was that?");
}

#[test]
fn values_that_a_hook_delegates_with_are_taken() {
    let mut talk = Talk::new(hooked());
    let answer = talk.say_through(
        "order flowers",
        &[r#"{"dialogAction": {"type": "Delegate", "slots": {"kind": "tulips", "day": "2027-01-01"}},
          "activeContexts": [{"name": "vip", "timeToLive": {"timeToLiveInSeconds": 60, "turnsToLive": 1}, "parameters": {"a": "b"}}],
          "recentIntentSummaryView": [{"intentName": "Hours", "checkpointLabel": "c", "dialogActionType": "Close", "fulfillmentState": "Fulfilled"}]}"#],
    );
    assert_eq!(
        brief(&answer),
        "ElicitSlot hour: At what time on 2027-01-01?"
    );
    assert_eq!(
        answer.active_contexts.first().map(|it| it.name.as_str()),
        Some("vip")
    );
    let view = talk.dialog.recent_intent_summary_view(None);
    assert_eq!(view.as_array().map(<[Json]>::len), Some(2));
    let labelled = talk.dialog.recent_intent_summary_view(Some("c"));
    assert_eq!(
        labelled.to_string(),
        concat!(
            r#"[{"intentName":"Hours","checkpointLabel":"c","slots":{},"confirmationStatus":"None","#,
            r#""dialogActionType":"Close","fulfillmentState":"Fulfilled","slotToElicit":null}]"#
        )
    );
    // Nobody said the values: they have no resolutions.
    let call = call(&mut talk, "noon");
    assert_eq!(
        call.event
            .at(&["currentIntent", "slotDetails", "kind"])
            .map(Json::to_string)
            .as_deref(),
        Some(r#"{"resolutions":[],"originalValue":"tulips"}"#)
    );
    assert_eq!(
        call.event
            .at(&["activeContexts"])
            .and_then(Json::as_array)
            .map(<[Json]>::len),
        Some(1)
    );
}

#[test]
fn what_follows_is_asked_once_it_is_done() {
    let follow = r#""followUpPrompt": {"prompt": {"maxAttempts": 2, "messages": [{"contentType": "PlainText", "content": "Anything else?"}]},
     "rejectionStatement": {"messages": [{"contentType": "PlainText", "content": "Bye."}]}},
     "unused":"#;
    let bot = || hooked_with(&[("\"conclusionStatement\":", follow)]);
    let done = |talk: &mut Talk| {
        talk.say_through("order roses for tomorrow", &[DELEGATE]);
        talk.say_through("noon", &[DELEGATE]);
        talk.say_through("yes", &[DELEGATE, DELEGATE])
    };
    let mut talk = Talk::new(bot());
    let answer = done(&mut talk);
    assert_eq!(brief(&answer), "ElicitIntent: Anything else?");
    assert_eq!(answer.recognised.as_deref(), Some("OrderFlowers"));
    assert_eq!(
        brief(&talk.say("hm")),
        "ElicitIntent: Anything else? (missed)"
    );
    assert_eq!(brief(&talk.say("no thanks")), "Fulfilled: Bye.");
    done(&mut talk);
    assert_eq!(brief(&talk.say("yes")), "ElicitIntent: What was that?");
    done(&mut talk);
    assert_eq!(brief(&talk.say("when are you open")), "ReadyForFulfillment");
    done(&mut talk);
    talk.say("hm");
    assert_eq!(brief(&talk.say("hm")), "Failed: Call us. (missed)");
}

#[test]
fn a_fallback_intent_calls_its_fulfilment_only() {
    let fallback = r#"{"name": "Lost", "parentIntentSignature": "AMAZON.FallbackIntent",
      "dialogCodeHook": {"uri": "arn:never", "messageVersion": "1.0"},
      "fulfillmentActivity": {"type": "CodeHook", "codeHook": {"uri": "arn:lost", "messageVersion": "1.0"}}},
      {"name": "Hours","#;
    let bot = flowers_with(&[
        ("{\"name\": \"Hours\",", fallback),
        ("\"clarificationPrompt\"", "\"other\""),
    ]);
    let mut talk = Talk::new(bot);
    let call = call(&mut talk, "qqq");
    assert_eq!(call.uri, "arn:lost");
    let source = call.event.get("invocationSource").and_then(Json::as_str);
    assert_eq!(source, Some("FulfillmentCodeHook"));
    let answer = talk.say_through(
        "qqq",
        &[r#"{"dialogAction": {"type": "ElicitSlot", "intentName": "OrderFlowers", "slotToElicit": "kind", "slots": {}}}"#],
    );
    assert_eq!(brief(&answer), "ElicitSlot kind: What kind? (missed)");
    assert!(answer.developer_override);
}

#[test]
fn wrong_answers_name_the_field_and_change_nothing() {
    let long = format!(
        r#"{{"dialogAction": {{"type": "Close", "fulfillmentState": "Failed", "message": {{"contentType": "PlainText", "content": "{}"}}}}}}"#,
        "x".repeat(1025)
    );
    for (answer, error) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "the answer must be an object"),
        ("{}", "dialogAction: is missing"),
        (
            r#"{"dialogAction": []}"#,
            "dialogAction: must be an object, not an array",
        ),
        (r#"{"dialogAction": {}}"#, "dialogAction.type: is missing"),
        (
            r#"{"dialogAction": {"type": "Go"}}"#,
            "dialogAction.type: must be ElicitIntent, ElicitSlot, ConfirmIntent, Delegate or Close",
        ),
        (
            r#"{"dialogAction": {"type": "Close"}}"#,
            "dialogAction.fulfillmentState: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "Close", "fulfillmentState": "Done"}}"#,
            "dialogAction.fulfillmentState: must be Fulfilled or Failed",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitSlot"}}"#,
            "dialogAction.intentName: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitSlot", "intentName": "Nope"}}"#,
            "dialogAction.intentName: names no intent of the bot",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitSlot", "intentName": "Hours"}}"#,
            "dialogAction.slotToElicit: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitSlot", "intentName": "Hours", "slotToElicit": "kind"}}"#,
            "dialogAction.slotToElicit: names a slot that the intent does not have",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate", "slots": {"size": "1"}}}"#,
            "dialogAction.slots: names a slot that the intent does not have",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate", "slots": {"kind": 1}}}"#,
            "dialogAction.slots: has a value that is a number, not a string",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "message": "hi"}}"#,
            "dialogAction.message: must be an object, not a string",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "message": {"content": "hi"}}}"#,
            "dialogAction.message.contentType: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "message": {"contentType": "Text", "content": "hi"}}}"#,
            "dialogAction.message.contentType: must be PlainText, SSML or CustomPayload",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "message": {"contentType": "PlainText", "content": ""}}}"#,
            "dialogAction.message.content: must have 1 to 1024 characters",
        ),
        (
            &long,
            "dialogAction.message.content: must have 1 to 1024 characters",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "responseCard": {}}}"#,
            "dialogAction.responseCard.genericAttachments: must be an array",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate"}, "sessionAttributes": {"a": null}}"#,
            "sessionAttributes: has a value of null",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate"}, "recentIntentSummaryView": [{}]}"#,
            "recentIntentSummaryView[0].dialogActionType: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate"}, "recentIntentSummaryView": [{},{},{},{}]}"#,
            "recentIntentSummaryView: has more than 3 elements",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate"}, "activeContexts": [{"name": "a"}]}"#,
            "activeContexts[0].timeToLive: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "Delegate"}, "activeContexts": [{"name": "a", "timeToLive": {"turnsToLive": 99}}]}"#,
            "activeContexts[0].timeToLive.turnsToLive: must be a number from 0 to 20",
        ),
    ] {
        let mut talk = Talk::new(hooked());
        let call = call(&mut talk, "order roses");
        let before = talk.dialog.clone();
        let wrong = resume(&talk.bot, &mut talk.dialog, call.pending, answer.as_bytes());
        assert_eq!(wrong.unwrap_err().to_string(), error, "{answer}");
        assert_eq!(talk.dialog, before);
    }
}
