//! Amazon Lex V1 over HTTP: the model building API and the runtime, as thin handlers between the
//! routes and `convlog_dialects::lex`.

pub(crate) mod aliases;
pub(crate) mod bots;
mod bring;
pub(crate) mod builtins;
pub(crate) mod content;
mod delivery;
pub(crate) mod exports;
mod heard;
mod hook;
pub(crate) mod imports;
pub(crate) mod intents;
mod known;
mod logs;
mod media;
mod parts;
mod reply;
mod roles;
pub(crate) mod runtime;
mod sentiment;
mod session;
mod shelf;
pub(crate) mod slot_types;
pub(crate) mod tags;
mod target;
mod turn;
pub(crate) mod utterances;
mod view;
mod voice;

use axum::http::StatusCode;
use axum::response::Response;
use convlog_dialects::aws::shape::{self, Invalid};
use convlog_dialects::lex::rules::{Refused, RefusedKind};
use convlog_dialects::lex::shapes;
use convlog_model::json::Json;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::known::Known;
use self::shelf::{LATEST, Shelf};
use crate::aws::{self, AwsError, Call};

/// An answer with a JSON body.
fn answer(status: StatusCode, body: &Json) -> Response {
    aws::json(status, body.to_string())
}

/// 204 without a body.
fn done() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The body of a request of a shape that its operation asks for; `path` are the parameters of its
/// path.
fn checked(call: &Call, operation: &str, path: &[(&str, &str)]) -> Result<Json, AwsError> {
    let body = call.json()?;
    require_shape(call, operation, &body, path)?;
    Ok(body)
}

/// Refuses parameters that are not of the shape that an operation without a body asks for; `path`
/// are those of its path.
fn require_named(call: &Call, operation: &str, path: &[(&str, &str)]) -> Result<(), AwsError> {
    require_shape(call, operation, &Json::Null, path)
}

/// Refuses what is not of the shape that the operation asks for.
fn require_shape(
    call: &Call,
    operation: &str,
    body: &Json,
    path: &[(&str, &str)],
) -> Result<(), AwsError> {
    let query = call.query.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let params: Vec<(&str, &str)> = path.iter().copied().chain(query).collect();
    check_shape(operation, body, &params)
}

/// The same of a request that is none of its own: `params` are all its parameters.
fn check_shape(operation: &str, body: &Json, params: &[(&str, &str)]) -> Result<(), AwsError> {
    let Some(shape) = shapes::input(operation) else {
        return Err(AwsError::new("UnknownOperationException", operation));
    };
    shape::check(shape, body, params).map_err(|invalid| match invalid {
        Invalid::Type { .. } => AwsError::new("SerializationException", invalid.to_string()),
        Invalid::Violations { .. } => AwsError::bad(invalid.to_string()),
    })
}

/// A broken rule that no shape holds.
fn refused(refused: &Refused) -> AwsError {
    let message = refused.to_string();
    match refused.kind {
        RefusedKind::BadRequest => AwsError::bad(message),
        RefusedKind::LimitExceeded => AwsError::limit(message),
    }
}

/// The text of a member.
fn text(body: &Json, member: &str) -> Option<String> {
    body.get(member)
        .and_then(Json::as_str)
        .map(ToOwned::to_owned)
}

/// The members of a request that are kept, in that order, but for those that say nothing.
fn kept(sent: &Json, members: &[&str]) -> Json {
    let mut body = Json::object([]);
    for member in members {
        match sent.get(member) {
            None | Some(Json::Null) => {}
            Some(value) => body.set(member, value.clone()),
        }
    }
    body
}

/// A checked value as a type.
fn typed<T: DeserializeOwned>(value: &Json) -> Result<T, AwsError> {
    let text = value.to_string();
    serde_json::from_str(&text).map_err(|_| AwsError::bad("A member has a wrong type."))
}

/// A value of ours as JSON.
fn json_of(value: &impl Serialize) -> Json {
    let text = serde_json::to_vec(value).unwrap_or_default();
    Json::parse(&text).unwrap_or(Json::Null)
}

/// Refuses a put of anything but `$LATEST`.
fn require_latest(version: &str) -> Result<(), AwsError> {
    match version {
        LATEST => Ok(()),
        _ => Err(AwsError::bad("Only the $LATEST version can be changed.")),
    }
}

/// Refuses to number what uses something that has no number.
fn require_numbered(shelf: &Shelf) -> Result<(), AwsError> {
    match shelf.latest.uses.iter().find(|of| of.version == LATEST) {
        None => Ok(()),
        Some(of) => Err(AwsError::bad(format!(
            "'{}' uses the $LATEST version of '{}', which may change: create a version of that \
             first.",
            shelf.name, of.name
        ))),
    }
}
