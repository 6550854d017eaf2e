//! The echo connector: answers what the user wrote.

use convlog_dialects::reply::Reply;
use convlog_model::json::Json;

/// The user's text as the one message of the answer; without text, a greeting-free empty one.
#[must_use]
pub(crate) fn answer(input: Option<&Json>) -> Reply {
    let text = input.and_then(|input| input.get("text"));
    Reply::text(text.and_then(Json::as_str).unwrap_or_default())
}
