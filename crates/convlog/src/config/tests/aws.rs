//! `[aws]` and `[lex]`: what is read, what is refused and where, and that secrets stay unseen.

use convlog_server::config::{AwsConfig, AwsEndpoint, AwsEndpoints, AwsRole, AwsTarget, LexConfig};

use super::*;

const FILE: &str = r#"
[aws]
region = "eu-central-1"
account = "111122223333"
builtin_logs = false
queue_bytes = 4096

[aws.endpoints]
logs = "http://127.0.0.1:4566"
s3 = "aws"
sts = "https://sts.example/path"

[[aws.roles]]
arn = "arn:aws:iam::111122223333:role/path/one"
access_key_id = "AKIAONE"
secret_access_key = "hush/+1"
assume = true
pass = ["KEY1", "KEY2"]

[[aws.roles]]
arn = "arn:aws:iam::111122223333:role/two"
access_key_id = "AKIATWO"
secret_access_key_file = "two.secret"

[[aws.functions]]
arn = "arn:aws:lambda:eu-central-1:111122223333:function:f"
url = "http://127.0.0.1:9000/f?x=1"

[[aws.destinations]]
arn = "arn:aws:firehose:eu-central-1:111122223333:deliverystream/d"
url = "https://sink.example/"

[lex]
customer_attribute = "customer"
keep_audio_days = 3

[lex.transcriber]
url = "http://127.0.0.1:9001/hear"

[lex.synthesizer]
url = "http://127.0.0.1:9002/say"

[lex.sentiment]
url = "http://127.0.0.1:9003/feel"
"#;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn target(arn: &str, url: &str) -> AwsTarget {
    AwsTarget {
        arn: arn.to_owned(),
        url: url.to_owned(),
    }
}

fn role(arn: &str, access_key_id: &str, secret_access_key: &str) -> AwsRole {
    AwsRole {
        arn: arn.to_owned(),
        access_key_id: access_key_id.to_owned(),
        secret_access_key: secret_access_key.to_owned(),
        assume: false,
        pass: None,
    }
}

/// What [`FILE`] says of AWS.
fn aws() -> AwsConfig {
    AwsConfig {
        region: "eu-central-1".to_owned(),
        account: "111122223333".to_owned(),
        builtin_logs: false,
        endpoints: AwsEndpoints {
            logs: Some("http://127.0.0.1:4566".to_owned()),
            s3: Some(AwsEndpoint::Aws),
            sts: Some(AwsEndpoint::Url("https://sts.example/path".to_owned())),
        },
        roles: vec![
            AwsRole {
                assume: true,
                pass: Some(texts(&["KEY1", "KEY2"])),
                ..role(
                    "arn:aws:iam::111122223333:role/path/one",
                    "AKIAONE",
                    "hush/+1",
                )
            },
            role("arn:aws:iam::111122223333:role/two", "AKIATWO", ""),
        ],
        functions: vec![target(
            "arn:aws:lambda:eu-central-1:111122223333:function:f",
            "http://127.0.0.1:9000/f?x=1",
        )],
        destinations: vec![target(
            "arn:aws:firehose:eu-central-1:111122223333:deliverystream/d",
            "https://sink.example/",
        )],
        queue_bytes: 4096,
    }
}

/// What [`FILE`] says of Lex.
fn lex() -> LexConfig {
    LexConfig {
        customer_attribute: "customer".to_owned(),
        transcriber: Some("http://127.0.0.1:9001/hear".to_owned()),
        synthesizer: Some("http://127.0.0.1:9002/say".to_owned()),
        sentiment: Some("http://127.0.0.1:9003/feel".to_owned()),
        keep_audio_days: 3,
    }
}

/// Every setting of AWS and Lex, set to something, with no secret but in a file.
pub(super) fn all_set(config: &mut Config) {
    config.server.aws = aws();
    config.server.lex = lex();
    for role in &mut config.server.aws.roles {
        role.secret_access_key.clear();
        let file = PathBuf::from(format!("{}.secret", role.access_key_id));
        config.secret_files.insert(role.arn.clone(), file);
    }
}

fn of_file(file: &str) -> ServerConfig {
    load(file, &[], &Flags::default()).unwrap().server
}

#[test]
fn every_key_is_read() {
    let config = load(FILE, &[], &Flags::default()).unwrap();
    assert_eq!(config.server.aws, aws());
    assert_eq!(config.server.lex, lex());
    let files = [(
        "arn:aws:iam::111122223333:role/two".to_owned(),
        PathBuf::from("two.secret"),
    )];
    assert_eq!(config.secret_files, files.into());
}

