//! The error of everything that reads foreign bodies.

use convlog_model::json::{JsonError, Value};

/// Why a body is not what its dialect says, and where. Never holds any of the body's values.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{message}", .path.as_ref().map(|p| format!("{p}: ")).unwrap_or_default())]
pub struct DecodeError {
    /// What is wrong.
    pub message: String,
    /// The field, spelled with dots and indexes such as `response.intents[2].confidence`.
    pub path: Option<String>,
}

impl DecodeError {
    /// An error at `path`.
    #[must_use]
    pub fn new(message: impl Into<String>, path: Option<&str>) -> Self {
        DecodeError {
            message: message.into(),
            path: path.map(str::to_owned),
        }
    }

    /// The error of a value of a wrong type.
    pub(crate) fn wrong_type<'a>(wanted: &str, found: impl Into<Value<'a>>, path: &str) -> Self {
        let message = format!("must be {wanted}, not {}", found.into().type_name());
        DecodeError::new(message, Some(path))
    }
}

impl From<JsonError> for DecodeError {
    fn from(error: JsonError) -> Self {
        DecodeError::new(error.to_string(), None)
    }
}
