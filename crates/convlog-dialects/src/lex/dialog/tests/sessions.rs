//! What a session shows of itself, and what a client may set.

use super::*;

fn put(talk: &mut Talk, body: &str) -> Result<Answer, String> {
    let request = Request {
        utterance: None,
        session_attributes: None,
        request_attributes: &BTreeMap::new(),
        active_contexts: None,
        user_id: "u1",
        bot_alias: "PROD",
        now_ms: NOW_MS,
        dialog_mode: DialogMode::Text,
    };
    let body = Json::parse(body.as_bytes()).unwrap();
    match put_session(&talk.bot, &mut talk.dialog, &body, &request) {
        Ok(Step::Done(answer)) => Ok(*answer),
        Ok(Step::Hook(call)) => panic!("a hook is called: {}", call.event),
        Err(error) => Err(error.to_string()),
    }
}

fn action(talk: &Talk) -> String {
    talk.dialog
        .dialog_action()
        .map(|action| action.to_string())
        .unwrap_or_default()
}

#[test]
fn a_session_shows_its_last_action_and_intents() {
    let mut talk = Talk::new(flowers());
    assert_eq!(action(&talk), "");
    talk.say("order roses for tomorrow");
    assert_eq!(
        action(&talk),
        concat!(
            r#"{"type":"ElicitSlot","intentName":"OrderFlowers","#,
            r#""slots":{"day":"2026-11-28","hour":null,"kind":"roses","note":null},"slotToElicit":"hour","#,
            r#""message":"At what time on 2026-11-28?","messageFormat":"PlainText"}"#
        )
    );
    for _ in 0..3 {
        talk.say("when are you open");
    }
    assert_eq!(
        action(&talk),
        r#"{"type":"Close","intentName":"Hours","slots":{},"fulfillmentState":"ReadyForFulfillment"}"#
    );
    let view = talk.dialog.recent_intent_summary_view(None);
    let names = view
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.get("intentName").and_then(Json::as_str));
    assert_eq!(names.collect::<Vec<_>>(), [Some("Hours"); 3]);
}

#[test]
fn a_session_is_the_same_after_it_was_kept() {
    let mut talk = Talk::new(flowers());
    talk.say("order roses for tomorrow");
    let kept = serde_json::to_string(&talk.dialog).unwrap();
    let back: Dialog = serde_json::from_str(&kept).unwrap();
    assert_eq!(back, talk.dialog);
    assert_eq!(
        serde_json::from_str::<Dialog>("{}").unwrap(),
        Dialog::default()
    );
}

#[test]
fn a_client_sets_what_is_asked_next() {
    let mut talk = Talk::new(flowers());
    let answer = put(
        &mut talk,
        r#"{"sessionAttributes": {"a": "b"}, "dialogAction": {"type": "ElicitSlot", "intentName": "OrderFlowers",
          "slots": {"kind": "roses"}, "slotToElicit": "hour", "message": "When?", "messageFormat": "PlainText"}}"#,
    )
    .unwrap();
    assert_eq!(brief(&answer), "ElicitSlot hour: When?");
    assert_eq!(values(&answer), "kind=roses");
    assert_eq!(answer.session_attributes.len(), 1);
    assert_eq!(brief(&talk.say("noon")), "ElicitSlot day: On which day?");
    let answer = put(
        &mut talk,
        r#"{"dialogAction": {"type": "ConfirmIntent", "intentName": "OrderFlowers", "slots": {"day": "2027-01-01"}}}"#,
    )
    .unwrap();
    assert_eq!(
        brief(&answer),
        "ConfirmIntent: roses on 2027-01-01 at 12:00, right?"
    );
    assert_eq!(brief(&talk.say("yes")), "ReadyForFulfillment");
    let answer = put(
        &mut talk,
        r#"{"dialogAction": {"type": "Delegate", "intentName": "OrderFlowers", "slots": {"kind": "tulips"}}}"#,
    );
    assert_eq!(brief(&answer.unwrap()), "ElicitSlot day: On which day?");
    let answer = put(&mut talk, r#"{"dialogAction": {"type": "ElicitIntent"}}"#);
    assert_eq!(brief(&answer.unwrap()), "ElicitIntent: What was that?");
    let answer = put(
        &mut talk,
        r#"{"dialogAction": {"type": "Close", "intentName": "Hours", "fulfillmentState": "Fulfilled", "message": "Done."}}"#,
    );
    assert_eq!(brief(&answer.unwrap()), "Fulfilled: Done.");
}

#[test]
fn a_client_goes_back_to_an_intent_with_its_values() {
    let mut talk = Talk::new(flowers());
    talk.say("order roses for tomorrow");
    talk.say("when are you open");
    let body = r#"{"dialogAction": {"type": "ElicitSlot", "intentName": "OrderFlowers", "slotToElicit": "hour"}}"#;
    let answer = put(&mut talk, body).unwrap();
    assert_eq!(values(&answer), "day=2026-11-28 kind=roses");
    assert_eq!(
        brief(&answer),
        "ElicitSlot hour: At what time on 2026-11-28?"
    );
}

#[test]
fn what_a_client_does_not_name_stays() {
    let mut talk = Talk::new(flowers());
    talk.say("order roses for tomorrow");
    let before = action(&talk);
    let answer = put(
        &mut talk,
        r#"{"recentIntentSummaryView": [{"intentName": "OrderFlowers", "checkpointLabel": "here",
           "slots": {"kind": "roses"}, "confirmationStatus": "None", "dialogActionType": "ElicitSlot"}],
          "activeContexts": [{"name": "vip", "timeToLive": {"timeToLiveInSeconds": 60, "turnsToLive": 2}, "parameters": {}}]}"#,
    )
    .unwrap();
    assert_eq!(brief(&answer), "ElicitSlot hour");
    assert_eq!(action(&talk), before);
    assert_eq!(
        talk.dialog.active_contexts_json(NOW_MS).to_string(),
        r#"[{"name":"vip","timeToLive":{"timeToLiveInSeconds":60,"turnsToLive":2},"parameters":{}}]"#
    );
    talk.say("noon");
    let here = talk.dialog.recent_intent_summary_view(Some("here"));
    assert_eq!(here.as_array().map(<[Json]>::len), Some(1));
    put(&mut talk, r#"{"recentIntentSummaryView": []}"#).unwrap();
    assert_eq!(
        talk.dialog.recent_intent_summary_view(None).to_string(),
        "[]"
    );
}

#[test]
fn wrong_bodies_name_the_field_and_change_nothing() {
    for (body, error) in [
        ("[]", "the body must be an object"),
        (
            r#"{"dialogAction": {"type": "Delegate"}}"#,
            "dialogAction.intentName: is missing",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "message": 3}}"#,
            "dialogAction.message: must be a string, not a number",
        ),
        (
            r#"{"dialogAction": {"type": "ElicitIntent", "message": "x", "messageFormat": "y"}}"#,
            "dialogAction.messageFormat: must be PlainText, CustomPayload, SSML or Composite",
        ),
        (
            r#"{"sessionAttributes": {"a": 1}}"#,
            "sessionAttributes: has a value that is a number, not a string",
        ),
    ] {
        let mut talk = Talk::new(flowers());
        assert_eq!(put(&mut talk, body).unwrap_err(), error);
        assert_eq!(talk.dialog, Dialog::default());
    }
}
