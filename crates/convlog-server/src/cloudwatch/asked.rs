//! A request whose body has the shape that its operation asks for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use convlog_dialects::aws::arn::LogGroupArn;
use convlog_dialects::aws::shape::{self, Invalid};
use convlog_dialects::cloudwatch::pattern::Pattern;
use convlog_dialects::cloudwatch::shapes;
use convlog_model::json::Json;

use crate::app::App;
use crate::auth::Caller;
use crate::aws::{AwsError, Call};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) app: App,
    pub(super) caller: Caller,
    body: Json,
}

/// A request that breaks a rule.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidParameterException", message)
}

/// More than there may be.
pub(super) fn limit(message: impl Into<String>) -> AwsError {
    AwsError::new("LimitExceededException", message).with_bad_request()
}

/// A thing that is not there.
pub(super) fn missing(what: &str) -> AwsError {
    AwsError::new(
        "ResourceNotFoundException",
        format!("The specified {what} does not exist."),
    )
}

/// A thing that is there already.
pub(super) fn exists(what: &str) -> AwsError {
    AwsError::new(
        "ResourceAlreadyExistsException",
        format!("The specified {what} already exists"),
    )
}

pub(super) const GROUP: &str = "log group";
pub(super) const STREAM: &str = "log stream";

impl Asked {
    /// The request of an operation.
    ///
    /// # Errors
    /// A body that is no JSON, has another shape, or breaks one of its constraints.
    pub(super) fn new(call: Call, operation: &str) -> Result<Self, AwsError> {
        let body = call.json()?;
        let shape = shapes::input(operation)
            .ok_or_else(|| AwsError::new("UnknownOperationException", operation))?;
        shape::check(shape, &body, &[]).map_err(|error| match error {
            Invalid::Type { .. } => AwsError::new("SerializationException", error.to_string()),
            Invalid::Violations { .. } => invalid(error.to_string()),
        })?;
        Ok(Asked {
            app: call.app,
            caller: call.caller,
            body,
        })
    }

    /// A member; one that is null is not there.
    pub(super) fn get(&self, member: &str) -> Option<&Json> {
        self.body.get(member).filter(|value| **value != Json::Null)
    }

    /// A text.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.get(member).and_then(Json::as_str)
    }

    /// A text that the shape requires.
    pub(super) fn required(&self, member: &str) -> &str {
        self.text(member).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(&self, member: &str) -> Option<i64> {
        self.get(member).and_then(Json::as_i64)
    }

    /// A truth.
    pub(super) fn flag(&self, member: &str) -> Option<bool> {
        self.get(member).and_then(Json::as_bool)
    }

    /// A list.
    pub(super) fn list(&self, member: &str) -> &[Json] {
        self.get(member)
            .and_then(Json::as_array)
            .unwrap_or_default()
    }

    /// The texts of a list.
    pub(super) fn texts(&self, member: &str) -> Vec<String> {
        let texts = self.list(member).iter().filter_map(Json::as_str);
        texts.map(ToOwned::to_owned).collect()
    }

    /// The most items of a page.
    pub(super) fn limit(&self, default: usize) -> usize {
        let limit = self.number("limit");
        limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(default)
    }

    /// The group that is named by exactly one of `logGroupName` and another member.
    pub(super) fn group_name(&self, other: &str) -> Result<String, AwsError> {
        match (self.text("logGroupName"), self.text(other)) {
            (Some(name), None) => Ok(name.to_owned()),
            (None, Some(identifier)) => self.identified(identifier),
            _ => Err(invalid(format!(
                "Exactly one of logGroupName and {other} is needed."
            ))),
        }
    }

    /// The group that a name or an ARN stands for.
    pub(super) fn identified(&self, identifier: &str) -> Result<String, AwsError> {
        if !identifier.starts_with("arn:") {
            return Ok(identifier.to_owned());
        }
        let aws = &self.app.config().aws;
        match LogGroupArn::parse(identifier) {
            Some(arn) if arn.region == aws.region && arn.account == aws.account => Ok(arn.group),
            _ => Err(invalid(
                "The ARN is not that of a log group of this account and region.",
            )),
        }
    }

    /// The ARN of a group.
    pub(super) fn arn(&self, group: &str) -> String {
        let aws = &self.app.config().aws;
        format!(
            "arn:aws:logs:{}:{}:log-group:{group}",
            aws.region, aws.account
        )
    }

    /// The filter pattern; of one that is not given, every event.
    pub(super) fn pattern(&self) -> Result<Pattern, AwsError> {
        let text = self.text("filterPattern").unwrap_or_default();
        Pattern::parse(text).map_err(|error| invalid(format!("Invalid filter pattern: {error}")))
    }

    /// The name behind which the page begins.
    pub(super) fn after(&self) -> Result<Option<String>, AwsError> {
        self.text("nextToken").map(decode).transpose()
    }
}

/// A token that stands for a name.
pub(super) fn encode(name: &str) -> String {
    URL_SAFE_NO_PAD.encode(name)
}

fn decode(token: &str) -> Result<String, AwsError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(bad_token)
}

pub(super) fn bad_token() -> AwsError {
    invalid("The specified nextToken is invalid.")
}

/// One page of things in order of name: those behind `after`, and the token of the next page.
pub(super) fn page<T>(
    all: impl IntoIterator<Item = (String, T)>,
    after: Option<&str>,
    limit: usize,
) -> (Vec<(String, T)>, Option<String>) {
    let behind = |name: &str| after.is_none_or(|after| name > after);
    let mut rest = all.into_iter().filter(|(name, _)| behind(name));
    let page: Vec<(String, T)> = rest.by_ref().take(limit).collect();
    let token = page.last().map(|(name, _)| encode(name));
    let token = token.filter(|_| rest.next().is_some());
    (page, token)
}

/// The answer of a page.
pub(super) fn listed(member: &str, items: Vec<Json>, token: Option<String>) -> Json {
    let mut answer = Json::object([(member, Json::Array(items))]);
    if let Some(token) = token {
        answer.set("nextToken", Json::string(token));
    }
    answer
}

/// The answer of what answers nothing.
pub(super) fn nothing() -> Json {
    Json::object([])
}
