//! The real-client stage: unmodified vendor SDKs against the real program.
//!
//! Each row of [`CLIENTS`] is a script of `xtask/clients` that fails by its exit status. It finds
//! `CONVLOG_URL` (of a server of its own, on an empty data directory), `CONVLOG_KEY` (`ID.SECRET`,
//! all roles) and `CONVLOG_BIN` (the program, for scripts that run its commands) in its
//! environment and starts in an empty directory. The program refuses variables that it does not
//! know, so a script that runs it takes `CONVLOG_BIN` out of the environment that it passes on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::provision::{self, Environment, Had, Needed};
use crate::server::{self, Server};
use crate::{out, shell};

/// One script and what it runs in.
#[derive(Debug)]
struct Client {
    name: &'static str,
    environment: Environment,
    /// Relative to `xtask/clients`.
    script: &'static str,
    /// The server of somebody else's that it delivers to.
    server: Needed,
}

const CLIENTS: &[Client] = &[
    client("smoke", Environment::Shell, "shell/smoke.sh"),
    client("curl", Environment::Shell, "shell/curl.sh"),
    client("watson_sdk", Environment::Py7, "python/watson_sdk.py"),
    client("watson_sdk", Environment::Py10, "python/watson_sdk.py"),
    client("watson_sdk", Environment::Py11, "python/watson_sdk.py"),
    client("watson_sdk", Environment::Node, "node/watson_sdk.js"),
    client(
        "export_script",
        Environment::Py11,
        "python/export_script.py",
    ),
    client("round_trip", Environment::Py11, "python/round_trip.py"),
    client("https", Environment::Py11, "python/https.py"),
    client("chatbotkit", Environment::Shell, "shell/chatbotkit.sh"),
    client(
        "chatbotkit_sdk",
        Environment::Node,
        "node/chatbotkit_sdk.mjs",
    ),
    client(
        "chatbotkit_sdk",
        Environment::PyCbk,
        "python/chatbotkit_sdk.py",
    ),
    client("lex_sdk", Environment::PyAws, "python/lex_sdk.py"),
    client("lex_sdk", Environment::Node, "node/lex_sdk.mjs"),
    client("lex_page", Environment::PyAws, "python/lex_page.py"),
    client("lex_moto", Environment::PyAws, "python/lex_moto.py"),
    client("lex_patterns", Environment::PyAws, "python/lex_patterns.py"),
    client(
        "lex_bad_input",
        Environment::PyAws,
        "python/lex_bad_input.py",
    ),
    client("lex_transfer", Environment::PyAws, "python/lex_transfer.py"),
    client(
        "lex_lifecycle",
        Environment::PyAws,
        "python/lex_lifecycle.py",
    ),
    client("lex_readers", Environment::PyAws, "python/lex_readers.py"),
    client("lex_insights", Environment::PyAws, "python/lex_insights.py"),
    client(
        "cloudwatch_sdk",
        Environment::PyAws,
        "python/cloudwatch_sdk.py",
    ),
    client(
        "slow_chatbotkit_idle",
        Environment::Node,
        "node/chatbotkit_idle.mjs",
    ),
    client(
        "slow_lex_radosgw",
        Environment::PyAws,
        "python/lex_radosgw.py",
    )
    .beside(Needed::Radosgw),
    client(
        "slow_lex_ignores_sse",
        Environment::PyAws,
        "python/lex_ignores_sse.py",
    )
    .beside(Needed::S3sFs),
];

/// Names of scripts that take minutes begin so; they run when the filter says it.
pub(crate) const SLOW: &str = "slow_";

/// Bounds a script that hangs.
const SCRIPT_TIME_MAX: Duration = Duration::from_secs(600);

const fn client(name: &'static str, environment: Environment, script: &'static str) -> Client {
    Client {
        name,
        environment,
        script,
        server: Needed::Nothing,
    }
}

impl Client {
    const fn beside(mut self, server: Needed) -> Self {
        self.server = server;
        self
    }
}