#[test]
fn tables_may_be_written_inline_and_by_dotted_keys() {
    let file = "aws.endpoints.s3 = \"http://[::1]:9\"\nlex = {transcriber = {url = \"http://t\"}}\n\
                aws.functions = [{arn = \"arn:f\", url = \"http://f\"}]\n";
    let server = of_file(file);
    let s3 = AwsEndpoint::Url("http://[::1]:9".to_owned());
    assert_eq!(server.aws.endpoints.s3, Some(s3));
    assert_eq!(server.aws.functions, [target("arn:f", "http://f")]);
    assert_eq!(server.lex.transcriber.as_deref(), Some("http://t"));
}

#[test]
fn without_them_the_defaults_hold() {
    let expected = ServerConfig::default();
    let empty =
        "[aws]\n[aws.endpoints]\n[lex]\n[lex.transcriber]\n[lex.synthesizer]\n[lex.sentiment]\n";
    for file in ["", empty] {
        let server = of_file(file);
        assert_eq!(server.aws, expected.aws);
        assert_eq!(server.lex, expected.lex);
    }
    assert!(expected.aws.builtin_logs);
    let file = "[[aws.roles]]\narn = \"arn:aws:iam::123456789012:role/r\"\n\
                access_key_id = \"A\"\nsecret_access_key = \"s\"\n";
    let expected = role("arn:aws:iam::123456789012:role/r", "A", "s");
    assert_eq!(of_file(file).aws.roles, [expected]);
}

#[test]
fn log_groups_are_convlogs_own_unless_an_endpoint_or_a_word_says_otherwise() {
    let logs = "[aws.endpoints]\nlogs = \"http://l\"\n";
    let (no, yes) = ("aws.builtin_logs = false\n", "aws.builtin_logs = true\n");
    for (file, expected) in [
        (String::new(), (true, None)),
        (yes.to_owned(), (true, None)),
        (no.to_owned(), (false, None)),
        (logs.to_owned(), (false, Some("http://l"))),
        (
            format!("{no}aws.endpoints.logs = \"http://l\"\n"),
            (false, Some("http://l")),
        ),
    ] {
        let aws = of_file(&file).aws;
        assert_eq!(
            (aws.builtin_logs, aws.endpoints.logs.as_deref()),
            expected,
            "{file}"
        );
    }
    let why = "`aws.builtin_logs` cannot be true beside `aws.endpoints.logs`: log groups are \
               either this server's own or those of CloudWatch Logs there";
    assert_eq!(
        refusal(&format!("{yes}aws.endpoints.logs = \"http://l\"\n"), &[]),
        format!("convlog.toml:1:20: {why}")
    );
    // The variable contradicts the file.
    assert_eq!(
        refusal(logs, &[("CONVLOG_AWS_BUILTIN_LOGS", "true")]),
        format!("CONVLOG_AWS_BUILTIN_LOGS: {why}")
    );
}

#[test]
fn mistakes_of_single_values_are_refused_with_their_place() {
    for (file, expected) in [
        ("aws = 1", "7: `aws` must be a table"),
        ("aws.endpoints = 1", "17: `aws.endpoints` must be a table"),
        (
            "lex.transcriber = \"http://t\"",
            "19: `lex.transcriber` must be a table",
        ),
        ("aws.regions = 1", "5: unknown key `aws.regions`"),
        (
            "aws.endpoints.kms = 1",
            "15: unknown key `aws.endpoints.kms`",
        ),
        ("lex.voice = 1", "5: unknown key `lex.voice`"),
        (
            "lex.transcriber.uri = 1",
            "17: unknown key `lex.transcriber.uri`",
        ),
        ("aws.region = 1", "14: `aws.region` must be a text"),
        ("aws.region = \"\"", "14: `aws.region` must not be empty"),
        (
            "aws.region = \"us east\"",
            "14: `aws.region` must be a region such as `us-east-1`",
        ),
        (
            "aws.account = 123456789012",
            "15: `aws.account` must be a text",
        ),
        (
            "aws.account = \"12345678901\"",
            "15: `aws.account` must be 12 digits",
        ),
        (
            "aws.account = \"12345678901a\"",
            "15: `aws.account` must be 12 digits",
        ),
        (
            "aws.builtin_logs = \"no\"",
            "20: `aws.builtin_logs` must be true or false",
        ),
        (
            "aws.queue_bytes = 9",
            "19: `aws.queue_bytes` must be at least 1024",
        ),
        (
            "aws.queue_bytes = -1",
            "19: `aws.queue_bytes` has a value of a wrong type",
        ),
        (
            "lex.customer_attribute = \"\"",
            "26: `lex.customer_attribute` must not be empty",
        ),
        (
            "lex.keep_audio_days = true",
            "23: `lex.keep_audio_days` must be a number",
        ),
        (
            "lex.keep_audio_days = 5000000000",
            "23: `lex.keep_audio_days` is too large",
        ),
        ("aws.roles = 1", "13: `aws.roles` must be a list of tables"),
        ("aws.roles = [1]", "14: `aws.roles[0]` must be a table"),
        (
            "aws.functions = 1",
            "17: `aws.functions` must be a list of tables",
        ),
        (
            "aws.destinations = {}",
            "20: `aws.destinations` must be a list of tables",
        ),
    ] {
        assert_eq!(refusal(file, &[]), format!("convlog.toml:1:{expected}"));
    }
}

