//! The tables of Lex: every constraint broken in turn, and requests written by hand.

use convlog_model::json::Json;

use super::{OPERATIONS, input};
use crate::aws::shape::{check, tests::walk};

const OK: &str = "ok";
const NULL: &str = "Member must not be null";
const NAME: &str = r"Member must satisfy regular expression pattern: ^([A-Za-z]_?)+$";
const VERSION: &str = r"Member must satisfy regular expression pattern: \$LATEST|[0-9]+";
const LOCALES: &str = "Member must satisfy enum value set: [de-DE, en-AU, en-GB, en-IN, en-US, \
                       es-419, es-ES, es-US, fr-FR, fr-CA, it-IT, ja-JP, ko-KR]";

#[test]
fn every_constraint_is_reported_where_it_is_broken() {
    walk::sane(OPERATIONS);
    assert_eq!(OPERATIONS.len(), 47);
    // So many constraints and types do the tables hold: a change of one is a change of this.
    assert_eq!(walk::walk(OPERATIONS), 866);
}

/// A request of `operation`, and what it is told: `path constraint` for each violation, else the
/// text of the error.
fn told(operation: &str, params: &str, body: &str) -> String {
    let params: Vec<(&str, &str)> = params
        .split_whitespace()
        .filter_map(|param| param.split_once('='))
        .collect();
    let body = Json::parse(body.as_bytes()).unwrap();
    match check(input(operation).unwrap(), &body, &params) {
        Ok(()) => OK.to_owned(),
        Err(invalid) => invalid.to_string(),
    }
}

/// The message of violations at `path`.
fn at(violations: &[(&str, &str)]) -> String {
    let listed = violations.iter().map(|(path, constraint)| {
        format!("Value at '{path}' failed to satisfy constraint: {constraint}")
    });
    let listed: Vec<String> = listed.collect();
    let errors = if listed.len() == 1 { "error" } else { "errors" };
    let n = listed.len();
    format!("{n} validation {errors} detected: {}", listed.join("; "))
}

fn expect(operation: &str, params: &str, cases: &[(&str, &[(&str, &str)])]) {
    for (body, violations) in cases {
        let expected = match violations {
            [] => OK.to_owned(),
            violations => at(violations),
        };
        assert_eq!(
            told(operation, params, body),
            expected,
            "{operation} {body}"
        );
    }
}

#[test]
fn names_in_paths() {
    for (operation, params, violations) in [
        ("GetBot", "name=Order versionoralias=$LATEST", &[][..]),
        ("GetBot", "name=Order1 versionoralias=1", &[("name", NAME)]),
        ("GetBot", "name=Order", &[("versionOrAlias", NULL)]),
        ("GetBotAlias", "botName=Order_Flowers_ name=P", &[]),
        ("GetBotAlias", "botName=Order name=P1", &[("name", NAME)]),
        (
            "GetBotAlias",
            "botName=Order__Flowers name=P",
            &[("botName", NAME)],
        ),
        ("GetBotAlias", "botName=_Order name=P", &[("botName", NAME)]),
        (
            "GetBotAlias",
            "botName=Ord\u{e9}r name=P",
            &[("botName", NAME)],
        ),
        (
            "GetBotAlias",
            "botName=O name=P",
            &[(
                "botName",
                "Member must have length greater than or equal to 2",
            )],
        ),
        ("GetIntent", "name=I version=$LATEST", &[]),
        ("GetIntent", "name=I version=12", &[]),
        ("GetIntent", "name=I version=x", &[("version", VERSION)]),
        (
            "GetIntent",
            "name=I version=1$LATEST",
            &[("version", VERSION)],
        ),
        (
            "DeleteBotVersion",
            "name=Order version=$LATEST",
            &[(
                "version",
                "Member must satisfy regular expression pattern: [0-9]+",
            )],
        ),
        ("GetBots", "maxResults=50 nameContains=Or", &[]),
        (
            "GetBots",
            "maxResults=0",
            &[(
                "maxResults",
                "Member must have value greater than or equal to 1",
            )],
        ),
        (
            "GetBots",
            "maxResults=51",
            &[(
                "maxResults",
                "Member must have value less than or equal to 50",
            )],
        ),
        (
            "GetBotChannelAssociations",
            "botName=Order aliasName=-",
            &[],
        ),
        (
            "GetBotChannelAssociations",
            "botName=Order aliasName=--",
            &[(
                "botAlias",
                "Member must satisfy regular expression pattern: ^(-|^([A-Za-z]_?)+$)$",
            )],
        ),
        ("GetBuiltinIntents", "locale=xx-XX", &[("locale", LOCALES)]),
        (
            "GetUtterancesView",
            "botname=Order bot_versions=1 bot_versions=$LATEST status_type=Missed",
            &[],
        ),
        (
            "GetUtterancesView",
            "botname=Order status_type=missed",
            &[
                ("botVersions", NULL),
                (
                    "statusType",
                    "Member must satisfy enum value set: [Detected, Missed]",
                ),
            ],
        ),
        (
            "GetUtterancesView",
            "botname=Order bot_versions=v status_type=Missed",
            &[(
                "botVersions",
                "Member must satisfy constraint: [Member must have length less than or equal to \
                 64, Member must have length greater than or equal to 1, Member must satisfy \
                 regular expression pattern: \\$LATEST|[0-9]+]",
            )],
        ),
        ("UntagResource", "resourceArn=arn tagKeys=a tagKeys=b", &[]),
        ("UntagResource", "resourceArn=arn", &[("tagKeys", NULL)]),
    ] {
        expect(operation, params, &[("{}", violations)]);
    }
    let wrong = "maxResults: STRING_VALUE can not be converted to an Integer";
    assert_eq!(told("GetBots", "maxResults=many", "{}"), wrong);
}

