//! The server over the reference engine, through its router, without sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails as the test does"
)]

mod api;
mod chatbotkit;
mod cloudwatch;
mod connectors;
mod deliveries;
mod doors;
mod events;
mod fake;
mod harness;
mod keys;
mod lex;
mod log;
mod openapi;
mod serve;
mod table;
mod watson;
