//! `convlog import`: every shape of a file, bad lines, a kill at any moment, a live service.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::harness::{Server, Start, eventually, log, log_lines, scratch};

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn sum(counts: &Value) -> u64 {
    let names = ["accepted", "duplicates", "erased", "rejected", "skipped"];
    names
        .iter()
        .map(|name| counts[name].as_u64().unwrap())
        .sum()
}

/// Texts of all turns, sorted.
fn texts(server: &Server) -> Vec<String> {
    let turns = server.turns();
    let text = |turn: &Value| turn["input"]["text"].as_str().unwrap().to_owned();
    let mut texts: Vec<String> = turns.iter().map(text).collect();
    texts.sort();
    texts
}

#[test]
fn every_shape_of_an_export_is_read() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let of = |bot: &str| -> Vec<Value> { (0..4).map(|n| log(bot, n, bot)).collect() };
    let pages = |bot: &str| json!([of(bot)[..3], of(bot)[3..]]);
    let lines = |bot: &str| {
        of(bot)
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    write(dir.path(), "in/array.json", &json!(of("array")).to_string());
    write(
        dir.path(),
        "in/page.json",
        &json!({"logs": of("page"), "pagination": {}}).to_string(),
    );
    write(
        dir.path(),
        "in/deep/pages.json",
        &format!("{:#}", pages("pages")),
    );
    write(
        dir.path(),
        "in/lines.jsonl",
        &format!("{}\r\n\n", lines("lines")),
    );
    let mut gzip = GzEncoder::new(
        File::create(dir.path().join("in/z.ndjson.gz")).unwrap(),
        Compression::fast(),
    );
    gzip.write_all(lines("gzip").as_bytes()).unwrap();
    gzip.finish().unwrap();
    write(dir.path(), "in/notes.txt", "not an export");
    let counts = server.cli(["import", "--json", "in"]).ok().json();
    assert_eq!(counts["accepted"], 20, "{counts}");
    for bot in ["array", "page", "pages", "lines", "gzip"] {
        let found = texts(&server).iter().filter(|text| *text == bot).count();
        assert_eq!(found, 4, "{bot}");
    }
    let again = server.cli(["import", "--json", "in"]).ok().json();
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(20))
    );
}

#[test]
fn logs_of_both_versions_and_records_of_our_own_may_be_mixed() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let v2 = json!({
        "log_id": "v2-1", "assistant_id": "a", "session_id": "s", "skill_id": "sk", "snapshot": "1",
        "language": "en", "request_timestamp": "2026-03-02T09:00:00.000Z",
        "response_timestamp": "2026-03-02T09:00:01.000Z",
        "request": {"input": {"message_type": "text", "text": "of v2"}, "context": {}},
        "response": {"output": {"generic": [], "intents": [], "entities": []}, "context": {}},
    });
    write(
        dir.path(),
        "mixed.jsonl",
        &format!(
            "{}\n{v2}\n{}",
            log("shop", 1, "of v1"),
            log("shop", 2, "of v1")
        ),
    );
    let counts = server.cli(["import", "--json", "mixed.jsonl"]).ok().json();
    assert_eq!(counts["accepted"], 3, "{counts}");
    server
        .cli(["export", "--filter", "kind::turn", "-o", "own.jsonl"])
        .ok();
    let other = scratch();
    let empty = Start::on(other.path()).server();
    fs::copy(dir.path().join("own.jsonl"), other.path().join("own.jsonl")).unwrap();
    assert_eq!(
        empty.cli(["import", "--json", "own.jsonl"]).ok().json()["accepted"],
        3
    );
    assert_eq!(texts(&empty), texts(&server));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

const ENTRIES: &str = include_str!("../../../../fixtures/lex/entries.jsonl");
const FILTERED: &str = include_str!("../../../../fixtures/lex/filter-log-events.json");
const GOT: &str = include_str!("../../../../fixtures/lex/get-log-events.json");
const EXPORTED: &str = include_str!("../../../../fixtures/lex/s3-export.txt");
const SUBSCRIBED: &str = include_str!("../../../../fixtures/lex/subscription.json");
const PACKED: &str = include_str!("../../../../fixtures/lex/awslogs.json");

