//! The rules of bots.

use super::*;
use crate::lex::rules::RefusedKind;

fn refused(members: &str) -> Result<(), Refused> {
    let bot = format!(r#"{{"name":"B","locale":"en-US","childDirected":false{members}}}"#);
    check(&serde_json::from_str(&bot).unwrap())
}

fn intents(names: &[&str]) -> String {
    let intent = |name: &&str| format!(r#"{{"intentName":"{name}","intentVersion":"1"}}"#);
    let intents: Vec<String> = names.iter().map(intent).collect();
    format!(r#","intents":[{}]"#, intents.join(","))
}

#[test]
fn bots_that_are_taken() {
    assert_eq!(refused(""), Ok(()));
    assert_eq!(refused(&intents(&["A", "B", "a"])), Ok(()));
    let said = r#","abortStatement":{"messages":[{"contentType":"CustomPayload","content":"{"}]}"#;
    assert_eq!(refused(said), Ok(()));
}

#[test]
fn bots_that_are_refused() {
    let message = r#"{"contentType":"PlainText","content":"a {"}"#;
    let prompt = format!(r#","clarificationPrompt":{{"maxAttempts":1,"messages":[{message}]}}"#);
    let said = format!(r#","abortStatement":{{"messages":[{message}]}}"#);
    let braces = "braces must be closed, not nested and not empty";
    for (members, expected) in [
        (
            intents(&["A", "B", "A"]),
            "intents.3.member.intentName: must be in the bot once, in one version".to_owned(),
        ),
        (
            prompt,
            format!("clarificationPrompt.messages.1.member.content: {braces}"),
        ),
        (
            said,
            format!("abortStatement.messages.1.member.content: {braces}"),
        ),
    ] {
        assert_eq!(refused(&members).unwrap_err().to_string(), expected);
    }
}

#[test]
fn intents_are_bounded() {
    let names: Vec<String> = (0..=INTENTS_MAX).map(|n| "x".repeat(n + 1)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(refused(&intents(&names[1..])), Ok(()));
    let error = refused(&intents(&names)).unwrap_err();
    assert_eq!(error.kind, RefusedKind::LimitExceeded);
    assert_eq!(error.to_string(), "intents: at most 250 intents in a bot");
}
