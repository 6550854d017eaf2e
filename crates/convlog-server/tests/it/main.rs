//! The server over the reference engine, through its router, without sockets.

mod doors;
mod fake;
mod harness;
mod keys;
mod table;
mod watson;