#[test]
fn conversation_logs_of_lex_are_read_in_every_shape_of_cloudwatch() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let entries: Vec<&str> = ENTRIES.lines().collect();
    write(dir.path(), "in/entries.jsonl", ENTRIES);
    // The same again, as an array.
    write(
        dir.path(),
        "in/entries.json",
        &format!("[{}]", entries.join(",")),
    );
    write(dir.path(), "in/filter.json", FILTERED);
    write(dir.path(), "in/get.json", GOT);
    write(dir.path(), "in/awslogs.json", PACKED);
    // As exports name their parts; the file beside them is a trial of the right to write there.
    write(
        dir.path(),
        "in/task/aws-logs-write-test",
        "Permission Check Successful",
    );
    let part = dir.path().join("in/task/stream/000000.gz");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(part, gzip(EXPORTED.as_bytes())).unwrap();
    // As Firehose writes what it got packed and packs itself.
    let delivered = gzip(&gzip(SUBSCRIBED.as_bytes()));
    fs::write(
        dir.path().join("in/to-s3-1-2026-01-02-03-19-05-1f.gz"),
        delivered,
    )
    .unwrap();
    let counts = server.cli(["import", "--json", "in"]).ok().json();
    let of = |name: &str| counts[name].as_u64().unwrap();
    // One event is in two of the lists.
    assert_eq!((of("accepted"), of("duplicates")), (15, 8), "{counts}");
    assert_eq!((of("rejected"), of("skipped")), (0, 7), "{counts}");
    let mut expected: Vec<&str> = vec![
        "",
        "I would like to order some flowers",
        "a dozen",
        "flowers please",
        "for my mother",
        "my name is {Name}",
        "no, red",
        "roses",
        "something yellow",
        "sí, {Name} \\{gracias\\}",
        "the moon is made of cheese",
        "tomorrow",
        "two dozen",
        "yes",
        "{Name}",
    ];
    expected.sort_unstable();
    let turns = server.turns();
    let said = |turn: &Value| {
        turn["input"]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut found: Vec<String> = turns.iter().map(said).collect();
    found.sort();
    assert_eq!(found, expected);
    assert!(
        turns.iter().all(|turn| turn["dialect"] == "lex-v1"),
        "{turns:?}"
    );
    let again = server.cli(["import", "in"]).ok();
    let expected = "0 accepted, 23 duplicates, 0 erased, 0 rejected, 7 other messages skipped in";
    assert!(again.stdout.starts_with(expected), "{again:?}");
}

#[test]
fn a_packed_envelope_that_is_broken_is_one_bad_line() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let envelope = |data: &str| json!({"awslogs": {"data": data}}).to_string();
    let packed: Value = serde_json::from_str(PACKED).unwrap();
    let packed = packed["awslogs"]["data"].as_str().unwrap();
    let lines = [
        envelope(packed.get(..packed.len() / 8 * 4).unwrap()),
        envelope("no base64"),
        envelope("bm8gZ3ppcA=="),
        envelope(packed),
    ];
    write(dir.path(), "in.jsonl", &lines.join("\n"));
    let counts = server.cli(["import", "--json", "in.jsonl"]).ok().json();
    assert_eq!(counts["accepted"], 1, "{counts}");
    let lines: Vec<&Value> = counts["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["line"])
        .collect();
    assert_eq!(lines, [1, 2, 3], "{counts}");
    let said = counts.to_string();
    assert!(said.contains("awslogs.data: must be base64"), "{said}");
}

#[test]
fn an_import_of_events_goes_on_from_its_state_file() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    // What is skipped counts as done, so that the second run knows where it is.
    let event = |n: u64| {
        let entry = json!({"botName": "Shop", "requestId": format!("r{n}"),
            "inputTranscript": format!("text {n}"), "timestamp": "2026-01-02T03:04:05.678Z"});
        let message = if n.is_multiple_of(3) {
            "START".to_owned()
        } else {
            entry.to_string()
        };
        json!({"timestamp": 1, "message": message})
    };
    let events: Vec<Value> = (0..300).map(event).collect();
    write(
        dir.path(),
        "in.json",
        &format!("{:#}", json!({"events": events, "nextToken": "t"})),
    );
    let state = dir.path().join("state");
    let arguments = [
        "import", "--json", "--batch", "10", "--state", "state", "in.json",
    ];
    let mut import = server.command(&arguments).spawn().unwrap();
    eventually(|| (state.exists() || import.try_wait().unwrap().is_some()).then_some(()));
    let _killed = import.kill();
    import.wait().unwrap();
    let counts = crate::harness::finish(&mut server.command(&arguments))
        .ok()
        .json();
    assert_eq!(sum(&counts), 300, "{counts}");
    assert_eq!(counts["skipped"], 100);
    assert_eq!(texts(&server).len(), 200);
}

