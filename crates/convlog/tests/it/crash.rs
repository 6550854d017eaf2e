//! kill -9 under concurrent load, again and again on one directory: nothing acknowledged is lost,
//! nothing is there twice, an append is there as a whole, dialogue sessions go on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::harness::{
    Client, Server, Start, echo_bot, eventually, is_slow_wanted, log, n_rounds, scratch,
};

/// Rounds unless `CONVLOG_SOAK_ROUNDS` says otherwise.
const N_ROUNDS: u64 = 50;
/// What was lost or doubled in one round still is in a later one.
const ROUNDS_A_CHECK: u64 = 5;
const N_BULK_THREADS: u64 = 2;
const N_SINGLE_THREADS: u64 = 4;
const N_SESSIONS: usize = 3;
const BATCH_LOGS: u64 = 12;

/// What the server has answered, over all rounds.
#[derive(Debug, Default)]
struct Ledger {
    /// Texts of turns that were acknowledged.
    acknowledged: BTreeSet<String>,
    /// Texts that were on their way when the server died, in groups that are stored as a whole.
    unknown: Vec<Vec<String>>,
    /// Batches that were on their way.
    unanswered: Vec<Vec<Value>>,
    sessions: Vec<Session>,
}

/// A dialogue session as its user knows it.
#[derive(Clone, Debug)]
struct Session {
    id: String,
    /// Turns that were answered, as the server counts them.
    n_turns: u64,
    /// Whether a turn was on its way when the server died.
    is_pending: bool,
}

/// What one thread did in one round.
#[derive(Debug, Default)]
struct Done {
    acknowledged: Vec<String>,
    unknown: Option<Vec<String>>,
    unanswered: Option<Vec<Value>>,
    session: Option<Session>,
}

#[test]
fn slow_kill_nine_under_concurrent_load() {
    if !is_slow_wanted() {
        return;
    }
    let n_rounds = n_rounds(N_ROUNDS);
    let dir = scratch();
    let mut ledger = Ledger::default();
    for round in 0..n_rounds {
        let server = start(dir.path());
        if round == 0 {
            prepare(&server, &mut ledger);
        }
        if round % ROUNDS_A_CHECK == 0 {
            check(&server, &mut ledger);
        }
        let n_answers = Arc::new(AtomicU64::new(0));
        let threads = load(&server, round, &n_answers, &ledger.sessions);
        let n_wanted = 20 + round * 37 % 160;
        eventually(|| (n_answers.load(Ordering::Relaxed) >= n_wanted).then_some(()));
        server.kill();
        for thread in threads {
            ledger.add(thread.join().unwrap());
        }
    }
    let server = start(dir.path());
    check(&server, &mut ledger);
    let n_turns = ledger.acknowledged.len();
    assert!(
        n_turns as u64 > n_rounds * 20,
        "there was no load: {n_turns}"
    );
    server.stop();
    let server = start(dir.path());
    check(&server, &mut ledger);
    println!("{n_rounds} kills, {n_turns} turns acknowledged, none lost, none twice");
}

fn start(dir: &Path) -> Server {
    Start::on(dir)
        .env("CONVLOG_SESSIONS_TIMEOUT_SECONDS", "86400")
        .server()
}

fn prepare(server: &Server, ledger: &mut Ledger) {
    echo_bot(server, "echo");
    for _ in 0..N_SESSIONS {
        let path = "/v2/assistants/echo/sessions?version=2021-11-27";
        let made = server.send("POST", path, &json!({}));
        ledger.sessions.push(Session {
            id: made["session_id"].as_str().unwrap().to_owned(),
            n_turns: 0,
            is_pending: false,
        });
    }
}

impl Ledger {
    fn add(&mut self, done: Done) {
        self.acknowledged.extend(done.acknowledged);
        self.unknown.extend(done.unknown);
        self.unanswered.extend(done.unanswered);
        if let Some(session) = done.session {
            let known = self.sessions.iter_mut().find(|it| it.id == session.id);
            *known.unwrap() = session;
        }
    }
}

type Thread = std::thread::JoinHandle<Done>;

fn load(
    server: &Server,
    round: u64,
    n_answers: &Arc<AtomicU64>,
    sessions: &[Session],
) -> Vec<Thread> {
    let shared = || (server.client(), Arc::clone(n_answers));
    let mut threads = Vec::new();
    for thread in 0..N_BULK_THREADS {
        let (client, n) = shared();
        threads.push(std::thread::spawn(move || bulk(&client, round, thread, &n)));
    }
    for thread in 0..N_SINGLE_THREADS {
        let (client, n) = shared();
        threads.push(std::thread::spawn(move || {
            single(&client, round, thread, &n)
        }));
    }
    for session in sessions.iter().cloned() {
        let (client, n) = shared();
        threads.push(std::thread::spawn(move || {
            talk(&client, round, session, &n)
        }));
    }
    threads
}

