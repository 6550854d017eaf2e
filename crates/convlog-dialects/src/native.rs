//! convlog's own form of a record: one JSON object a line, and the rows of CSV exports.

use convlog_model::ids::InstanceId;
use convlog_model::record::{Draft, Record};

use crate::DecodeError;

/// A record as one line of JSON.
#[must_use]
pub fn encode(record: &Record) -> String {
    let _ = record;
    String::new()
}

/// The draft of one line.
///
/// # Errors
/// [`DecodeError`] naming the field.
pub fn decode(instance: &InstanceId, line: &str) -> Result<Draft, DecodeError> {
    let _ = (instance, line);
    Err(DecodeError::new("not a record", None))
}

/// First line of a CSV export, line end included.
#[must_use]
pub fn csv_header() -> String {
    String::new()
}

/// A record as a line of a CSV export, line end included.
#[must_use]
pub fn csv_row(record: &Record) -> String {
    let _ = record;
    String::new()
}
