//! What rules cut is in no file, no list, no export and no log of the real program.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Server, Start, files, found_of, log, rows_of, scratch};

/// Personal data and secrets, each with the text that stands in its place for a bot with privacy.
const SECRETS: &[(&str, &str)] = &[
    ("zq7k.alice@example.com", "[redacted:email]"),
    ("4012 8888 8888 1881", "[redacted:card]"),
    ("DE89370400440532013000", "[redacted:iban]"),
    ("+49 30 98765432", "[redacted:phone]"),
    ("203.0.113.77", "[redacted:ip]"),
    ("zq7kBearer0123456789", "[redacted:bearer]"),
    ("AKIAZQ7KODNN7EXAMPLE", "[redacted:aws]"),
];
/// Stands under keys that hold secrets.
const PASSWORD: &str = "zq7k-Hunter2-zq7k";

/// A text with every secret.
fn words() -> String {
    let all: Vec<&str> = SECRETS.iter().map(|(secret, _)| *secret).collect();
    all.join(" ; ").replace("zq7kBearer", "Bearer zq7kBearer")
}

fn bot(server: &Server, id: &str, has_privacy: bool) {
    let bot = json!({"name": id, "connector": {"kind": "echo"}, "privacy": has_privacy});
    server.send("PUT", &format!("/convlog/v1/bots/{id}"), &bot);
}

fn body_v2() -> Value {
    json!({
        "input": {"message_type": "text", "text": words()},
        "context": {"skills": {"main skill": {"user_defined": {"password": PASSWORD}}}},
    })
}

/// Says everything in every way in which it can come in.
fn say(server: &Server, bot: &str) {
    let v1 = json!({
        "input": {"text": words()},
        "context": {"conversation_id": "c", "api_key": PASSWORD, "note": words()},
    });
    let path = format!("/v1/workspaces/{bot}/message?version=2021-11-27");
    let answer = server.send("POST", &path, &v1);
    assert!(
        answer.to_string().contains("zq7k.alice"),
        "it is answered: {answer}"
    );
    let v2 = format!("/v2/assistants/{bot}");
    let version = "version=2024-08-25";
    let session = server.send("POST", &format!("{v2}/sessions?{version}"), &json!({}));
    let session = session["session_id"].as_str().unwrap();
    for path in [
        format!("{v2}/sessions/{session}/message?{version}"),
        format!("{v2}/message?{version}"),
    ] {
        let answer = server.send("POST", &path, &body_v2());
        assert!(answer.to_string().contains("zq7k.alice"), "{answer}");
    }
    let mut line = log(bot, 1, &words());
    line["response"]["context"]["cookie"] = PASSWORD.into();
    let answer = server.load("watson-v1", &[line.to_string()]);
    // Sent again, it is the same under the same rules.
    let n_kept = answer["accepted"].as_u64().unwrap() + answer["duplicates"].as_u64().unwrap();
    assert_eq!(n_kept, 1, "{answer}");
    let event = json!({
        "kind": "event", "bot": bot,
        "event": {"type": "webhook.request", "meta": {"headers": {"Authorization": PASSWORD}, "said": words()}},
        "labels": {"note": words()},
        "raw": {"type": "webhook.request", "meta": {"client_secret": PASSWORD, "said": [words()]}},
    });
    assert_eq!(server.load("convlog", &[event.to_string()])["accepted"], 1);
}

/// Secrets that some file of a data directory holds, as it is or decompressed.
fn kept(dir: &Path) -> Vec<String> {
    let data = dir.join("data");
    let all: Vec<&str> = SECRETS
        .iter()
        .map(|(secret, _)| *secret)
        .chain([PASSWORD])
        .collect();
    let parts: Vec<&[u8]> = all.iter().map(|secret| secret.as_bytes()).collect();
    let mut found: Vec<String> = found_of(&data, &parts)
        .into_iter()
        .map(|(name, number)| format!("{} in {name}", all[number]))
        .collect();
    for (name, bytes) in files(&data) {
        if !name.ends_with(".log") {
            continue;
        }
        let rows = rows_of(&bytes);
        let text: String = rows
            .iter()
            .map(|row| String::from_utf8_lossy(row))
            .collect();
        let held = all.iter().filter(|secret| text.contains(**secret));
        found.extend(held.map(|secret| format!("{secret} in rows of {name}")));
    }
    found
}

