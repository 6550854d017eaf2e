//! The one error of handlers, and how the own API shows it (RFC 9457). The other dialects show the
//! same faults in envelopes of their own; the route table says which.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use convlog_model::store::{ErrorKind, StoreError};
use serde::Serialize;

/// Why a request was not done. Each text may be shown to clients and holds no user text, but for
/// [`Fault::Internal`], whose text is for our own log alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 400: the request cannot be understood.
    BadRequest {
        /// What is wrong.
        message: String,
        /// The field or parameter that it is about.
        path: Option<String>,
    },
    /// 401: no key, or a wrong one.
    Unauthorized,
    /// 403: the key may not do that.
    Forbidden {
        /// What is missing.
        message: String,
    },
    /// 404: no such thing, or none that the key may see.
    NotFound {
        /// What is missing.
        message: String,
    },
    /// 405: the path knows other methods.
    MethodNotAllowed,
    /// 409: it contradicts what is there.
    Conflict {
        /// With what.
        message: String,
    },
    /// 413: the body is too large.
    TooLarge {
        /// Which bound.
        message: String,
    },
    /// 415: an encoding or media type that is not known.
    UnsupportedMedia {
        /// Which are known.
        message: String,
    },
    /// 429: more than the limits allow.
    TooManyRequests {
        /// Which limit.
        message: String,
        /// When to try again.
        retry_after_s: u64,
    },
    /// 502: a connector failed.
    BadGateway {
        /// How.
        message: String,
    },
    /// 503: too much at once, too slow, or not working at present.
    Unavailable {
        /// Which of them.
        message: String,
        /// When to try again, where that is known.
        retry_after_s: Option<u64>,
    },
    /// 504: a connector did not answer in time.
    GatewayTimeout {
        /// Which bound.
        message: String,
    },
    /// 507: no room left.
    Full {
        /// What can be done.
        message: String,
    },
    /// 500: a bug or damage; the client sees a fixed text.
    Internal {
        /// For our own log.
        log: String,
    },
}

/// A problem at one place of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// What is wrong.
    pub message: String,
    /// The field or parameter that it is about.
    pub path: String,
}

