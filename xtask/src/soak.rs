//! The long form of the crash tests: the same tests as in `ci`, with many more rounds.

use anyhow::Result;

use crate::shell;

/// How long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Times that the process is killed in each test
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
}

/// Runs them.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let words = [
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "it",
        "--",
    ];
    let mut tests = shell::cargo();
    tests
        .args(words)
        .args(["--nocapture", "--test-threads=1", "slow_kill_nine"])
        .env("CONVLOG_SLOW", "1")
        .env("CONVLOG_SOAK_ROUNDS", arguments.rounds.to_string());
    shell::run(&mut tests)
}
