//! What is understood of entries in the shapes of the developer guide, field by field.

use std::fmt::Write as _;

use convlog_model::fields::FIELDS;
use expect_test::expect_file;

use super::*;
use crate::native;

const ENTRIES: &str = include_str!("../../../../../fixtures/lex/entries.jsonl");

fn drafts() -> Vec<Draft> {
    let instance = InstanceId::default_instance();
    let drafts = ENTRIES.lines().map(|line| entry(&instance, line).unwrap());
    drafts.collect()
}

#[test]
fn every_canonical_field_of_the_fixtures() {
    let mut table = String::new();
    for draft in drafts() {
        let flat = draft.flat();
        for field in FIELDS {
            let values: Vec<&str> = flat.texts(field.path).collect();
            if !values.is_empty() {
                writeln!(table, "{}: {}", field.path, values.join(" | ")).unwrap();
            }
        }
        table.push('\n');
    }
    expect_file!["../../../../../fixtures/lex/fields.txt"].assert_eq(&table);
}

#[test]
fn the_body_is_the_line_but_for_the_customer() {
    for (draft, line) in drafts().iter().zip(ENTRIES.lines()) {
        let without = line.replace(r#","customer_id":"ann""#, "");
        assert_eq!(draft.raw.as_str(), without);
    }
}

#[test]
fn the_canonical_form_says_all_of_it_and_reads_back_as_the_same() {
    for mut draft in drafts() {
        draft
            .labels
            .insert("log_group".to_owned(), "flowers".to_owned());
        draft.set_text("time.response", "2026-01-02T03:04:06.000001Z");
        let line = native::encode_draft(&draft);
        let read = native::decode(&draft.instance, &line).unwrap();
        assert_eq!(read.own_id, draft.own_id);
        assert_eq!(read.canonical, draft.canonical);
        assert_eq!(native::encode_draft(&read), line);
    }
}

#[test]
fn a_customer_is_named_by_the_line_or_else_by_an_attribute() {
    let named = |raw: &str| {
        let mut draft = entry(&InstanceId::default_instance(), raw).unwrap();
        name_customer(&mut draft, "x-id");
        draft.flat().text("customer").map(ToOwned::to_owned)
    };
    let ann = Some("ann".to_owned());
    assert_eq!(
        named(r#"{"botName":"b","requestAttributes":{"x-id":"ann"}}"#),
        ann
    );
    let both = r#"{"botName":"b","customer_id":"ann","requestAttributes":{"x-id":"bob"}}"#;
    assert_eq!(named(both), ann);
    for attributes in [
        r#"{}"#,
        r#"{"x-id":""}"#,
        r#"{"x-id":1}"#,
        r#"{"x-id":"\n"}"#,
        "null",
    ] {
        let raw = format!(r#"{{"botName":"b","requestAttributes":{attributes}}}"#);
        assert_eq!(named(&raw), None, "{raw}");
    }
}