#[test]
fn bad_lines_are_named_and_kept_out() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let good = |n| log("shop", n, "good").to_string();
    let text = format!(
        "{}\n{{\"broken\n{}\n[]\n{}\n42\n",
        good(1),
        good(2),
        good(3)
    );
    write(dir.path(), "in.jsonl", &text);
    let said = server.cli(["import", "in.jsonl"]).ok();
    assert!(
        said.stdout
            .starts_with("3 accepted, 0 duplicates, 0 erased, 3 rejected"),
        "{said:?}"
    );
    for line in ["in.jsonl:2: ", "in.jsonl:4: ", "in.jsonl:6: "] {
        assert!(said.stderr.contains(line), "{said:?}");
    }
    let counts = server.cli(["import", "--json", "in.jsonl"]).ok().json();
    assert_eq!((sum(&counts), &counts["rejected"]), (6, &json!(3)));
    assert_eq!(counts["errors"][0]["line"], 2);
    assert_eq!(texts(&server).len(), 3);
}

#[test]
fn strict_stops_at_the_first_bad_line() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let text = format!("{}\nno log\n{}\n", log("shop", 1, "a"), log("shop", 2, "b"));
    write(dir.path(), "in.jsonl", &text);
    let said = server.cli(["import", "--strict", "in.jsonl"]);
    assert_eq!(said.status, 1);
    assert!(said.stderr.contains("in.jsonl:2: "), "{said:?}");
    let expected = "error: stopped at the first line that is no good (--strict)\n";
    assert!(said.stderr.ends_with(expected), "{said:?}");
    assert_eq!(texts(&server), ["a"]);
}

#[test]
fn logs_without_an_id_are_stored_once_however_often_they_are_imported() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let mut without = log("shop", 1, "twice in one file");
    without.as_object_mut().unwrap().remove("log_id");
    write(dir.path(), "in.jsonl", &format!("{without}\n{without}\n"));
    let counts = server.cli(["import", "--json", "in.jsonl"]).ok().json();
    assert_eq!(counts["accepted"], 2);
    let path = dir.path().join("in.jsonl");
    let again = server
        .cli(["import", "--json", path.to_str().unwrap()])
        .ok()
        .json();
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(2))
    );
}

