//! The real program on real directories: processes, command line, crashes. One binary.

#![cfg(test)]

mod backup;
mod cli;
mod clock;
mod crash;
mod directory;
mod disk;
mod erase;
mod erase_crash;
mod events;
mod events_log;
mod harness;
mod import;
mod lex;
mod logging_off;
mod network;
mod process;
mod promises;
mod readers;
mod redaction;