/// Runs the scripts whose `environment/name` contains the filter.
pub(crate) fn run(filter: &str) -> Result<()> {
    let target = shell::target_dir()?;
    provision::all(&target)?;
    let program = server::build(&target, false)?;
    let wanted = CLIENTS.iter().filter(|client| {
        let is_slow = client.name.starts_with(SLOW);
        label(client).contains(filter) && (!is_slow || filter.contains(SLOW))
    });
    let (mut n_passed, mut n_failed, mut n_skipped) = (0, 0, 0);
    for client in wanted {
        let start = Instant::now();
        let result = run_one(client, &target, &program);
        let time = out::duration(start.elapsed());
        match result {
            Ok(Ended::Skipped(why)) => {
                n_skipped += 1;
                out::line(&format!("client {} ... skipped: {why}", label(client)));
            }
            Ok(Ended::Passed(last_line)) => {
                n_passed += 1;
                out::line(&format!(
                    "client {} ... ok ({time}) {last_line}",
                    label(client)
                ));
            }
            Err(error) => {
                n_failed += 1;
                out::line(&format!(
                    "client {} ... FAILED ({time})\n{error:#}",
                    label(client)
                ));
            }
        }
    }
    out::line(&format!(
        "real clients: {n_passed} passed, {n_failed} failed, {n_skipped} skipped"
    ));
    if n_failed > 0 {
        bail!("{n_failed} of the real clients failed");
    }
    if n_passed + n_skipped == 0 {
        bail!("no real client has `{filter}` in its name");
    }
    Ok(())
}

fn label(client: &Client) -> String {
    format!("{}/{}", client.environment.name(), client.name)
}

/// How a client that did not fail has ended.
enum Ended {
    /// With this last line of its output.
    Passed(String),
    Skipped(String),
}

/// Runs one script; the error is everything that explains its failure.
fn run_one(client: &Client, target: &Path, program: &Path) -> Result<Ended> {
    let variables = match provision::ensure_server(client.server, target)? {
        Had::Here(variables) => variables,
        Had::Nowhere(why) => return Ok(Ended::Skipped(why)),
    };
    let dir = target
        .join("clients/run")
        .join(client.environment.name())
        .join(client.name);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    let own_dir = dir.join("script");
    fs::create_dir_all(&own_dir)?;
    let server = Server::start(program, &dir, &[])?;
    let output = dir.join("script.log");
    let mut command = command(client, target)?;
    command.envs(variables);
    let result = run_script(command, &server, program, &own_dir, &output);
    let text = fs::read_to_string(&output).unwrap_or_default();
    let log = server.log_text();
    let stopped = server.stop();
    result.with_context(|| format!("{text}\nthe server's log:\n{log}"))?;
    stopped?;
    fs::remove_dir_all(&dir)?;
    let last_line = text.lines().last().unwrap_or_default();
    Ok(Ended::Passed(last_line.to_owned()))
}

fn run_script(
    command: Command,
    server: &Server,
    program: &Path,
    dir: &Path,
    output: &Path,
) -> Result<()> {
    let output = File::create(output)?;
    let mut child = server::without_convlog_variables(command)
        .env("CONVLOG_URL", &server.url)
        .env("CONVLOG_KEY", server::ADMIN_KEY)
        .env("CONVLOG_BIN", program)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // The server is on this machine, whatever proxy the machine uses for others.
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("no_proxy", "127.0.0.1,localhost")
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("cannot start the script")?;
    match server::wait(&mut child, SCRIPT_TIME_MAX)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("the script ended with {status}"),
        None => {
            child.kill()?;
            child.wait()?;
            bail!("the script still ran after {SCRIPT_TIME_MAX:?}")
        }
    }
}

fn command(client: &Client, target: &Path) -> Result<Command> {
    let script = provision::scripts_dir().join(client.script);
    let dir = client.environment.dir(target);
    let (interpreter, script) = match client.environment {
        Environment::Py7
        | Environment::Py10
        | Environment::Py11
        | Environment::PyCbk
        | Environment::PyAws
        | Environment::Peers => (dir.join("bin/python"), script),
        Environment::Node => (
            PathBuf::from("node"),
            beside_node_modules(&dir)?.join(client.script),
        ),
        Environment::Shell => (PathBuf::from("bash"), script),
    };
    let mut command = Command::new(interpreter);
    command.arg(script);
    Ok(command)
}

/// Node resolves imports from where a script lies, so the scripts are copied to the packages.
fn beside_node_modules(dir: &Path) -> Result<PathBuf> {
    let scripts = dir.join("node");
    fs::create_dir_all(&scripts)?;
    for entry in fs::read_dir(provision::scripts_dir().join("node"))? {
        let path = entry?.path();
        let is_script = path
            .extension()
            .is_some_and(|kind| kind == "js" || kind == "mjs");
        if let (true, Some(name)) = (is_script, path.file_name()) {
            fs::copy(&path, scripts.join(name))?;
        }
    }
    Ok(dir.to_owned())
}

#[cfg(test)]
mod tests;
