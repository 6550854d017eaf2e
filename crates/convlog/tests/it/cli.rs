//! The commands that talk to a server, as a person or a script runs them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::harness::{Server, Start, echo_bot, eventually, log, log_lines, scratch};

fn with_logs(dir: &std::path::Path, n_logs: u64) -> Server {
    let server = Start::on(dir).server();
    server.load("watson-v1", &log_lines("shop", n_logs));
    server
}

#[test]
fn query_prints_a_table_or_json() {
    let dir = scratch();
    let server = with_logs(dir.path(), 30);
    let table = server.cli(["query", "bot::shop", "-n", "3"]).ok().stdout;
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.starts_with("time"), "{table}");
    let sort = [
        "query",
        "bot::shop",
        "--json",
        "-n",
        "25",
        "--sort",
        "-time.request",
    ];
    let lines = server.cli(sort).ok().stdout;
    let texts: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["input"]["text"].clone()
        })
        .collect();
    assert_eq!(texts.len(), 25);
    assert_eq!(texts[0], "text 29");
    assert!(
        lines.starts_with("{\"id\":"),
        "the server's order of members: {lines}"
    );
}

#[test]
fn a_bad_filter_is_answered_with_its_place() {
    let dir = scratch();
    let server = with_logs(dir.path(), 1);
    let said = server.cli(["query", "bot::("]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr.starts_with("error: the server answered 400: "),
        "{said:?}"
    );
}

#[test]
fn a_wrong_key_and_a_server_that_is_not_there_are_failures() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let wrong = "WRONGWRONGWRONG1.0123456789012345678901234567890123456789";
    let said = server.cli(["query", "--key", wrong]);
    assert_eq!(said.status, 1);
    let expected =
        "error: the server answered 401: a valid key is required (--key or CONVLOG_KEY)\n";
    assert_eq!(said.stderr, expected);
    let said = server.cli([
        "import",
        "--from",
        &server.url,
        "--from-key",
        wrong,
        "--from-workspace",
        "x",
    ]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr
            .contains("Unauthorized (--from-key or CONVLOG_FROM_KEY)"),
        "{said:?}"
    );
    let said = server.cli(["query", "--url", "http://127.0.0.1:1", "customer::anna"]);
    assert_eq!(said.status, 1);
    assert!(
        said.stderr
            .starts_with("error: cannot reach http://127.0.0.1:1: "),
        "{said:?}"
    );
    assert!(!said.stderr.contains("anna"), "{said:?}");
}

