//! Watson Assistant v1 and v2 over HTTP: thin handlers between the routes and the dialect.
//!
//! What bodies, filters and errors look like, `convlog_dialects::watson` says; what is kept and
//! found goes through the two doors.
//!
//! Odd bodies are decided once. Refused with a position: text that is no JSON or no UTF-8, lone
//! surrogates in escapes, nesting deeper than [`convlog_model::json::DEPTH_MAX`]. Kept byte for
//! byte: NUL, duplicate keys (the last counts), numbers of any size, unknown members.

pub(crate) mod definitions;
pub(crate) mod logs;
pub(crate) mod message_v1;
pub(crate) mod message_v2;
pub(crate) mod session;
mod stream;
mod turn;
pub(crate) mod user_data;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use convlog_dialects::watson::error::ErrorBody;
use convlog_model::time::Timestamp;

use crate::connector::{Failure, PassedThrough};
use crate::error::Fault;

/// A fault in Watson's envelope.
#[must_use]
pub(crate) fn watson_error(fault: &Fault) -> Response {
    let status = fault.status().as_u16();
    let body = match fault {
        Fault::BadRequest {
            message,
            path: Some(path),
        } => ErrorBody::new(status, "Invalid Request").detail(message, Some(path)),
        Fault::Unauthorized => ErrorBody::unauthorized(),
        Fault::Forbidden { message } => ErrorBody::forbidden().detail(message, None),
        Fault::NotFound { message } if message == INVALID_SESSION => ErrorBody::invalid_session(),
        Fault::NotFound { .. } => ErrorBody::not_found(),
        Fault::MethodNotAllowed => ErrorBody::new(status, "Method Not Allowed"),
        Fault::BadRequest { path: None, .. }
        | Fault::Conflict { .. }
        | Fault::TooLarge { .. }
        | Fault::UnsupportedMedia { .. }
        | Fault::TooManyRequests { .. }
        | Fault::BadGateway { .. }
        | Fault::Unavailable { .. }
        | Fault::GatewayTimeout { .. }
        | Fault::Full { .. }
        | Fault::Internal { .. } => ErrorBody::new(status, fault.message()),
    };
    refused(&body)
}

const INVALID_SESSION: &str = "Invalid Session";

/// Why a Watson request was not done: a fault as everywhere, or an answer in Watson's own words.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The route's envelope makes the answer.
    Fault(Fault),
    /// The answer.
    Body(ErrorBody),
    /// The answer of an upstream server.
    PassedThrough(PassedThrough),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal::Fault(fault)
    }
}

impl From<ErrorBody> for Refusal {
    fn from(body: ErrorBody) -> Self {
        Refusal::Body(body)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure.passed_through {
            Some(answer) => Refusal::PassedThrough(answer),
            None => Refusal::Fault(failure.fault),
        }
    }
}

impl Refusal {
    /// A session that has expired, was deleted, or is another bot's.
    pub(crate) fn invalid_session() -> Self {
        Refusal::Fault(Fault::not_found(INVALID_SESSION))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Fault(fault) => fault.into_response(),
            Refusal::Body(body) => refused(&body),
            Refusal::PassedThrough(answer) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
                json(status, answer.body)
            }
        }
    }
}

fn refused(body: &ErrorBody) -> Response {
    let status = StatusCode::from_u16(body.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, body.to_json())
}

/// A JSON answer with the content type that Watson sends.
pub(crate) fn json(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], body.into()).into_response()
}

/// The query parameters of a Watson call, decoded, in order; its `version` has been checked.
#[derive(Clone, Debug)]
pub(crate) struct WatsonQuery(Vec<(String, String)>);

impl WatsonQuery {
    /// The first parameter of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first parameter of that name, unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A boolean parameter; absent or empty is false.
    ///
    /// # Errors
    /// 400 for another word than `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ErrorBody> {
        match self.filled(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ErrorBody::bad_parameter(
                name,
                &format!("{name} must be true or false"),
            )),
        }
    }

    /// Every parameter, as sent.
    pub(crate) fn all(&self) -> &[(String, String)] {
        &self.0
    }

    fn of(text: &str) -> Result<Self, ErrorBody> {
        let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
        let query = WatsonQuery(pairs.collect());
        match query.filled("version") {
            None => Err(ErrorBody::missing_version()),
            Some(version) if is_version(version) => Ok(query),
            Some(_) => Err(ErrorBody::bad_version()),
        }
    }
}

/// A date from 2017 on; every client sends another, and none is too new.
fn is_version(text: &str) -> bool {
    let date = Timestamp::parse_loose(text).filter(|_| text.len() == "2017-01-01".len());
    date.is_some_and(|_| text >= "2017")
}

impl<S: Send + Sync> FromRequestParts<S> for WatsonQuery {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(WatsonQuery::of(parts.uri.query().unwrap_or_default())?)
    }
}

#[cfg(test)]
mod tests;
