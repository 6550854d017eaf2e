//! Watson Assistant v1 and v2: logs, messages, filters and error bodies.

pub mod channel;
pub mod decode;
pub mod definition;
pub mod encode;
pub mod error;
pub mod fields;
pub mod filter;
pub mod message;
pub mod metadata;
pub mod webhook;
