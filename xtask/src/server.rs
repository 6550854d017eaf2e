//! Starts the real `convlog serve` on a port of its own and ends it as an operator would.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// The key with all roles that every server of a stage starts with.
pub(crate) const ADMIN_KEY: &str = "XTASKADMINKEY00001.for-tests-on-loopback-only_0123456789-abc";

const READY_WAIT_MAX: Duration = Duration::from_secs(300);
const STOP_WAIT_MAX: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(20);

/// A running server; killed when dropped without [`Server::stop`].
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// The address from the ready line.
    pub(crate) url: String,
}

/// Builds the program and returns its path.
pub(crate) fn build(target: &Path, is_release: bool) -> Result<PathBuf> {
    let mut build = shell::cargo();
    build.args(["build", "--package", "convlog", "--bin", "convlog"]);
    if is_release {
        build.arg("--release");
    }
    shell::run(&mut build)?;
    Ok(target
        .join(if is_release { "release" } else { "debug" })
        .join("convlog"))
}

/// A command without our own variables: convlog refuses one that it doesn't know.
pub(crate) fn without_convlog_variables(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CONVLOG_") {
            command.env_remove(name);
        }
    }
    command
}

impl Server {
    /// Starts the program on `dir/data` with further arguments; its log is `dir/server.log`.
    pub(crate) fn start(program: &Path, dir: &Path, arguments: &[&str]) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let log = dir.join("server.log");
        let mut child = without_convlog_variables(Command::new(program))
            .arg("serve")
            .arg("--data-dir")
            .arg(dir.join("data"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("CONVLOG_ADMIN_KEY", ADMIN_KEY)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take();
        let mut server = Self {
            child,
            log,
            url: String::new(),
        };
        let lines = stdout.map(read_lines).context("the server has no stdout")?;
        match wait_for_ready_line(&lines) {
            Ok(url) => server.url = url,
            Err(error) => bail!("{error:#}; the server's log:\n{}", server.log_text()),
        }
        Ok(server)
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the server has logged so far.
    pub(crate) fn log_text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_else(|error| format!("(no log: {error})"))
    }

    /// Sends SIGTERM and asks for a clean end.
    pub(crate) fn stop(mut self) -> Result<()> {
        let id = self.child.id().to_string();
        shell::run(shell::command("kill").args(["-TERM", &id]))?;
        match wait(&mut self.child, STOP_WAIT_MAX)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the server ended with {status}:\n{}", self.log_text()),
            None => bail!("the server does not end on SIGTERM:\n{}", self.log_text()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for the end of a process; none if it still runs after that time.
pub(crate) fn wait(child: &mut Child, wait_max: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        let status = child.try_wait()?;
        if status.is_some() || start.elapsed() > wait_max {
            return Ok(status);
        }
        std::thread::sleep(POLL_EVERY);
    }
}

/// Reads on until the end, so that the server never waits for somebody to read its stdout.
fn read_lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody listens any more after the ready line.
            drop(sender.send(line));
        }
    });
    lines
}

fn wait_for_ready_line(lines: &Receiver<String>) -> Result<String> {
    let start = Instant::now();
    loop {
        let rest = READY_WAIT_MAX.saturating_sub(start.elapsed());
        match lines.recv_timeout(rest) {
            Ok(line) => {
                if let Some(url) = ready_url(&line) {
                    return Ok(url.to_owned());
                }
            }
            Err(RecvTimeoutError::Timeout) => bail!("no ready line within {READY_WAIT_MAX:?}"),
            Err(RecvTimeoutError::Disconnected) => bail!("ended before its ready line"),
        }
    }
}

fn ready_url(line: &str) -> Option<&str> {
    line.strip_prefix("listening on ")
        .filter(|url| url.starts_with("http"))
}

#[cfg(test)]
pub(crate) mod tests;
