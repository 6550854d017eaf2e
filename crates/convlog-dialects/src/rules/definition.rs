//! Reading and checking a definition.

use std::collections::BTreeSet;

use convlog_model::json::Json;

use super::{Entity, EntityValue, Intent, Rules, Threshold, text_reply};
use crate::DecodeError;
use crate::reply::Reply;

/// Most intents, and most entities.
const NAMES_MAX: usize = 2_000;
/// Most examples, keywords, values or synonyms of one name.
const ENTRIES_MAX: usize = 2_000;
/// Longest text of an example, keyword or value, in characters.
const TEXT_MAX: usize = 1_024;
/// Confidence below which nothing was understood, unless the definition says otherwise.
const THRESHOLD: f64 = 0.3;

const MEMBERS: [&str; 6] = [
    "kind",
    "intents",
    "entities",
    "anything_else",
    "welcome",
    "threshold",
];

fn fail<T>(message: impl Into<String>, path: &str) -> Result<T, DecodeError> {
    Err(DecodeError::new(message, Some(path)))
}

pub(super) fn parse(definition: &Json) -> Result<Rules, DecodeError> {
    let Json::Object(_) = definition else {
        return Err(DecodeError::new("the rules must be an object", None));
    };
    known(definition, &MEMBERS, "")?;
    let intents = items(definition, "intents", NAMES_MAX, "")?;
    let intents: Vec<Intent> = intents
        .iter()
        .enumerate()
        .map(|(i, item)| intent(item, &format!("intents[{i}]")))
        .collect::<Result<_, _>>()?;
    unique(intents.iter().map(|intent| intent.name.as_str()), "intents")?;
    let entities = items(definition, "entities", NAMES_MAX, "")?;
    let entities: Vec<Entity> = entities
        .iter()
        .enumerate()
        .map(|(i, item)| entity(item, &format!("entities[{i}]")))
        .collect::<Result<_, _>>()?;
    unique(
        entities.iter().map(|entity| entity.name.as_str()),
        "entities",
    )?;
    let anything_else = match reply(definition, "anything_else", "anything_else")? {
        Some(reply) => reply,
        None => text_reply("I did not understand that."),
    };
    let threshold = match definition.get("threshold") {
        None | Some(Json::Null) => THRESHOLD,
        Some(value) => match value.as_f64().filter(|part| (0.0..=1.0).contains(part)) {
            Some(part) => part,
            None => return fail("must be a number from 0 to 1", "threshold"),
        },
    };
    Ok(Rules {
        intents,
        entities,
        anything_else,
        welcome: reply(definition, "welcome", "welcome")?,
        threshold: Threshold::of(threshold),
    })
}

fn intent(item: &Json, path: &str) -> Result<Intent, DecodeError> {
    known(item, &["name", "examples", "keywords", "reply"], path)?;
    let examples = texts(item, "examples", path)?;
    let keywords = texts(item, "keywords", path)?;
    if examples.is_empty() && keywords.is_empty() {
        return fail("an intent needs examples or keywords", path);
    }
    let reply_path = format!("{path}.reply");
    match reply(item, "reply", &reply_path)? {
        Some(reply) => Ok(Intent {
            name: name(item, "name", path)?,
            examples,
            keywords,
            reply,
        }),
        None => fail("is missing", &reply_path),
    }
}

fn entity(item: &Json, path: &str) -> Result<Entity, DecodeError> {
    known(item, &["name", "values"], path)?;
    let values = items(item, "values", ENTRIES_MAX, path)?;
    let values = values.iter().enumerate().map(|(i, one)| {
        let path = format!("{path}.values[{i}]");
        known(one, &["value", "synonyms"], &path)?;
        let value = name(one, "value", &path)?;
        let mut spellings = vec![value.clone()];
        spellings.extend(texts(one, "synonyms", &path)?);
        Ok(EntityValue { value, spellings })
    });
    Ok(Entity {
        name: name(item, "name", path)?,
        values: values.collect::<Result<_, DecodeError>>()?,
    })
}

/// Refuses members that nothing would ever look at, such as misspelt ones.
fn known(item: &Json, members: &[&str], path: &str) -> Result<(), DecodeError> {
    let found = item.as_object().unwrap_or_default();
    let unknown = found
        .iter()
        .find(|(key, _)| !members.contains(&key.as_str()));
    match unknown {
        None => Ok(()),
        Some((key, _)) => {
            let shown: String = key.chars().take(100).collect();
            fail("is unknown", &join(path, &shown))
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// The objects of an array.
fn items<'a>(item: &'a Json, key: &str, max: usize, path: &str) -> Result<&'a [Json], DecodeError> {
    let path = join(path, key);
    let items = match item.get(key) {
        None | Some(Json::Null) => return Ok(&[]),
        Some(Json::Array(items)) => items,
        Some(other) => {
            return fail(
                format!("must be an array, not {}", other.type_name()),
                &path,
            );
        }
    };
    if items.len() > max {
        return fail(format!("has more than {max} elements"), &path);
    }
    match items.iter().position(|item| item.as_object().is_none()) {
        Some(i) => fail("must be an object", &format!("{path}[{i}]")),
        None => Ok(items),
    }
}

fn texts(item: &Json, key: &str, path: &str) -> Result<Vec<String>, DecodeError> {
    let path = join(path, key);
    let items = match item.get(key) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(other) => {
            return fail(
                format!("must be an array, not {}", other.type_name()),
                &path,
            );
        }
    };
    if items.len() > ENTRIES_MAX {
        return fail(format!("has more than {ENTRIES_MAX} elements"), &path);
    }
    let each = items.iter().enumerate();
    each.map(|(i, item)| text(Some(item), &format!("{path}[{i}]")))
        .collect()
}

fn name(item: &Json, key: &str, path: &str) -> Result<String, DecodeError> {
    text(item.get(key), &join(path, key))
}

fn text(value: Option<&Json>, path: &str) -> Result<String, DecodeError> {
    match value {
        None | Some(Json::Null) => fail("is missing", path),
        Some(Json::String(text)) if text.trim().is_empty() => fail("must not be empty", path),
        Some(Json::String(text)) if text.chars().count() > TEXT_MAX => {
            fail(format!("is longer than {TEXT_MAX} characters"), path)
        }
        Some(Json::String(text)) => Ok(text.to_string()),
        Some(other) => fail(format!("must be a string, not {}", other.type_name()), path),
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a str>, path: &str) -> Result<(), DecodeError> {
    let mut seen = BTreeSet::new();
    for (i, name) in names.enumerate() {
        if !seen.insert(name) {
            return fail("is there twice", &format!("{path}[{i}].name"));
        }
    }
    Ok(())
}

/// A reply: a text, or messages as a webhook answers them.
fn reply(item: &Json, key: &str, path: &str) -> Result<Option<Vec<Json>>, DecodeError> {
    match item.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text_reply(text))),
        Some(messages @ Json::Array(_)) => {
            let body = Json::object([("output", messages.clone())]).to_string();
            match Reply::from_webhook(body.as_bytes()) {
                Ok(reply) => Ok(Some(reply.output)),
                Err(error) => {
                    let inner = error.path.unwrap_or_default();
                    let inner = inner.strip_prefix("output").unwrap_or_default();
                    fail(error.message, &format!("{path}{inner}"))
                }
            }
        }
        Some(other) => {
            let message = format!(
                "must be a text or a list of messages, not {}",
                other.type_name()
            );
            fail(message, path)
        }
    }
}
