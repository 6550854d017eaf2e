//! Why a data directory cannot be opened, and how disk errors become the store's.

use std::io;

use convlog_model::store::{ErrorKind, StoreError};

/// Why a data directory cannot be opened. Names files relative to it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the data directory is in use by another process")]
    Locked,
    /// A disk call failed.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the disk said.
        source: io::Error,
    },
    /// Stored bytes are not what was written.
    #[error("{file} is damaged at byte {offset}: {why}")]
    Damaged {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// A later version of the program wrote it.
    #[error("{file} at byte {offset}: {why}; a newer convlog is needed to read it")]
    Newer {
        /// The file.
        file: String,
        /// Where.
        offset: u64,
        /// What is unknown.
        why: String,
    },
    /// Files that belong together do not fit.
    #[error("{file}: {why}")]
    Unusable {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
}

impl OpenError {
    pub(crate) fn io(file: &str, source: io::Error) -> Self {
        OpenError::Io {
            file: file.to_owned(),
            source,
        }
    }

    pub(crate) fn damaged(file: &str, offset: u64, why: impl ToString) -> Self {
        OpenError::Damaged {
            file: file.to_owned(),
            offset,
            why: why.to_string(),
        }
    }

    pub(crate) fn newer(file: &str, offset: u64, why: impl ToString) -> Self {
        OpenError::Newer {
            file: file.to_owned(),
            offset,
            why: why.to_string(),
        }
    }

    pub(crate) fn unusable(file: &str, why: impl ToString) -> Self {
        OpenError::Unusable {
            file: file.to_owned(),
            why: why.to_string(),
        }
    }
}

/// The error of an engine that was stopped.
pub(crate) fn stopped() -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "the store is closing")
}

/// The error of a failed disk call.
pub(crate) fn failed(what: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "the store cannot use its disk")
        .with_log(format!("{what}: {error}"))
}

/// The error of an append that finds no room.
pub(crate) fn full() -> StoreError {
    StoreError::new(ErrorKind::Full, "no room left on the disk").with_retry(10_000)
}

/// The error of an append that comes faster than chunks can be sealed.
pub(crate) fn behind() -> StoreError {
    let text = "full chunks wait to be indexed";
    StoreError::new(ErrorKind::Busy, text).with_retry(1_000)
}

/// The error of stored bytes that are not what was written.
pub(crate) fn corrupt(file: &str, offset: u64, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::new(ErrorKind::Corrupt, "stored bytes are damaged")
        .with_log(format!("{file} is damaged at byte {offset}: {why}"))
}
