//! Data directories that are not as we left them: foreign files, a newer format, too little memory.

use std::fs;
use std::path::Path;

use crate::harness::{Said, Start, finish, log_lines, program, scratch};

/// A stopped server's directory with some records.
fn filled(dir: &Path) {
    let server = Start::on(dir).server();
    server.load("watson-v1", &log_lines("shop", 20));
    server.stop();
}

fn refused(dir: &Path) -> String {
    let Said { status, stderr, .. } = Start::on(dir).fail();
    assert_eq!(status, 1, "{stderr}");
    let last = stderr.lines().last().unwrap_or_default();
    let open = "error: cannot open the data directory data: ";
    last.strip_prefix(open).unwrap_or(last).to_owned()
}

fn patch(path: &Path, offset: usize, new: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset..offset + new.len()].copy_from_slice(new);
    fs::write(path, bytes).unwrap();
}

#[test]
fn foreign_files_are_left_alone() {
    let dir = scratch();
    filled(dir.path());
    let names = [
        "data/notes.txt",
        "data/chunks/notes.txt",
        "data/chunks/1.log",
        "data/chunks/0000000001.log.bak",
        "data/chunks/0000000001.log~",
    ];
    for name in names {
        fs::write(dir.path().join(name), name).unwrap();
    }
    fs::create_dir(dir.path().join("data/lost+found")).unwrap();
    let server = Start::on(dir.path()).server();
    assert_eq!(server.turns().len(), 20);
    server.load("watson-v1", &log_lines("cafe", 5));
    server.stop();
    for name in names {
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), name);
    }
    let said = finish(program(dir.path()).args(["verify", "--data-dir", "data"]));
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn a_log_under_the_name_of_another_is_refused() {
    let (dir, other) = (scratch(), scratch());
    filled(dir.path());
    filled(other.path());
    let from = other.path().join("data/chunks/0000000001.log");
    let chunks = dir.path().join("data/chunks");
    fs::copy(&from, chunks.join("0000000007.log")).unwrap();
    let text = refused(dir.path());
    let why = "chunks/0000000007.log: holds what belongs to chunks/0000000001.log";
    assert_eq!(text, why);
    fs::remove_file(chunks.join("0000000007.log")).unwrap();
    assert_eq!(Start::on(dir.path()).server().turns().len(), 20);
}

#[test]
fn a_log_of_a_newer_format_is_refused() {
    let dir = scratch();
    filled(dir.path());
    let log = dir.path().join("data/chunks/0000000001.log");
    patch(&log, 8, &2_u32.to_le_bytes());
    let text = "chunks/0000000001.log at byte 8: format 2; a newer convlog is needed to read it";
    assert_eq!(refused(dir.path()), text);
    patch(&log, 8, &1_u32.to_le_bytes());
    assert_eq!(Start::on(dir.path()).server().turns().len(), 20);
}

#[test]
fn sessions_of_a_newer_format_are_refused() {
    let dir = scratch();
    filled(dir.path());
    patch(
        &dir.path().join("data/sessions.keys"),
        8,
        &2_u32.to_le_bytes(),
    );
    let text = "sessions.keys at byte 8: format 2; a newer convlog is needed to read it";
    assert_eq!(refused(dir.path()), text);
}

#[test]
fn too_small_a_memory_budget_is_wrong_use() {
    let dir = scratch();
    let said = Start::on(dir.path())
        .env("CONVLOG_MEMORY_BYTES", "16777215")
        .fail();
    assert_eq!(said.status, 2, "{said:?}");
    let text = "error: CONVLOG_MEMORY_BYTES: `memory_bytes` must be at least 16777216\n";
    assert_eq!(said.stderr, text);
    assert!(!dir.path().join("data").exists());
}

#[test]
fn the_smallest_memory_budget_is_enough_to_work() {
    let dir = scratch();
    let start = || Start::on(dir.path()).env("CONVLOG_MEMORY_BYTES", "16777216");
    let server = start().server();
    for part in 0..10 {
        server.load("watson-v1", &log_lines(&format!("shop-{part}"), 2_000));
    }
    assert_eq!(server.turns().len(), 20_000);
    server.stop();
    assert_eq!(start().server().turns().len(), 20_000);
}