#[test]
fn bots() {
    let attempts = "clarificationPrompt.maxAttempts";
    let messages = "clarificationPrompt.messages";
    expect(
        "PutBot",
        "name=Order",
        &[
            (r#"{"locale":"en-US","childDirected":false}"#, &[]),
            (r#"{"locale":"en-US"}"#, &[("childDirected", NULL)]),
            ("{}", &[("locale", NULL), ("childDirected", NULL)]),
            (
                r#"{"locale":"en_US","childDirected":true}"#,
                &[("locale", LOCALES)],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"idleSessionTTLInSeconds":59}"#,
                &[(
                    "idleSessionTTLInSeconds",
                    "Member must have value greater than or equal to 60",
                )],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"nluIntentConfidenceThreshold":1.5}"#,
                &[(
                    "nluIntentConfidenceThreshold",
                    "Member must have value less than or equal to 1",
                )],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"processBehavior":"build"}"#,
                &[(
                    "processBehavior",
                    "Member must satisfy enum value set: [SAVE, BUILD]",
                )],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"intents":[
                {"intentName":"A","intentVersion":"1"},{"intentName":"A2"}]}"#,
                &[
                    ("intents.2.member.intentName", NAME),
                    ("intents.2.member.intentVersion", NULL),
                ],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"clarificationPrompt":{
                "maxAttempts":6,"messages":[{"contentType":"Plain","content":"x"}]}}"#,
                &[
                    (
                        "clarificationPrompt.messages.1.member.contentType",
                        "Member must satisfy enum value set: [PlainText, SSML, CustomPayload]",
                    ),
                    (attempts, "Member must have value less than or equal to 5"),
                ],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"clarificationPrompt":{"messages":[]}}"#,
                &[
                    (
                        messages,
                        "Member must have length greater than or equal to 1",
                    ),
                    (attempts, NULL),
                ],
            ),
            (
                r#"{"locale":"en-US","childDirected":true,"tags":[{"key":"","value":""}]}"#,
                &[(
                    "tags.1.member.key",
                    "Member must have length greater than or equal to 1",
                )],
            ),
        ],
    );
    let body = r#"{"locale":"en-US","childDirected":"no"}"#;
    let wrong = "childDirected: STRING_VALUE can not be converted to a Boolean";
    assert_eq!(told("PutBot", "name=Order", body), wrong);
}

