//! The embedded engine: a log that is never rewritten, read from memory beside it.

mod bytes;
mod catalog;
mod codec;
mod disk;
mod error;
mod frame;
mod log;
mod recover;
mod row;

pub use self::error::OpenError;
