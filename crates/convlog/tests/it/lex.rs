//! Lex bots by the real program: what is not to be logged or is hidden is nowhere on disk, also
//! after kill -9, and an erased customer leaves nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Server, Start, all_erased, found_in, newest_log, rows_of, scratch};

const WORD: &str = "Zq7kVx93mPw2LdTe8RbYh4";
const SHOWN: &str = "fK2sWq81xTzB6nJv4MhGp0";
const CUSTOMER: &str = "cU9rYd35eLoX7aHi1SgNt8";

fn messages(text: &str) -> Value {
    json!([{"contentType": "PlainText", "content": text}])
}

/// A bot whose one intent asks for a name that logs hide.
fn bot(server: &Server, is_for_children: bool) {
    let slot = json!({
        "name": "Name", "slotConstraint": "Required", "slotType": "AMAZON.Person", "priority": 1,
        "obfuscationSetting": "DEFAULT_OBFUSCATION",
        "valueElicitationPrompt": {"maxAttempts": 2, "messages": messages("Your name?")},
    });
    let intent = json!({
        "sampleUtterances": ["order flowers"], "slots": [slot], "createVersion": true,
        "fulfillmentActivity": {"type": "ReturnIntent"},
    });
    server.send("PUT", "/intents/Order/versions/$LATEST", &intent);
    let bot = json!({
        "locale": "en-US", "childDirected": is_for_children,
        "intents": [{"intentName": "Order", "intentVersion": "1"}],
        "clarificationPrompt": {"maxAttempts": 5, "messages": messages("Pardon?")},
        "abortStatement": {"messages": messages("Goodbye")},
    });
    server.send("PUT", "/bots/Shop/versions/$LATEST", &bot);
    server.send("POST", "/bots/Shop/versions", &json!({}));
}

fn alias(server: &Server, has_logs: bool) {
    let mut alias = json!({"botVersion": "1"});
    if has_logs {
        alias["conversationLogs"] = json!({
            "iamRoleArn": "arn:aws:iam::123456789012:role/lexlogs",
            "logSettings": [{
                "logType": "TEXT", "destination": "CLOUDWATCH_LOGS",
                "resourceArn": "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs",
            }],
        });
    }
    server.send("PUT", "/bots/Shop/aliases/PROD", &alias);
}

fn say(server: &Server, alias: &str, text: &str) -> Value {
    let body = json!({
        "inputText": text, "sessionAttributes": {"seen": text},
        "requestAttributes": {"x-convlog-customer-id": CUSTOMER},
    });
    let path = format!("/bot/Shop/alias/{alias}/user/u1/text");
    server.send("POST", &path, &body)
}

fn start(dir: &Path) -> Server {
    Start::on(dir).server()
}

/// Where on disk the bytes are: in files as they lie there, and in rows that are compressed.
fn kept_in(dir: &Path, part: &str) -> Vec<String> {
    let mut found = found_in(dir, part.as_bytes());
    if let Some((name, log)) = newest_log(&dir.join("data")) {
        let holds = |row: &Vec<u8>| {
            row.windows(part.len())
                .any(|window| window == part.as_bytes())
        };
        found.extend(rows_of(&log).iter().any(holds).then_some(name));
    }
    found
}

/// Talks, and looks for the word on disk after a kill and after a stop.
fn leaves_nothing(is_for_children: bool, has_logs: bool, through: &str) {
    let dir = scratch();
    let server = start(dir.path());
    bot(&server, is_for_children);
    alias(&server, has_logs);
    let answer = say(&server, through, WORD);
    assert_eq!(answer["sessionAttributes"]["seen"], WORD, "{answer}");
    server.kill();
    let none: Vec<String> = Vec::new();
    assert_eq!(kept_in(dir.path(), WORD), none, "after a kill");
    let server = start(dir.path());
    let path = format!("/bot/Shop/alias/{through}/user/u1/session");
    let session = server.get(&path);
    assert_eq!(
        session["sessionAttributes"]["seen"], WORD,
        "the session goes on"
    );
    assert_eq!(server.turns().len(), 0);
    server.stop();
    assert_eq!(kept_in(dir.path(), WORD), none, "after a stop");
}

#[test]
fn no_word_is_kept_where_text_is_not_logged() {
    leaves_nothing(false, false, "PROD");
}

#[test]
fn no_word_is_kept_of_what_is_said_to_the_latest_version() {
    leaves_nothing(false, true, "$LATEST");
}

#[test]
fn no_word_is_kept_of_what_children_say() {
    leaves_nothing(true, true, "PROD");
}

#[test]
fn a_hidden_value_is_nowhere_on_disk_and_an_erased_customer_leaves_nothing() {
    let dir = scratch();
    let server = start(dir.path());
    bot(&server, false);
    alias(&server, true);
    say(&server, "PROD", "order flowers");
    let body = json!({
        "inputText": format!("my name is {WORD}"),
        "requestAttributes": {"x-convlog-customer-id": CUSTOMER, "seen": SHOWN},
    });
    let answer = server.send("POST", "/bot/Shop/alias/PROD/user/u1/text", &body);
    assert!(
        answer["slots"]["Name"].as_str().unwrap().contains(WORD),
        "{answer}"
    );
    let turns = server.turns();
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[1]["raw"]["slots"]["Name"], "{Name}");
    let none: Vec<String> = Vec::new();
    assert_eq!(kept_in(dir.path(), WORD), none);
    assert_ne!(
        kept_in(dir.path(), SHOWN),
        none,
        "the scan finds what is kept"
    );
    let erase = json!({"customer_id": CUSTOMER});
    server.send("POST", "/convlog/v1/erasures", &erase);
    all_erased(&server);
    assert_eq!(server.turns().len(), 0);
    server.stop();
    for part in [WORD, SHOWN, CUSTOMER] {
        assert_eq!(kept_in(dir.path(), part), none, "{part}");
    }
}