#[test]
fn mistakes_of_urls_are_refused_with_their_place() {
    for (key, value, expected) in [
        (
            "aws.endpoints.logs",
            "\"l\"",
            "must be an http or https URL",
        ),
        (
            "aws.endpoints.logs",
            "\"ftp://l\"",
            "must be an http or https URL",
        ),
        (
            "aws.endpoints.logs",
            "\"aws\"",
            "must be an http or https URL; AWS's own is used without it where `aws.builtin_logs` \
             is false",
        ),
        (
            "aws.endpoints.s3",
            "\"AWS\"",
            "must be an http or https URL, or `aws`",
        ),
        ("aws.endpoints.s3", "\"\"", "must not be empty"),
        (
            "aws.endpoints.sts",
            "\"sts:1\"",
            "must be an http or https URL, or `aws`",
        ),
        ("aws.endpoints.sts", "1", "must be a text"),
        ("aws.endpoints.sts", "\"http://s?a\"", "must have no query"),
        (
            "aws.endpoints.s3",
            "\"http://u:p@s\"",
            "must not hold a user or password",
        ),
        (
            "lex.transcriber.url",
            "\"/t\"",
            "must be an http or https URL",
        ),
        (
            "lex.transcriber.url",
            "\"http://t#f\"",
            "must have no fragment",
        ),
        (
            "lex.synthesizer.url",
            "\"aws\"",
            "must be an http or https URL",
        ),
        ("lex.synthesizer.url", "[]", "must be a text"),
    ] {
        let column = key.len() + 4;
        assert_eq!(
            refusal(&format!("{key} = {value}\n"), &[]),
            format!("convlog.toml:1:{column}: `{key}` {expected}")
        );
    }
}

const ARN: &str = "arn = \"arn:aws:iam::123456789012:role/r\"\n";
const ID: &str = "access_key_id = \"A\"\n";
const SECRET: &str = "secret_access_key = \"hush\"\n";

/// The second role of a file, the first of which is good; its lines begin with the sixth.
fn second(lines: &[&str]) -> String {
    let first = "[[aws.roles]]\narn = \"arn:aws:iam::123456789012:role/first\"\n";
    format!("{first}{ID}{SECRET}[[aws.roles]]\n{}", lines.concat())
}