#[test]
fn export_writes_a_file_that_is_complete() {
    let dir = scratch();
    let server = with_logs(dir.path(), 40);
    server
        .cli(["export", "--filter", "bot::shop", "-o", "all.jsonl"])
        .ok();
    let text = fs::read_to_string(dir.path().join("all.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 40);
    assert!(!dir.path().join("all.jsonl.part").exists());
    let csv = server
        .cli(["export", "--format", "csv", "--filter", "bot::shop"])
        .ok()
        .stdout;
    assert_eq!(csv.lines().count(), 41);
    let arguments = [
        "export",
        "--format",
        "watson-json",
        "--shape",
        "v2",
        "--filter",
        "bot::shop",
    ];
    assert_eq!(
        server.cli(arguments).ok().json().as_array().unwrap().len(),
        40
    );
}

#[test]
fn a_failed_export_leaves_the_old_file() {
    let dir = scratch();
    let server = with_logs(dir.path(), 1);
    fs::write(dir.path().join("all.jsonl"), "old").unwrap();
    let said = server.cli(["export", "--filter", "bot::(", "-o", "all.jsonl"]);
    assert_eq!(said.status, 1);
    assert_eq!(
        fs::read_to_string(dir.path().join("all.jsonl")).unwrap(),
        "old"
    );
}

#[test]
fn export_for_training_leaves_opted_out_records_out() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    echo_bot(&server, "echo");
    for (text, opt_out) in [("use me", "false"), ("do not", "true")] {
        let message = json!({"input": {"text": text}}).to_string();
        let path = "/v1/workspaces/echo/message?version=2021-11-27";
        let headers = [("X-Watson-Learning-Opt-Out", opt_out)];
        let answer = server
            .client()
            .request_with("POST", path, &message, &headers);
        assert_eq!(answer.unwrap().0, 200);
    }
    let all = server.cli(["export", "--filter", "bot::echo"]).ok().stdout;
    assert_eq!(all.lines().count(), 2);
    let some = server
        .cli(["export", "--filter", "bot::echo", "--for-training"])
        .ok()
        .stdout;
    assert_eq!(some.lines().count(), 1);
    assert!(some.contains("use me"));
}

#[test]
fn import_export_and_erase_go_round() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let mut logs: Vec<serde_json::Value> = (0..20).map(|n| log("shop", n, "hello")).collect();
    for log in logs.iter_mut().take(7) {
        log["customer_id"] = "acme-1".into();
    }
    fs::write(
        dir.path().join("in.json"),
        serde_json::Value::Array(logs.clone()).to_string(),
    )
    .unwrap();
    let counts = server.cli(["import", "--json", "in.json"]).ok().json();
    assert_eq!(counts["accepted"], 20);
    server
        .cli([
            "export",
            "--format",
            "watson-json",
            "--filter",
            "bot::shop",
            "-o",
            "out.json",
        ])
        .ok();
    let text = fs::read_to_string(dir.path().join("out.json")).unwrap();
    let mut out: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    out.sort_by_key(|log| log["request_timestamp"].to_string());
    assert_eq!(out, logs);

    let dry = server
        .cli(["erase", "--customer", "acme-1", "--dry-run"])
        .ok()
        .stdout;
    assert_eq!(dry, "7 records would be erased\n");
    let said = server.cli(["erase", "--customer", "acme-1", "--wait"]).ok();
    assert!(
        said.stdout.contains("7 records hidden from every read"),
        "{said:?}"
    );
    assert_eq!(server.turns().len(), 13);
    let again = server.cli(["import", "--json", "in.json"]).ok().json();
    assert_eq!(
        (&again["erased"], &again["duplicates"]),
        (&json!(7), &json!(13))
    );
    let by_filter = server
        .cli(["erase", "--filter", "bot::shop", "--json"])
        .ok()
        .json();
    assert_eq!(by_filter["records"], 13);
    assert_eq!(server.turns().len(), 0);
}

#[test]
fn erase_wants_exactly_one_selector() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    for arguments in [
        &["erase"][..],
        &["erase", "--customer", "a", "--filter", "bot::b"],
    ] {
        let said = crate::harness::finish(&mut server.command(arguments));
        assert_eq!(said.status, 2, "{said:?}");
    }
}

#[test]
fn tail_shows_what_is_there_and_what_arrives() {
    let dir = scratch();
    let server = with_logs(dir.path(), 5);
    let mut command = server.command(&["tail", "bot::shop", "-n", "2", "--json"]);
    let mut tail = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || {
        let line: serde_json::Value =
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        line["input"]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!([next(), next()], ["text 3", "text 4"]);
    server.load("watson-v1", &[log("shop", 5, "late").to_string()]);
    server.load("watson-v1", &[log("other", 6, "not asked for").to_string()]);
    server.load("watson-v1", &[log("shop", 7, "later").to_string()]);
    assert_eq!([next(), next()], ["late", "later"]);
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn bots_are_put_listed_and_deleted() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let bot = json!({"name": "Shop", "language": "en", "connector": {"kind": "echo"}});
    fs::write(dir.path().join("bot.json"), bot.to_string()).unwrap();
    server.cli(["bots", "put", "shop", "bot.json"]).ok();
    let table = server.cli(["bots", "list"]).ok().stdout;
    assert!(table.contains("shop  Shop  en        echo"), "{table}");
    assert_eq!(
        server.cli(["bots", "get", "shop"]).ok().json()["name"],
        "Shop"
    );
    server.cli(["bots", "delete", "shop"]).ok();
    assert_eq!(server.cli(["bots", "get", "shop"]).status, 1);
}

#[test]
fn a_bot_that_is_no_json_is_wrong_use() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    fs::write(dir.path().join("bot.json"), "{").unwrap();
    let said = server.cli(["bots", "put", "shop", "bot.json"]);
    assert_eq!(said.status, 2);
    assert!(said.stderr.starts_with("error: bot.json: EOF"), "{said:?}");
}

