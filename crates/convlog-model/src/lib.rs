//! The vocabulary of convlog: records, filters, queries and the `Store` contract, all pure.
//!
//! Nothing here reads a clock, draws a random number or touches a file: time and randomness come
//! in through [`clock`], bytes come in as arguments. See ARCHITECTURE.md for who may reach whom.

pub mod aggregate;
pub mod blobs;
pub mod clock;
pub mod control;
pub mod fields;
pub mod filter;
pub mod flatten;
pub mod ids;
pub mod json;
pub mod maintenance;
pub mod number;
pub mod query;
pub mod record;
pub mod redaction;
pub mod seal;
pub mod store;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod text;
pub mod time;
