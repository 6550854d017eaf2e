//! Whole conversations, each a table of what is said and what comes back.

mod contexts;
mod hooks;
mod lists;
mod sessions;
mod talk;
mod wild;

use super::*;
use crate::lex::model::{Bot, Intent, SlotType};

/// Friday, 2026-11-27, noon.
const NOW_MS: i64 = 1_795_780_800_000;

/// A bot that sells flowers, with one change to its document.
fn flowers_with(changes: &[(&str, &str)]) -> Compiled {
    let mut text = FLOWERS.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    compile(&text)
}

fn flowers() -> Compiled {
    flowers_with(&[])
}

/// A bot of a document `{bot, intents, slotTypes}`.
fn compile(document: &str) -> Compiled {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Document {
        bot: Bot,
        intents: Vec<Intent>,
        slot_types: Vec<SlotType>,
    }
    let document: Document = serde_json::from_str(document).unwrap();
    Compiled::new(document.bot, document.intents, document.slot_types)
}

const FLOWERS: &str = r#"{
 "bot": {"name": "OrderFlowers", "version": "3", "locale": "en-US", "childDirected": false,
  "clarificationPrompt": {"maxAttempts": 2, "messages": [
   {"contentType": "PlainText", "content": "What was that?"},
   {"contentType": "PlainText", "content": "Sorry, again?"}]},
  "abortStatement": {"messages": [{"contentType": "PlainText", "content": "Call us."}]}},
 "intents": [
  {"name": "OrderFlowers",
   "sampleUtterances": ["I would like to order flowers", "I would like to order {kind}",
    "order {kind} for {day}", "order flowers"],
   "slots": [
    {"name": "hour", "slotConstraint": "Required", "slotType": "AMAZON.TIME", "priority": 3,
     "valueElicitationPrompt": {"maxAttempts": 2, "messages": [
      {"contentType": "PlainText", "content": "At what time on {day}?"}]}},
    {"name": "kind", "slotConstraint": "Required", "slotType": "Kinds", "slotTypeVersion": "1", "priority": 1,
     "sampleUtterances": ["I would like {kind}", "some {kind}"],
     "valueElicitationPrompt": {"maxAttempts": 2, "messages": [
      {"contentType": "PlainText", "content": "What kind?"},
      {"contentType": "PlainText", "content": "Roses or tulips?"}],
      "responseCard": "{\"version\":1,\"contentType\":\"application/vnd.amazonaws.card.generic\",\"genericAttachments\":[{\"title\":\"Kinds\",\"buttons\":[{\"text\":\"Roses\",\"value\":\"roses\"}]}]}"}},
    {"name": "day", "slotConstraint": "Required", "slotType": "AMAZON.DATE", "priority": 2,
     "valueElicitationPrompt": {"maxAttempts": 2, "messages": [
      {"contentType": "PlainText", "content": "On which day?"}]}},
    {"name": "note", "slotConstraint": "Optional", "slotType": "AMAZON.Person"}],
   "confirmationPrompt": {"maxAttempts": 2, "messages": [
    {"contentType": "PlainText", "content": "{kind} on {day} at {hour}, right?"}]},
   "rejectionStatement": {"messages": [{"contentType": "PlainText", "content": "No order then."}]},
   "fulfillmentActivity": {"type": "ReturnIntent"}},
  {"name": "Hours", "sampleUtterances": ["when are you open", "what are your opening hours"],
   "fulfillmentActivity": {"type": "ReturnIntent"}},
  {"name": "Help", "parentIntentSignature": "AMAZON.HelpIntent",
   "fulfillmentActivity": {"type": "ReturnIntent"}}],
 "slotTypes": [{"name": "Kinds", "valueSelectionStrategy": "TOP_RESOLUTION", "enumerationValues": [
  {"value": "roses", "synonyms": ["red roses"]}, {"value": "tulips"}]}]}"#;

/// One user's conversation with a bot.
struct Talk {
    bot: Compiled,
    dialog: Dialog,
    now_ms: i64,
    attributes: Option<BTreeMap<String, String>>,
    contexts: Option<Vec<ActiveContext>>,
}

impl Talk {
    fn new(bot: Compiled) -> Self {
        Talk {
            bot,
            dialog: Dialog::default(),
            now_ms: NOW_MS,
            attributes: None,
            contexts: None,
        }
    }

    fn step(&mut self, utterance: Option<&str>) -> Step {
        let request_attributes = BTreeMap::from([("channel".to_owned(), "web".to_owned())]);
        let request = Request {
            utterance,
            session_attributes: self.attributes.take(),
            request_attributes: &request_attributes,
            active_contexts: self.contexts.take(),
            user_id: "u1",
            bot_alias: "PROD",
            now_ms: self.now_ms,
            dialog_mode: DialogMode::Text,
        };
        turn(&self.bot, &mut self.dialog, &request)
    }

    fn say(&mut self, utterance: &str) -> Answer {
        match self.step(Some(utterance)) {
            Step::Done(answer) => {
                check_places(&answer, utterance);
                *answer
            }
            Step::Hook(call) => panic!("a hook is called: {}", call.event),
        }
    }

    /// Says something and gives the hook that is called its answer, so for each of `answers`.
    fn say_through(&mut self, utterance: &str, answers: &[&str]) -> Answer {
        let mut step = self.step(Some(utterance));
        for answer in answers {
            let Step::Hook(call) = step else {
                panic!("no hook is called");
            };
            step = resume(&self.bot, &mut self.dialog, call.pending, answer.as_bytes()).unwrap();
        }
        match step {
            Step::Done(answer) => *answer,
            Step::Hook(call) => panic!("one more hook is called: {}", call.event),
        }
    }
}

fn check_places(answer: &Answer, utterance: &str) {
    for heard in &answer.heard {
        let part = utterance.get(heard.span.clone());
        assert!(part.is_some_and(|part| !part.is_empty()), "{heard:?}");
    }
}

/// State, what is asked for, message.
fn brief(answer: &Answer) -> String {
    let mut text = answer.dialog_state.as_str().to_owned();
    if let Some(slot) = &answer.slot_to_elicit {
        text = format!("{text} {slot}");
    }
    if let Some((_, message)) = &answer.message {
        text = format!("{text}: {message}");
    }
    if answer.missed {
        text.push_str(" (missed)");
    }
    text
}

/// Values that are there, as `slot=value`.
fn values(answer: &Answer) -> String {
    let there = answer.slots.iter();
    let there = there.filter_map(|(slot, value)| Some(format!("{slot}={}", value.as_deref()?)));
    there.collect::<Vec<_>>().join(" ")
}

/// Checks a conversation line by line: what is said, what comes back.
fn check(bot: Compiled, lines: &[(&str, &str)]) -> Answer {
    let mut talk = Talk::new(bot);
    let mut last = None;
    for (said, answered) in lines {
        let answer = talk.say(said);
        assert_eq!(brief(&answer), *answered, "{said}");
        last = Some(answer);
    }
    last.unwrap()
}
