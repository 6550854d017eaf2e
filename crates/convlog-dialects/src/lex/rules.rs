//! What Lex asks of a request beyond the shapes of its members: rules between members, and
//! limits. The documents have been checked against their shapes before.
//!
//! AWS publishes most of these rules in prose and the wording of none; the texts are our own and
//! hold nothing of the documents but places in them.

pub mod bot;
mod braces;
pub mod intent;
pub mod logging;
pub mod slot_type;
pub mod tags;

use super::model::{Message, MessageFormat};

/// A rule that a request breaks.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Refused {
    /// Which error of the API it is.
    pub kind: RefusedKind,
    /// The member, spelled as in violations of shapes: `slots.1.member.name`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Which error of the API a broken rule is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefusedKind {
    /// `BadRequestException`.
    BadRequest,
    /// `LimitExceededException`.
    LimitExceeded,
}

fn refuse<T>(path: impl Into<String>, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        kind: RefusedKind::BadRequest,
        path: path.into(),
        message: message.into(),
    })
}

/// At most `max` of `what`.
fn at_most(max: usize, n: usize, what: &str, path: &str) -> Result<(), Refused> {
    if n <= max {
        return Ok(());
    }
    Err(Refused {
        kind: RefusedKind::LimitExceeded,
        path: path.to_owned(),
        message: format!("at most {max} {what}"),
    })
}

/// The path of an item, which counts from 0 here and from 1 in texts.
fn item(list: &str, index: usize) -> String {
    format!("{list}.{}.member", index + 1)
}

/// Wordings: braces, which stand for slots, are closed. Custom payloads are whatever the client
/// makes of them, so theirs may be those of JSON.
fn messages(messages: &[Message], path: &str) -> Result<(), Refused> {
    for (i, message) in messages.iter().enumerate() {
        let has_slots = message.content_type != MessageFormat::CustomPayload;
        if has_slots && braces::names(&message.content).is_none() {
            let path = format!("{}.content", item(&format!("{path}.messages"), i));
            return refuse(path, braces::UNBALANCED);
        }
    }
    Ok(())
}