#[test]
fn mistakes_of_roles_are_refused_with_their_place() {
    let form = "must be the ARN of a role: `arn:aws:iam::ACCOUNT:role/NAME`";
    for (lines, place, key, expected) in [
        (&[ID, SECRET][..], "5:1", "arn", "is missing"),
        (&["arn = 1\n", ID, SECRET], "6:7", "arn", "must be a text"),
        (&["arn = \"r\"\n", ID, SECRET], "6:7", "arn", form),
        (
            &["arn = \"arn:aws:iam::123456789012:user/r\"\n", ID, SECRET],
            "6:7",
            "arn",
            form,
        ),
        (
            &["arn = \"arn:aws:iam::999999999999:role/r\"\n", ID, SECRET],
            "6:7",
            "arn",
            "must be of the account 123456789012, which is `aws.account`",
        ),
        (
            &[
                "arn = \"arn:aws:iam::123456789012:role/first\"\n",
                ID,
                SECRET,
            ],
            "6:7",
            "arn",
            "stands there twice",
        ),
        (&[ARN, SECRET], "5:1", "access_key_id", "is missing"),
        (
            &[ARN, "access_key_id = \"\"\n", SECRET],
            "7:17",
            "access_key_id",
            "must not be empty",
        ),
        (
            &[ARN, "access_key_id = \"A/B\"\n", SECRET],
            "7:17",
            "access_key_id",
            "must be visible ASCII without `/`, `,` and `=`",
        ),
        (
            &[ARN, ID],
            "5:1",
            "secret_access_key",
            "is missing, and so is `secret_access_key_file`",
        ),
        (
            &[ARN, ID, "secret_access_key = \"\"\n"],
            "8:21",
            "secret_access_key",
            "must not be empty",
        ),
        (
            &[ARN, ID, "secret_access_key = \"********\"\n"],
            "8:21",
            "secret_access_key",
            "is masked: put the secret in its place",
        ),
        (
            &[ARN, ID, "secret_access_key_file = \"\"\n"],
            "8:26",
            "secret_access_key_file",
            "must not be empty",
        ),
        (
            &[ARN, ID, SECRET, "secret_access_key_file = \"f\"\n"],
            "9:26",
            "secret_access_key_file",
            "cannot stand beside `secret_access_key`",
        ),
        (
            &[ARN, ID, SECRET, "assume = 1\n"],
            "9:10",
            "assume",
            "must be true or false",
        ),
        (
            &[ARN, ID, SECRET, "assume = true\n"],
            "9:10",
            "assume",
            "needs `aws.endpoints.sts`",
        ),
        (
            &[ARN, ID, SECRET, "pass = 1\n"],
            "9:8",
            "pass",
            "must be a text or a list of texts",
        ),
        (
            &[ARN, ID, SECRET, "pass = [1]\n"],
            "9:8",
            "pass",
            "has a value of a wrong type",
        ),
        (
            &[ARN, ID, SECRET, "pass = [\"KEY.SECRET\"]\n"],
            "9:8",
            "pass",
            "must be ids of keys, which are letters and digits",
        ),
    ] {
        let text = refusal(&second(lines), &[]);
        assert_eq!(
            text,
            format!("convlog.toml:{place}: `aws.roles[1].{key}` {expected}")
        );
    }
    let text = refusal(&second(&[ARN, ID, SECRET, "user = \"u\"\n"]), &[]);
    assert_eq!(text, "convlog.toml:9:1: unknown key `aws.roles[1].user`");
}

#[test]
fn a_role_that_nobody_may_pass_is_not_one_that_admins_may() {
    let pass = |line: &str| {
        of_file(&second(&[ARN, ID, SECRET, line])).aws.roles[1]
            .pass
            .clone()
    };
    assert_eq!(pass(""), None);
    assert_eq!(pass("pass = []\n"), Some(Vec::new()));
    assert_eq!(pass("pass = \"K\"\n"), Some(texts(&["K"])));
}

#[test]
fn mistakes_of_functions_and_destinations_are_refused_with_their_place() {
    for key in ["aws.functions", "aws.destinations"] {
        for (lines, place, member, expected) in [
            ("url = \"http://t\"", "4:1", "arn", "is missing"),
            ("arn = \"\"", "5:7", "arn", "must not be empty"),
            ("arn = \"f\"", "5:7", "arn", "must begin with `arn:`"),
            ("arn = \"arn:1\"", "5:7", "arn", "stands there twice"),
            ("arn = 1", "5:7", "arn", "must be a text"),
            ("arn = \"arn:2\"", "4:1", "url", "is missing"),
            (
                "arn = \"arn:2\"\nurl = \"t\"",
                "6:7",
                "url",
                "must be an http or https URL",
            ),
        ] {
            let first = format!("[[{key}]]\narn = \"arn:1\"\nurl = \"http://t\"\n");
            let text = refusal(&format!("{first}[[{key}]]\n{lines}\n"), &[]);
            assert_eq!(
                text,
                format!("convlog.toml:{place}: `{key}[1].{member}` {expected}")
            );
        }
        let text = refusal(&format!("[[{key}]]\nuri = 1\n"), &[]);
        assert_eq!(
            text,
            format!("convlog.toml:2:1: unknown key `{key}[0].uri`")
        );
    }
}

