//! The rules of conversation logs, and the settings that the guide shows.

use super::*;

const HOME: Home<'static> = Home {
    region: "us-east-1",
    account: "123456789012",
};
const TEXT: &str = r#"{"logType":"TEXT","destination":"CLOUDWATCH_LOGS","resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:lex-logs"}"#;
const AUDIO: &str = r#"{"logType":"AUDIO","destination":"S3","resourceArn":"arn:aws:s3:::lex-audio","kmsKeyArn":"arn:aws:kms:us-east-1:123456789012:key/1111-2222"}"#;

fn read(settings: &[&str]) -> Result<Option<ConversationLogs>, String> {
    let role = "arn:aws:iam::123456789012:role/lexlogs";
    with_role(role, settings)
}

fn with_role(role: &str, settings: &[&str]) -> Result<Option<ConversationLogs>, String> {
    let settings = settings.join(",");
    let body =
        format!(r#"{{"conversationLogs":{{"iamRoleArn":"{role}","logSettings":[{settings}]}}}}"#);
    let body = Json::parse(body.as_bytes()).unwrap();
    conversation_logs(&body, HOME).map_err(|refused| refused.to_string())
}

#[test]
fn both_kinds() {
    let logs = read(&[TEXT, AUDIO]).unwrap().unwrap();
    assert_eq!(logs.role.role, "lexlogs");
    assert_eq!(logs.text.unwrap().group, "lex-logs");
    let audio = logs.audio.unwrap();
    assert_eq!(audio.bucket.bucket, "lex-audio");
    let key = audio.kms_key.unwrap().to_string();
    assert_eq!(key, "arn:aws:kms:us-east-1:123456789012:key/1111-2222");
}

#[test]
fn one_kind_with_a_star_behind_the_group() {
    let logs = read(&[&TEXT.replace("lex-logs", "lex-logs:*")])
        .unwrap()
        .unwrap();
    assert_eq!(logs.text.unwrap().group, "lex-logs");
    assert_eq!(logs.audio, None);
    let null_key = AUDIO.replace(
        r#""arn:aws:kms:us-east-1:123456789012:key/1111-2222""#,
        "null",
    );
    let logs = read(&[&null_key]).unwrap().unwrap();
    assert_eq!(logs.audio.unwrap().kms_key, None);
}

#[test]
fn off() {
    assert_eq!(read(&[]), Ok(None));
    for body in ["{}", r#"{"conversationLogs":null}"#] {
        let body = Json::parse(body.as_bytes()).unwrap();
        assert_eq!(conversation_logs(&body, HOME), Ok(None));
    }
}

#[test]
fn settings_that_are_refused() {
    let bucket = "arn:aws:s3:::lex-audio";
    let group = "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs";
    for (settings, expected) in [
        (
            vec![TEXT.replace("CLOUDWATCH_LOGS", "S3")],
            "1.member.destination: must be CLOUDWATCH_LOGS for text",
        ),
        (
            vec![AUDIO.replace("\"S3\"", "\"CLOUDWATCH_LOGS\"")],
            "1.member.destination: must be S3 for audio",
        ),
        (
            vec![TEXT.replace(group, bucket)],
            "1.member.resourceArn: must be the ARN of a log group for text",
        ),
        (
            vec![AUDIO.replace(bucket, group)],
            "1.member.resourceArn: must be the ARN of a bucket for audio",
        ),
        (
            vec![AUDIO.to_owned(), TEXT.replace('}', r#","kmsKeyArn":"k"}"#)],
            "2.member.kmsKeyArn: goes with S3 only; text is encrypted by the key of its log group",
        ),
        (
            vec![AUDIO.replace(":key/", ":keys/")],
            "1.member.kmsKeyArn: must be the ARN of a key or of an alias",
        ),
        (
            vec![TEXT.to_owned(), TEXT.to_owned()],
            "2.member.logType: must be in one setting only",
        ),
        (
            vec![AUDIO.to_owned(), TEXT.to_owned(), AUDIO.to_owned()],
            "3.member.logType: must be in one setting only",
        ),
        (
            vec![TEXT.replace("us-east-1", "us-east-2")],
            "1.member.resourceArn: must be a log group in the region of the bot",
        ),
        (
            vec![TEXT.replace("123456789012", "210987654321")],
            "1.member.resourceArn: must be a log group of the account of the bot",
        ),
    ] {
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let expected = format!("conversationLogs.logSettings.{expected}");
        assert_eq!(read(&settings), Err(expected));
    }
}

#[test]
fn roles_that_are_refused() {
    for (role, expected) in [
        (
            "arn:aws:iam::123456789012:user/u",
            "must be the ARN of a role",
        ),
        (
            "arn:aws:iam::210987654321:role/r",
            "must be a role of the account of the bot",
        ),
    ] {
        let expected = format!("conversationLogs.iamRoleArn: {expected}");
        assert_eq!(with_role(role, &[TEXT]), Err(expected));
    }
}