impl Fault {
    /// A 400 that names no place.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Fault::BadRequest {
            message: message.into(),
            path: None,
        }
    }

    /// A 400 at a field or parameter.
    #[must_use]
    pub fn bad_at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Fault::BadRequest {
            message: message.into(),
            path: Some(path.into()),
        }
    }

    /// A 403.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Fault::Forbidden {
            message: message.into(),
        }
    }

    /// A 404.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Fault::NotFound {
            message: message.into(),
        }
    }

    /// A 409.
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Fault::Conflict {
            message: message.into(),
        }
    }

    /// A 413.
    #[must_use]
    pub fn too_large(message: impl Into<String>) -> Self {
        Fault::TooLarge {
            message: message.into(),
        }
    }

    /// A 500 with a text for our own log.
    #[must_use]
    pub fn internal(log: impl Into<String>) -> Self {
        Fault::Internal { log: log.into() }
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Fault::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Fault::Unauthorized => StatusCode::UNAUTHORIZED,
            Fault::Forbidden { .. } => StatusCode::FORBIDDEN,
            Fault::NotFound { .. } => StatusCode::NOT_FOUND,
            Fault::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Fault::Conflict { .. } => StatusCode::CONFLICT,
            Fault::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::UnsupportedMedia { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Fault::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Fault::BadGateway { .. } => StatusCode::BAD_GATEWAY,
            Fault::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Fault::GatewayTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Fault::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            Fault::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The text for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Fault::BadRequest { message, .. }
            | Fault::Forbidden { message }
            | Fault::NotFound { message }
            | Fault::Conflict { message }
            | Fault::TooLarge { message }
            | Fault::UnsupportedMedia { message }
            | Fault::TooManyRequests { message, .. }
            | Fault::BadGateway { message }
            | Fault::Unavailable { message, .. }
            | Fault::GatewayTimeout { message }
            | Fault::Full { message } => message,
            Fault::Unauthorized => "a valid key is required",
            Fault::MethodNotAllowed => "this path does not know the method",
            Fault::Internal { .. } => "internal error",
        }
    }

    /// The text for the client, with the field or parameter that it is about.
    #[must_use]
    pub fn detail(&self) -> String {
        let message = self.message();
        match self.path() {
            Some(path) if !message.starts_with(path) => format!("{path}: {message}"),
            _ => message.to_owned(),
        }
    }

    /// The field or parameter that it is about.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Fault::BadRequest { path, .. } => path.as_deref(),
            Fault::Unauthorized
            | Fault::Forbidden { .. }
            | Fault::NotFound { .. }
            | Fault::MethodNotAllowed
            | Fault::Conflict { .. }
            | Fault::TooLarge { .. }
            | Fault::UnsupportedMedia { .. }
            | Fault::TooManyRequests { .. }
            | Fault::BadGateway { .. }
            | Fault::Unavailable { .. }
            | Fault::GatewayTimeout { .. }
            | Fault::Full { .. }
            | Fault::Internal { .. } => None,
        }
    }

    /// Seconds after which the same request may do better.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        match self {
            Fault::TooManyRequests { retry_after_s, .. } => Some(*retry_after_s),
            Fault::Unavailable { retry_after_s, .. } => *retry_after_s,
            Fault::BadRequest { .. }
            | Fault::Unauthorized
            | Fault::Forbidden { .. }
            | Fault::NotFound { .. }
            | Fault::MethodNotAllowed
            | Fault::Conflict { .. }
            | Fault::TooLarge { .. }
            | Fault::UnsupportedMedia { .. }
            | Fault::BadGateway { .. }
            | Fault::GatewayTimeout { .. }
            | Fault::Full { .. }
            | Fault::Internal { .. } => None,
        }
    }

    /// The fault that a bare status of the framework stands for; `None` below 400.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Option<Self> {
        let fault = match status {
            StatusCode::UNAUTHORIZED => Fault::Unauthorized,
            StatusCode::NOT_FOUND => Fault::not_found("Resource not found"),
            StatusCode::METHOD_NOT_ALLOWED => Fault::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Fault::too_large("the request is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Fault::UnsupportedMedia {
                message: "the media type is not known".to_owned(),
            },
            status if status.is_client_error() => Fault::bad("the request cannot be understood"),
            status if status.is_server_error() => Fault::internal("the framework failed"),
            _ => return None,
        };
        Some(fault)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let message = error.client_text().to_owned();
        let retry_after_s = error.retry_after_ms().map(|ms| ms.div_ceil(1000).max(1));
        match error.kind() {
            ErrorKind::Invalid => Fault::bad(message),
            ErrorKind::NotFound => Fault::not_found(message),
            ErrorKind::Conflict => Fault::conflict(message),
            ErrorKind::Busy => Fault::Unavailable {
                message,
                retry_after_s: Some(retry_after_s.unwrap_or(1)),
            },
            ErrorKind::Full => Fault::Full { message },
            ErrorKind::Timeout | ErrorKind::Unavailable => {
                tracing::warn!(error = error.log_text(), "the store did not answer");
                Fault::Unavailable {
                    message,
                    retry_after_s,
                }
            }
            ErrorKind::Corrupt | ErrorKind::Internal => Fault::internal(error.log_text()),
        }
    }
}

/// A problem as the own API shows it (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status as words.
    pub title: &'static str,
    /// The status as number.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
    /// The places of the request that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub errors: Vec<Detail>,
}

impl Problem {
    /// The form of a fault. Its detail is whole without the errors, so it names the place too.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        let status = fault.status();
        let errors = fault.path().map(|path| Detail {
            message: fault.message().to_owned(),
            path: path.to_owned(),
        });
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: fault.detail(),
            errors: errors.into_iter().collect(),
        }
    }

    /// The answer.
    #[must_use]
    pub fn respond(fault: &Fault) -> Response {
        let body = serde_json::to_vec(&Problem::of(fault)).unwrap_or_default();
        let mut answer = (fault.status(), body).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        answer
    }
}

/// The fault that an answer stands for, carried beside it until the route's envelope is known.
#[derive(Clone, Debug)]
pub(crate) struct Raised(pub(crate) Fault);

/// The own API's form; `middleware.rs` replaces it on routes with another envelope and
/// writes the log.
impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut answer = Problem::respond(&self);
        answer.extensions_mut().insert(Raised(self));
        answer
    }
}

#[cfg(test)]
mod tests;
