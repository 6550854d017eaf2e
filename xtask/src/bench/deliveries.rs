//! How long after its answer the text of a turn of Lex has reached CloudWatch Logs, which a server
//! of ours stands for here: it takes everything at once, so that the time is convlog's own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::load::Http;
use super::report::Latencies;
use crate::server::{self, Server};
use crate::{out, shell};

const N_CLIENTS: usize = 16;
/// Longest wait for entries that have not come.
const WAIT_MAX: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(50);
const BOT: &str = "BenchFlowers";
const ROLE: &str = "arn:aws:iam::123456789012:role/bench";
const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:bench";
/// Most bytes of a call of PutLogEvents, escaped once more.
const BODY_MAX: u64 = 16 << 20;

/// When the entry of an utterance arrived.
type Arrived = Arc<Mutex<BTreeMap<String, Instant>>>;

/// Builds the release program and measures this alone.
pub(super) fn run(n_turns: usize) -> Result<()> {
    let target = shell::target_dir()?;
    let program = server::build(&target, true)?;
    let dir = target.join("bench/deliveries");
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    measure(&program, &dir, n_turns)?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Measures and prints, on a server of its own.
pub(super) fn measure(program: &Path, dir: &Path, n_turns: usize) -> Result<()> {
    out::heading("deliveries");
    std::fs::create_dir_all(dir)?;
    let arrived = Arrived::default();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let config = format!(
        "[aws.endpoints]\nlogs = \"http://{}\"\n\
         [[aws.roles]]\narn = \"{ROLE}\"\naccess_key_id = \"BENCH\"\nsecret_access_key = \"bench\"\n",
        listener.local_addr()?
    );
    let entries = Arc::clone(&arrived);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let entries = Arc::clone(&entries);
            std::thread::spawn(move || take(&stream, &entries));
        }
    });
    std::fs::write(dir.join("convlog.toml"), config)?;
    let server = Server::start(program, dir, &["--config", "convlog.toml"])?;
    let http = Http::new(&server.url, server::ADMIN_KEY);
    make_bot(&http)?;
    let answered = talk(&http, n_turns)?;
    let times = compare(&answered, &arrived)?;
    server.stop()?;
    let name = format!("text delivered after the answer, {N_CLIENTS} clients");
    times.print(&name);
    Ok(())
}

/// Takes calls of one connection until it ends.
fn take(stream: &TcpStream, entries: &Arrived) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut n_bytes = 0;
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 0 && line != "\r\n" {
            if let Some(length) = line.to_lowercase().strip_prefix("content-length:") {
                n_bytes = length.trim().parse().ok()?;
            }
            line.clear();
        }
        if line.is_empty() {
            return None;
        }
        let mut body = Vec::new();
        reader
            .by_ref()
            .take(BODY_MAX.min(n_bytes))
            .read_to_end(&mut body)
            .ok()?;
        let now = Instant::now();
        let body: Value = serde_json::from_slice(&body).ok()?;
        let events = body.get("logEvents").and_then(Value::as_array);
        for event in events.into_iter().flatten() {
            let entry: Value = serde_json::from_str(event.get("message")?.as_str()?).ok()?;
            let said = entry.get("inputTranscript")?.as_str()?.to_owned();
            let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
            entries.entry(said).or_insert(now);
        }
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\n\
                      content-length: 2\r\n\r\n{}";
        let mut writer = stream;
        writer.write_all(answer.as_bytes()).ok()?;
    }
}

fn make_bot(http: &Http) -> Result<()> {
    let messages = json!([{"contentType": "PlainText", "content": "Pardon?"}]);
    let put = |path: &str, body: Value| http.put(path, body.to_string().as_bytes());
    put(
        "/intents/Order/versions/$LATEST",
        json!({"sampleUtterances": ["order flowers"], "createVersion": true,
            "fulfillmentActivity": {"type": "ReturnIntent"}}),
    )?;
    put(
        &format!("/bots/{BOT}/versions/$LATEST"),
        json!({"locale": "en-US", "childDirected": false, "createVersion": true,
            "intents": [{"intentName": "Order", "intentVersion": "1"}],
            "clarificationPrompt": {"maxAttempts": 5, "messages": messages},
            "abortStatement": {"messages": messages}}),
    )?;
    put(
        &format!("/bots/{BOT}/aliases/PROD"),
        json!({"botVersion": "1", "conversationLogs": {"iamRoleArn": ROLE, "logSettings": [
            {"logType": "TEXT", "destination": "CLOUDWATCH_LOGS", "resourceArn": GROUP}]}}),
    )?;
    Ok(())
}

/// Says everything from some clients at once; when each utterance was answered.
fn talk(http: &Http, n_turns: usize) -> Result<BTreeMap<String, Instant>> {
    let work = |client: usize| -> Result<Vec<(String, Instant)>> {
        let own = http.fresh();
        let path = format!("/bot/{BOT}/alias/PROD/user/u{client}/text");
        let each = (client..n_turns).step_by(N_CLIENTS).map(|turn| {
            let said = format!("order flowers {turn}");
            own.post(&path, json!({"inputText": said}).to_string().as_bytes())?;
            Ok((said, Instant::now()))
        });
        each.collect()
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..N_CLIENTS)
            .map(|client| scope.spawn(move || work(client)))
            .collect();
        let mut all = BTreeMap::new();
        for worker in workers {
            match worker.join() {
                Ok(answered) => all.extend(answered?),
                Err(_) => bail!("a client panicked"),
            }
        }
        Ok(all)
    })
}

/// The time between answer and arrival, of every turn.
fn compare(answered: &BTreeMap<String, Instant>, arrived: &Arrived) -> Result<Latencies> {
    let begin = Instant::now();
    let count = || arrived.lock().unwrap_or_else(PoisonError::into_inner).len();
    while count() < answered.len() && begin.elapsed() < WAIT_MAX {
        std::thread::sleep(POLL_EVERY);
    }
    let arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
    let mut times = Latencies::default();
    for (said, at) in answered {
        let came = arrived.get(said).context("an entry never came")?;
        times.push(came.saturating_duration_since(*at));
    }
    Ok(times)
}
