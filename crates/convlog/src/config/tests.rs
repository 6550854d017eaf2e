//! Configuration from text to value: what is accepted, what is refused and with which words, and
//! the document that is generated from the table.

use std::path::PathBuf;

use convlog_model::redaction::RuleSpec;
use convlog_server::config::{
    AwsConfig, AwsEndpoints, ConnectorConfig, CorsConfig, LexConfig, Limits, RedactionConfig,
    RetentionConfig, SessionConfig, WatsonConfig,
};

use super::*;

mod aws;

fn load(file: &str, variables: &[(&str, &str)], flags: &Flags) -> anyhow::Result<Config> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let environment = Environment::of(variables.iter().map(owned))?;
    let mut entries = raw::parse("convlog.toml", file)?;
    entries.extend(environment.entries()?);
    entries.extend(flags.entries());
    check::config(&entries)
}

fn refusal(file: &str, variables: &[(&str, &str)]) -> String {
    let error = load(file, variables, &Flags::default()).unwrap_err();
    assert!(error.downcast_ref::<crate::out::Usage>().is_some());
    error.to_string()
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = load("", &[], &Flags::default()).unwrap();
    let mut expected = Config::default();
    expected.server.connectors.listening_on = vec!["127.0.0.1".parse().unwrap()];
    assert_eq!(config, expected);
}

#[test]
fn a_flag_beats_the_environment_and_that_beats_the_file() {
    let file = "data_dir = \"of-file\"\nlisten = [\"127.0.0.1:1\"]\n[log]\nformat = \"json\"\n";
    let variables = [
        ("CONVLOG_DATA_DIR", "of-env"),
        ("CONVLOG_LISTEN", "127.0.0.1:2,[::1]:3"),
    ];
    let flags = Flags {
        data_dir: Some(PathBuf::from("of-flag")),
        ..Flags::default()
    };
    let config = load(file, &variables, &flags).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("of-flag"));
    assert_eq!(config.listen, ["127.0.0.1:2", "[::1]:3"]);
    assert_eq!(config.log_format, LogFormat::Json);
}

#[test]
fn a_single_text_stands_for_a_list_of_one() {
    let config = load("listen = \"127.0.0.1:7\"\n", &[], &Flags::default()).unwrap();
    assert_eq!(config.listen, ["127.0.0.1:7"]);
}

#[test]
fn the_keys_that_scripts_rely_on_are_read() {
    let file = "[limits]\nlist_per_minute = 1\nlist_per_minute_instance = 2\n\
                ingest_per_second = 3\nexports_at_once = 4\n\
                [retention]\ndefault_days = 5\nevents_days = 6\ninterval_seconds = 7\n\
                [connectors]\nallow = [\"10.0.0.0/8\"]\n";
    let server = load(file, &[], &Flags::default()).unwrap().server;
    let limits = server.limits;
    assert_eq!(
        (limits.list_per_minute, limits.list_per_minute_instance),
        (1, 2)
    );
    assert_eq!((limits.ingest_per_second, limits.exports_at_once), (3, 4));
    assert_eq!(
        (server.retention.default_days, server.retention.events_days),
        (5, 6)
    );
    assert_eq!(server.retention.interval.as_secs(), 7);
    assert_eq!(server.connectors.allow, ["10.0.0.0/8"]);
}

