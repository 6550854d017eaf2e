//! Runs of digits and signs: phone numbers, numbers of four digits, addresses of electronic mail.

use super::super::words::Said;
use super::{Find, number};

/// Digits of a phone number, at least and at most.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Longest address, in bytes.
const EMAIL_MAX: usize = 254;

/// Four digits: `1234`, or four words for one digit each.
pub(super) fn four(said: &Said, at: usize) -> Option<Find> {
    let word = said.word(at)?;
    if word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()) {
        return Some(super::find(said, at, at + 1, word.to_owned()));
    }
    let mut value = String::new();
    for i in 0..4 {
        let word = said.word(at + i)?;
        let digit = match word.parse::<u32>() {
            Ok(digit) => digit,
            Err(_) => number::value(Some(word))?,
        };
        if digit > 9 {
            return None;
        }
        value.push_str(&digit.to_string());
    }
    Some(super::find(said, at, at + 4, value))
}

/// A phone number without its punctuation.
pub(super) fn phone(said: &Said, at: usize) -> Option<Find> {
    let start = said.tokens.get(at)?.span.start;
    let before = said.text.get(..start).unwrap_or_default();
    if before.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '/')) {
        return None;
    }
    let opened = before.strip_suffix('(').unwrap_or(before);
    let plus = opened.ends_with('+');
    let mut value = if plus { "+".to_owned() } else { String::new() };
    let mut end = start;
    let mut digits = 0;
    for (offset, character) in said.rest(at).char_indices() {
        match character {
            '0'..='9' => {
                value.push(character);
                digits += 1;
                end = start + offset + 1;
            }
            ' ' | '-' | '.' | '(' | ')' | '/' if digits > 0 => {}
            _ => break,
        }
        if digits > *PHONE_DIGITS.end() {
            return None;
        }
    }
    let behind = said.text.get(end..).unwrap_or_default();
    if !PHONE_DIGITS.contains(&digits) || behind.starts_with(char::is_alphanumeric) {
        return None;
    }
    let mut found = super::find(said, at, said.after(end), value);
    found.span = opened.len() - usize::from(plus)..end;
    Some(found)
}

/// An address of electronic mail.
pub(super) fn email(said: &Said, at: usize) -> Option<Find> {
    let is_local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    let start = said.tokens.get(at)?.span.start;
    let before = said.text.get(..start).unwrap_or_default();
    let rest = said.rest(at);
    let (local, domain) = rest.split_once('@')?;
    let domain = domain.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '.'));
    let domain = domain
        .map(|part| part.trim_end_matches(['.', '-']))
        .next()?;
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| !label.is_empty();
    let last = labels.last().map_or(0, |label| label.chars().count());
    let length = local.len() + 1 + domain.len();
    let fits = !local.is_empty()
        && local.chars().all(is_local)
        && labels.len() > 1
        && labels.iter().all(is_label)
        && last > 1
        && length <= EMAIL_MAX
        && !before.ends_with(|c| is_local(c) || c == '@');
    if !fits {
        return None;
    }
    let value = rest.get(..length)?.to_owned();
    let end = start + length;
    let mut found = super::find(said, at, said.after(end), value);
    found.span = start..end;
    Some(found)
}
