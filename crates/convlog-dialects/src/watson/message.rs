//! Messages: what a client may ask, the answer's body, and the log object that is kept of both.

mod check;
mod log;
mod v1;
mod v2;

use convlog_model::ids::InstanceId;
use convlog_model::time::Timestamp;

pub use self::v1::{RequestV1, answer_v1, log_v1};
pub use self::v2::{AnswerV2, Mode, RequestV2, Session, answer_v2, log_v2};

/// Longest text of a message, in characters.
pub const TEXT_MAX: usize = 2048;
/// Longest user id, in characters.
pub const USER_ID_MAX: usize = 256;
/// Largest context that a session keeps, in bytes.
pub const STATEFUL_CONTEXT_MAX: usize = 100 << 10;
/// Largest context that a stateless client carries, in bytes.
pub const STATELESS_CONTEXT_MAX: usize = 250 << 10;

/// Why a message is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// What is wrong.
    pub message: String,
    /// The field, such as `.input.text`.
    pub path: Option<String>,
}

/// What the server knows of a turn besides request and response.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// The tenant.
    pub instance: &'a InstanceId,
    /// Workspace or skill that answered.
    pub bot: &'a str,
    /// Its language.
    pub language: &'a str,
    /// Assistant of the call.
    pub assistant: Option<&'a str>,
    /// Environment of the call.
    pub environment: Option<&'a str>,
    /// Version of the bot; `draft` when there is none.
    pub version: Option<&'a str>,
    /// Customer id that a header gave.
    pub customer: Option<&'a str>,
    /// Channel that the environment is configured with.
    pub channel: Option<&'a str>,
    /// Not to be used for improvement.
    pub learning_opt_out: bool,
    /// Receipt of the request.
    pub requested: Timestamp,
    /// Time of the answer.
    pub responded: Timestamp,
    /// Class of the error that ended the turn, when a connector failed.
    pub error: Option<&'a str>,
}

#[cfg(test)]
mod tests;
