//! CloudWatch Logs over HTTP: log groups that are this server's own. They show turns of Lex that
//! name a group, and what `PutLogEvents` brings. One route, and a table of its operations.

mod asked;
mod counted;
mod documents;
mod filter;
mod gather;
mod get;
mod groups;
mod insights;
mod known;
mod metric_filters;
mod missed;
mod put;
mod streams;
mod subscriptions;
mod tags;
mod view;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use convlog_model::json::Json;
use futures::future::BoxFuture;

use self::asked::Asked;
use crate::auth::Role;
use crate::aws::{AwsError, Call, Refusal, Service};
use crate::error::Fault;

pub(crate) use self::documents::{retention_rules, sweep};
pub(crate) use self::known::Known;
pub(crate) use self::missed::{
    Missed, Range, missed, missed_names, n_missed, show, take_turn, turns_of,
};
pub(crate) use self::subscriptions::start;

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const PREFIX: &str = "Logs_20140328.";
const KIND: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

/// What an operation answers: its output.
type Answered = Result<Json, Refusal>;

/// One operation.
#[derive(Clone, Copy)]
struct Operation {
    name: &'static str,
    /// What a key must be allowed to do.
    role: Role,
    /// Whether a key that is limited to some bots is refused.
    is_instance_wide: bool,
    run: for<'a> fn(&'a Asked) -> BoxFuture<'a, Answered>,
}

impl Operation {
    /// Whether it counts as a list call.
    fn is_list(&self) -> bool {
        let is_look = ["Describe", "List", "Filter"].iter();
        let mut is_look = is_look.map(|begin| self.name.starts_with(begin));
        is_look.any(|is| is) || matches!(self.name, "GetLogEvents" | "StartQuery")
    }
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

macro_rules! operations {
    ($($name:literal $role:ident $is_wide:ident $run:path;)*) => {
        /// Every operation that is done here.
        static OPERATIONS: &[Operation] = &[$(Operation {
            name: $name,
            role: Role::$role,
            is_instance_wide: $is_wide,
            run: |asked| Box::pin($run(asked)),
        }),*];
    };
}

const WIDE: bool = true;
const OF_BOTS: bool = false;

operations! {
    "CreateLogGroup" Admin WIDE groups::create;
    "DeleteLogGroup" Admin WIDE groups::delete;
    "DescribeLogGroups" Read OF_BOTS groups::describe;
    "PutRetentionPolicy" Admin WIDE groups::put_retention;
    "DeleteRetentionPolicy" Admin WIDE groups::delete_retention;
    "AssociateKmsKey" Admin WIDE groups::associate_key;
    "DisassociateKmsKey" Admin WIDE groups::disassociate_key;
    "TagResource" Admin WIDE tags::add;
    "UntagResource" Admin WIDE tags::remove;
    "ListTagsForResource" Read OF_BOTS tags::list;
    "ListTagsLogGroup" Read OF_BOTS tags::list_of_group;
    "CreateLogStream" Write WIDE streams::create;
    "DeleteLogStream" Admin WIDE streams::delete;
    "DescribeLogStreams" Read OF_BOTS streams::describe;
    "PutLogEvents" Write WIDE put::events;
    "GetLogEvents" Read OF_BOTS get::events;
    "PutMetricFilter" Admin WIDE metric_filters::put;
    "DeleteMetricFilter" Admin WIDE metric_filters::delete;
    "DescribeMetricFilters" Read OF_BOTS metric_filters::describe;
    "TestMetricFilter" Read OF_BOTS metric_filters::test;
    "StartQuery" Read OF_BOTS insights::start;
    "StopQuery" Read OF_BOTS insights::stop;
    "GetQueryResults" Read OF_BOTS insights::results;
    "DescribeQueries" Read OF_BOTS insights::describe;
    "GetLogRecord" Read OF_BOTS insights::record;
    "PutSubscriptionFilter" Admin WIDE subscriptions::put;
    "DeleteSubscriptionFilter" Admin WIDE subscriptions::delete;
    "DescribeSubscriptionFilters" Read OF_BOTS subscriptions::describe;
    "FilterLogEvents" Read OF_BOTS filter::events;
}

/// `POST /`
pub(crate) async fn dispatch(call: Call) -> Response {
    let mut answer = match run(call).await {
        Ok(output) => crate::aws::json(axum::http::StatusCode::OK, output.to_string()),
        // Its text is for our own log, which the middleware writes.
        Err(Refusal::Fault(fault @ Fault::Internal { .. })) => return fault.into_response(),
        Err(Refusal::Fault(fault)) => AwsError::of(Service::Logs, &fault).into_response(),
        Err(Refusal::Aws(error)) => error.into_response(),
    };
    answer.headers_mut().insert(header::CONTENT_TYPE, KIND);
    answer
}

async fn run(call: Call) -> Answered {
    let target = call.headers.get(&TARGET);
    let target = target.and_then(|value| value.to_str().ok());
    let name = target
        .and_then(|target| target.strip_prefix(PREFIX))
        .unwrap_or_default();
    let Some(operation) = OPERATIONS.iter().find(|of| of.name == name) else {
        return Err(AwsError::new(
            "UnknownOperationException",
            "The operation is unknown or not supported here.",
        )
        .into());
    };
    call.caller.require(operation.role)?;
    if operation.is_instance_wide {
        call.caller.require_unscoped()?;
    }
    if operation.is_list() {
        let allowed = call.app.limits().list(&call.caller);
        allowed.map_err(|(fault, _)| fault)?;
    }
    let asked = Asked::new(call, operation.name)?;
    (operation.run)(&asked).await
}

#[cfg(test)]
mod tests;
