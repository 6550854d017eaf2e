//! Exports in every shape seen in the wild, split into log objects while their bytes arrive.

use convlog_model::record::Dialect;

use crate::DecodeError;

/// One log object of an export, or what stands in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Line on which it begins, from 1.
    pub line: u64,
    /// Its text, as it stands there.
    pub text: Result<String, DecodeError>,
}

/// Splits an export: an array of logs, pages `{"logs":[…]}`, lists of pages, or one log a line.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
}

impl Splitter {
    /// Ready for the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that no bytes follow.
    pub fn finish(&mut self) {}

    /// The next item that is complete; `None` asks for more bytes.
    pub fn next_item(&mut self) -> Option<Item> {
        None
    }
}

/// Whether a log object is of v1, of v2, or a record in convlog's own form.
///
/// # Errors
/// [`DecodeError`] when it is none of them.
pub fn shape(text: &str) -> Result<Dialect, DecodeError> {
    let _ = text;
    Err(DecodeError::new("not a log object", None))
}
