//! The embedded engine: a log that is never rewritten, read from memory beside it.

mod bytes;
mod disk;
mod frame;
mod row;
