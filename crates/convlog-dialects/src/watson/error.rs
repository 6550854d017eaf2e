//! Error bodies of Watson Assistant: `{"error", "errors":[{"message","path"}], "code"}`.

use convlog_model::json::Json;

use super::filter::FilterError;
use super::message::RequestError;

/// One detail of an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorDetail {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub path: Option<String>,
}

/// An error body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorBody {
    /// General text.
    pub error: String,
    /// Details, may be empty.
    pub errors: Vec<ErrorDetail>,
    /// Equals the HTTP status.
    pub code: u16,
}

impl ErrorBody {
    /// An error without details.
    #[must_use]
    pub fn new(code: u16, error: impl Into<String>) -> Self {
        ErrorBody {
            error: error.into(),
            errors: Vec::new(),
            code,
        }
    }

    /// With a detail more.
    #[must_use]
    pub fn detail(mut self, message: impl Into<String>, path: Option<&str>) -> Self {
        self.errors.push(ErrorDetail {
            message: message.into(),
            path: path.map(str::to_owned),
        });
        self
    }

    /// The JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut body = Json::object([("error", Json::string(self.error.as_str()))]);
        if !self.errors.is_empty() {
            let detail = |one: &ErrorDetail| {
                let mut object = Json::object([("message", Json::string(one.message.as_str()))]);
                if let Some(path) = &one.path {
                    object.set("path", Json::string(path.as_str()));
                }
                object
            };
            body.set(
                "errors",
                Json::Array(self.errors.iter().map(detail).collect()),
            );
        }
        body.set("code", Json::integer(i64::from(self.code)));
        body.to_string()
    }

    /// 400: no `version` parameter.
    #[must_use]
    pub fn missing_version() -> Self {
        Self::new(400, "Missing 'version' query parameter")
    }

    /// 400: `version` is no date.
    #[must_use]
    pub fn bad_version() -> Self {
        Self::new(400, "Invalid Request")
            .detail("version must be a date, YYYY-MM-DD", Some("version"))
    }

    /// 400: a query parameter is wrong.
    #[must_use]
    pub fn bad_parameter(name: &str, message: &str) -> Self {
        Self::new(400, "Invalid Request").detail(message, Some(name))
    }

    /// 400: `user_data` without a customer id.
    #[must_use]
    pub fn no_customer_id() -> Self {
        Self::new(400, "No customer ID found in the request")
    }

    /// 400: a message body is wrong.
    #[must_use]
    pub fn bad_request_body(error: &RequestError) -> Self {
        Self::new(400, "Invalid Request Body").detail(error.message.clone(), error.path.as_deref())
    }

    /// 400: a filter is wrong; the detail names the column.
    #[must_use]
    pub fn bad_filter(error: &FilterError) -> Self {
        Self::new(400, "Analytics Service Error: Invalid query request")
            .detail(error.to_string(), Some("filter"))
    }

    /// 400: `/v1/logs` without its mandatory terms.
    #[must_use]
    pub fn missing_terms(error: &FilterError) -> Self {
        Self::new(400, "Invalid Request").detail(error.message.clone(), Some("filter"))
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized")
    }

    /// 403.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    /// 404: no such workspace, assistant or environment, or one of another instance.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "Resource not found")
    }

    /// 404: a session that has expired, was deleted or is somebody else's.
    #[must_use]
    pub fn invalid_session() -> Self {
        Self::new(404, "Invalid Session")
    }

    /// 429.
    #[must_use]
    pub fn rate_limit() -> Self {
        Self::new(429, "Rate limit exceeded")
    }
}
