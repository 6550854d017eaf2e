//! The log webhook: a live cloud assistant posts what it logs.

use convlog_model::ids::InstanceId;
use convlog_model::record::Draft;

use crate::DecodeError;

/// The draft of a `message_logged` (a v2 turn) or `cdr_logged` (an event) body.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn parse(instance: &InstanceId, body: &[u8]) -> Result<Draft, DecodeError> {
    let _ = (instance, body);
    Err(DecodeError::new(
        "not an event of a log webhook",
        Some("event.name"),
    ))
}
