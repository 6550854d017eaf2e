//! Durations as ISO 8601 writes them.

use super::super::words::Said;
use super::{Find, number};

/// Which part of a duration a unit is: its letter, and its place in the text.
fn unit(word: &str) -> Option<(usize, &'static str)> {
    Some(match word {
        "year" | "years" => (0, "Y"),
        "month" | "months" => (1, "M"),
        "week" | "weeks" => (2, "W"),
        "day" | "days" | "night" | "nights" => (3, "D"),
        "hour" | "hours" | "hr" | "hrs" => (4, "H"),
        "minute" | "minutes" | "min" | "mins" => (5, "M"),
        "second" | "seconds" | "sec" | "secs" => (6, "S"),
        _ => return None,
    })
}

/// The first of the units that stand behind the `T`.
const FIRST_OF_TIME: usize = 4;

/// A duration that begins at a word: `2 hours and 30 minutes`, `an hour`, `PT2H`.
pub(super) fn find(said: &Said, at: usize) -> Option<Find> {
    let word = said.word(at)?;
    if let Some(value) = iso(word) {
        return Some(super::find(said, at, at + 1, value));
    }
    if word == "half" && said.word(at + 1) == Some("an") && said.word(at + 2) == Some("hour") {
        return Some(super::find(said, at, at + 3, "PT30M".to_owned()));
    }
    let mut parts: Vec<(usize, String, &'static str)> = Vec::new();
    let (mut to, mut next) = (at, at);
    while let Some((amount, place, letter, end)) = part(said, next) {
        // Units fall; what does not is another duration.
        if parts.last().is_some_and(|(last, ..)| *last >= place) {
            break;
        }
        parts.push((place, amount, letter));
        to = end;
        next = if said.word(end) == Some("and") {
            end + 1
        } else {
            end
        };
    }
    if parts.is_empty() {
        return None;
    }
    let mut value = "P".to_owned();
    let mut in_time = false;
    for (place, amount, letter) in parts {
        if place >= FIRST_OF_TIME && !in_time {
            value.push('T');
            in_time = true;
        }
        value.push_str(&amount);
        value.push_str(letter);
    }
    Some(super::find(said, at, to, value))
}

/// An amount and its unit.
fn part(said: &Said, at: usize) -> Option<(String, usize, &'static str, usize)> {
    let (amount, to) = match said.word(at)? {
        "a" | "an" => ("1".to_owned(), at + 1),
        _ => number::read(said, at)?,
    };
    if amount.starts_with('-') {
        return None;
    }
    let (place, letter) = unit(said.word(to)?)?;
    Some((amount, place, letter, to + 1))
}

/// A duration that is written as ISO 8601 does.
fn iso(word: &str) -> Option<String> {
    let upper = word.to_ascii_uppercase();
    let mut rest = upper.strip_prefix('P')?;
    let mut in_time = false;
    let mut parts = 0;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T').filter(|_| !in_time) {
            in_time = true;
            rest = after;
            continue;
        }
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let letters = if in_time { "HMS" } else { "YMWD" };
        let letter = after.chars().next()?;
        if after.len() == rest.len() || !letters.contains(letter) {
            return None;
        }
        rest = after.strip_prefix(letter)?;
        parts += 1;
    }
    (parts > 0).then_some(upper)
}