/// Kills the import at moments that the server's own counts choose, then runs it to its end.
fn kill_and_finish(arguments: &[&str]) {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let mut lines = log_lines("shop", 3000);
    lines[1000] = "{\"no\":\"log".to_owned();
    lines[2999] = "[]".to_owned();
    write(dir.path(), "in.jsonl", &lines.join("\n"));
    for n_least in [200, 900, 1700] {
        let mut import = server.command(arguments).spawn().unwrap();
        eventually(|| {
            let n_records = server.get("/convlog/v1/stats")["records"].as_u64().unwrap();
            let is_over = import.try_wait().unwrap().is_some();
            (n_records >= n_least || is_over).then_some(())
        });
        // It may have come to its end by itself.
        let _killed = import.kill();
        import.wait().unwrap();
    }
    let counts = crate::harness::finish(&mut server.command(arguments))
        .ok()
        .json();
    assert_eq!(sum(&counts), 3000, "{counts}");
    assert_eq!(counts["rejected"], 2);
    let found = texts(&server);
    let mut expected: Vec<String> = (0..3000)
        .filter(|n| *n != 1000 && *n != 2999)
        .map(|n| format!("text {n}"))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_killed_import_run_again_stores_every_good_line_once() {
    kill_and_finish(&["import", "--json", "--batch", "20", "in.jsonl"]);
}

#[test]
fn a_killed_import_goes_on_from_its_state_file() {
    kill_and_finish(&[
        "import", "--json", "--batch", "20", "--state", "state", "in.jsonl",
    ]);
}

#[test]
fn a_state_file_of_another_server_is_not_believed() {
    let dir = scratch();
    write(dir.path(), "in.jsonl", &log_lines("shop", 100).join("\n"));
    let first = Start::on(dir.path()).server();
    let state = dir.path().join("state");
    let arguments = [
        "import", "--json", "--batch", "10", "--state", "state", "in.jsonl",
    ];
    let mut import = first.command(&arguments).spawn().unwrap();
    eventually(|| (state.exists() || import.try_wait().unwrap().is_some()).then_some(()));
    let _killed = import.kill();
    import.wait().unwrap();
    let address = first.url.strip_prefix("http://").unwrap().to_owned();
    first.kill();
    fs::remove_dir_all(dir.path().join("data")).unwrap();
    let empty = Start::bare(dir.path())
        .args(["--data-dir", "data", "--listen", &address])
        .env("CONVLOG_ADMIN_KEY", crate::harness::KEY)
        .server();
    let counts = crate::harness::finish(&mut empty.command(&arguments))
        .ok()
        .json();
    assert_eq!(sum(&counts), 100, "{counts}");
    assert_eq!(texts(&empty).len(), 100);
    assert!(!state.exists(), "a complete import leaves no state");
}

#[test]
fn rows_that_expire_at_once_are_warned_of() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    server.send("PUT", "/convlog/v1/settings", &json!({"retention_days": 7}));
    let mut old = log("shop", 1, "old");
    old["request_timestamp"] = "2020-01-01T00:00:00.000Z".into();
    old["response_timestamp"] = "2020-01-01T00:00:00.000Z".into();
    write(dir.path(), "in.jsonl", &old.to_string());
    let said = server.cli(["import", "in.jsonl"]).ok();
    let expected = "warning: in.jsonl:1 is older than the 7 days that records are kept";
    assert!(said.stderr.starts_with(expected), "{said:?}");
    assert_eq!(texts(&server), Vec::<String>::new());
}

#[test]
fn a_live_service_is_read_page_by_page() {
    let (dir, other) = (scratch(), scratch());
    let source = Start::on(dir.path()).server();
    source.load("watson-v1", &log_lines("shop", 1234));
    let target = Start::on(other.path()).server();
    let key = crate::harness::KEY;
    let counts = target.cli([
        "import",
        "--json",
        "--from",
        &source.url,
        "--from-key",
        key,
        "--from-workspace",
        "shop",
    ]);
    assert_eq!(counts.ok().json()["accepted"], 1234);
    assert_eq!(texts(&target), texts(&source));
    let filter = "language::en,workspace_id::shop,request.input.text:7";
    let again = target.cli([
        "import",
        "--json",
        "--from",
        &source.url,
        "--from-key",
        key,
        "--from-filter",
        filter,
    ]);
    let again = again.ok().json();
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(1))
    );
}

#[test]
fn a_live_service_without_key_or_target_is_wrong_use() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let said = server.cli(["import", "--from", &server.url]);
    assert_eq!(said.status, 2);
    assert_eq!(
        said.stderr,
        "error: --from needs --from-key KEY or CONVLOG_FROM_KEY\n"
    );
    let said = server.cli(["import", "--from", &server.url, "--from-key", "k"]);
    assert_eq!(said.status, 2);
    assert!(
        said.stderr.contains("--from-workspace, --from-assistant"),
        "{said:?}"
    );
}

#[test]
fn a_file_that_is_not_there_and_a_cut_gzip_are_failures() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let said = server.cli(["import", "missing.json"]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.starts_with("error: cannot read missing.json: "),
        "{said:?}"
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(log_lines("shop", 500).join("\n").as_bytes())
        .unwrap();
    let bytes = gzip.finish().unwrap();
    fs::write(dir.path().join("cut.gz"), &bytes[..bytes.len() / 2]).unwrap();
    let said = server.cli(["import", "cut.gz"]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.contains("error: cannot read cut.gz: "),
        "{said:?}"
    );
}
