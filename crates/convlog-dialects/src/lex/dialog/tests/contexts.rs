//! Contexts and the values that slots start with.

use super::*;
use crate::lex::model::TimeToLive;

const TWO: &str = r##"{
 "bot": {"name": "b", "locale": "en-US", "childDirected": false},
 "intents": [
  {"name": "Book", "sampleUtterances": ["book {city}"],
   "slots": [{"name": "city", "slotConstraint": "Required", "slotType": "AMAZON.US_CITY"}],
   "outputContexts": [{"name": "trip", "timeToLiveInSeconds": 90, "turnsToLive": 2}],
   "fulfillmentActivity": {"type": "ReturnIntent"}},
  {"name": "Plain", "sampleUtterances": ["show me more"]},
  {"name": "Car", "sampleUtterances": ["rent a car", "show me more"],
   "inputContexts": [{"name": "trip"}],
   "slots": [
    {"name": "town", "slotConstraint": "Required", "slotType": "AMAZON.US_CITY",
     "defaultValueSpec": {"defaultValueList": [{"defaultValue": "#trip.city"}, {"defaultValue": "Rome"}]}},
    {"name": "size", "slotConstraint": "Optional", "slotType": "AMAZON.NUMBER",
     "defaultValueSpec": {"defaultValueList": [{"defaultValue": "[size]"}, {"defaultValue": "4"}]}}],
   "fulfillmentActivity": {"type": "ReturnIntent"}}],
 "slotTypes": []}"##;

fn names(answer: &Answer) -> Vec<(&str, Option<u32>, Option<u32>)> {
    let all = answer.active_contexts.iter();
    all.map(|it| {
        let life = it.time_to_live;
        (
            it.name.as_str(),
            life.time_to_live_in_seconds,
            life.turns_to_live,
        )
    })
    .collect()
}

#[test]
fn an_intent_that_is_done_opens_its_contexts_with_its_values() {
    let mut talk = Talk::new(compile(TWO));
    assert!(talk.say("rent a car").missed);
    let answer = talk.say("book Boston");
    assert_eq!(brief(&answer), "ReadyForFulfillment");
    assert_eq!(names(&answer), [("trip", Some(90), Some(2))]);
    talk.now_ms += 1500;
    let answer = talk.say("rent a car");
    assert_eq!(values(&answer), "size=4 town=Boston");
    assert_eq!(names(&answer), [("trip", Some(89), Some(1))]);
    assert_eq!(names(&talk.say("rent a car")), []);
    assert!(talk.say("rent a car").missed);
}

#[test]
fn contexts_end_by_time() {
    let mut talk = Talk::new(compile(TWO));
    talk.say("book Boston");
    talk.now_ms += 90_000;
    assert!(talk.say("rent a car").missed);
}

#[test]
fn a_client_may_open_and_clear_them() {
    let trip = |turns: u32| ActiveContext {
        name: "trip".to_owned(),
        time_to_live: TimeToLive {
            time_to_live_in_seconds: Some(60),
            turns_to_live: Some(turns),
        },
        parameters: BTreeMap::new(),
    };
    let mut talk = Talk::new(compile(TWO));
    talk.contexts = Some(vec![trip(2)]);
    talk.attributes = Some(BTreeMap::from([("size".to_owned(), "7".to_owned())]));
    let answer = talk.say("rent a car");
    assert_eq!(values(&answer), "size=7 town=Rome");
    assert_eq!(names(&answer), [("trip", Some(60), Some(1))]);
    talk.contexts = Some(Vec::new());
    assert!(talk.say("rent a car").missed);
}

#[test]
fn of_intents_that_fit_equally_the_one_that_needs_a_context_wins() {
    let mut talk = Talk::new(compile(TWO));
    assert_eq!(
        talk.say("show me more").intent_name.as_deref(),
        Some("Plain")
    );
    talk.say("book Boston");
    let answer = talk.say("show me more");
    assert_eq!(answer.intent_name.as_deref(), Some("Car"));
    let other: Vec<_> = answer
        .alternatives
        .iter()
        .map(|it| (it.name.as_str(), it.confidence))
        .collect();
    assert_eq!(other, [("Plain", 1.0)]);
}