#[test]
fn every_setting_can_be_set_by_its_variable_and_printed() {
    let mut config = Config {
        tls: Some(TlsFiles {
            cert: PathBuf::from("cert.pem"),
            key: PathBuf::from("key.pem"),
        }),
        ..Config::default()
    };
    config.server.connectors.listening_on = vec!["127.0.0.1".parse().unwrap()];
    config.server.redaction.rules = rules();
    aws::all_set(&mut config);
    let variables: Vec<(String, String)> = settings()
        .map(|setting| {
            let text = match (setting.get)(&config) {
                Value::Text(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(is_true) => is_true.to_string(),
                Value::List(list) => list.join(","),
                Value::Rules(rules) => serde_json::to_string(&rules).unwrap(),
                Value::Tables(tables) => serde_json::to_string(&tables).unwrap(),
            };
            (setting.variable(), text)
        })
        .collect();
    let environment = Environment::of(variables).unwrap();
    let read = check::config(&environment.entries().unwrap()).unwrap();
    assert_eq!(read, config);
    let printed = load(&config.to_toml(), &[], &Flags::default()).unwrap();
    assert_eq!(printed, config);
    assert_eq!(config.to_json()["limits.exports_at_once"], 4);
}

fn rules() -> Vec<RuleSpec> {
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    let spec = |name: &str, action: &str| RuleSpec {
        name: name.to_owned(),
        action: action.to_owned(),
        ..RuleSpec::default()
    };
    vec![
        RuleSpec {
            detector: Some("email".to_owned()),
            ..spec("mail", "hash")
        },
        RuleSpec {
            pattern: Some(r#"\b\d{3}-"x"\b"#.to_owned()),
            replacement: Some("'[\"gone\"]".to_owned()),
            ..spec("number", "mask")
        },
        RuleSpec {
            keys: texts(&["ssn", "*_no"]),
            ..spec("keys", "remove")
        },
        RuleSpec {
            paths: texts(&["raw.a[0].*", "\"main skill\".x"]),
            ..spec("paths", "mask")
        },
    ]
}

#[test]
fn rules_of_redaction_are_tables_of_the_file() {
    let file = r#"
[redaction]
version = 4

[[redaction.rules]]
name = "mail"
detector = "email"
action = "hash"

[[redaction.rules]]
name = "keys"
keys = ["ssn"]
"#;
    let config = load(file, &[], &Flags::default()).unwrap();
    assert_eq!(config.server.redaction.version, 4);
    let shown = config.to_toml();
    let expected = "[redaction]\nversion = 4\n\n[[redaction.rules]]\nname = \"mail\"\n\
                    detector = \"email\"\naction = \"hash\"\n\n[[redaction.rules]]\n\
                    name = \"keys\"\nkeys = [\"ssn\"]\naction = \"mask\"\n";
    assert!(shown.contains(expected), "{shown}");
    assert_eq!(
        config.to_json()["redaction.rules"][0],
        serde_json::json!({"name": "mail", "detector": "email", "action": "hash"})
    );
}

#[test]
fn mistakes_of_rules_are_refused_with_their_place() {
    let of = |rule: &str| {
        format!(
            "[[redaction.rules]]\nname = \"a\"\ndetector = \"ip\"\n\n[[redaction.rules]]\n{rule}"
        )
    };
    for (file, expected) in [
        (
            of("name = \"b\"\npattern = \"(\"\n"),
            "convlog.toml:7:11: `redaction.rules[1].pattern` is no regular expression: unclosed group",
        ),
        (
            of("name = \"b\"\npaths = [\"a\", \"time.request\"]\n"),
            "convlog.toml:7:9: `redaction.rules[1].paths[1]` names a field that no rule may \
             change; with raw. it means the body alone",
        ),
        (
            of("name = \"a\"\nkeys = [\"k\"]\n"),
            "convlog.toml:6:8: `redaction.rules[1].name` stands there twice",
        ),
        (
            of("name = \"b\"\nkeys = [1]\n"),
            "convlog.toml:7:8: `redaction.rules[1].keys` must be a list of texts",
        ),
        (
            of("name = \"b\"\nkeys = \"k\"\n"),
            "convlog.toml:7:8: `redaction.rules[1].keys` must be a list of texts",
        ),
        (
            of("name = 5\n"),
            "convlog.toml:6:8: `redaction.rules[1].name` must be a text",
        ),
        (
            of("nam = \"b\"\n"),
            "convlog.toml:6:1: unknown key `redaction.rules[1].nam`",
        ),
        (
            "[redaction]\nrules = 1\n".to_owned(),
            "convlog.toml:2:9: `redaction.rules` must be a list of tables",
        ),
        (
            "[redaction]\nrule = 1\n".to_owned(),
            "convlog.toml:2:1: unknown key `redaction.rule`",
        ),
    ] {
        assert_eq!(refusal(&file, &[]), expected);
    }
    let variable = [(
        "CONVLOG_REDACTION_RULES",
        r#"[{"name":"a","action":"mask"}]"#,
    )];
    assert_eq!(
        refusal("", &variable),
        "CONVLOG_REDACTION_RULES: `redaction.rules[0].name` must have exactly one of detector, \
         pattern, keys and paths beside it"
    );
    let variable = [("CONVLOG_REDACTION_RULES", "mail")];
    assert_eq!(
        refusal("", &variable),
        "CONVLOG_REDACTION_RULES: must be a JSON list of rules"
    );
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    assert_eq!(
        refusal("[limits]\n  list_per_second = 1\n", &[]),
        "convlog.toml:2:3: unknown key `limits.list_per_second`"
    );
    assert_eq!(
        refusal("\nport = 1\n", &[]),
        "convlog.toml:2:1: unknown key `port`"
    );
    let text = refusal("[gone]\n", &[]);
    assert_eq!(text, "convlog.toml:1:2: unknown key `gone`");
    let text = refusal("limits = 1\n", &[]);
    assert_eq!(text, "convlog.toml:1:10: `limits` must be a table");
    let text = refusal("[limits.deep]\na = 1\n", &[]);
    assert_eq!(text, "convlog.toml:1:9: unknown key `limits.deep`");
}

#[test]
fn broken_files_are_refused_with_their_place() {
    let text = refusal("data_dir = \n", &[]);
    assert!(text.starts_with("convlog.toml:1:"), "{text}");
}

#[test]
fn values_of_a_wrong_form_are_refused() {
    for (file, expected) in [
        (
            "data_dir = 1",
            "convlog.toml:1:12: `data_dir` must be a text",
        ),
        (
            "data_dir = \"\"",
            "convlog.toml:1:12: `data_dir` must not be empty",
        ),
        (
            "listen = [1]",
            "convlog.toml:1:10: `listen` has a value of a wrong type",
        ),
        ("listen = []", "`listen` must name an address"),
        (
            "limits.exports_at_once = 0",
            "convlog.toml:1:26: `limits.exports_at_once` must be at least 1",
        ),
        (
            "limits.list_per_minute = -1",
            "convlog.toml:1:26: `limits.list_per_minute` has a value of a wrong type",
        ),
        (
            "retention.default_days = 5000000000",
            "convlog.toml:1:26: `retention.default_days` is too large",
        ),
        (
            "log.format = \"xml\"",
            "convlog.toml:1:14: `log.format` must be `text` or `json`",
        ),
        (
            "tls.cert = \"a\"",
            "`tls.cert` and `tls.key` are only useful together",
        ),
        (
            "listen = [\"here\"]",
            "`here` is no address to listen on; an example is 127.0.0.1:8080",
        ),
    ] {
        assert_eq!(refusal(file, &[]), expected);
    }
}

#[test]
fn variables_that_nothing_knows_and_wrong_values_are_refused() {
    for (name, value, expected) in [
        (
            "CONVLOG_DATADIR",
            "a",
            "unknown environment variable CONVLOG_DATADIR; docs/config.md lists all",
        ),
        (
            "CONVLOG_LIMITS_PAGE_MAX",
            "many",
            "CONVLOG_LIMITS_PAGE_MAX: must be a whole number",
        ),
        (
            "CONVLOG_ALLOW_PLAINTEXT",
            "perhaps",
            "CONVLOG_ALLOW_PLAINTEXT: must be true or false",
        ),
    ] {
        assert_eq!(refusal("", &[(name, value)]), expected);
    }
}

#[test]
fn plain_http_on_an_open_address_needs_a_word() {
    let open = "listen = [\"0.0.0.0:80\"]\n";
    let text = refusal(open, &[]);
    assert!(
        text.contains("refusing to speak plain HTTP on 0.0.0.0:80"),
        "{text}"
    );
    let flags = Flags {
        allow_plaintext: true,
        ..Flags::default()
    };
    assert!(load(open, &[], &flags).is_ok());
    let tls = format!("{open}[tls]\ncert = \"a\"\nkey = \"b\"\n");
    assert!(load(&tls, &[], &Flags::default()).is_ok());
}

/// Every field of the server's configuration is named here, so that a new one is an error of the
/// compiler until it has a row in the table.
#[test]
fn every_field_of_the_server_has_a_setting() {
    let ServerConfig {
        limits,
        watson: WatsonConfig {
            any_filter_field: _,
        },
        sessions: SessionConfig {
            timeout: _,
            at_once: _,
        },
        connectors: ConnectorConfig {
            allow: _,
            listening_on: _,
        },
        retention:
            RetentionConfig {
                default_days: _,
                events_days: _,
                interval: _,
            },
        redaction: RedactionConfig {
            version: _,
            rules: _,
        },
        cors: CorsConfig { origins: _ },
        aws:
            AwsConfig {
                region: _,
                account: _,
                builtin_logs: _,
                endpoints:
                    AwsEndpoints {
                        logs: _,
                        s3: _,
                        sts: _,
                    },
                roles: _,
                functions: _,
                destinations: _,
                queue_bytes: _,
            },
        lex:
            LexConfig {
                customer_attribute: _,
                transcriber: _,
                synthesizer: _,
                sentiment: _,
                keep_audio_days: _,
            },
    } = ServerConfig::default();
    let Limits {
        body_bytes: _,
        body_bytes_decompressed: _,
        bulk_bytes: _,
        bulk_bytes_decompressed: _,
        record_bytes: _,
        header_bytes: _,
        json_depth: _,
        page_max: _,
        connections: _,
        concurrent_requests: _,
        header_time: _,
        request_time: _,
        bulk_time: _,
        query_time: _,
        stop_time: _,
        list_per_minute: _,
        list_per_minute_instance: _,
        ingest_per_second: _,
        exports_at_once: _,
        subscriptions_at_once: _,
    } = limits;
    let n_limits = settings().filter(|it| it.key.starts_with("limits."));
    assert_eq!(n_limits.count(), 20);
}

#[test]
fn keys_and_variables_are_unambiguous() {
    let mut variables: Vec<String> = settings().map(table::Setting::variable).collect();
    variables.extend(env::OTHERS.iter().map(|(name, _)| (*name).to_owned()));
    let n_variables = variables.len();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), n_variables);
}

#[test]
fn docs_config_md_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
    let expected = docs::markdown();
    let found = std::fs::read_to_string(path).unwrap_or_default();
    if found != expected {
        std::fs::write(path, expected).unwrap();
        panic!("docs/config.md was out of date; it is written now: read the diff and commit it");
    }
}
