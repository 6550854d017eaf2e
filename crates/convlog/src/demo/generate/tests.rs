//! The sample is the same in every run, and holds what the demonstration promises.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-03-02T12:00:00Z").unwrap()
}

fn logs() -> Vec<Value> {
    let sample = sample(now());
    let lines = sample.v1.iter().chain(&sample.v2);
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn count(wanted: impl Fn(&Value) -> bool) -> usize {
    logs().into_iter().filter(|log| wanted(log)).count()
}

#[test]
fn the_sample_is_the_same_in_every_run() {
    assert_eq!(sample(now()).v1, sample(now()).v1);
    assert_eq!(sample(now()).v2, sample(now()).v2);
}

#[test]
fn no_turn_lies_in_the_future_and_none_is_older_than_two_weeks() {
    let oldest = now().plus_micros(-15 * DAY_US).to_millis_text();
    let newest = now().to_millis_text();
    for log in logs() {
        let time = log["response_timestamp"].as_str().unwrap();
        assert!(time > oldest.as_str() && time <= newest.as_str(), "{time}");
    }
}

#[test]
fn it_holds_failures_escalations_and_two_languages() {
    let holds = |log: &Value, text: &str| log.to_string().contains(text);
    assert!(count(|log| holds(log, "connect_to_agent")) > 5);
    assert!(count(|log| holds(log, "DIALOG_WEBHOOK_FAILED")) > 2);
    assert!(count(|log| holds(log, "\"intents\":[]")) > 20);
    assert!(count(|log| log["language"] == "de") > 50);
    assert!(count(|log| log["language"] == "en") > 100);
    assert_eq!(
        count(|log| holds(log, "{drink}") || holds(log, "{size}")),
        0
    );
}

#[test]
fn a_customer_has_several_conversations_with_several_bots() {
    let mut bots_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for log in logs() {
        let Some(customer) = log["customer_id"].as_str() else {
            continue;
        };
        let bot = log["workspace_id"].as_str().or(log["skill_id"].as_str());
        let bots = bots_of.entry(customer.to_owned()).or_default();
        if !bots.iter().any(|known| Some(known.as_str()) == bot) {
            bots.extend(bot.map(str::to_owned));
        }
    }
    assert_eq!(bots_of.get("anna.lind").unwrap().len(), 3);
}

#[test]
fn every_intent_of_a_script_with_a_usual_reply_belongs_to_its_bot() {
    for script in SCRIPTS {
        let bot = BOTS.iter().find(|bot| bot.id == script.bot).unwrap();
        for say in script.says {
            let is_known = bot.intents.iter().any(|it| it.name == say.intent);
            let is_fine = is_known || say.intent.is_empty() || !say.reply.is_empty();
            assert!(is_fine, "{}", say.intent);
        }
    }
}
