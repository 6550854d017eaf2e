//! What the rules answer, and which definitions they refuse.

use proptest::prelude::*;

use super::*;

const SHOP: &str = r#"{"kind":"rules","intents":[
  {"name":"order","examples":["I want to order a coffee","can I get two sodas please"],"reply":"Coming up."},
  {"name":"hours","examples":["when are you open"],"keywords":["opening hours"],"reply":"9 to 5."},
  {"name":"agent","keywords":["human"],"reply":[{"type":"connect_to_agent","topic":"x"}]}],
 "entities":[{"name":"drink","values":[{"value":"coffee","synonyms":["espresso","flat white"]},
  {"value":"white","synonyms":[]}]}],
 "anything_else":"Sorry?","threshold":0.4}"#;

fn rules(text: &str) -> Result<Rules, DecodeError> {
    Rules::parse(&Json::parse(text.as_bytes()).unwrap())
}

fn answer(text: &str) -> (String, String, String) {
    let reply = rules(SHOP).unwrap().answer(text, "en");
    let texts = reply.texts().collect::<Vec<_>>().join(" ");
    let show = |items: Vec<Json>| Json::Array(items).to_string();
    (texts, show(reply.intents), show(reply.entities))
}

#[test]
fn an_example_word_for_word_is_certain() {
    let (reply, intents, entities) = answer("I want to order a coffee!");
    assert_eq!(reply, "Coming up.");
    assert_eq!(intents, r#"[{"intent":"order","confidence":1}]"#);
    assert_eq!(
        entities,
        r#"[{"entity":"drink","location":[18,24],"value":"coffee","confidence":1}]"#
    );
}

#[test]
fn words_count_by_their_stems_and_in_any_order() {
    let (reply, intents, _) = answer("two soda, please");
    assert_eq!(reply, "Coming up.");
    assert_eq!(intents, r#"[{"intent":"order","confidence":0.6667}]"#);
}

#[test]
fn a_keyword_is_enough_and_may_lead_to_an_agent() {
    assert_eq!(answer("tell me your opening hours").0, "9 to 5.");
    let reply = rules(SHOP).unwrap().answer("a HUMAN", "en");
    let item = reply
        .output
        .first()
        .and_then(|item| item.get("response_type")?.as_str());
    assert_eq!(item, Some("connect_to_agent"));
    assert_eq!(reply.fallback, Some(false));
}

#[test]
fn of_overlapping_spellings_the_longest_counts_and_places_are_characters() {
    let (_, _, entities) = answer("äöü: Flat Whites and white");
    assert_eq!(
        entities,
        r#"[{"entity":"drink","location":[5,16],"value":"coffee","confidence":1},{"entity":"drink","location":[21,26],"value":"white","confidence":1}]"#
    );
}

#[test]
fn what_nothing_fits_gets_the_other_answer_and_no_intent() {
    let reply = rules(SHOP).unwrap().answer("quantum physics", "en");
    assert_eq!(reply.texts().collect::<Vec<_>>(), ["Sorry?"]);
    assert!(reply.intents.is_empty() && reply.fallback == Some(true));
    assert_eq!(reply.nodes_visited, ["anything_else"]);
}

#[test]
fn the_empty_text_is_welcomed() {
    let with = SHOP.replacen("\"kind\"", "\"welcome\":\"Hello!\",\"kind\"", 1);
    let reply = rules(&with).unwrap().answer("", "en");
    assert_eq!(reply.texts().collect::<Vec<_>>(), ["Hello!"]);
    assert_eq!(reply.nodes_visited, ["welcome"]);
}

#[test]
fn wrong_definitions_name_the_field() {
    for (definition, error) in [
        ("[]", "the rules must be an object"),
        (r#"{"intent":[]}"#, "intent: is unknown"),
        (
            r#"{"intents":{}}"#,
            "intents: must be an array, not an object",
        ),
        (
            r#"{"intents":[{"name":"a","reply":"x"}]}"#,
            "intents[0]: an intent needs examples or keywords",
        ),
        (
            r#"{"intents":[{"name":"a","examples":["x"]}]}"#,
            "intents[0].reply: is missing",
        ),
        (
            r#"{"intents":[{"examples":["x"],"reply":"y"}]}"#,
            "intents[0].name: is missing",
        ),
        (
            r#"{"intents":[{"name":"a","examples":[3],"reply":"y"}]}"#,
            "intents[0].examples[0]: must be a string, not a number",
        ),
        (
            r#"{"intents":[{"name":"a","examples":["x"],"reply":[{}]}]}"#,
            "intents[0].reply[0].type: must be a string",
        ),
        (
            r#"{"intents":[{"name":"a","examples":["x"],"reply":""},{"name":"a","examples":["x"],"reply":""}]}"#,
            "intents[1].name: is there twice",
        ),
        (
            r#"{"entities":[{"name":"e","values":[{"value":" "}]}]}"#,
            "entities[0].values[0].value: must not be empty",
        ),
        (
            r#"{"threshold":2}"#,
            "threshold: must be a number from 0 to 1",
        ),
    ] {
        assert_eq!(rules(definition).unwrap_err().to_string(), error);
    }
}

proptest! {
    #[test]
    fn any_text_has_an_answer_with_places_inside_of_it(text in any::<String>()) {
        let reply = rules(SHOP).unwrap().answer(&text, "en");
        prop_assert!(!reply.output.is_empty());
        let length = i64::try_from(text.chars().count()).unwrap();
        for entity in &reply.entities {
            let place = entity.get("location").and_then(Json::as_array).unwrap();
            prop_assert!(place.iter().all(|at| at.as_i64().unwrap() <= length));
        }
    }
}
