//! Rules of slot types.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use regex::RegexBuilder;

use super::{Refused, item, refuse};
use crate::lex::model::SlotType;

/// The built-in slot type that may be narrowed by a pattern.
const ALPHANUMERIC: &str = "AMAZON.AlphaNumeric";
/// Bytes that a pattern may take once it is compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Checks a slot type: each value and each synonym is in it once, without regard to case, and
/// patterns narrow what can be narrowed.
///
/// # Errors
/// [`Refused`] for the first rule that is broken.
pub fn check(slot_type: &SlotType) -> Result<(), Refused> {
    let mut words = BTreeSet::new();
    // Values come first, so that the synonym is what is told of.
    for (i, value) in slot_type.enumeration_values.iter().enumerate() {
        if !words.insert(value.value.to_lowercase()) {
            let path = format!("{}.value", item("enumerationValues", i));
            return refuse(path, "must be a value of the slot type once");
        }
    }
    for (i, value) in slot_type.enumeration_values.iter().enumerate() {
        for (j, synonym) in value.synonyms.iter().enumerate() {
            if !words.insert(synonym.to_lowercase()) {
                let path = format!("{}.synonyms", item("enumerationValues", i));
                return refuse(item(&path, j), "must be no other value or synonym");
            }
        }
    }
    patterns(slot_type)
}

fn patterns(slot_type: &SlotType) -> Result<(), Refused> {
    let is_narrowed = slot_type.parent_slot_type_signature.as_deref() == Some(ALPHANUMERIC);
    for (i, configuration) in slot_type.slot_type_configurations.iter().enumerate() {
        let Some(regex) = &configuration.regex_configuration else {
            continue;
        };
        let path = format!("{}.regexConfiguration", item("slotTypeConfigurations", i));
        if !is_narrowed {
            let message = format!("must be in a slot type that extends {ALPHANUMERIC}");
            return refuse(path, message);
        }
        let mut builder = RegexBuilder::new(&regex.pattern);
        if builder.size_limit(PATTERN_BYTES_MAX).build().is_err() {
            return refuse(format!("{path}.pattern"), "must be a regular expression");
        }
    }
    Ok(())
}
