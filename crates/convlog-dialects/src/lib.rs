//! Foreign bytes to records and back: what each dialect's bodies, filters and cursors mean.
//!
//! Everything here is a pure function of its arguments. Nothing knows an engine or a server.

pub mod aws;
mod chars;
pub mod chatbotkit;
pub mod cloudwatch;
#[cfg(test)]
mod docs;
mod error;
pub mod import;
pub mod lex;
pub mod native;
pub mod reply;
pub mod rules;
mod splice;
pub mod watson;

pub use self::error::DecodeError;

use convlog_model::ids::InstanceId;
use convlog_model::record::{Dialect, Draft};

/// The draft of one record written in the form in which `dialect` lists it.
///
/// # Errors
/// [`DecodeError`] naming the field; also for a dialect that cannot be imported yet.
pub fn decode(instance: &InstanceId, dialect: Dialect, text: &str) -> Result<Draft, DecodeError> {
    match dialect {
        Dialect::WatsonV1 | Dialect::WatsonV2 => watson::decode::log(instance, dialect, text),
        Dialect::Convlog => native::decode(instance, text),
        Dialect::ChatBotKit => chatbotkit::decode::event(instance, text),
        Dialect::LexV1 => lex::decode::entry(instance, text),
        Dialect::Otlp => Err(DecodeError::new(
            format!("records of the dialect {dialect} cannot be imported"),
            None,
        )),
    }
}
