//! What the dialects of AWS have in common over HTTP: how they show errors, and request ids.

mod call;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use convlog_dialects::DecodeError;
use convlog_model::json::Json;

pub(crate) use self::call::Call;
use crate::error::Fault;

/// Tells the code of an error to SDKs that look for it before the body.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
/// Id of the request, which support asks for.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Which of the dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Amazon Lex V1: model building and runtime.
    Lex,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// The name by which requests are signed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Service::Lex => "lex",
            Service::Logs => "logs",
        }
    }
}

/// Why a request was not done, in AWS's words. The text holds nothing of what users said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Members of the body beside the message.
    more: Vec<(&'static str, Json)>,
    retry_after_s: Option<u64>,
}

impl AwsError {
    /// An error of that code, with the status that the service model gives it.
    #[must_use]
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        AwsError {
            status: status_of(code),
            code,
            message: message.into(),
            more: Vec::new(),
            retry_after_s: None,
        }
    }

    /// 400 of Lex.
    #[must_use]
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new("BadRequestException", message)
    }

    /// 404 of Lex, in the words that are known of it.
    #[must_use]
    pub(crate) fn not_found(resource: &str) -> Self {
        Self::new(
            "NotFoundException",
            format!("The specified resource '{resource}' does not exist. Choose another resource."),
        )
    }

    /// 429 of Lex.
    #[must_use]
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        let mut error = Self::new("LimitExceededException", message);
        error.retry_after_s = Some(1);
        error
    }

    /// 400 for a path that no operation has.
    #[must_use]
    pub(crate) fn unknown_operation() -> Self {
        Self::new("UnknownOperationException", "no operation has this path")
    }

    /// What it says.
    #[must_use]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same with the status 400, as CloudWatch Logs has it for codes that Lex has another for.
    #[must_use]
    pub(crate) fn with_bad_request(mut self) -> Self {
        self.status = StatusCode::BAD_REQUEST;
        self
    }

    /// Adds a member to the body.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Json) -> Self {
        self.more.push((name, value));
        self
    }

    /// A fault as everywhere, in the words of the service.
    #[must_use]
    pub(crate) fn of(service: Service, fault: &Fault) -> Self {
        let code = match (fault, service) {
            (Fault::BadRequest { .. } | Fault::TooLarge { .. }, Service::Lex) => {
                "BadRequestException"
            }
            (Fault::BadRequest { .. } | Fault::TooLarge { .. }, Service::Logs) => {
                "InvalidParameterException"
            }
            (Fault::Unauthorized, _) => "MissingAuthenticationTokenException",
            (Fault::Forbidden { .. }, _) => "AccessDeniedException",
            (Fault::NotFound { .. }, Service::Lex) => "NotFoundException",
            (Fault::NotFound { .. }, Service::Logs) => "ResourceNotFoundException",
            (Fault::MethodNotAllowed, _) => "UnknownOperationException",
            (Fault::Conflict { .. }, Service::Lex) => "ConflictException",
            (Fault::Conflict { .. }, Service::Logs) => "OperationAbortedException",
            (Fault::UnsupportedMedia { .. }, _) => "UnsupportedMediaTypeException",
            (Fault::TooManyRequests { .. }, Service::Lex) => "LimitExceededException",
            (Fault::TooManyRequests { .. }, Service::Logs) => "ThrottlingException",
            (Fault::BadGateway { .. } | Fault::GatewayTimeout { .. }, Service::Lex) => {
                "DependencyFailedException"
            }
            (_, Service::Logs) => "ServiceUnavailableException",
            (Fault::Unavailable { .. } | Fault::Full { .. }, Service::Lex) => {
                "ServiceUnavailableException"
            }
            (Fault::Internal { .. }, Service::Lex) => "InternalFailureException",
        };
        let message = match fault {
            Fault::Unauthorized => "Missing Authentication Token".to_owned(),
            _ => fault.detail(),
        };
        let mut error = Self::new(code, message);
        // Codes of this program's own conditions keep the status that they have everywhere.
        if matches!(fault, Fault::Unavailable { .. } | Fault::Full { .. }) {
            error.status = fault.status();
        }
        error.retry_after_s = fault.retry_after_s();
        error
    }
}

