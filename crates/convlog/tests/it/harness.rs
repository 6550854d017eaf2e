//! Starts the program as a user would, talks HTTP to it, and ends it in every way.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
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
    /// The same with another key; none when it is empty.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        let key = key.to_owned();
        Client {
            key,
            ..self.clone()
        }
    }

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
        let is_json = headers.iter().all(|(name, _)| *name != "Content-Type");
        if !body.is_empty() && is_json {
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

/// The bytes of every file below a directory.
pub(crate) fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => out.extend(files(&path)),
            false => out.push((path.display().to_string(), fs::read(&path).unwrap())),
        }
    }
    out
}

/// Names of the files below a directory that hold these bytes.
pub(crate) fn found_in(dir: &Path, part: &[u8]) -> Vec<String> {
    found_of(dir, &[part])
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

/// Files below a directory that hold one of these, each with the number of the first that it holds.
pub(crate) fn found_of(dir: &Path, parts: &[&[u8]]) -> Vec<(String, usize)> {
    // Which pairs of bytes something begins with: most places are passed over by one look.
    let mut starts = vec![Vec::new(); 1 << 16];
    let pair = |bytes: &[u8]| usize::from(bytes[0]) << 8 | usize::from(bytes[1]);
    for (number, part) in parts.iter().enumerate() {
        starts[pair(part)].push(number);
    }
    let first = |bytes: &[u8]| {
        (0..bytes.len().saturating_sub(1)).find_map(|at| {
            let rest = &bytes[at..];
            let mut here = starts[pair(rest)].iter();
            here.find(|number| rest.starts_with(parts[**number]))
                .copied()
        })
    };
    let found = files(dir).into_iter();
    found
        .filter_map(|(name, bytes)| Some((name, first(&bytes)?)))
        .collect()
}

/// Name and bytes of the log that is appended to.
pub(crate) fn newest_log(data: &Path) -> Option<(String, Vec<u8>)> {
    let names = fs::read_dir(data.join("chunks")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let newest = names.filter(|name| name.ends_with(".log")).max()?;
    let bytes = fs::read(data.join("chunks").join(&newest)).unwrap();
    Some((newest, bytes))
}

/// Number of rows and payload of each frame of a log, as docs/format.md has them.
fn frames(log: &[u8]) -> Vec<(u8, &[u8])> {
    let number = |at: usize| {
        let bytes = log
            .get(at..at + 4)
            .map_or([0; 4], |it| it.try_into().unwrap());
        u32::from_le_bytes(bytes) as usize
    };
    let mut frames = Vec::new();
    let mut at = number(12);
    while number(at) > 0 {
        frames.push((log[at + 28], &log[at + 60..at + 60 + number(at + 4)]));
        at += number(at);
    }
    frames
}

/// What the frames of a log hold, decompressed.
pub(crate) fn rows_of(log: &[u8]) -> Vec<Vec<u8>> {
    opened(log).into_iter().map(|(_, rows)| rows).collect()
}

/// Payload of the first frame of a log whose rows hold a word.
pub(crate) fn payload_with(log: &[u8], word: &str) -> Vec<u8> {
    let holds = |rows: &[u8]| rows.windows(word.len()).any(|part| part == word.as_bytes());
    let found = opened(log).into_iter().find(|(_, rows)| holds(rows));
    found.unwrap().0.to_vec()
}

/// Payload of each frame that has rows, and its rows, decompressed.
fn opened(log: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let number = |at: usize| u32::from_le_bytes(log[at..at + 4].try_into().unwrap()) as usize;
    let dictionary = &log[64..64 + number(48)];
    let mut context = zstd::bulk::Decompressor::with_dictionary(dictionary).unwrap();
    let with_rows = frames(log).into_iter().filter(|(n_rows, _)| *n_rows > 0);
    let open = |(_, payload)| (payload, context.decompress(payload, 64 << 20).unwrap());
    with_rows.map(open).collect()
}

/// Whether tests whose names begin with `slow_` do their work.
pub(crate) fn is_slow_wanted() -> bool {
    std::env::vars_os().any(|(name, _)| name == "CONVLOG_SLOW")
}

/// Rounds of a crash test: `CONVLOG_SOAK_ROUNDS`, else so many.
pub(crate) fn n_rounds(usual: u64) -> u64 {
    let mut all = std::env::vars();
    let wanted = all.find(|(name, _)| name == "CONVLOG_SOAK_ROUNDS");
    wanted.map_or(usual, |(_, rounds)| rounds.parse().unwrap())
}

/// Says something past the test runner, which shows what tests print only when they fail.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").unwrap();
}

/// A small file system of a test's own, in memory. Its directory is there until it is dropped.
#[derive(Debug)]
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// Mounts one of so many MiB at `dir`, which is made; `None`, and a word about it, where that
    /// is not allowed.
    pub(crate) fn tmpfs(dir: &Path, mib: u64) -> Option<Self> {
        let size = format!("size={mib}m,mode=755");
        Self::mount(dir, &["-t", "tmpfs", "-o", &size, "convlog-test"])
    }

    /// Mounts what these arguments of `mount` say.
    pub(crate) fn mount(dir: &Path, arguments: &[&str]) -> Option<Self> {
        fs::create_dir_all(dir).unwrap();
        let mounted = Command::new("mount").args(arguments).arg(dir).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Mounted(dir.to_owned())),
            other => {
                say(&format!(
                    "SKIPPED: this test needs a file system of its own and cannot mount one: {other:?}"
                ));
                None
            }
        }
    }

    /// Mounts it again with other options.
    pub(crate) fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let mut mount = Command::new("mount");
        finish(mount.args(["-o", &options]).arg(&self.0)).ok();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A process that still uses it has been told to end.
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            say(&format!("cannot unmount {}", self.0.display()));
        }
    }
}

/// Fills files of a directory until so many bytes are taken, or all that there are.
pub(crate) fn fill(path: &Path, bytes_max: usize) {
    let mut file = File::create(path).unwrap();
    let block = vec![0x5A; 1 << 16];
    let mut n_written = 0;
    while n_written < bytes_max {
        match file.write(&block) {
            Ok(n) => n_written += n,
            Err(_) => return,
        }
    }
}

/// Text that does not compress to much less than half, different for each number.
pub(crate) fn noise(number: u64, len: usize) -> String {
    let mut state = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut text = String::with_capacity(len + 16);
    while text.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}"));
    }
    text
}

/// Waits until every erasure of a server has reached every file.
pub(crate) fn all_erased(server: &Server) {
    eventually(|| {
        let list = server.get("/convlog/v1/erasures?limit=1000");
        let erasures = list["erasures"].as_array().unwrap();
        let is_done = |erasure: &Value| erasure["state"] == "done";
        erasures.iter().all(is_done).then_some(())
    });
}
