//! Automation of the repository: `cargo xtask COMMAND`.

mod bench;
mod ci;
mod clients;
mod demo;
mod out;
mod provision;
mod server;
mod shell;
mod soak;
mod tidy;

use std::process::ExitCode;

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
    /// Measures the release program over HTTP and prints the figures
    Bench(bench::Arguments),
    /// Checks everything: formatting, lints, tidy, tests, real clients, slow tests, documentation
    Ci(ci::Arguments),
    /// Runs the unmodified vendor SDKs against the program
    Clients {
        /// Only those with this text in their `environment/name`
        #[arg(default_value = "")]
        filter: String,
    },
    /// Builds the program and starts its demonstration
    Demo {
        /// Handed on to `convlog demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Installs what the real clients run in, pinned, into the target directory
    Provision,
    /// Kills the program under load, again and again, far more often than `ci` does
    Soak(soak::Arguments),
    /// Checks the rules of the house that neither rustfmt nor clippy can check
    Tidy,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Ci(arguments) => ci::run(&arguments),
        Command::Clients { filter } => clients::run(&filter),
        Command::Demo { arguments } => demo::run(&arguments),
        Command::Provision => shell::target_dir().and_then(|target| provision::all(&target)),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_demo_gets_its_arguments_unread() {
        let words = ["xtask", "demo", "--listen", "127.0.0.1:0", "--help"];
        let Command::Demo { arguments } = Arguments::parse_from(words).command else {
            panic!("another command than demo");
        };
        assert_eq!(arguments, ["--listen", "127.0.0.1:0", "--help"]);
    }
}