#[test]
fn intents() {
    let slot = r#"{"slots":[{"name":"Size","slotConstraint":"Required"#;
    let hook = "dialogCodeHook.uri";
    let lambda = concat!(
        r"Member must satisfy regular expression pattern: arn:aws[a-zA-Z-]*:lambda:[a-z]+-[a-z]+",
        r"(-[a-z]+)*-[0-9]:[0-9]{12}:function:[a-zA-Z0-9-_]+(\/[0-9a-f]{8}-[0-9a-f]{4}",
        r"-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?(:[a-zA-Z0-9-_]+)?",
    );
    expect(
        "PutIntent",
        "name=Order",
        &[
            ("{}", &[]),
            (&format!(r#"{slot}"}}]}}"#), &[]),
            (
                &format!(r#"{slot}d"}}]}}"#),
                &[(
                    "slots.1.member.slotConstraint",
                    "Member must satisfy enum value set: [Required, Optional]",
                )],
            ),
            (
                &format!(r#"{slot}","obfuscationSetting":"DEFAULT"}}]}}"#),
                &[(
                    "slots.1.member.obfuscationSetting",
                    "Member must satisfy enum value set: [NONE, DEFAULT_OBFUSCATION]",
                )],
            ),
            (
                &format!(r#"{slot}","priority":101}}]}}"#),
                &[(
                    "slots.1.member.priority",
                    "Member must have value less than or equal to 100",
                )],
            ),
            (
                r#"{"slots":[{"name":"1","slotConstraint":"Optional"}]}"#,
                &[(
                    "slots.1.member.name",
                    r"Member must satisfy regular expression pattern: ^([A-Za-z](-|_|.)?)+$",
                )],
            ),
            // The unescaped dot of the model lets one character of any kind follow a letter.
            (
                r#"{"slots":[{"name":"a1b\u00e9","slotConstraint":"Optional"}]}"#,
                &[],
            ),
            (&format!(r#"{slot}","slotType":"AMAZON.US_CITY"}}]}}"#), &[]),
            (
                &format!(r#"{slot}","slotType":"AMAZON.X9"}}]}}"#),
                &[(
                    "slots.1.member.slotType",
                    r"Member must satisfy regular expression pattern: ^((AMAZON\.)_?|[A-Za-z]_?)+",
                )],
            ),
            (
                r#"{"sampleUtterances":["x",""]}"#,
                &[(
                    "sampleUtterances",
                    "Member must satisfy constraint: [Member must have length less than or equal to \
                 200, Member must have length greater than or equal to 1]",
                )],
            ),
            (
                r#"{"dialogCodeHook":{"uri":"arn:aws:lambda:us-east-1:123456789012:function:f:live",
                "messageVersion":"1.0"}}"#,
                &[],
            ),
            (
                r#"{"dialogCodeHook":{"uri":"arn:aws:lambda:us-east-1:123:function:f",
                "messageVersion":"1.0"}}"#,
                &[(hook, lambda)],
            ),
            (
                r#"{"fulfillmentActivity":{"codeHook":null}}"#,
                &[("fulfillmentActivity.type", NULL)],
            ),
            (
                r#"{"outputContexts":[{"name":"c","timeToLiveInSeconds":4,"turnsToLive":21}]}"#,
                &[
                    (
                        "outputContexts.1.member.timeToLiveInSeconds",
                        "Member must have value greater than or equal to 5",
                    ),
                    (
                        "outputContexts.1.member.turnsToLive",
                        "Member must have value less than or equal to 20",
                    ),
                ],
            ),
            (
                r#"{"followUpPrompt":{"prompt":{"maxAttempts":1,"messages":[
                {"contentType":"PlainText","content":"Else?","groupNumber":6}]}}}"#,
                &[
                    (
                        "followUpPrompt.prompt.messages.1.member.groupNumber",
                        "Member must have value less than or equal to 5",
                    ),
                    ("followUpPrompt.rejectionStatement", NULL),
                ],
            ),
        ],
    );
}

