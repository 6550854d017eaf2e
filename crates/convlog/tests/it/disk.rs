//! Disks that are full, that fail and that are read-only, with real small file systems.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{
    KEY, Mounted, Server, Start, all_erased, echo_bot, eventually, fill, finish, log, noise,
    program, say, scratch,
};

/// A server on a data directory below the mounted one.
fn serve(dir: &Path) -> Server {
    Start::bare(dir)
        .args(["--data-dir", "disk/data", "--listen", "127.0.0.1:0"])
        .env("CONVLOG_ADMIN_KEY", KEY)
        .server()
}

/// Posts logs that take room: their texts when they were accepted, else status and answer.
fn write(server: &Server, number: u64, n_logs: u64) -> Result<Vec<String>, (u16, String)> {
    let bot = format!("batch-{number}");
    let text = |n: u64| format!("{number} {n} {}", noise(number * 1000 + n, 4_000));
    let texts: Vec<String> = (0..n_logs).map(text).collect();
    let line = |(n, text): (u64, &String)| {
        let mut log = log(&bot, n, text);
        log["response"]["input"] = json!({});
        log["customer_id"] = format!("customer-{}", number % 10).into();
        log.to_string()
    };
    let lines: Vec<String> = (0..).zip(&texts).map(line).collect();
    let path = "/convlog/v1/records?dialect=watson-v1";
    let answer = server.client().request("POST", path, &lines.join("\n"));
    let (status, text) = answer.unwrap();
    match status {
        200 => {
            let answer: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(answer["accepted"], n_logs, "{answer}");
            Ok(texts)
        }
        _ => Err((status, text)),
    }
}

/// Writes until a batch is refused.
fn write_until_refused(
    server: &Server,
    first: u64,
    written: &mut BTreeSet<String>,
) -> (u16, String) {
    for number in first.. {
        match write(server, number, 100) {
            Ok(texts) => written.extend(texts),
            Err(refused) => return refused,
        }
    }
    unreachable!("the numbers do not end")
}

/// Texts of the logs that are shown, each of which is there once.
fn texts(server: &Server) -> BTreeSet<String> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = "/convlog/v1/records?limit=500&filter=customer:*";
        let list = server.get(&format!("{path}{cursor}"));
        let records = list["records"].as_array().unwrap();
        let text = |record: &Value| record["input"]["text"].as_str().unwrap().to_owned();
        all.extend(records.iter().map(text));
        match list["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let n_all = all.len();
    let texts: BTreeSet<String> = all.into_iter().collect();
    assert_eq!(texts.len(), n_all, "each is there once");
    texts
}

/// Long texts: only how many differ is said.
fn assert_same(shown: &BTreeSet<String>, written: &BTreeSet<String>) {
    let n_lost = written.difference(shown).count();
    let n_new = shown.difference(written).count();
    assert_eq!((n_lost, n_new), (0, 0), "lost and never acknowledged");
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let dir = scratch();
    let disk = dir.path().join("disk");
    // 64 MiB of it are the reserve, with which erasures work.
    let Some(_mounted) = Mounted::tmpfs(&disk, 160) else {
        return;
    };
    let ballast = disk.join("ballast");
    fill(&ballast, 60 << 20);
    let server = serve(dir.path());
    echo_bot(&server, "echo");
    let mut written = BTreeSet::new();
    let (status, text) = write_until_refused(&server, 0, &mut written);
    assert_eq!(status, 507, "{text}");
    assert!(text.contains("no room left on the disk"), "{text}");
    assert!(written.len() >= 200, "{} before that", written.len());
    let message = json!({"input": {"text": "hello"}}).to_string();
    let path = "/v1/workspaces/echo/message?version=2021-11-27";
    let refused = eventually(|| {
        let (status, text) = server.client().request("POST", path, &message).unwrap();
        // There may be room left for little ones.
        (status != 200).then_some((status, text))
    });
    assert_eq!(refused.0, 507, "{refused:?}");

    // Reads go on, and show everything that was acknowledged. An export does not: it is not made
    // without a word of it in the audit, which would take room.
    assert_same(&texts(&server), &written);
    let filter = "/convlog/v1/records?limit=5&filter=customer::customer-3";
    assert_eq!(server.get(filter)["records"].as_array().unwrap().len(), 5);
    let export = server.client().request("GET", "/convlog/v1/export", "");
    assert_eq!(export.unwrap().0, 507);

    // So do erasures, to their end.
    server.send(
        "POST",
        "/convlog/v1/erasures",
        &json!({"customer_id": "customer-3"}),
    );
    let is_of = |text: &String, customer: u64| {
        let number = text.split(' ').next().and_then(|it| it.parse::<u64>().ok());
        number.is_some_and(|number| number % 10 == customer)
    };
    written.retain(|text| !is_of(text, 3));
    all_erased(&server);
    assert_same(&texts(&server), &written);

    // Writes resume when there is room.
    fs::remove_file(&ballast).unwrap();
    let resumed = eventually(|| write(&server, 100_000, 10).ok());
    written.extend(resumed);
    server.stop();
    let server = serve(dir.path());
    assert_same(&texts(&server), &written);
    server.stop();
    let verify = ["verify", "--data-dir", "disk/data"];
    finish(program(dir.path()).args(verify)).ok();
}

