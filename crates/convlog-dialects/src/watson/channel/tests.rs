//! Which channel a context names, and whose customer its user is.

use convlog_model::ids::InstanceId;
use convlog_model::record::Dialect;

use convlog_model::json::Json;

use super::*;
use crate::watson::decode;

fn context(text: &str) -> Option<String> {
    of_context((&Json::parse(text.as_bytes()).unwrap()).into())
}

#[test]
fn the_name_goes_before_the_one_known_key() {
    let both = r#"{"integrations":{"channel":{"name":"Slack"},"chat":{}}}"#;
    assert_eq!(context(both).as_deref(), Some("Slack"));
    assert_eq!(
        context(r#"{"integrations":{"chat":{},"x":1}}"#).as_deref(),
        Some("chat")
    );
    assert_eq!(context(r#"{"integrations":{"chat":{},"slack":{}}}"#), None);
    assert_eq!(context("{}"), None);
}

#[test]
fn prefixes_are_never_doubled_and_some_channels_have_no_customers() {
    for (channel, user, customer) in [
        ("Web chat", "u1", Some("u1")),
        ("chat", "u1", Some("u1")),
        ("slack", "T1U1", Some("slack_T1U1")),
        ("Slack", "slack_T1U1", Some("slack_T1U1")),
        ("intercom", "a", Some("intercom_a")),
        ("facebook", "f", None),
        ("preview", "p", None),
        ("chat", "", None),
    ] {
        assert_eq!(
            customer_of(channel, user).as_deref(),
            customer,
            "{channel} {user}"
        );
    }
}

const LOG: &str = r#"{"request":{"input":{"text":"x"},"context":{"integrations":{"slack":{}}}},
    "response":{"output":{}},"session_id":"s","CUSTOMER"request_timestamp":"2026-03-02T09:00:00Z"}"#;

fn flat(customer: &str) -> (Option<String>, Option<String>) {
    let raw = LOG.replace("CUSTOMER\"", customer);
    let draft = decode::log(&InstanceId::default_instance(), Dialect::WatsonV2, &raw).unwrap();
    let flat = draft.flat();
    let text = |field| flat.text(field).map(str::to_owned);
    (text("channel"), text("customer"))
}

#[test]
fn an_imported_log_gets_the_customer_of_its_channel() {
    let expected = (Some("slack".to_owned()), Some("slack_s".to_owned()));
    assert_eq!(flat(""), expected);
}

#[test]
fn a_given_customer_wins() {
    let expected = (Some("slack".to_owned()), Some("acme".to_owned()));
    assert_eq!(flat("customer_id\":\"acme\",\""), expected);
}