#[test]
fn slot_types() {
    let long = "x".repeat(141);
    expect(
        "PutSlotType",
        "name=Sizes",
        &[
            (
                r#"{"enumerationValues":[{"value":"big","synonyms":["large"]}]}"#,
                &[],
            ),
            (
                r#"{"enumerationValues":[{"synonyms":[]}]}"#,
                &[("enumerationValues.1.member.value", NULL)],
            ),
            (
                &format!(r#"{{"enumerationValues":[{{"value":"{long}"}}]}}"#),
                &[(
                    "enumerationValues.1.member.value",
                    "Member must have length less than or equal to 140",
                )],
            ),
            (
                r#"{"valueSelectionStrategy":"TOP"}"#,
                &[(
                    "valueSelectionStrategy",
                    "Member must satisfy enum value set: [ORIGINAL_VALUE, TOP_RESOLUTION]",
                )],
            ),
            (
                r#"{"slotTypeConfigurations":[{"regexConfiguration":{}}]}"#,
                &[(
                    "slotTypeConfigurations.1.member.regexConfiguration.pattern",
                    NULL,
                )],
            ),
        ],
    );
    // Characters are counted, not bytes.
    let body = format!(
        r#"{{"enumerationValues":[{{"value":"{}"}}]}}"#,
        "\u{1f600}".repeat(140)
    );
    assert_eq!(told("PutSlotType", "name=Sizes", &body), OK);
}

/// The body of `PutBotAlias` with both kinds of logs, and what is put in place of parts of it.
fn alias(parts: &[(&str, &str)]) -> String {
    let mut body = r#"{"botVersion":"3","description":"live","conversationLogs":{
        "iamRoleArn":"arn:aws:iam::123456789012:role/lexlogs","logSettings":[
        {"logType":"TEXT","destination":"CLOUDWATCH_LOGS",
         "resourceArn":"arn:aws:logs:us-east-1:123456789012:log-group:lex-logs",
         "resourcePrefix":"aws/lex/OrderFlowers/PROD/3/"},
        {"logType":"AUDIO","destination":"S3","resourceArn":"arn:aws:s3:::lex-audio",
         "kmsKeyArn":"arn:aws:kms:us-east-1:123456789012:key/1111-2222"}]}}"#
        .to_owned();
    for (from, to) in parts {
        assert!(body.contains(from), "{from}");
        body = body.replace(from, to);
    }
    body
}

