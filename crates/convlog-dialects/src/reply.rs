//! A connector's answer in neutral form, whatever the dialect of the question was.

use convlog_model::json::Json;

use crate::DecodeError;

/// What a bot answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reply {
    /// Messages in Watson's `generic` form: objects with a `response_type`.
    pub output: Vec<Json>,
    /// Intents by falling confidence: `{intent, confidence}`.
    pub intents: Vec<Json>,
    /// Entities: `{entity, value, location, confidence}`.
    pub entities: Vec<Json>,
    /// Context variables that the bot sets, an object; merged over those of the conversation.
    pub context: Option<Json>,
    /// Free output of the bot, an object.
    pub user_defined: Option<Json>,
    /// Dialog nodes on the way to the answer.
    pub nodes_visited: Vec<String>,
    /// Whether a fallback answered; `Some(false)` says that the branch was completed.
    pub fallback: Option<bool>,
}

impl Reply {
    /// A reply of one text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Reply {
            output: vec![text_item(text)],
            ..Reply::default()
        }
    }

    /// The texts among the messages.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.output
            .iter()
            .filter_map(|item| item.get("text")?.as_str())
    }

    /// The reply in the body that a webhook connector answers:
    /// `{output:[{type,text}],intents,entities,context}`, all optional. Messages may have further
    /// members; intents are `{name, confidence}` or, in Watson's words, `{intent, confidence}`.
    ///
    /// # Errors
    /// [`DecodeError`] with the position or the field.
    pub fn from_webhook(body: &[u8]) -> Result<Self, DecodeError> {
        let body = Json::parse(body)?;
        if body.as_object().is_none() {
            return Err(DecodeError::new("the answer must be an object", None));
        }
        let each = |key: &str, member: &str, renamed: &str| -> Result<Vec<Json>, DecodeError> {
            let items = objects(&body, key)?.iter().enumerate();
            items
                .map(|(i, item)| {
                    let mut item = item.clone();
                    if item.get(renamed).is_none()
                        && let Some(value) = item.take(member)
                    {
                        item.set(renamed, value);
                    }
                    match item.get(renamed) {
                        Some(Json::String(_)) => Ok(item),
                        _ => Err(DecodeError::new(
                            "must be a string",
                            Some(&format!("{key}[{i}].{member}")),
                        )),
                    }
                })
                .collect()
        };
        Ok(Reply {
            output: each("output", "type", "response_type")?,
            intents: each("intents", "name", "intent")?,
            entities: each("entities", "name", "entity")?,
            context: object(&body, "context")?,
            user_defined: object(&body, "user_defined")?,
            nodes_visited: Vec::new(),
            fallback: None,
        })
    }

    /// The reply in the answer of a Watson-shaped server, of either version.
    ///
    /// # Errors
    /// [`DecodeError`] naming the field.
    pub fn from_watson(body: &Json) -> Result<Self, DecodeError> {
        let empty = Json::Object(Vec::new());
        let output = body.get("output").unwrap_or(&empty);
        // The first version writes what it recognised beside the output.
        let recognised = match output.get("intents") {
            Some(_) => output,
            None => body,
        };
        let mut messages = objects(output, "generic")?.to_vec();
        if messages.is_empty() {
            let texts = output.get("text").and_then(Json::as_array);
            let texts = texts.unwrap_or_default().iter().filter_map(Json::as_str);
            messages = texts.map(text_item).collect();
        }
        Ok(Reply {
            output: messages,
            intents: objects(recognised, "intents")?.to_vec(),
            entities: objects(recognised, "entities")?.to_vec(),
            context: object(body, "context")?,
            ..Reply::default()
        })
    }
}

fn objects<'a>(body: &'a Json, key: &str) -> Result<&'a [Json], DecodeError> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::Array(items)) if items.iter().all(|item| item.as_object().is_some()) => {
            Ok(items)
        }
        Some(_) => Err(DecodeError::new("must be an array of objects", Some(key))),
    }
}

fn object(body: &Json, key: &str) -> Result<Option<Json>, DecodeError> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(found @ Json::Object(_)) => Ok(Some(found.clone())),
        Some(_) => Err(DecodeError::new("must be an object", Some(key))),
    }
}

/// A text message in Watson's `generic` form.
#[must_use]
pub fn text_item(text: &str) -> Json {
    Json::object([
        ("response_type", Json::string("text")),
        ("text", Json::string(text)),
    ])
}

/// Microseconds as milliseconds, exactly.
#[must_use]
pub(crate) fn millis(micros: i64) -> Json {
    let (whole, rest) = (micros / 1000, micros % 1000);
    if rest == 0 {
        return Json::integer(whole);
    }
    let fraction = format!("{rest:03}");
    Json::Number(format!("{whole}.{}", fraction.trim_end_matches('0')).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_answers_in_its_own_words_or_in_watsons() {
        let body = br#"{"output":[{"type":"text","text":"hi"},{"response_type":"pause","time":1}],
            "intents":[{"name":"hello","confidence":0.5},{"intent":"bye"}],"context":{"a":1}}"#;
        let reply = Reply::from_webhook(body).unwrap();
        assert_eq!(reply.texts().collect::<Vec<_>>(), ["hi"]);
        assert_eq!(
            Json::Array(reply.intents).to_string(),
            r#"[{"confidence":0.5,"intent":"hello"},{"intent":"bye"}]"#
        );
        assert_eq!(
            reply.context.map(|c| c.to_string()).as_deref(),
            Some(r#"{"a":1}"#)
        );
    }

    #[test]
    fn a_wrong_answer_names_the_field() {
        for (body, error) in [
            ("[]", "the answer must be an object"),
            (r#"{"output":"x"}"#, "output: must be an array of objects"),
            (
                r#"{"output":[{"text":"x"}]}"#,
                "output[0].type: must be a string",
            ),
            (r#"{"context":[]}"#, "context: must be an object"),
            ("{", "EOF while parsing an object at line 1 column 1"),
        ] {
            let got = Reply::from_webhook(body.as_bytes()).unwrap_err();
            assert_eq!(got.to_string(), error);
        }
    }
}
