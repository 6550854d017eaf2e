//! Starts the program as a user would, talks HTTP to it, and ends it in every way.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A key with all roles, given to the first start.
pub(crate) const KEY: &str = "TESTTESTTESTTEST.tests-on-loopback-only_0123456789-abcdef";

/// An empty directory of a test's own.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The program, without our own variables and in a directory of its own.
pub(crate) fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convlog"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CONVLOG_") {
            command.env_remove(name);
        }
    }
    command.current_dir(dir).stdin(Stdio::null());
    command
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// The same, if it ended well.
    pub(crate) fn ok(self) -> Said {
        assert_eq!(self.status, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Its output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Looks again and again until there is something to see. The pause between two looks is no
/// assertion: only the condition decides.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Lines of its standard output up to the last ready line.
    pub(crate) lines: Vec<String>,
    /// Address of its first listener.
    pub(crate) url: String,
    key: String,
    dir: PathBuf,
    agent: ureq::Agent,
}

/// How a server is started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    dir: &'a Path,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    n_listeners: usize,
}

impl<'a> Start<'a> {
    /// On `dir/data`, on a free port, with [`KEY`].
    pub(crate) fn on(dir: &'a Path) -> Self {
        Start {
            dir,
            arguments: ["--data-dir", "data", "--listen", "127.0.0.1:0"]
                .map(str::to_owned)
                .to_vec(),
            variables: vec![("CONVLOG_ADMIN_KEY".to_owned(), KEY.to_owned())],
            n_listeners: 1,
        }
    }

    /// With nothing but what is added.
    pub(crate) fn bare(dir: &'a Path) -> Self {
        Start {
            dir,
            arguments: Vec::new(),
            variables: Vec::new(),
            n_listeners: 1,
        }
    }

    /// With these arguments too.
    pub(crate) fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.arguments.extend(arguments.map(str::to_owned));
        self
    }

    /// With this variable too.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With so many ready lines.
    pub(crate) fn listeners(mut self, n_listeners: usize) -> Self {
        self.n_listeners = n_listeners;
        self
    }

    fn command(&self) -> Command {
        let mut command = program(self.dir);
        command.arg("serve").args(&self.arguments);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    /// Runs it to its end, for starts that fail.
    pub(crate) fn fail(&self) -> Said {
        let said = finish(&mut self.command());
        assert_ne!(said.status, 0, "it should not have started: {said:?}");
        said
    }

    /// Starts it and waits for its ready lines.
    pub(crate) fn server(&self) -> Server {
        let log = self.dir.join("server.log");
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let all = read_lines(&mut child);
        let mut lines: Vec<String> = Vec::new();
        while urls(&lines).len() < self.n_listeners {
            match all.recv() {
                Ok(line) => lines.push(line),
                Err(_) => panic!("no ready line: {}", log_of(self.dir)),
            }
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None);
        Server {
            child,
            url: urls(&lines)[0].clone(),
            lines,
            key: KEY.to_owned(),
            dir: self.dir.to_owned(),
            agent: config.build().into(),
        }
    }
}

fn log_of(dir: &Path) -> String {
    fs::read_to_string(dir.join("server.log")).unwrap_or_default()
}

fn urls(lines: &[String]) -> Vec<String> {
    let urls = lines
        .iter()
        .filter_map(|it| it.strip_prefix("listening on "));
    urls.map(str::to_owned).collect()
}

fn read_lines(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take().unwrap();
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody listens any more after the ready lines.
            let _sent = sender.send(line);
        }
    });
    lines
}

/// Status and body of an answer.
pub(crate) type Answer = (u16, String);

impl Server {
    /// Uses another key from now on; none when it is empty.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// Addresses of all listeners, in order.
    pub(crate) fn urls(&self) -> Vec<String> {
        urls(&self.lines)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        log_of(&self.dir)
    }

    /// How to talk to it from another thread.
    pub(crate) fn client(&self) -> Client {
        Client {
            url: self.url.clone(),
            key: self.key.clone(),
            agent: self.agent.clone(),
        }
    }