#[test]
fn lists_of_tables_are_json_in_the_environment() {
    let list = r#"[{"arn":"arn:aws:iam::123456789012:role/r","access_key_id":"A",
                    "secret_access_key":"hush","assume":false,"pass":["K"]}]"#;
    let config = load("", &[("CONVLOG_AWS_ROLES", list)], &Flags::default()).unwrap();
    let expected = AwsRole {
        pass: Some(texts(&["K"])),
        ..role("arn:aws:iam::123456789012:role/r", "A", "hush")
    };
    assert_eq!(config.server.aws.roles, [expected]);
    for (list, expected) in [
        ("hush", "must be a JSON list of objects"),
        ("[\"hush\"]", "must be a JSON list of objects"),
        (r#"[{"user":"hush"}]"#, "unknown key `aws.roles[0].user`"),
        (
            r#"[{"arn":{"a":"hush"}}]"#,
            "`aws.roles[0].arn` has a value of a wrong type",
        ),
        (
            r#"[{"secret_access_key":"hush"}]"#,
            "`aws.roles[0].arn` is missing",
        ),
    ] {
        assert_eq!(
            refusal("", &[("CONVLOG_AWS_ROLES", list)]),
            format!("CONVLOG_AWS_ROLES: {expected}")
        );
    }
    // Those of the variable take the place of all of the file, with the files of their secrets.
    let config = load(FILE, &[("CONVLOG_AWS_ROLES", "[]")], &Flags::default()).unwrap();
    assert!(config.server.aws.roles.is_empty() && config.secret_files.is_empty());
}

#[test]
fn secrets_are_masked_wherever_they_are_shown() {
    let config = load(FILE, &[], &Flags::default()).unwrap();
    let shown = config.to_toml();
    let roles = "[[aws.roles]]\narn = \"arn:aws:iam::111122223333:role/path/one\"\n\
                 access_key_id = \"AKIAONE\"\nsecret_access_key = \"********\"\nassume = true\n\
                 pass = [\"KEY1\", \"KEY2\"]\n\n[[aws.roles]]\n\
                 arn = \"arn:aws:iam::111122223333:role/two\"\naccess_key_id = \"AKIATWO\"\n\
                 secret_access_key_file = \"two.secret\"\nassume = false\n";
    assert!(shown.contains(roles), "{shown}");
    let json = config.to_json();
    assert_eq!(
        json["aws.roles"][0],
        serde_json::json!({
            "arn": "arn:aws:iam::111122223333:role/path/one",
            "access_key_id": "AKIAONE",
            "secret_access_key": "********",
            "assume": true,
            "pass": ["KEY1", "KEY2"],
        })
    );
    for text in [shown, json.to_string(), format!("{config:?}")] {
        assert!(!text.contains("hush"), "{text}");
    }
}

#[test]
fn what_is_shown_follows_from_all_settings() {
    let file = "[aws.endpoints]\nlogs = \"http://l\"\n[[aws.functions]]\narn = \"arn:f\"\n\
                url = \"http://f\"\n";
    let config = load(file, &[], &Flags::default()).unwrap();
    let shown = config.to_toml();
    let expected = "\n[aws]\nregion = \"us-east-1\"\naccount = \"123456789012\"\n\
                    builtin_logs = false\nqueue_bytes = 1073741824\nroles = []\n\
                    destinations = []\n\n[[aws.functions]]\narn = \"arn:f\"\nurl = \"http://f\"\n\n\
                    [aws.endpoints]\nlogs = \"http://l\"\n# s3 is not set\n# sts is not set\n\n\
                    [lex]\ncustomer_attribute = \"x-convlog-customer-id\"\nkeep_audio_days = 0\n\n\
                    [lex.transcriber]\n# url is not set\n\n[lex.synthesizer]\n# url is not set\n\n\
                    [lex.sentiment]\n# url is not set\n";
    assert!(shown.ends_with(expected), "{shown}");
    assert_eq!(load(&shown, &[], &Flags::default()).unwrap(), config);
}

#[test]
fn secrets_of_files_are_read_when_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let line = format!("secret_access_key_file = '{}'\n", path.display());
    let mut config = load(&second(&[ARN, ID, &line]), &[], &Flags::default()).unwrap();
    let error = format!("{:#}", config.read_secrets().unwrap_err());
    let key = "`aws.roles[1].secret_access_key_file`";
    let expected = format!("cannot read {key} {}: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
    for (content, expected) in [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("hush\nhush\n", "the file has more than one line"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = config.read_secrets().unwrap_err().to_string();
        assert_eq!(error, format!("{key} {}: {expected}", path.display()));
    }
    std::fs::write(&path, " of/a+file\r\n").unwrap();
    config.read_secrets().unwrap();
    let secrets = config.server.aws.roles.iter();
    let secrets: Vec<&str> = secrets.map(|it| it.secret_access_key.as_str()).collect();
    assert_eq!(secrets, ["hush", "of/a+file"]);
    let shown = config.to_toml();
    assert!(
        !shown.contains("hush") && !shown.contains("of/a+file"),
        "{shown}"
    );
}
