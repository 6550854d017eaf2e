//! A clock that jumps, seen by the real process through libfaketime.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{Server, Start, echo_bot, eventually, say, scratch};

/// Where distributions put the library; `CONVLOG_FAKETIME` names another place.
const PLACES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];

fn library() -> Option<PathBuf> {
    let mut all = std::env::vars_os();
    let named = all.find(|(name, _)| name == "CONVLOG_FAKETIME");
    let named = named.map(|(_, path)| PathBuf::from(path));
    let places = PLACES.iter().map(PathBuf::from);
    let found = named.into_iter().chain(places).find(|path| path.exists());
    if found.is_none() {
        say("SKIPPED: this test moves the clock with libfaketime, which is not installed");
    }
    found
}

/// A server whose wall clock follows the file `shift`, such as `+1y`.
fn serve(dir: &Path, library: &Path) -> Server {
    Start::on(dir)
        .env("LD_PRELOAD", library.to_str().unwrap())
        .env(
            "FAKETIME_TIMESTAMP_FILE",
            dir.join("shift").to_str().unwrap(),
        )
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .server()
}

/// Moves the clock.
fn shift(dir: &Path, text: &str) {
    // Another file takes its place in one step: the library never reads half of it.
    fs::write(dir.join("new"), format!("{text}\n")).unwrap();
    fs::rename(dir.join("new"), dir.join("shift")).unwrap();
}

fn say_to(server: &Server, text: &str) {
    let message = json!({"input": {"text": text}});
    let path = "/v1/workspaces/echo/message?version=2021-11-27";
    server.send("POST", path, &message);
}

/// Texts in commit order, ids, and years of receipt.
fn told(server: &Server) -> Vec<(String, String, i64)> {
    let list = server.get("/convlog/v1/records?sort=position&limit=100");
    let records = list["records"].as_array().unwrap();
    let turns = records.iter().filter(|record| record["kind"] == "turn");
    let tell = |record: &Value| {
        let text = record["input"]["text"].as_str().unwrap().to_owned();
        let id = record["id"].as_str().unwrap().to_owned();
        let received = record["time"]["received"].as_str().unwrap();
        (
            text,
            id,
            received
                .chars()
                .take(4)
                .collect::<String>()
                .parse()
                .unwrap(),
        )
    };
    turns.map(tell).collect()
}

#[test]
fn a_clock_that_jumps_a_year_on_and_back_keeps_order_and_records() {
    let Some(library) = library() else {
        return;
    };
    let dir = scratch();
    let shift = |text: &str| shift(dir.path(), text);
    shift("+0");
    let server = serve(dir.path(), &library);
    echo_bot(&server, "echo");
    say_to(&server, "today");
    shift("+365d");
    say_to(&server, "a year on");
    shift("-365d");
    say_to(&server, "a year back");
    let before = told(&server);
    let texts: Vec<&str> = before.iter().map(|(text, ..)| text.as_str()).collect();
    assert_eq!(texts, ["today", "a year on", "a year back"]);
    server.stop();

    // Across a restart with the clock far back, and far ahead.
    let server = serve(dir.path(), &library);
    assert_eq!(told(&server), before);
    say_to(&server, "still back");
    server.kill();
    shift("+730d");
    let server = serve(dir.path(), &library);
    say_to(&server, "two years on");
    server.stop();
    shift("+0");
    let server = serve(dir.path(), &library);
    say_to(&server, "today again");
    let all = told(&server);
    let texts: Vec<&str> = all.iter().map(|(text, ..)| text.as_str()).collect();
    let expected = [
        "today",
        "a year on",
        "a year back",
        "still back",
        "two years on",
        "today again",
    ];
    assert_eq!(texts, expected);
    let ids: Vec<&String> = all.iter().map(|(_, id, _)| id).collect();
    assert!(ids.is_sorted(), "ids increase with positions: {ids:?}");
    let years: Vec<i64> = all.iter().map(|(.., year)| year - all[0].2).collect();
    // A time of receipt never lies before the one in front of it: it stands until the clock is on.
    assert_eq!(years, [0, 1, 1, 1, 2, 2]);
}

fn texts(server: &Server) -> Vec<String> {
    told(server).into_iter().map(|(text, ..)| text).collect()
}

#[test]
fn retention_waits_for_a_word_when_the_clock_is_a_year_on_after_a_start() {
    const PATH: &str = "/convlog/v1/retention";
    let Some(library) = library() else {
        return;
    };
    let dir = scratch();
    shift(dir.path(), "+0");
    let server = serve(dir.path(), &library);
    echo_bot(&server, "echo");
    server.send(
        "PUT",
        "/convlog/v1/settings",
        &json!({"retention_days": 30}),
    );
    say_to(&server, "today");
    server.stop();

    shift(dir.path(), "+365d");
    let server = serve(dir.path(), &library);
    let why = eventually(|| server.get(PATH)["held"].as_str().map(str::to_owned));
    let said = server.cli(["retention"]).ok();
    assert!(said.stdout.contains(&why), "{said:?}");
    assert!(
        said.stdout.contains("convlog retention --confirm"),
        "{said:?}"
    );
    assert_eq!(texts(&server), [""; 0], "hidden by the clock as it is");
    server.stop();

    shift(dir.path(), "+0");
    let server = serve(dir.path(), &library);
    assert_eq!(texts(&server), ["today"], "nothing was removed");
    assert!(
        server.get(PATH)["held"].is_string(),
        "until it is confirmed"
    );
    server.stop();

    shift(dir.path(), "+365d");
    let server = serve(dir.path(), &library);
    let said = server.cli(["retention", "--confirm"]).ok();
    assert!(!said.stdout.contains("held"), "{said:?}");
    eventually(|| (server.get(PATH)["rows_expired"] != 0).then_some(()));
    let audit = server.get("/convlog/v1/audit?limit=10").to_string();
    assert!(audit.contains("retention.confirm"), "{audit}");
    server.stop();

    shift(dir.path(), "+0");
    let server = serve(dir.path(), &library);
    assert_eq!(texts(&server), [""; 0], "gone for good");
}
