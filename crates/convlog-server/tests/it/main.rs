//! The server over the reference engine, through its router, without sockets.

mod doors;
mod harness;
mod keys;
mod table;
