//! ARNs in and out, and what is none.

use super::*;

/// What is read and printed again.
fn round(text: &str) -> Option<String> {
    let group = LogGroupArn::parse(text).map(|arn| arn.to_string());
    let bucket = BucketArn::parse(text).map(|arn| arn.to_string());
    let role = RoleArn::parse(text).map(|arn| arn.to_string());
    let key = KmsKeyArn::parse(text).map(|arn| arn.to_string());
    let lex = LexArn::parse(text).map(|arn| arn.to_string());
    let read: Vec<String> = [group, bucket, role, key, lex]
        .into_iter()
        .flatten()
        .collect();
    assert!(read.len() < 2, "{text} is read as two kinds");
    read.into_iter().next()
}

#[test]
fn what_is_read_is_printed_again() {
    for text in [
        "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs",
        "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/a/b_c.d#1",
        "arn:aws:s3:::lex-audio",
        "arn:aws-us-gov:s3:::0.a",
        "arn:aws:iam::123456789012:role/lexlogs",
        "arn:aws:iam::123456789012:role/aws-service-role/lex.amazonaws.com/AWSServiceRoleForLexBots",
        "arn:aws:kms:us-east-1:123456789012:key/1111-2222",
        "arn:aws:kms:us-east-1:123456789012:alias/a/b:c",
        "arn:aws:lex:us-east-1:123456789012:bot:OrderFlowers",
        "arn:aws:lex:us-east-1:123456789012:bot:OrderFlowers:PROD",
        "arn:aws:lex:us-east-1:123456789012:bot-channel:OrderFlowers:PROD:Slack",
    ] {
        assert_eq!(round(text).as_deref(), Some(text));
    }
}

#[test]
fn the_star_behind_a_group_is_cut() {
    let with_star = "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs:*";
    let arn = LogGroupArn::parse(with_star).unwrap();
    assert_eq!(arn.group, "lex-logs");
    assert_eq!(
        (arn.region.as_str(), arn.account.as_str()),
        ("us-east-1", "123456789012")
    );
    assert_eq!(format!("{arn}:*"), with_star);
}

#[test]
fn the_parts_of_a_channel_are_told_apart() {
    let arn = LexArn::parse("arn:aws:lex:eu-west-1:123456789012:bot-channel:B:A:C").unwrap();
    let channel = LexResource::Channel {
        bot: "B".to_owned(),
        alias: "A".to_owned(),
        channel: "C".to_owned(),
    };
    assert_eq!(arn.resource, channel);
    assert_eq!(arn.region, "eu-west-1");
}

#[test]
fn anything_else_is_none() {
    let long = format!("arn:aws:iam::123456789012:role/{}", "r".repeat(2048));
    let group = format!(
        "arn:aws:logs:us-east-1:123456789012:log-group:{}",
        "g".repeat(513)
    );
    for text in [
        "",
        "arn",
        "arn:aws:logs",
        "urn:aws:s3:::lex-audio",
        "arn::s3:::lex-audio",
        "arn:a b:s3:::lex-audio",
        "arn:aws:s3:us-east-1::lex-audio",
        "arn:aws:s3::123456789012:lex-audio",
        "arn:aws:s3:::lex-audio/key",
        "arn:aws:s3:::Lex",
        "arn:aws:s3:::ab",
        "arn:aws:s3:::-ab",
        "arn:aws:s3:::ab.",
        "arn:aws:s3:::",
        "arn:aws:logs:us-east-1:12345678901:log-group:g",
        "arn:aws:logs:us-east-1:12345678901a:log-group:g",
        "arn:aws:logs::123456789012:log-group:g",
        "arn:aws:logs:us-east-1:123456789012:log-group:",
        "arn:aws:logs:us-east-1:123456789012:log-group::*",
        "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s",
        "arn:aws:logs:us-east-1:123456789012:log-group:g\u{e9}",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/a\nb",
        "arn:aws:iam::123456789012:user/u",
        "arn:aws:iam:us-east-1:123456789012:role/r",
        "arn:aws:kms:us-east-1:123456789012:key/a/b",
        "arn:aws:kms:us-east-1:123456789012:key/",
        "arn:aws:kms:us-east-1:123456789012:alias/",
        "arn:aws:kms:us-east-1:123456789012:1111-2222",
        "arn:aws:lex:us-east-1:123456789012:bot",
        "arn:aws:lex:us-east-1:123456789012:bot:",
        "arn:aws:lex:us-east-1:123456789012:bot:B:",
        "arn:aws:lex:us-east-1:123456789012:bot:B:A:C",
        "arn:aws:lex:us-east-1:123456789012:bot-channel:B:A",
        "arn:aws:lex:us-east-1:123456789012:intent:I",
        &long,
        &group,
    ] {
        assert_eq!(round(text), None, "{text}");
    }
}
