//! Automation of the repository: `cargo xtask COMMAND`.

mod out;
mod shell;
mod tidy;

use clap::{Parser, Subcommand};

/// Checks and runs convlog.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks the rules of the house that neither rustfmt nor clippy can check
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Tidy => tidy::run(),
    }
}
