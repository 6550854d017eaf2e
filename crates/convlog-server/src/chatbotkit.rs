//! ChatBotKit over HTTP: thin handlers between the routes and the dialect.
//!
//! What items, parameters and cursors look like, `convlog_dialects::chatbotkit` says; what is kept
//! and found goes through the two doors.

pub(crate) mod bots;
pub(crate) mod conversations;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod messages;
mod pages;
mod stream;
pub(crate) mod subscribe;
pub(crate) mod usage;
mod walk;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use convlog_dialects::DecodeError;
use convlog_model::json::Json;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::limits;

/// A failed answer repeats its code here, on 403 and 429.
const FAILURE_CODE: HeaderName = HeaderName::from_static("x-failure-code");

/// A fault in ChatBotKit's envelope: `{"message","code"}`.
#[must_use]
pub(crate) fn flat_error(fault: &Fault) -> Response {
    let status = fault.status();
    let code = code(fault);
    let message = match fault {
        Fault::Unauthorized => "Not authenticated".to_owned(),
        Fault::NotFound { .. } => "Not found".to_owned(),
        Fault::TooManyRequests { .. } => limit_reached(fault.message()),
        _ => fault.detail(),
    };
    let body = Json::object([
        ("message", Json::string(message)),
        ("code", Json::string(code)),
    ]);
    let mut answer = json(status, body.to_string());
    if matches!(
        fault,
        Fault::Forbidden { .. } | Fault::TooManyRequests { .. }
    ) {
        let code = HeaderValue::from_static(code);
        answer.headers_mut().insert(FAILURE_CODE, code);
    }
    answer
}

/// The words of the reference server, which names the counter.
fn limit_reached(message: &str) -> String {
    let counter = match message {
        limits::LISTS_EXCEEDED => "rate/poll",
        limits::RECORDS_EXCEEDED => "rate/record",
        other => return other.to_owned(),
    };
    format!("You have reached your allocated rate limits: {counter}")
}

fn code(fault: &Fault) -> &'static str {
    match fault {
        Fault::BadRequest { .. } | Fault::UnsupportedMedia { .. } => "BAD_REQUEST",
        Fault::Unauthorized => "NOT_AUTHENTICATED",
        Fault::Forbidden { .. } => "NOT_AUTHORIZED",
        Fault::NotFound { .. } => "NOT_FOUND",
        Fault::MethodNotAllowed => "METHOD_NOT_ALLOWED",
        Fault::Conflict { .. } => "CONFLICT",
        Fault::TooLarge { .. } => "CONTENT_TOO_LARGE",
        Fault::TooManyRequests { .. } => "LIMITS_REACHED",
        Fault::BadGateway { .. } => "BAD_GATEWAY",
        Fault::Unavailable { .. } => "SERVICE_UNAVAILABLE",
        Fault::GatewayTimeout { .. } => "GATEWAY_TIMEOUT",
        Fault::Full { .. } => "INSUFFICIENT_STORAGE",
        Fault::Internal { .. } => "INTERNAL_SERVER_ERROR",
    }
}

/// Whether a path belongs to this dialect, for what no route answers.
#[must_use]
pub(crate) fn has_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/v1/") else {
        return false;
    };
    let first = rest.split('/').next().unwrap_or_default();
    matches!(first, "event" | "audit" | "conversation" | "bot" | "usage")
}

/// Refuses to act for somebody else: a key acts for its own instance.
///
/// # Errors
/// 401 unless the headers name the key's instance or nobody.
pub(crate) fn require_self(caller: &Caller, headers: &HeaderMap) -> Result<(), Fault> {
    let is_self = |value: &HeaderValue| value.as_bytes() == caller.instance.as_str().as_bytes();
    let by_id = ["x-runas-user-id", "x-runas-userid"];
    let mut ids = by_id.iter().flat_map(|name| headers.get_all(*name));
    let by_mail = headers.contains_key("x-runas-child-user-email");
    match ids.all(is_self) && !by_mail {
        true => Ok(()),
        false => Err(Fault::Unauthorized),
    }
}

/// A JSON answer with the content type that the reference server sends.
fn json(status: StatusCode, body: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The body as an object, and its text.
///
/// # Errors
/// 400 for what is no JSON object.
fn body<'b>(app: &App, bytes: &'b [u8]) -> Result<(Json, &'b str), Fault> {
    let tree = crate::body::tree(bytes, app.config().limits.json_depth)?;
    match (&tree, std::str::from_utf8(bytes)) {
        (Json::Object(_), Ok(text)) => Ok((tree, text)),
        _ => Err(Fault::bad("the body must be an object")),
    }
}

/// The refusal of a body that the dialect does not understand.
fn decoded(error: DecodeError) -> Fault {
    Fault::BadRequest {
        message: error.message,
        path: error.path,
    }
}

/// The query parameters, decoded as a form, in order.
#[derive(Clone, Debug)]
pub(crate) struct FormQuery(Vec<(String, String)>);

impl FormQuery {
    /// The first parameter of that name, unless it is empty.
    fn first(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FormQuery {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let text = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
        Ok(FormQuery(pairs.collect()))
    }
}
