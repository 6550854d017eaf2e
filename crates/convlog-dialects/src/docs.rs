//! docs/filter.md is run, docs/fields.md is written: what users read is what the code does.

use std::fmt::Write as _;

use convlog_model::fields::{FIELDS, FieldType, GROUPS, RAW_TEXT};
use convlog_model::filter::eval;
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use convlog_model::record::Dialect;
use expect_test::expect_file;

use crate::chatbotkit::fields::NAMES as MEMBERS;
use crate::lex::fields::NAMES as KEYS;
use crate::watson::fields::{Api, NAMES};
use crate::watson::filter::{self, Names};
use crate::watson::{decode, filter::FilterError};

const FILTER: &str = include_str!("../../../docs/filter.md");
const LOGS: &str = include_str!("../../../fixtures/watson/filter-logs.ndjson");

fn answer(text: &str, names: Names, logs: &[(String, Flat)]) -> Result<String, FilterError> {
    // The errors are shown as they are with the fallback, which is what a new server has.
    let tree = filter::parse(text, names, true)?;
    let hits = logs.iter().filter(|(_, flat)| eval::matches(&tree, flat));
    let hits: Vec<&str> = hits.map(|(id, _)| id.as_str()).collect();
    Ok(if hits.is_empty() {
        "nothing".to_owned()
    } else {
        hits.join(" ")
    })
}

#[test]
fn the_examples_of_the_filter_language_are_true() {
    let instance = InstanceId::default_instance();
    let logs: Vec<(String, Flat)> = LOGS
        .lines()
        .map(|line| decode::log(&instance, Dialect::WatsonV1, line).unwrap())
        .map(|draft| (draft.own_id.clone().unwrap(), draft.flat()))
        .collect();
    let mut names = None;
    let mut examples = 0;
    for line in FILTER.lines() {
        names = match (line, names) {
            ("```v1", _) => Some(Names::V1),
            ("```v2", _) => Some(Names::V2),
            ("```own", _) => Some(Names::Own),
            ("```", _) => None,
            (_, names) => names,
        };
        let (Some(names), false) = (names, line.starts_with("```")) else {
            continue;
        };
        let (text, expected) = line.split_once('→').expect("an example has an arrow");
        let got = match answer(text.trim_end(), names, &logs) {
            Ok(hits) => hits,
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expected.trim(), "{text}");
        examples += 1;
    }
    assert!(examples > 60, "{examples}");
}

/// Written below the tables.
const KEPT: &str = "\
## What is kept of a body

The body of a record is kept as the client wrote it: the order of members, the digits of a number \
however large, members of the same name, escapes and `\\u0000` in texts. White space between \
tokens is not kept, and the log id stands beside the body. What [redaction](redaction.md) cuts is \
not kept at all, and `redactions` says which rule it was. Where a name occurs twice, the last one \
counts for the fields above, and a filter finds both. A lone surrogate (`\\ud800`), nesting beyond \
100 levels and anything else that is no JSON is refused with its position.

A field that the body does not hold is worked out when the record comes in: `top_intent` is the \
first intent of the highest confidence, `outcome.missed` says that the user wrote something and \
neither an intent nor an entity was found, `outcome.escalated` that the answer has a \
`connect_to_agent` message or the context variable `context_connect_to_agent` is true, \
`outcome.fallback` and `outcome.completed` come from `branch_exited_reason` or from how actions \
ended, `latency_ms` is the time between request and response, `language` is `en` when a log names \
none, and times of old exports are read as RFC 3339 in UTC.
";

fn kind(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Keyword => "keyword",
        FieldType::Text => "text",
        FieldType::Number => "number",
        FieldType::Time => "time",
        FieldType::Bool => "boolean",
    }
}

/// The names of one version that mean a canonical field.
fn names(path: &str, other: Api) -> String {
    let mine = NAMES
        .iter()
        .filter(|name| name.api != other && name.canonical.contains(&path));
    let shown: Vec<String> = mine.map(|name| format!("`{}`", name.name)).collect();
    shown.join(", ")
}

/// The member of an event item, or the key of a log entry, that means a canonical field.
fn member(path: &str, of: &[(&str, &str)]) -> String {
    let found = of.iter().find(|(field, _)| *field == path);
    found.map_or_else(String::new, |(_, member)| format!("`{member}`"))
}

#[test]
fn the_table_of_fields_is_that_of_the_code() {
    let mut text = String::from(
        "# Fields\n\n\
         Written by a test from the tables in the code; do not edit.\n\n\
         One meaning has one path, whatever dialect a record came in. The names of Watson's log \
         API in the right columns mean the same field in either version's lists; so do the members \
         of ChatBotKit's event items, and the keys of Lex V1's conversation logs. A field with a column can be grouped and sorted by without \
         reading records.\n\n\
         | field | type | column | what it is | Watson v1 | Watson v2 | ChatBotKit | Lex V1 |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for field in FIELDS {
        let column = if field.column { "yes" } else { "" };
        writeln!(
            text,
            "| `{}` | {} | {column} | {} | {} | {} | {} | {} |",
            field.path,
            kind(field.kind),
            field.doc,
            names(field.path, Api::V2),
            names(field.path, Api::V1),
            member(field.path, MEMBERS),
            member(field.path, KEYS),
        )
        .unwrap();
    }
    let list = |paths: &[&str]| {
        let shown: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        shown.join(", ")
    };
    write!(
        text,
        "\nLists of objects: {}.\n\nRaw paths that are texts as well: {}.\n\n{KEPT}",
        list(GROUPS),
        list(RAW_TEXT)
    )
    .unwrap();
    expect_file!["../../../docs/fields.md"].assert_eq(&text);
}
