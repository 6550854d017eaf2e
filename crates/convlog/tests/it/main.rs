//! The real program on real directories: processes, command line, crashes. One binary.

#![cfg(test)]

mod backup;
mod cli;
mod crash;
mod erase;
mod harness;
mod import;
mod logging_off;
mod network;
mod process;