    /// The answer to a GET, which must be 200.
    pub(crate) fn get(&self, path: &str) -> Value {
        self.client().get(path)
    }

    /// The answer to a request with a body, which must be a success.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, text) = self
            .client()
            .request(method, path, &body.to_string())
            .unwrap();
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {text}"
        );
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Posts lines to `/convlog/v1/records`.
    pub(crate) fn load(&self, dialect: &str, lines: &[String]) -> Value {
        let path = format!("/convlog/v1/records?dialect={dialect}");
        let answer = self
            .client()
            .request("POST", &path, &lines.join("\n"))
            .unwrap();
        assert_eq!(answer.0, 200, "{}", answer.1);
        serde_json::from_str(&answer.1).unwrap()
    }

    /// Lines of an export.
    pub(crate) fn export(&self) -> Vec<Value> {
        let (status, text) = self
            .client()
            .request("GET", "/convlog/v1/export", "")
            .unwrap();
        assert_eq!(status, 200, "{text}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Turns of an export, without events.
    pub(crate) fn turns(&self) -> Vec<Value> {
        let mut records = self.export();
        records.retain(|record| record["kind"] == "turn");
        records
    }

    /// A command that talks to this server.
    pub(crate) fn cli<const N: usize>(&self, arguments: [&str; N]) -> Said {
        finish(&mut self.command(&arguments))
    }

    /// The same, not run yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&self.dir);
        command
            .args(arguments)
            .env("CONVLOG_URL", &self.url)
            .env("CONVLOG_KEY", &self.key);
        command
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks for a clean stop.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        let log = self.dir.clone();
        let status = self.wait();
        assert!(status.success(), "{status}: {}", log_of(&log));
    }

    /// Ends it as a power cut would, as far as a process can.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has ended.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Talks to a server, also after that has gone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    url: String,
    key: String,
    agent: ureq::Agent,
}

impl Client {
    /// Status and body; an error when there is no whole answer.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Result<Answer, String> {
        self.request_with(method, path, body, &[])
    }

    /// The same, with further headers.
    pub(crate) fn request_with(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if !self.key.is_empty() {
            request = request.header("Authorization", format!("Bearer {}", self.key));
        }
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.to_owned())
            .map_err(|error| error.to_string())?;
        let mut answer = self.agent.run(request).map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let text = answer
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_string();
        Ok((status, text.map_err(|error| error.to_string())?))
    }

    /// The answer to a GET, which must be 200.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, text) = self.request("GET", path, "").unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }
}

/// A log object of Watson v1.
pub(crate) fn log(bot: &str, number: u64, text: &str) -> Value {
    serde_json::json!({
        "log_id": format!("log-{bot}-{number}"),
        "workspace_id": bot,
        "language": "en",
        "request_timestamp": format!("2026-03-02T09:{:02}:{:02}.000Z", number / 60 % 60, number % 60),
        "response_timestamp": format!("2026-03-02T09:{:02}:{:02}.250Z", number / 60 % 60, number % 60),
        "request": {"input": {"text": text}, "context": {"conversation_id": "c"}},
        "response": {
            "input": {"text": text}, "intents": [], "entities": [],
            "output": {"text": ["ok"], "generic": [{"response_type": "text", "text": "ok"}]},
            "context": {"conversation_id": "c"},
        },
    })
}

/// Log objects as lines.
pub(crate) fn log_lines(bot: &str, n_logs: u64) -> Vec<String> {
    let line = |number| log(bot, number, &format!("text {number}")).to_string();
    (0..n_logs).map(line).collect()
}

/// An echo bot.
pub(crate) fn echo_bot(server: &Server, id: &str) {
    let bot = serde_json::json!({"name": id, "language": "en", "connector": {"kind": "echo"}});
    server.send("PUT", &format!("/convlog/v1/bots/{id}"), &bot);
}
