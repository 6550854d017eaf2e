//! `"logging": false`: answered, and no word of it in any form on disk, also after kill -9.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{Server, Start, scratch};

const WORD: &str = "Zq7kVx93mPw2LdTe8RbYh4";

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn holds_word(dir: &Path) -> bool {
    let word = WORD.as_bytes();
    let holds = |bytes: Vec<u8>| bytes.windows(word.len()).any(|window| window == word);
    files(dir)
        .into_iter()
        .any(|path| holds(fs::read(path).unwrap()))
}

fn bot(server: &Server, is_logging: bool) {
    let bot = json!({
        "name": "quiet", "language": "en", "connector": {"kind": "echo"}, "logging": is_logging,
    });
    server.send("PUT", "/convlog/v1/bots/quiet", &bot);
}

fn message(server: &Server, session: &str) -> serde_json::Value {
    let body = json!({
        "input": {"message_type": "text", "text": WORD, "options": {"return_context": true}},
        "context": {"skills": {"main skill": {"user_defined": {"remember": WORD}}}},
    });
    let path = format!("/v2/assistants/quiet/sessions/{session}/message?version=2021-11-27");
    server.send("POST", &path, &body)
}

fn session(server: &Server) -> String {
    let path = "/v2/assistants/quiet/sessions?version=2021-11-27";
    let made = server.send("POST", path, &json!({}));
    made["session_id"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_with_words_is_stored_and_the_session_goes_on() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    bot(&server, false);
    let session = session(&server);
    let answer = message(&server, &session);
    assert!(
        answer.to_string().contains(WORD),
        "it is answered: {answer}"
    );
    server.send(
        "POST",
        "/v1/workspaces/quiet/message?version=2021-11-27",
        &json!({"input": {"text": WORD}}),
    );
    let logs = server.get("/v1/workspaces/quiet/logs?version=2021-11-27");
    assert_eq!(logs, json!({"logs": [], "pagination": {}}));
    server.kill();
    assert!(!holds_word(dir.path()), "after a kill");
    let server = Start::on(dir.path()).server();
    assert!(
        !server
            .export()
            .iter()
            .any(|record| record.to_string().contains(WORD))
    );
    let body = json!({"input": {"message_type": "text", "text": "and?", "options": {"return_context": true}}});
    let path = format!("/v2/assistants/quiet/sessions/{session}/message?version=2021-11-27");
    let answer = server.send("POST", &path, &body);
    let context = &answer["context"];
    assert_eq!(
        context["skills"]["main skill"]["user_defined"]["remember"], WORD,
        "{answer}"
    );
    assert_eq!(context["global"]["system"]["turn_count"], 2, "{answer}");
    server.stop();
    assert!(!holds_word(dir.path()), "after a clean stop");
}

#[test]
fn the_scan_would_find_a_stored_word() {
    let dir = scratch();
    let server = Start::on(dir.path()).server();
    bot(&server, true);
    let session = session(&server);
    message(&server, &session);
    assert!(
        server
            .export()
            .iter()
            .any(|record| record.to_string().contains(WORD))
    );
    server.stop();
    assert!(holds_word(dir.path()));
}