#[test]
fn aliases() {
    let pattern = "Member must satisfy regular expression pattern:";
    let resource = format!(
        "{pattern} {}",
        concat!(
            r"^arn:[\w\-]+:(?:logs:[\w\-]+:[\d]{12}:log-group:[\.\-_/#A-Za-z0-9]{1,512}",
            r"(?::\*)?|s3:::[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9])$"
        )
    );
    let role = format!(r"{pattern} ^arn:[\w\-]+:iam::[\d]{{12}}:role/.+$");
    let key = format!(
        "{pattern} {}",
        r"^arn:[\w\-]+:kms:[\w\-]+:[\d]{12}:(?:key\/[\w\-]+|alias\/[a-zA-Z0-9:\/_\-]{1,256})$"
    );
    let first = |member: &str| format!("conversationLogs.logSettings.1.member.{member}");
    let second = |member: &str| format!("conversationLogs.logSettings.2.member.{member}");
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:lex-logs";
    let long_description = "d".repeat(201);
    expect(
        "PutBotAlias",
        "botName=OrderFlowers name=PROD",
        &[
            (&alias(&[]), &[]),
            (
                &alias(&[("log-group:lex-logs", "log-group:lex-logs:*")]),
                &[],
            ),
            (&alias(&[("key/1111-2222", "alias/lex/audio")]), &[]),
            (
                &alias(&[("role/lexlogs", "role/aws-service-role/lex.amazonaws.com/R")]),
                &[],
            ),
            (&alias(&[("\"3\"", "\"$LATEST\"")]), &[]),
            (&alias(&[("\"3\"", "\"x\"")]), &[("botVersion", VERSION)]),
            (
                &alias(&[("live", &long_description)]),
                &[(
                    "description",
                    "Member must have length less than or equal to 200",
                )],
            ),
            (
                &alias(&[(
                    "arn:aws:iam::123456789012:role/lexlogs",
                    "arn:aws:iam::1:role/lexlogs",
                )]),
                &[("conversationLogs.iamRoleArn", &role)],
            ),
            (
                &alias(&[(arn, "lex-logs")]),
                &[(&first("resourceArn"), &resource)],
            ),
            (
                &alias(&[("lex-logs", "lex logs")]),
                &[(&first("resourceArn"), &resource)],
            ),
            (
                &alias(&[("lex-logs", "lex-logs:*:*")]),
                &[(&first("resourceArn"), &resource)],
            ),
            (
                &alias(&[("lex-audio", "Lex")]),
                &[(&second("resourceArn"), &resource)],
            ),
            (
                &alias(&[("lex-audio", "lex-audio/a")]),
                &[(&second("resourceArn"), &resource)],
            ),
            (
                &alias(&[("key/1111", "keys/1111")]),
                &[(&second("kmsKeyArn"), &key)],
            ),
            (
                &alias(&[("AUDIO", "VIDEO")]),
                &[(
                    &second("logType"),
                    "Member must satisfy enum value set: [AUDIO, TEXT]",
                )],
            ),
            (
                &alias(&[("\"S3\"", "\"s3\"")]),
                &[(
                    &second("destination"),
                    "Member must satisfy enum value set: [CLOUDWATCH_LOGS, S3]",
                )],
            ),
            (
                &alias(&[("\"logType\":\"TEXT\",", ""), (arn, "")]),
                &[
                    (&first("logType"), NULL),
                    (
                        &first("resourceArn"),
                        "Member must have length greater than or equal to 1",
                    ),
                    (&first("resourceArn"), &resource),
                ],
            ),
            (
                r#"{"botVersion":"1","conversationLogs":{}}"#,
                &[
                    ("conversationLogs.logSettings", NULL),
                    ("conversationLogs.iamRoleArn", NULL),
                ],
            ),
            (r#"{"conversationLogs":null}"#, &[("botVersion", NULL)]),
        ],
    );
    let body = r#"{"botVersion":1}"#;
    let wrong = "botVersion: NUMBER_VALUE can not be converted to a String";
    assert_eq!(told("PutBotAlias", "botName=Order name=P", body), wrong);
}

#[test]
fn runtime() {
    let contexts = "activeContexts.1.member";
    expect(
        "PostText",
        "botName=Order1 botAlias=$LATEST userId=a:1",
        &[
            (r#"{"inputText":"hi"}"#, &[]),
            (
                r#"{"inputText":"hi","sessionAttributes":{"a":"b"},"requestAttributes":null,
                "activeContexts":[]}"#,
                &[],
            ),
            ("{}", &[("inputText", NULL)]),
            (
                r#"{"inputText":""}"#,
                &[(
                    "inputText",
                    "Member must have length greater than or equal to 1",
                )],
            ),
            (
                r#"{"inputText":"hi","activeContexts":[{"name":"c1","timeToLive":{"turnsToLive":0}}]}"#,
                &[
                    (&format!("{contexts}.name"), NAME),
                    (
                        &format!("{contexts}.timeToLive.turnsToLive"),
                        "Member must have value greater than or equal to 1",
                    ),
                    (&format!("{contexts}.parameters"), NULL),
                ],
            ),
            (
                r#"{"inputText":"hi","sessionAttributes":{"a":null}}"#,
                &[(
                    "sessionAttributes",
                    "Map value must satisfy constraint: [Member must not be null]",
                )],
            ),
        ],
    );
    expect(
        "PostText",
        "botName=B botAlias=A userId=a/1",
        &[(
            r#"{"inputText":"hi"}"#,
            &[(
                "userId",
                "Member must satisfy regular expression pattern: [0-9a-zA-Z._:-]+",
            )],
        )],
    );
    expect(
        "PutSession",
        "botName=B botAlias=A userId=u1",
        &[
            (
                r#"{"dialogAction":{"type":"Delegate","slots":{"Size":null,"Day":"x"}}}"#,
                &[],
            ),
            (r#"{"dialogAction":{}}"#, &[("dialogAction.type", NULL)]),
            (
                r#"{"recentIntentSummaryView":[{"dialogActionType":"Close","checkpointLabel":"a b"}]}"#,
                &[(
                    "recentIntentSummaryView.1.member.checkpointLabel",
                    "Member must satisfy regular expression pattern: [a-zA-Z0-9-]+",
                )],
            ),
        ],
    );
    let body = r#"{"inputText":"hi","sessionAttributes":{"a":1}}"#;
    let wrong = "sessionAttributes: NUMBER_VALUE can not be converted to a String";
    assert_eq!(
        told("PostText", "botName=B botAlias=A userId=u1", body),
        wrong
    );
}