#[test]
fn a_bot_that_is_larger_than_may_be_is_said_to_be() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let bot = r#"{"name": "Shop", "language": "en", "connector": {"kind": "echo"}}"#;
    let mut file = bot.as_bytes().to_vec();
    file.resize((16 << 20) + 1, b' ');
    fs::write(dir.path().join("bot.json"), &file).unwrap();
    let put = server.cli(["bots", "put", "shop", "bot.json"]);
    let import = server.cli(["bots", "import", "bot.json"]);
    for said in [put, import] {
        assert_eq!(said.status, 2);
        let why = "error: bot.json is larger than 16 MiB";
        assert!(said.stderr.starts_with(why), "{said:?}");
    }
}

#[test]
fn keys_are_created_listed_and_revoked() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let made = server
        .cli(["keys", "create", "--roles", "read", "--json"])
        .ok()
        .json();
    let key = made["key"].as_str().unwrap();
    assert_eq!(server.cli(["query", "--key", key]).status, 0);
    assert_eq!(server.cli(["keys", "list", "--key", key]).status, 1);
    let table = server.cli(["keys", "list"]).ok().stdout;
    assert!(table.contains(made["id"].as_str().unwrap()), "{table}");
    server.cli(["keys", "revoke", key]).ok();
    assert_eq!(server.cli(["query", "--key", key]).status, 1);
}

#[test]
fn demo_is_filled_and_goes_when_it_is_stopped() {
    let dir = scratch();
    let mut command = crate::harness::program(dir.path());
    command
        .arg("demo")
        .env("TMPDIR", dir.path())
        .stdout(Stdio::piped());
    let mut demo = command.spawn().unwrap();
    let mut text = String::new();
    for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
        text.push_str(&line.unwrap());
        text.push('\n');
        if text.contains("Ctrl-C") {
            break;
        }
    }
    let word = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let (url, key) = (word("URL"), word("key"));
    let mut query = crate::harness::program(dir.path());
    query.args([
        "query",
        "--json",
        "-n",
        "1000",
        "kind::turn",
        "--url",
        &url,
        "--key",
        &key,
    ]);
    let lines = crate::harness::finish(&mut query).ok().stdout;
    assert!(lines.lines().count() > 300);
    for needle in [
        "anna.lind",
        "\"escalated\":true",
        "\"missed\":true",
        "verlängert",
    ] {
        assert!(lines.contains(needle), "{needle}");
    }
    let pid = demo.id().to_string();
    std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(demo.wait().unwrap().success());
    let left = || {
        let names = fs::read_dir(dir.path()).unwrap();
        names.count()
    };
    eventually(|| (left() == 0).then_some(()));
}

const LEX: &str = r#"{"metadata":{"schemaVersion":"1.0","importType":"LEX","importFormat":"JSON"},
    "resource":{"name":"Shop","version":"3","locale":"en-US","childDirected":false,
    "intents":[{"name":"Order","version":"2","sampleUtterances":["order"],
    "fulfillmentActivity":{"type":"ReturnIntent"}}],
    "slotTypes":[{"name":"Kinds","version":"1","enumerationValues":[{"value":"roses"}]}]}}"#;

#[test]
fn bots_of_lex_come_from_files() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    fs::write(dir.path().join("shop.json"), LEX).unwrap();
    let archive = convlog_dialects::lex::transfer::write("shop.json", LEX).unwrap();
    fs::write(dir.path().join("shop.zip"), archive).unwrap();
    let said = server.cli(["bots", "import", "shop.zip"]).ok();
    let made = "slot type Kinds ($LATEST)\nintent Order ($LATEST)\nbot Shop ($LATEST)\n";
    assert_eq!(said.stdout, made);
    let bot = server.cli(["bots", "get", "Shop"]).ok().json();
    assert_eq!(bot["connector"]["kind"], "lex");
    let again = server.cli(["bots", "import", "shop.json"]);
    assert_eq!(again.status, 1);
    assert_eq!(
        again.stderr,
        "error: shop.json: The slot type 'Kinds' exists already.\n"
    );
    let replaced = ["bots", "import", "--overwrite", "--json", "shop.json"];
    let replaced = server.cli(replaced).ok().json();
    assert_eq!(replaced["importStatus"], "COMPLETE");
    fs::write(dir.path().join("bad.json"), "{}").unwrap();
    let bad = server.cli(["bots", "import", "bad.json"]);
    assert_eq!(bad.status, 2);
    assert!(bad.stderr.contains("metadata.schemaVersion"), "{bad:?}");
}
