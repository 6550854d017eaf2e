//! Every shape in which CloudWatch Logs hands entries out, whole and in pieces.

use crate::import::{Found, Splitter};

use super::*;

const ENTRIES: &str = include_str!("../../../../../fixtures/lex/entries.jsonl");
const FILTERED: &str = include_str!("../../../../../fixtures/lex/filter-log-events.json");
const GOT: &str = include_str!("../../../../../fixtures/lex/get-log-events.json");
const EXPORTED: &str = include_str!("../../../../../fixtures/lex/s3-export.txt");
const SUBSCRIBED: &str = include_str!("../../../../../fixtures/lex/subscription.json");
const PACKED: &str = include_str!("../../../../../fixtures/lex/awslogs.json");

/// What is found in an export, in short: the words of an entry, or what else there is.
fn words(export: &str, piece: usize) -> Vec<String> {
    let mut splitter = Splitter::new();
    let mut words = Vec::new();
    let mut drain = |splitter: &mut Splitter| {
        while let Some(item) = splitter.next_item() {
            words.push(match item.found {
                Found::Log(text) => {
                    let entry = Json::parse(text.as_bytes()).unwrap();
                    let said = entry.get("inputTranscript").and_then(Json::as_str);
                    said.unwrap_or("no entry").to_owned()
                }
                Found::Other => "-".to_owned(),
                Found::Packed(bytes) => format!("gzip {}", bytes.starts_with(&[0x1F, 0x8B])),
                Found::Broken(error) => format!("{}: {error}", item.line),
            });
        }
    };
    for bytes in export.as_bytes().chunks(piece) {
        splitter.push(bytes);
        drain(&mut splitter);
    }
    splitter.finish();
    drain(&mut splitter);
    words
}

fn check(export: &str, expected: &[&str]) {
    for piece in [1, 7, 1000, export.len().max(1)] {
        assert_eq!(words(export, piece), expected, "by {piece}");
    }
}

#[test]
fn entries_are_read_a_line_and_as_an_array() {
    let said = [
        "I would like to order some flowers",
        "roses",
        "my name is {Name}",
        "{Name}",
        "the moon is made of cheese",
        "",
        "sí, {Name} \\{gracias\\}",
    ];
    check(ENTRIES, &said);
    let lines: Vec<&str> = ENTRIES.lines().collect();
    check(&format!("[{}]", lines.join(",\n")), &said);
    check(&lines.concat(), &said);
}

#[test]
fn events_hold_entries_as_their_messages() {
    check(FILTERED, &["flowers please", "-", "a dozen", "-"]);
    check(GOT, &["a dozen", "for my mother"]);
    let on_one_line = Json::parse(FILTERED.as_bytes()).unwrap().to_string();
    check(&on_one_line, &["flowers please", "-", "a dozen", "-"]);
    check(
        &format!("{on_one_line}\n{on_one_line}"),
        &["flowers please", "-", "a dozen", "-"].repeat(2),
    );
    check(
        "{\n  \"events\": [],\n  \"searchedLogStreams\": []\n}\n",
        &[],
    );
    check("{\"events\":[],\"nextToken\":\"t\"}", &[]);
}

#[test]
fn envelopes_hold_events_and_messages_of_control_none() {
    check(SUBSCRIBED, &["-", "two dozen", "-", "tomorrow"]);
    check(PACKED, &["gzip true"]);
    check(
        "{\"awslogs\":{\"data\":\"?\"}}",
        &["1: awslogs.data: must be base64"],
    );
}

#[test]
fn lines_of_an_export_to_s3_have_a_time_in_front() {
    check(EXPORTED, &["something yellow", "-", "-", "no, red"]);
    check("2026-01-02T03:04:05Z nothing", &["-"]);
    check("2026-01-02T03:04:05Z {\"botName\":", &["-"]);
    check(
        "2026-01-02 something\n",
        &["1: trailing characters at column 5"],
    );
}

#[test]
fn entries_of_the_second_version_are_other_messages() {
    let v2 = r#"{"messageVersion":"2.0","bot":{"id":"B"},"inputTranscript":"hi","requestId":"r"}"#;
    assert_eq!(message(v2), Found::Other);
    let v1 = r#"{"messageVersion":"1.0","botName":"B"}"#;
    assert_eq!(message(&format!(" {v1}\n")), Found::Log(v1.to_owned()));
}

#[test]
fn an_event_is_told_by_its_time_and_message() {
    let event = |text: &str| open(&Json::parse(text.as_bytes()).unwrap());
    assert_eq!(
        event(r#"{"timestamp":1,"message":"hi"}"#),
        Some(Found::Other)
    );
    assert_eq!(
        event(r#"{"timestamp":"2026-01-02T03:04:05Z","message":"hi"}"#),
        None
    );
    assert_eq!(event(r#"{"timestamp":1,"message":{}}"#), None);
}
