//! The table of names is sound.

use super::*;

#[test]
fn every_name_means_a_canonical_field_that_exists() {
    for one in NAMES {
        for path in one.canonical {
            assert!(convlog_model::fields::lookup(path).is_some(), "{path}");
        }
    }
    for (path, group) in GROUPS {
        assert!(convlog_model::fields::GROUPS.contains(group), "{path}");
    }
}

#[test]
fn what_the_versions_write_in_two_places_is_looked_for_in_both() {
    let raw = |text: &str| FieldRef::Raw(text.to_owned());
    assert_eq!(
        super::raw("request.intents.intent"),
        [
            raw("request.intents.intent"),
            raw("request.input.intents.intent")
        ]
    );
    assert_eq!(super::raw("request.intentsx"), [raw("request.intentsx")]);
}
