//! The rules of intents.

use super::*;
use crate::lex::rules::RefusedKind;

const SAID: &str = r#"{"messages":[{"contentType":"PlainText","content":"Ok {Size}."}]}"#;
const PROMPT: &str =
    r#"{"maxAttempts":2,"messages":[{"contentType":"PlainText","content":"Which?"}]}"#;
const HOOK: &str = r#"{"uri":"arn","messageVersion":"1.0"}"#;

fn checked(members: &str) -> Result<(), Refused> {
    let intent = format!(r#"{{"name":"Order","sampleUtterances":[]{members}}}"#);
    let intent = intent.replace(r#""sampleUtterances":[],"said""#, r#""sampleUtterances""#);
    check(&serde_json::from_str(&intent).unwrap())
}

fn slot(name: &str, members: &str) -> String {
    format!(r#"{{"name":"{name}","slotConstraint":"Optional"{members}}}"#)
}

fn slots(slots: &[String]) -> String {
    format!(r#","slots":[{}]"#, slots.join(","))
}

/// With a member `said`, which stands for the utterances.
fn utterances(texts: &str, slot_list: &[String]) -> String {
    format!(r#","said":[{texts}]{}"#, slots(slot_list))
}

#[test]
fn intents_that_are_taken() {
    let size = slot("Size", r#","slotType":"Sizes","slotTypeVersion":"1""#);
    let day = format!(r#","slotType":"AMAZON.DATE","valueElicitationPrompt":{PROMPT}"#);
    let day = slot("Day", &day).replace("Optional", "Required");
    let own = slot("Own", r#","sampleUtterances":["{Own} on {Day}"]"#);
    for members in [
        String::new(),
        slots(&[slot("A", "")]),
        utterances(r#""a {Size} one","on {Day}{Size}","x""#, &[size, day, own]),
        format!(r#","confirmationPrompt":{PROMPT},"rejectionStatement":{SAID}"#),
        format!(r#","conclusionStatement":{SAID}"#),
        format!(r#","followUpPrompt":{{"prompt":{PROMPT},"rejectionStatement":{SAID}}}"#),
        r#","fulfillmentActivity":{"type":"ReturnIntent"}"#.to_owned(),
        format!(r#","fulfillmentActivity":{{"type":"CodeHook","codeHook":{HOOK}}}"#),
        format!(r#","parentIntentSignature":"{FALLBACK}","conclusionStatement":{SAID}"#),
    ] {
        assert_eq!(checked(&members), Ok(()), "{members}");
    }
}

#[test]
fn slots_that_are_refused() {
    let required = slot("B", r#","slotType":"AMAZON.DATE""#).replace("Optional", "Required");
    let bad_prompt = PROMPT.replace("Which?", "{}");
    for (list, expected) in [
        (
            vec![slot("A", ""), slot("B", ""), slot("A", "")],
            "3.member.name: must be the name of one slot only",
        ),
        (
            vec![slot("A", r#","slotType":"Sizes""#)],
            "1.member.slotTypeVersion: must be there for a slot type that is not built in",
        ),
        (
            vec![slot("A", ""), required],
            "2.member.valueElicitationPrompt: must be there for a slot that is required",
        ),
        (
            vec![slot("A", r#","sampleUtterances":["{A}","{B}"]"#)],
            "1.member.sampleUtterances.2.member: must name in braces only slots of the intent",
        ),
        (
            vec![slot(
                "A",
                &format!(r#","valueElicitationPrompt":{bad_prompt}"#),
            )],
            "1.member.valueElicitationPrompt.messages.1.member.content: \
             braces must be closed, not nested and not empty",
        ),
    ] {
        let refused = checked(&slots(&list)).unwrap_err();
        assert_eq!(refused.to_string(), format!("slots.{expected}"));
    }
}

#[test]
fn utterances_that_are_refused() {
    for (said, expected) in [
        (
            r#""{A}","{a}""#,
            "sampleUtterances.2.member: must name in braces only slots of the intent",
        ),
        (
            r#""a {A""#,
            "sampleUtterances.1.member: braces must be closed, not nested and not empty",
        ),
    ] {
        let refused = checked(&utterances(said, &[slot("A", "")])).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}

#[test]
fn members_that_do_not_go_together() {
    let bad = SAID.replace("{Size}", "{Size");
    let braces = "braces must be closed, not nested and not empty";
    for (members, expected) in [
        (
            format!(
                r#","conclusionStatement":{SAID},
                "followUpPrompt":{{"prompt":{PROMPT},"rejectionStatement":{SAID}}}"#
            ),
            "conclusionStatement: must not be beside followUpPrompt".to_owned(),
        ),
        (
            format!(r#","confirmationPrompt":{PROMPT}"#),
            "rejectionStatement: must be there with confirmationPrompt".to_owned(),
        ),
        (
            format!(r#","rejectionStatement":{SAID}"#),
            "confirmationPrompt: must be there with rejectionStatement".to_owned(),
        ),
        (
            r#","fulfillmentActivity":{"type":"CodeHook"}"#.to_owned(),
            "fulfillmentActivity.codeHook: must be there for the type CodeHook".to_owned(),
        ),
        (
            format!(r#","followUpPrompt":{{"prompt":{PROMPT},"rejectionStatement":{bad}}}"#),
            format!("followUpPrompt.rejectionStatement.messages.1.member.content: {braces}"),
        ),
        (
            format!(r#","conclusionStatement":{bad}"#),
            format!("conclusionStatement.messages.1.member.content: {braces}"),
        ),
    ] {
        assert_eq!(checked(&members).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_fallback_has_nothing_to_be_understood_by() {
    for (member, members) in [
        ("slots", slots(&[slot("A", "")])),
        ("sampleUtterances", r#","said":["x"]"#.to_owned()),
        (
            "confirmationPrompt",
            format!(r#","confirmationPrompt":{PROMPT}"#),
        ),
        (
            "rejectionStatement",
            format!(r#","rejectionStatement":{SAID}"#),
        ),
        ("dialogCodeHook", format!(r#","dialogCodeHook":{HOOK}"#)),
    ] {
        let members = format!(r#"{members},"parentIntentSignature":"{FALLBACK}""#);
        let expected = format!("{member}: must not be in an intent that extends the fallback");
        assert_eq!(checked(&members).unwrap_err().to_string(), expected);
    }
}

#[test]
fn slots_are_bounded() {
    let many: Vec<String> = (0..=SLOTS_MAX)
        .map(|n| slot(&"x".repeat(n + 1), ""))
        .collect();
    assert_eq!(checked(&slots(&many[1..])), Ok(()));
    let error = checked(&slots(&many)).unwrap_err();
    assert_eq!(error.kind, RefusedKind::LimitExceeded);
    assert_eq!(error.to_string(), "slots: at most 100 slots in an intent");
}
