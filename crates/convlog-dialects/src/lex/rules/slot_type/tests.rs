//! The rules of slot types.

use super::*;

fn checked(members: &str) -> Result<(), String> {
    let slot_type = format!(r#"{{"name":"Sizes"{members}}}"#);
    let slot_type = serde_json::from_str(&slot_type).unwrap();
    check(&slot_type).map_err(|refused| refused.to_string())
}

fn values(values: &[(&str, &str)]) -> String {
    let value = |(value, synonyms): &(&str, &str)| {
        format!(r#"{{"value":"{value}","synonyms":[{synonyms}]}}"#)
    };
    let values: Vec<String> = values.iter().map(value).collect();
    format!(r#","enumerationValues":[{}]"#, values.join(","))
}

fn narrowed(parent: &str, pattern: &str) -> String {
    format!(
        r#","parentSlotTypeSignature":"{parent}",
        "slotTypeConfigurations":[{{}},{{"regexConfiguration":{{"pattern":"{pattern}"}}}}]"#
    )
}

#[test]
fn slot_types_that_are_taken() {
    assert_eq!(checked(""), Ok(()));
    let sizes = values(&[
        ("big", r#""large","huge""#),
        ("small", r#""tiny""#),
        ("ok", ""),
    ]);
    assert_eq!(checked(&sizes), Ok(()));
    assert_eq!(checked(&narrowed(ALPHANUMERIC, "[A-Z]{3}[0-9]{4}")), Ok(()));
}

#[test]
fn slot_types_that_are_refused() {
    for (members, expected) in [
        (
            values(&[("big", ""), ("Big", "")]),
            "enumerationValues.2.member.value: must be a value of the slot type once",
        ),
        (
            values(&[("big", r#""large","small""#), ("small", "")]),
            "enumerationValues.1.member.synonyms.2.member: must be no other value or synonym",
        ),
        (
            values(&[("big", r#""x""#), ("small", r#""X""#)]),
            "enumerationValues.2.member.synonyms.1.member: must be no other value or synonym",
        ),
        (
            narrowed("AMAZON.NUMBER", "[0-9]"),
            "slotTypeConfigurations.2.member.regexConfiguration: \
             must be in a slot type that extends AMAZON.AlphaNumeric",
        ),
        (
            narrowed(ALPHANUMERIC, "[0-9"),
            "slotTypeConfigurations.2.member.regexConfiguration.pattern: \
             must be a regular expression",
        ),
        (
            narrowed(ALPHANUMERIC, "((a{1000}){1000}){1000}"),
            "slotTypeConfigurations.2.member.regexConfiguration.pattern: \
             must be a regular expression",
        ),
    ] {
        assert_eq!(checked(&members), Err(expected.to_owned()));
    }
}
