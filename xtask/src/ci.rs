//! The one command that checks everything: stages in order, stopping at the first that fails.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{clients, out, provision, shell, tidy};

/// One stage: the name for `--only` and `--from`, and what it does.
#[derive(Debug)]
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "formatting",
        run: fmt,
    },
    Stage {
        name: "clippy",
        about: "lints, warnings denied",
        run: clippy,
    },
    Stage {
        name: "tidy",
        about: "rules of the house",
        run: tidy::run,
    },
    Stage {
        name: "tests",
        about: "unit and integration tests",
        run: tests,
    },
    Stage {
        name: "clients",
        about: "unmodified vendor SDKs",
        run: real_clients,
    },
    Stage {
        name: "slow",
        about: "crash and load tests, clients that wait",
        run: slow,
    },
    Stage {
        name: "docs",
        about: "documentation, warnings denied",
        run: docs,
    },
];

/// Which stages to run; all by default.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Runs this stage alone
    #[arg(long, value_name = "STAGE", value_parser = names())]
    only: Option<String>,
    /// Starts with this stage
    #[arg(long, value_name = "STAGE", value_parser = names(), conflicts_with = "only")]
    from: Option<String>,
}

fn names() -> clap::builder::PossibleValuesParser {
    STAGES
        .iter()
        .map(|stage| stage.name)
        .collect::<Vec<_>>()
        .into()
}

/// Runs the stages and closes with a summary.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let stages = selected(arguments);
    let start = Instant::now();
    let mut done = Vec::new();
    let mut failure = None;
    for stage in &stages {
        out::heading(&format!("{}: {}", stage.name, stage.about));
        let stage_start = Instant::now();
        let result = (stage.run)();
        done.push((stage.name, stage_start.elapsed(), result.is_ok()));
        if let Err(error) = result {
            failure = Some((stage.name, error));
            break;
        }
    }
    out::heading("summary");
    out::line(&summary(&done, start.elapsed()));
    match failure {
        Some((name, error)) => Err(error.context(format!("stage {name} failed"))),
        None => Ok(()),
    }
}

fn selected(arguments: &Arguments) -> Vec<&'static Stage> {
    let is_only = |stage: &&Stage| {
        arguments
            .only
            .as_deref()
            .is_none_or(|only| stage.name == only)
    };
    let is_before = |stage: &&Stage| arguments.from.as_deref().is_some_and(|it| stage.name != it);
    STAGES
        .iter()
        .filter(is_only)
        .skip_while(is_before)
        .collect()
}

fn summary(done: &[(&str, Duration, bool)], total: Duration) -> String {
    let line = |name: &str, time: Duration, result: &str| {
        let time = out::duration(time);
        format!("{name:<8} {time:>9}  {result}\n")
    };
    let result = |is_ok: bool| if is_ok { "ok" } else { "FAILED" };
    let lines = done
        .iter()
        .map(|(name, time, is_ok)| line(name, *time, result(*is_ok)));
    let is_ok = done.iter().all(|(_, _, is_ok)| *is_ok);
    let text: String = lines.chain([line("all", total, result(is_ok))]).collect();
    text.trim_end().to_owned()
}

fn fmt() -> Result<()> {
    ensure_component("fmt", "rustfmt")?;
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    ensure_component("clippy", "clippy")?;
    let arguments = ["clippy", "--workspace", "--all-targets", "--all-features"];
    shell::run(
        shell::cargo()
            .args(arguments)
            .args(["--", "-D", "warnings"]),
    )
}

/// A minimal toolchain comes without these; rustup adds them by name.
fn ensure_component(subcommand: &str, component: &str) -> Result<()> {
    if shell::succeeds(shell::cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    shell::run(shell::command("rustup").args(["component", "add", component]))
}

fn tests() -> Result<()> {
    let mut tests = shell::cargo();
    tests.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
    if let Some(library) = provision::faketime(&shell::target_dir()?) {
        tests.env("CONVLOG_FAKETIME", library);
    }
    shell::run(&mut tests)
}

fn real_clients() -> Result<()> {
    clients::run("")
}

/// Slow clients wait most of the time, so the slow tests run meanwhile.
fn slow() -> Result<()> {
    std::thread::scope(|scope| {
        let clients = scope.spawn(|| clients::run(clients::SLOW));
        let tested = slow_tests();
        let Ok(waited) = clients.join() else {
            bail!("the slow clients panicked");
        };
        tested.and(waited)
    })
}

/// Tests whose names begin with `slow_` do their work only when the variable is set. The selection
/// is the one of the tests before, so that nothing is built again with other features.
fn slow_tests() -> Result<()> {
    let arguments = [
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "it",
        "--",
    ];
    let list = shell::read(shell::cargo().args(arguments).args(["--list", "slow_"]))?;
    if !list.lines().any(|line| line.ends_with(": test")) {
        bail!("no test of an `it` binary has `slow_` in its name");
    }
    let mut tests = shell::cargo();
    tests
        .args(arguments)
        .args(["--nocapture", "--test-threads=1", "slow_"]);
    shell::run(tests.env("CONVLOG_SLOW", "1"))
}

fn docs() -> Result<()> {
    let arguments = [
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    shell::run(
        shell::cargo()
            .args(arguments)
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

#[cfg(test)]
mod tests;
