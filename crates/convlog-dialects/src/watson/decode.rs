//! Log objects of the log API as drafts.

use convlog_model::ids::InstanceId;
use convlog_model::record::{Dialect, Draft};

pub use crate::DecodeError;

/// The draft of a log object, with channel and customer id as [`super::channel::apply`] finds them
/// in it.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn log(instance: &InstanceId, dialect: Dialect, raw: &str) -> Result<Draft, DecodeError> {
    let mut draft = bare(instance, dialect, raw)?;
    super::channel::apply(&mut draft, None);
    Ok(draft)
}

/// The draft of a log object, for callers that know the environment's channel and call
/// [`super::channel::apply`] themselves.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn bare(instance: &InstanceId, dialect: Dialect, raw: &str) -> Result<Draft, DecodeError> {
    let _ = (instance, dialect, raw);
    Err(DecodeError::new("not a log object", None))
}
