//! Many readers, readers that do not read, and logs larger than memory should be.

use std::collections::VecDeque;
use std::process::Command;

use serde_json::{Value, json};

use super::{Ask, EXPORT, Stream, create, ids, rss_mib, text};
use crate::harness::{Server, Start, eventually, say, scratch};

/// As many as are allowed at once unless the configuration says otherwise.
const SUBSCRIPTIONS: usize = 1024;

#[test]
fn a_thousand_subscribers_get_every_event_and_one_more_is_told_to_wait() {
    if !are_files_allowed(4 * SUBSCRIPTIONS) {
        return;
    }
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let body = json!({"type": "crowd.x", "historyLength": 1}).to_string();
    create(&server, &json!({"id": "before", "type": "crowd.x"}));
    let subscribe = || Ask::subscription(&server.url, &body).open().unwrap();
    let mut all: VecDeque<Stream> = (0..SUBSCRIPTIONS).map(|_| subscribe()).collect();
    assert!(all.iter().all(|stream| stream.status == 200));
    let refused = subscribe();
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after").as_deref(), Some("10"));
    let error: Value = serde_json::from_str(&refused.body()).unwrap();
    assert_eq!(error["code"], "LIMITS_REACHED");
    // A list does not wait for a subscriber's place.
    server.get(super::LIST);
    let mut expected = vec!["before".to_owned()];
    for n in 0..20 {
        expected.push(create(
            &server,
            &json!({"id": format!("e{n}"), "type": "crowd.x"}),
        ));
    }
    for stream in &mut all {
        let got: Vec<Value> = (0..expected.len())
            .map(|_| stream.item().unwrap().unwrap())
            .collect();
        assert_eq!(ids(&got), expected);
    }
    // Whoever leaves makes room.
    drop(all.pop_front());
    let late = eventually(|| Some(subscribe()).filter(|late| late.status == 200));
    all.push_back(late);
    server.signal("TERM");
    for mut stream in all {
        while stream.line().unwrap().is_some() {}
        assert!(stream.is_over(), "it ends as a whole answer does");
    }
    assert!(server.wait().success());
}

/// Whether this process, and those that it starts, may have so many files open.
fn are_files_allowed(n_files: usize) -> bool {
    let limit = format!("--nofile={n_files}:");
    let mut prlimit = Command::new("prlimit");
    let raised = prlimit.args(["--pid", &std::process::id().to_string(), &limit]);
    let is_raised = raised.status().is_ok_and(|status| status.success());
    if !is_raised {
        say(
            "SKIPPED: this test needs more open files than it may have, and prlimit cannot raise that",
        );
    }
    is_raised
}

const EVENTS: usize = 1_000;
/// Bytes of each of them.
const EVENT_BYTES: usize = 10_000;
const SLEEPERS: usize = 12;
/// What all of them may cost: what is on its way to them, and what later events take anyway. All
/// events for each of them would be 240 MiB.
const SLEEPERS_MIB_MAX: u64 = 80;

#[test]
fn readers_that_do_not_read_cost_little_and_miss_nothing() {
    let dir = scratch();
    let server = Start::on(dir.path())
        .env("CONVLOG_MEMORY_BYTES", "33554432")
        .server();
    let padding = "x".repeat(EVENT_BYTES);
    let add = |first: usize, end: usize| {
        let line = |n| json!({"id": format!("e{n}"), "type": "big.x", "meta": {"x": padding}});
        for first in (first..end).step_by(500) {
            let lines: Vec<String> = (first..first + 500).map(|n| line(n).to_string()).collect();
            server.load("chatbotkit", &lines);
        }
    };
    let body = json!({"type": "big.x", "historyLength": 10_000}).to_string();
    let ask = Ask::subscription(&server.url, &body);
    let whole = |mut stream: Stream, n_events: usize| {
        assert_eq!(stream.status, 200);
        for n in 0..n_events {
            let line = stream.line().unwrap().unwrap();
            let begin = format!(r#"{{"type":"item","data":{{"id":"e{n}","#);
            assert!(line.starts_with(&begin), "{n}: {line:.100}");
        }
        stream
    };
    add(0, EVENTS);
    // Once through, so that what the server keeps for any reader is there.
    let reader = whole(ask.open().unwrap(), EVENTS);
    drop(reader);
    let before = rss_mib(&server);
    let sleepers: Vec<_> = (0..SLEEPERS).map(|_| ask.send().unwrap()).collect();
    let reader = whole(ask.open().unwrap(), EVENTS);
    drop(reader);
    add(EVENTS, 2 * EVENTS);
    let mut reader = whole(ask.open().unwrap(), 2 * EVENTS);
    let after = rss_mib(&server);
    create(&server, &json!({"id": "last", "type": "big.x"}));
    assert_eq!(text(&reader.item().unwrap().unwrap(), "id"), "last");
    let grown = after.saturating_sub(before);
    say(&format!(
        "{SLEEPERS} sleepers: {before} MiB, then {after} MiB"
    ));
    assert!(grown <= SLEEPERS_MIB_MAX, "{grown} MiB more");
    for sleeper in sleepers {
        let mut awake = whole(Stream::read(sleeper).unwrap(), 2 * EVENTS);
        assert_eq!(text(&awake.item().unwrap().unwrap(), "id"), "last");
    }
    server.stop();
}

/// Exports everything by lines; the number of items, and by how many MiB the server grew.
pub(crate) fn export_all(server: &Server) -> (usize, u64) {
    let before = rss_mib(server);
    let path = format!("{EXPORT}?order=asc");
    let mut stream = Ask::lines(&server.url, &path).open().unwrap();
    let (mut n_items, mut peak) = (0, before);
    let mut line = stream.line().unwrap();
    while line.is_some() {
        n_items += 1;
        if n_items % 5_000 == 0 {
            peak = peak.max(rss_mib(server));
        }
        line = stream.line().unwrap();
    }
    assert!(stream.is_over());
    assert_eq!(stream.header("x-convlog-count"), Some(n_items.to_string()));
    (n_items, peak - before)
}

/// Memory that an export may take, however large the log: a few steps of a walk.
pub(crate) const EXPORT_MIB_MAX: u64 = 64;
