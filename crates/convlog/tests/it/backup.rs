//! Backups of a running server, and servers on what was restored.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Said, Server, Start, finish, log_lines, program, scratch};

/// A server on what was restored, or on what is to be replaced.
fn serve(dir: &std::path::Path, data: &str) -> Server {
    Start::bare(dir)
        .args(["--data-dir", data, "--listen", "127.0.0.1:0"])
        .server()
}

fn restore<const N: usize>(dir: &std::path::Path, arguments: [&str; N]) -> Said {
    finish(program(dir).arg("restore").args(arguments))
}

fn own_ids(server: &Server) -> Vec<String> {
    let turns = server.turns();
    let ids = turns
        .iter()
        .map(|turn| turn["own_id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn customer(mut lines: Vec<String>, id: &str) -> Vec<String> {
    for line in &mut lines {
        let mut log: Value = serde_json::from_str(line).unwrap();
        log["customer_id"] = id.into();
        *line = log.to_string();
    }
    lines
}

#[test]
fn a_running_server_comes_back_from_its_backup_record_for_record() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &log_lines("shop", 3000));
    let said = server.cli(["backup", "--output", "b.tar"]).ok();
    assert!(said.stdout.contains("bytes written to b.tar"), "{said:?}");
    assert!(
        said.stdout.contains("keep it as secret as the data itself"),
        "{said:?}"
    );
    let said = server
        .cli(["backup", "--output", "b", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&said["form"], &said["secret"]),
        (&json!("directory"), &json!(true))
    );
    let before = server.turns();
    assert_eq!(before.len(), 3000);
    let audit = server.get("/convlog/v1/audit").to_string();
    assert_eq!(audit.matches(r#""kind":"backup""#).count(), 2, "{audit}");
    server.stop();
    for (from, data) in [("b.tar", "new"), ("b", "other")] {
        let said = restore(dir.path(), [from, "--data-dir", data]).ok();
        assert!(
            said.stdout.contains(&format!("restored to {data}")),
            "{said:?}"
        );
        let server = serve(dir.path(), data);
        assert_eq!(server.turns(), before);
        server.load("watson-v1", &log_lines("cafe", 1));
        server.stop();
        let verified = finish(program(dir.path()).args(["verify", "--data-dir", data]));
        verified.ok();
    }
}

#[test]
fn a_replaced_directory_keeps_its_ledger_and_cursors_of_before_are_refused() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &customer(log_lines("shop", 5), "acme-1"));
    server.load("watson-v1", &log_lines("cafe", 5));
    server.cli(["backup", "--output", "b.tar"]).ok();
    server.cli(["erase", "--customer", "acme-1"]).ok();
    let cursor = server.get("/convlog/v1/records?limit=2")["cursor"].clone();
    server.stop();
    let said = restore(dir.path(), ["b.tar", "--data-dir", "data"]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr
            .contains("--replace puts the backup in its place"),
        "{said:?}"
    );
    let said = restore(
        dir.path(),
        ["b.tar", "--data-dir", "data", "--replace", "--json"],
    )
    .ok();
    assert_eq!(said.json()["erasures_added"], 1);
    let server = Start::on(dir.path()).server();
    assert!(own_ids(&server).iter().all(|id| id.starts_with("log-cafe")));
    assert_eq!(own_ids(&server).len(), 5);
    let again = server.load("watson-v1", &customer(log_lines("shop", 5), "acme-1"));
    assert_eq!(again["erased"], 5);
    let path = format!(
        "/convlog/v1/records?limit=2&cursor={}",
        cursor.as_str().unwrap()
    );
    let (status, text) = server.client().request("GET", &path, "").unwrap();
    assert_eq!(status, 400, "{text}");
    server.stop();
    assert!(!dir.path().join("data.restoring").exists());
}

#[test]
fn a_passphrase_seals_the_key() {
    let dir = scratch();
    fs::write(dir.path().join("right"), "open sesame\n").unwrap();
    fs::write(dir.path().join("wrong"), "open sesam\n").unwrap();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &log_lines("shop", 3));
    let said = server
        .cli(["backup", "--output", "b", "--passphrase-file", "right"])
        .ok();
    assert!(!said.stdout.contains("secret"), "{said:?}");
    assert!(!dir.path().join("b/key").exists());
    server.stop();
    let said = restore(
        dir.path(),
        ["b", "--data-dir", "new", "--passphrase-file", "wrong"],
    );
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("does not open with this passphrase"),
        "{said:?}"
    );
    restore(
        dir.path(),
        ["b", "--data-dir", "new", "--passphrase-file", "right"],
    )
    .ok();
    let server = serve(dir.path(), "new");
    assert_eq!(own_ids(&server).len(), 3);
    server.stop();
}

#[test]
fn a_fresher_ledger_goes_with_an_older_backup() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &customer(log_lines("shop", 5), "acme-1"));
    server.load("watson-v1", &log_lines("cafe", 5));
    server.cli(["backup", "--output", "b.tar"]).ok();
    server.cli(["erase", "--customer", "acme-1"]).ok();
    let said = server
        .cli(["backup", "--output", "l.tar", "--ledger-only", "--json"])
        .ok();
    assert_eq!(said.json()["secret"], false);
    server.stop();
    restore(
        dir.path(),
        ["b.tar", "--data-dir", "new", "--ledger", "l.tar"],
    )
    .ok();
    let server = serve(dir.path(), "new");
    assert_eq!(own_ids(&server).len(), 5);
    server.stop();
}

#[test]
fn a_damaged_backup_is_refused_and_nothing_is_made() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.load("watson-v1", &log_lines("shop", 50));
    server.cli(["backup", "--output", "b"]).ok();
    server.stop();
    let log = dir.path().join("b/chunks/0000000001.log");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    let said = restore(dir.path(), ["b", "--data-dir", "new"]);
    assert_eq!(said.status, 1);
    let place = "nothing was restored: chunks/0000000001.log is damaged at byte 0";
    assert!(said.stderr.contains(place), "{said:?}");
    assert!(!dir.path().join("new").exists());
}

#[test]
fn an_admin_of_one_instance_of_several_gets_no_backup() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let second = server.send("POST", "/convlog/v1/instances", &json!({"name": "second"}));
    let key = second["key"].as_str().unwrap().to_owned();
    let mut command = server.command(&["backup", "--output", "b"]);
    let said = finish(command.env("CONVLOG_KEY", key));
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("the key needs the role operator"),
        "{said:?}"
    );
    assert!(!dir.path().join("b").exists());
    server.stop();
}