/// Statuses by code, as the service models of `lex-models`, `lex-runtime` and `logs` have them.
fn status_of(code: &str) -> StatusCode {
    match code {
        "MissingAuthenticationTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "AccessDeniedException" => StatusCode::FORBIDDEN,
        "NotFoundException" => StatusCode::NOT_FOUND,
        "NotAcceptableException" => StatusCode::NOT_ACCEPTABLE,
        "RequestTimeoutException" => StatusCode::REQUEST_TIMEOUT,
        "ConflictException" => StatusCode::CONFLICT,
        "PreconditionFailedException" => StatusCode::PRECONDITION_FAILED,
        "UnsupportedMediaTypeException" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "DependencyFailedException" => StatusCode::FAILED_DEPENDENCY,
        "LimitExceededException" => StatusCode::TOO_MANY_REQUESTS,
        "InternalFailureException" | "ServiceUnavailableException" => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        "BadGatewayException" => StatusCode::BAD_GATEWAY,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Codes whose message is written with a capital letter, as the service model has it.
fn has_capital(code: &str) -> bool {
    matches!(code, "DependencyFailedException" | "BadGatewayException")
}

impl From<DecodeError> for AwsError {
    fn from(error: DecodeError) -> Self {
        AwsError::bad(error.to_string())
    }
}

impl IntoResponse for AwsError {
    fn into_response(self) -> Response {
        let member = match has_capital(self.code) {
            true => "Message",
            false => "message",
        };
        let mut body = Json::object([("__type", Json::string(self.code))]);
        if self.code != "ResourceInUseException" {
            body.set(member, Json::string(self.message));
        }
        for (name, value) in self.more {
            body.set(name, value);
        }
        let mut answer = json(self.status, body.to_string());
        let headers = answer.headers_mut();
        headers.insert(ERROR_TYPE, HeaderValue::from_static(self.code));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// Keeps a refusal for the end of a change of a document, which knows faults alone.
pub(crate) fn set_aside(place: &mut Option<AwsError>, error: AwsError) -> Fault {
    *place = Some(error);
    Fault::conflict("refused")
}

/// What a change has brought about, unless a refusal was set aside.
pub(crate) fn unless_refused<T>(
    changed: Result<T, Fault>,
    refusal: Option<AwsError>,
) -> Result<T, Refusal> {
    match refusal {
        Some(refusal) => Err(refusal.into()),
        None => Ok(changed?),
    }
}

/// Why a request of an AWS dialect was not done: a fault as everywhere, which the route's envelope
/// shows, or an answer in AWS's own words.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The route's envelope makes the answer.
    Fault(Fault),
    /// The answer.
    Aws(AwsError),
}

impl Refusal {
    /// What it says.
    #[must_use]
    pub(crate) fn message(&self) -> String {
        match self {
            Refusal::Fault(fault) => fault.detail(),
            Refusal::Aws(error) => error.message().to_owned(),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Refusal::Fault(fault)
    }
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        Refusal::Aws(error)
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Refusal::Aws(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::Fault(fault) => fault.into_response(),
            Refusal::Aws(error) => error.into_response(),
        }
    }
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, kind)], body.into()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_the_code_of_its_service() {
        let fault = Fault::not_found("gone");
        for (service, code, status) in [
            (Service::Lex, "NotFoundException", 404),
            (Service::Logs, "ResourceNotFoundException", 400),
        ] {
            let answer = AwsError::of(service, &fault).into_response();
            assert_eq!(answer.headers()[&ERROR_TYPE], code);
            assert_eq!(answer.status(), status);
        }
    }
}