#[test]
fn no_byte_of_a_private_bot_s_secrets_is_kept_or_shown() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    bot(&server, "shy", true);
    say(&server, "shy");
    assert_eq!(kept(dir.path()), [""; 0], "while it runs");
    let of_shy = server.get("/convlog/v1/records?filter=bot::shy&limit=100");
    let records = of_shy["records"].as_array().unwrap();
    assert_eq!(records.len(), 5);
    for record in records {
        let text = record.to_string();
        assert!(!text.contains(PASSWORD) && !text.contains("zq7k"), "{text}");
        for (_, replacement) in SECRETS {
            assert!(text.contains(replacement), "{replacement} in {text}");
        }
        assert!(text.contains("[redacted:secret-keys]"), "{text}");
        let notes = record["redactions"].as_array().unwrap();
        let has_note = |rule: &str| notes.iter().any(|note| note["rule"] == rule);
        for rule in [
            "email",
            "card",
            "iban",
            "phone",
            "ip",
            "bearer",
            "aws",
            "secret-keys",
        ] {
            assert!(has_note(rule), "{rule} in {notes:?}");
        }
    }
    let exported = serde_json::to_string(&server.export()).unwrap();
    let logs = server
        .get("/v1/workspaces/shy/logs?version=2021-11-27")
        .to_string();
    for text in [exported, logs, server.log()] {
        assert!(!text.contains("zq7k"), "{text}");
    }
    server.kill();
    assert_eq!(kept(dir.path()), [""; 0], "after a kill");
    let server = Start::on(dir.path()).server();
    say(&server, "shy");
    server.stop();
    assert_eq!(kept(dir.path()), [""; 0], "after a clean stop");
}

#[test]
fn the_scan_would_find_what_is_kept() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    bot(&server, "open", false);
    say(&server, "open");
    server.stop();
    let found = kept(dir.path());
    for (secret, _) in SECRETS {
        let in_rows = format!("{secret} in rows of");
        assert!(
            found.iter().any(|it| it.starts_with(&in_rows)),
            "{secret}: {found:?}"
        );
    }
    let text = fs::read_to_string(dir.path().join("server.log")).unwrap();
    assert!(!text.contains("zq7k"), "our own log never holds it: {text}");
}

#[test]
fn a_refused_record_leaves_nothing_behind() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    let rules = json!({"rules": [{"name": "all", "pattern": "[a-z]"}]});
    server.send("PUT", "/convlog/v1/redaction", &rules);
    let mut line = log("zq7k-bot", 1, &"zq7k-word ".repeat(2_000));
    line["customer_id"] = "zq7k-customer".into();
    line["response"]["context"]["metadata"] = json!({"deployment": "zq7k-environment"});
    let answer = server.load("watson-v1", &[line.to_string()]);
    assert_eq!(answer["accepted"], 0, "{answer}");
    assert_eq!(
        answer["rejected"][0]["error"],
        "redaction: rule `all` of version 1 cannot run: more than 10000 places of the record are \
         to be cut"
    );
    assert_eq!(server.turns(), [Value::Null; 0]);
    assert_eq!(server.get("/convlog/v1/bots")["bots"], json!([]));
    server.stop();
    assert_eq!(found_of(&dir.path().join("data"), &[b"zq7k"]), []);
}

#[test]
fn rules_of_the_configuration_hold_for_every_bot_and_are_checked_at_the_start() {
    let dir = scratch();
    let rule = "[[redaction.rules]]\nname = \"mail\"\ndetector = \"email\"\naction = \"hash\"\n";
    let file = dir.path().join("convlog.toml");
    fs::write(&file, rule).unwrap();
    let server = Start::on(dir.path()).server();
    let input = |server: &Server, id: &str| {
        let line = log("b", id.len() as u64, "I am zq7k.alice@example.com").to_string();
        server.load("watson-v1", &[line.replace("log-b", id)]);
        let turns = server.turns();
        let turn = turns
            .iter()
            .find(|it| it["own_id"].as_str().unwrap().starts_with(id));
        turn.unwrap()["input"]["text"].as_str().unwrap().to_owned()
    };
    let first = input(&server, "first");
    assert!(first.starts_with("I am [hash:mail:"), "{first}");
    let shown = server.cli(["config"]).ok().stdout;
    assert!(shown.contains(rule), "{shown}");
    server.stop();
    // The key of the hashes is that of the data directory.
    let server = Start::on(dir.path()).server();
    assert_eq!(input(&server, "another"), first);
    server.stop();
    assert_eq!(found_of(&dir.path().join("data"), &[b"zq7k"]), []);
    fs::write(&file, format!("{rule}\n{}", rule.replace("email", "mail"))).unwrap();
    let said = Start::on(dir.path()).fail();
    assert_eq!(said.status, 2);
    let place = "convlog.toml:8:12: `redaction.rules[1].detector` must be one of card, iban";
    assert!(said.stderr.contains(place), "{}", said.stderr);
}
