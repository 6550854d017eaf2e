//! The one error of stores: a closed kind, a text for the client and a text for our own log.

use std::fmt;

/// What went wrong, for code that branches on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The request cannot be answered as it is.
    Invalid,
    /// No such thing.
    NotFound,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// Too much at once; try again.
    Busy,
    /// No room left.
    Full,
    /// It took too long.
    Timeout,
    /// The engine does not work at present.
    Unavailable,
    /// Stored bytes are damaged.
    Corrupt,
    /// A bug.
    Internal,
}

/// Why a store did not do what was asked.
#[derive(Debug)]
pub struct StoreError {
    kind: ErrorKind,
    client_text: String,
    log_text: String,
    retry_after_ms: Option<u64>,
}

impl StoreError {
    /// An error whose text may be shown to clients. It must hold no user text.
    #[must_use]
    pub fn new(kind: ErrorKind, client_text: impl Into<String>) -> Self {
        let client_text = client_text.into();
        let log_text = client_text.clone();
        StoreError {
            kind,
            client_text,
            log_text,
            retry_after_ms: None,
        }
    }

    /// The same with a text for our own log, which may name files and offsets.
    #[must_use]
    pub fn with_log(mut self, log_text: impl Into<String>) -> Self {
        self.log_text = log_text.into();
        self
    }

    /// The same with a hint when to try again.
    #[must_use]
    pub fn with_retry(mut self, after_ms: u64) -> Self {
        self.retry_after_ms = Some(after_ms);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The text for clients.
    #[must_use]
    pub fn client_text(&self) -> &str {
        &self.client_text
    }

    /// The text for our own log.
    #[must_use]
    pub fn log_text(&self) -> &str {
        &self.log_text
    }

    /// When to try again.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.log_text)
    }
}

impl std::error::Error for StoreError {}
