//! Calls of the functions that a bot's author named: the configuration says where they are.

use std::time::Duration;

use axum::http::HeaderValue;
use bytes::Bytes;
use convlog_model::json::Json;

use crate::app::App;
use crate::connector::Failure;
use crate::error::Fault;

/// Time that a function may take, as Lex gave it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a function answers to an event.
///
/// # Errors
/// [`Failure`] for a function that the configuration does not name, that cannot be reached or
/// answers a status other than success.
pub(super) async fn call(app: &App, arn: &str, event: &Json) -> Result<Bytes, Failure> {
    let functions = &app.config().aws.functions;
    let Some(target) = functions.iter().find(|function| function.arn == arn) else {
        return Err(Failure::from(Fault::BadGateway {
            message: "Invalid Lambda Response: [[aws.functions]] of the server does not name the \
                      function of the bot"
                .to_owned(),
        }));
    };
    let json = HeaderValue::from_static("application/json");
    let body = event.to_string().into_bytes();
    let place = ("function", target.url.as_str());
    let connectors = app.connectors();
    connectors.post_configured(place, json, body, TIMEOUT).await
}

/// A function answered what it must not.
pub(super) fn bad_answer(problem: &str) -> Failure {
    Failure::bad_answer("function", problem)
}