#[test]
fn a_failed_sync_ends_writing_until_a_restart_and_loses_nothing() {
    let dir = scratch();
    let below = dir.path().join("below");
    let Some(_below) = Mounted::tmpfs(&below, 96) else {
        return;
    };
    // A file system that believes to have more room than there is below it: allocating succeeds,
    // and what is written cannot be kept.
    let image = below.join("image");
    fs::File::create(&image)
        .unwrap()
        .set_len(512 << 20)
        .unwrap();
    let mut make = Command::new("mkfs.ext4");
    make.args(["-q", "-F", "-E", "nodiscard"]).arg(&image);
    match make.output() {
        Ok(output) if output.status.success() => {}
        other => {
            say(&format!("SKIPPED: no ext4 can be made here: {other:?}"));
            return;
        }
    }
    let disk = dir.path().join("disk");
    let image = image.to_str().unwrap().to_owned();
    let options = ["-t", "ext4", "-o", "loop,errors=continue", &image];
    let Some(mounted) = Mounted::mount(&disk, &options) else {
        return;
    };
    let server = serve(dir.path());
    let mut written: BTreeSet<String> = BTreeSet::new();
    for number in 0..3 {
        written.extend(write(&server, number, 100).unwrap());
    }
    let ballast = below.join("ballast");
    fill(&ballast, usize::MAX);
    let (status, text) = write_until_refused(&server, 3, &mut written);
    assert_eq!(status, 503, "{text}");
    let text_of_writer = "the store writes nothing until it is restarted";
    assert!(text.contains(text_of_writer), "{text}");
    // Refused from now on, though there is room again.
    fs::remove_file(&ballast).unwrap();
    for number in 200..203 {
        let (status, text) = write(&server, number, 1).unwrap_err();
        assert_eq!(status, 503, "{text}");
    }
    let (status, text) = server.client().request("GET", "/health/ready", "").unwrap();
    assert_eq!(status, 503, "{text}");
    let shown = texts(&server);
    assert_same(&shown, &written);
    server.kill();
    drop(mounted);
    // The file system has its own journal to play back.
    let checked = Command::new("e2fsck").args(["-fy", &image]).output();
    let checked = checked.unwrap();
    assert!(
        checked.status.code().is_some_and(|it| it < 4),
        "{checked:?}"
    );
    let Some(_mounted) = Mounted::mount(&disk, &options) else {
        panic!("it cannot be mounted again");
    };
    let server = serve(dir.path());
    let shown = texts(&server);
    assert_same(&shown, &written);
    written.extend(write(&server, 300, 10).unwrap());
    assert!(texts(&server) == written);
    server.stop();
}

#[test]
fn a_read_only_disk_is_refused() {
    let dir = scratch();
    let disk = dir.path().join("disk");
    let Some(mounted) = Mounted::tmpfs(&disk, 160) else {
        return;
    };
    let server = serve(dir.path());
    server.load("watson-v1", &[log("shop", 1, "stays").to_string()]);
    server.stop();
    mounted.remount("ro");
    let said = Start::bare(dir.path())
        .args(["--data-dir", "disk/data", "--listen", "127.0.0.1:0"])
        .fail();
    assert_eq!(said.status, 1);
    let last = said.stderr.lines().last().unwrap();
    let text = "error: cannot open the data directory disk/data: LOCK: Read-only file system";
    assert!(last.starts_with(text), "{last}");
    mounted.remount("rw");
    let server = serve(dir.path());
    assert_eq!(server.turns().len(), 1);
    server.stop();
}
