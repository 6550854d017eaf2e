//! The server over the reference engine, through its router, without sockets.

mod api;
mod connectors;
mod doors;
mod fake;
mod harness;
mod keys;
mod table;
mod watson;
