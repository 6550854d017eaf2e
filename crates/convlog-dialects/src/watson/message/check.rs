//! Checks of a message body. Errors name the field; none repeats what it holds.

use convlog_model::json::Json;

use super::{RequestError, TEXT_MAX, USER_ID_MAX};
use crate::splice;

/// Characters that the API forbids in a conversation id; `&&` and `||` only doubled.
const CONVERSATION_BANNED: &str = "+=><!(){}[]^\"~*?:\\/";

pub(super) fn fail<T>(message: impl Into<String>, path: &str) -> Result<T, RequestError> {
    Err(RequestError {
        message: message.into(),
        path: Some(path.to_owned()),
    })
}

/// The body without white space, and its value; an empty body is `{}`.
pub(super) fn parse(body: &[u8]) -> Result<(String, Json), RequestError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(("{}".to_owned(), Json::object([])));
    }
    let malformed = |message: String| RequestError {
        message,
        path: None,
    };
    let value = Json::parse(body).map_err(|error| malformed(error.to_string()))?;
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        malformed(format!("the body is not UTF-8 at byte {at}"))
    })?;
    match value {
        Json::Object(_) => Ok((splice::compact(text), value)),
        other => {
            let message = format!("the body must be an object, not {}", other.type_name());
            Err(malformed(message))
        }
    }
}

/// A body, read by paths such as `.input.text`.
pub(super) struct Checked<'a>(pub(super) &'a Json);

impl<'a> Checked<'a> {
    fn get(&self, path: &str) -> Option<&'a Json> {
        let segments: Vec<&str> = path.split('.').skip(1).collect();
        self.0.at(&segments).filter(|value| **value != Json::Null)
    }

    fn wrong<T>(wanted: &str, found: &Json, path: &str) -> Result<T, RequestError> {
        fail(format!("must be {wanted}, not {}", found.type_name()), path)
    }

    pub(super) fn objects(&self, paths: &[&str]) -> Result<(), RequestError> {
        for path in paths {
            match self.get(path) {
                None | Some(Json::Object(_)) => {}
                Some(other) => return Self::wrong("an object", other, path),
            }
        }
        Ok(())
    }

    pub(super) fn booleans(&self, paths: &[&str]) -> Result<(), RequestError> {
        for path in paths {
            match self.get(path) {
                None | Some(Json::Bool(_)) => {}
                Some(other) => return Self::wrong("a boolean", other, path),
            }
        }
        Ok(())
    }

    /// Arrays of objects, each with a string under `key`.
    pub(super) fn lists(&self, lists: &[(&str, &str)]) -> Result<(), RequestError> {
        for (path, key) in lists {
            let items = match self.get(path) {
                None => continue,
                Some(Json::Array(items)) => items,
                Some(other) => return Self::wrong("an array", other, path),
            };
            for (i, item) in items.iter().enumerate() {
                let at = format!("{path}[{i}]");
                if item.as_object().is_none() {
                    return Self::wrong("an object", item, &at);
                }
                match item.get(key) {
                    Some(Json::String(_)) => {}
                    Some(other) => return Self::wrong("a string", other, &format!("{at}.{key}")),
                    None => return fail("is missing", &format!("{at}.{key}")),
                }
            }
        }
        Ok(())
    }

    pub(super) fn string(&self, path: &str) -> Result<Option<&'a str>, RequestError> {
        match self.get(path) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Self::wrong("a string", other, path),
        }
    }

    /// A text of one line; `name` is how the message calls it.
    fn line(&self, path: &str, name: &str, max: usize) -> Result<Option<&'a str>, RequestError> {
        let Some(text) = self.string(path)? else {
            return Ok(None);
        };
        if text.contains(['\t', '\n', '\r']) {
            let banned = "can not contain the following characters";
            return fail(
                format!("{name} {banned}: tab, new line, carriage return."),
                path,
            );
        }
        if text.chars().count() > max {
            return fail(
                format!("{name} can not be longer than {max} characters."),
                path,
            );
        }
        Ok(Some(text))
    }

    /// The text of the message; an empty one is what clients send for the welcome turn.
    pub(super) fn input(&self) -> Result<(), RequestError> {
        self.line(".input.text", "text", TEXT_MAX).map(drop)
    }

    /// Ids of 1 to 256 characters.
    pub(super) fn ids(&self, paths: &[&str]) -> Result<(), RequestError> {
        for path in paths {
            let name = path.rsplit('.').next().unwrap_or_default();
            if self.line(path, name, USER_ID_MAX)? == Some("") {
                return fail(format!("{name} can not be empty."), path);
            }
        }
        Ok(())
    }

    /// An id that names a conversation.
    pub(super) fn conversation(&self, path: &str) -> Result<(), RequestError> {
        let name = path.rsplit('.').next().unwrap_or_default();
        let Some(id) = self.line(path, name, USER_ID_MAX)? else {
            return Ok(());
        };
        let banned = id.contains(|c| CONVERSATION_BANNED.contains(c));
        if banned || id.contains("&&") || id.contains("||") {
            let message = format!(
                "{name} can not contain the following characters: \
                 + = && || > < ! ( ) {{ }} [ ] ^ \" ~ * ? : \\ /"
            );
            return fail(message, path);
        }
        Ok(())
    }
}
