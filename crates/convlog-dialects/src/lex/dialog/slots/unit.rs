//! Units of speed and weight, as their abbreviations.

use super::super::words::{Said, folded};
use super::Find;

/// Units of speed: what is said and what it is short for.
pub(super) const SPEED: &[(&str, &str)] = &[
    ("miles per hour", "mph"),
    ("mile per hour", "mph"),
    ("mph", "mph"),
    ("kilometers per hour", "kph"),
    ("kilometres per hour", "kph"),
    ("kilometer per hour", "kph"),
    ("km per hour", "kph"),
    ("kmh", "kph"),
    ("kph", "kph"),
    ("meters per second", "m/s"),
    ("metres per second", "m/s"),
    ("feet per second", "ft/s"),
    ("knots", "kn"),
    ("knot", "kn"),
];

/// Units of weight: what is said and what it is short for.
pub(super) const WEIGHT: &[(&str, &str)] = &[
    ("metric tons", "t"),
    ("tonnes", "t"),
    ("tonne", "t"),
    ("tons", "t"),
    ("ton", "t"),
    ("kilograms", "kg"),
    ("kilogram", "kg"),
    ("kilos", "kg"),
    ("kilo", "kg"),
    ("kg", "kg"),
    ("milligrams", "mg"),
    ("milligram", "mg"),
    ("mg", "mg"),
    ("grams", "g"),
    ("gram", "g"),
    ("g", "g"),
    ("pounds", "lb"),
    ("pound", "lb"),
    ("lbs", "lb"),
    ("lb", "lb"),
    ("ounces", "oz"),
    ("ounce", "oz"),
    ("oz", "oz"),
    ("stones", "st"),
    ("stone", "st"),
];

/// A unit that begins at a word.
pub(super) fn find(said: &Said, at: usize, units: &[(&str, &str)]) -> Option<Find> {
    let here = units.iter().find_map(|(spoken, short)| {
        let phrase = folded(spoken);
        said.has(at, &phrase).then_some((phrase.len(), *short))
    });
    let (length, short) = here?;
    Some(super::find(said, at, at + length, short.to_owned()))
}
