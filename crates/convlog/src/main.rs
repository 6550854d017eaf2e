//! The convlog program: command line, configuration, choice of engine, wiring.

mod args;
mod client;
mod clock;
mod commands;
mod config;
mod demo;
mod engine;
mod ids;
mod logging;
mod out;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::config::Environment;

/// Gives memory back to the operating system after large requests, which the default one keeps.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(command)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(out::exit_status(&error)),
    }
}

async fn run(command: Command) -> Result<()> {
    let environment = Environment::read()?;
    match command {
        Command::Serve(flags) => commands::serve::run(&flags, &environment).await,
        Command::Demo(arguments) => commands::demo::run(&arguments).await,
        Command::Import(arguments) => commands::import::run(&arguments).await,
        Command::Export(arguments) => commands::export::run(&arguments).await,
        Command::Query(arguments) => commands::query::run(&arguments).await,
        Command::Tail(arguments) => commands::tail::run(&arguments).await,
        Command::Erase(arguments) => commands::erase::run(&arguments).await,
        Command::Bots(arguments) => commands::bots::run(&arguments).await,
        Command::Keys(arguments) => commands::keys::run(&arguments).await,
        Command::Backup(arguments) => commands::backup::run(&arguments).await,
        Command::Restore(arguments) => commands::restore::run(&arguments),
        Command::Retention(arguments) => commands::retention::run(&arguments).await,
        Command::Verify(arguments) => commands::verify::run(&arguments),
        Command::Config(arguments) => commands::config::run(&arguments, &environment),
        Command::Completions(arguments) => commands::completions::run(&arguments),
    }
}