/// Batches with ids of their own, until the server is gone.
fn bulk(client: &Client, round: u64, thread: u64, n_answers: &AtomicU64) -> Done {
    let mut done = Done::default();
    for batch in 0.. {
        let bot = format!("bulk-{round}-{thread}-{batch}");
        let text = |n| format!("{bot} {n}");
        let logs: Vec<Value> = (0..BATCH_LOGS).map(|n| log(&bot, n, &text(n))).collect();
        let texts = (0..BATCH_LOGS).map(text).collect();
        match post_logs(client, &logs) {
            Ok(answer) => {
                assert_eq!(answer["accepted"], BATCH_LOGS, "{answer}");
                n_answers.fetch_add(1, Ordering::Relaxed);
                done.acknowledged.extend::<Vec<String>>(texts);
            }
            Err(_) => {
                done.unknown = Some(texts);
                done.unanswered = Some(logs);
                return done;
            }
        }
    }
    done
}

fn post_logs(client: &Client, logs: &[Value]) -> Result<Value, String> {
    let lines: Vec<String> = logs.iter().map(Value::to_string).collect();
    let path = "/convlog/v1/records?dialect=watson-v1";
    let (status, text) = client.request("POST", path, &lines.join("\n"))?;
    assert_eq!(status, 200, "{text}");
    Ok(serde_json::from_str(&text).unwrap())
}

/// Single messages, until the server is gone.
fn single(client: &Client, round: u64, thread: u64, n_answers: &AtomicU64) -> Done {
    let mut done = Done::default();
    for message in 0.. {
        let text = format!("single-{round}-{thread} {message}");
        let body = json!({"input": {"text": text}}).to_string();
        let path = "/v1/workspaces/echo/message?version=2021-11-27";
        match client.request("POST", path, &body) {
            Ok((status, answer)) => {
                assert_eq!(status, 200, "{answer}");
                n_answers.fetch_add(1, Ordering::Relaxed);
                done.acknowledged.push(text);
            }
            Err(_) => {
                done.unknown = Some(vec![text]);
                return done;
            }
        }
    }
    done
}

/// A dialogue that goes on over the rounds, until the server is gone.
fn talk(client: &Client, round: u64, mut session: Session, n_answers: &AtomicU64) -> Done {
    let mut done = Done::default();
    for message in 0.. {
        let text = format!("session-{} {round} {message}", session.id);
        let body = json!({
            "input": {
                "message_type": "text", "text": text, "options": {"return_context": true},
            },
            "context": {"skills": {"main skill": {"user_defined": {text.as_str(): message}}}},
        });
        let path = format!(
            "/v2/assistants/echo/sessions/{}/message?version=2021-11-27",
            session.id
        );
        let Ok((status, answer)) = client.request("POST", &path, &body.to_string()) else {
            session.is_pending = true;
            done.unknown = Some(vec![text]);
            break;
        };
        assert_eq!(status, 200, "{answer}");
        n_answers.fetch_add(1, Ordering::Relaxed);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let context = &answer["context"];
        let n_turns = context["global"]["system"]["turn_count"].as_u64().unwrap();
        let n_next = session.n_turns + 1;
        let may_be = n_next..=n_next + u64::from(session.is_pending);
        assert!(may_be.contains(&n_turns), "{may_be:?}, but {answer}");
        let remembered = context["skills"]["main skill"]["user_defined"]
            .as_object()
            .unwrap();
        // What the user set in every turn is still there, one name a turn.
        assert_eq!(remembered.len() as u64, n_turns, "{answer}");
        session.n_turns = n_turns;
        session.is_pending = false;
        done.acknowledged.push(text);
        if message >= 3 {
            // A context that grows without end would hide everything else.
            break;
        }
    }
    done.session = Some(session);
    done
}

/// Everything acknowledged is there once, everything else at most once and as a whole.
fn check(server: &Server, ledger: &mut Ledger) {
    let found = counts(server);
    for group in std::mem::take(&mut ledger.unknown) {
        let n_found = group
            .iter()
            .filter(|text| found.contains_key(*text))
            .count();
        assert!(
            [0, group.len()].contains(&n_found),
            "{n_found} of {group:?}"
        );
        if n_found > 0 {
            ledger.acknowledged.extend(group);
        }
    }
    compare(&found, &ledger.acknowledged);
    // Sent again, as a client would; the next check finds everything of them once.
    for logs in std::mem::take(&mut ledger.unanswered) {
        let answer = post_logs(&server.client(), &logs).unwrap();
        let number = |name: &str| answer[name].as_u64().unwrap();
        assert_eq!(
            number("accepted") + number("duplicates"),
            BATCH_LOGS,
            "{answer}"
        );
        let text = |log: &Value| log["request"]["input"]["text"].as_str().unwrap().to_owned();
        ledger.acknowledged.extend(logs.iter().map(text));
    }
}

fn counts(server: &Server) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for turn in server.turns() {
        let text = turn["input"]["text"].as_str().unwrap().to_owned();
        *found.entry(text).or_default() += 1;
    }
    found
}

fn compare(found: &BTreeMap<String, u64>, acknowledged: &BTreeSet<String>) {
    let twice: Vec<_> = found.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "there twice: {twice:?}");
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|it| !found.contains_key(*it))
        .collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let never: Vec<_> = found
        .keys()
        .filter(|it| !acknowledged.contains(*it))
        .collect();
    assert!(never.is_empty(), "never sent: {never:?}");
}
