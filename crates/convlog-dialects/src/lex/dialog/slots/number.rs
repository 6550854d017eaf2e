//! Numbers in digits and in English words, below a million and one, and percentages.

use super::super::words::Said;
use super::Find;

/// The largest number that words make.
const MAX: u32 = 1_000_000;

/// A number that begins at a word: its digits, and the word after it.
pub(super) fn find(said: &Said, at: usize) -> Option<Find> {
    let (digits, to) = read(said, at)?;
    let mut found = super::find(said, at, to, digits);
    let before = said.text.get(..found.span.start).unwrap_or_default();
    let unsigned = before.strip_suffix('-');
    let is_sign = unsigned.is_some_and(|text| !text.ends_with(|c: char| c.is_alphanumeric()));
    if is_sign {
        found.span.start -= 1;
        found.value.insert(0, '-');
        found.resolutions = vec![found.value.clone()];
    }
    Some(found)
}

/// A number with `%` or `percent` after it.
pub(super) fn percentage(said: &Said, at: usize) -> Option<Find> {
    let (digits, to) = read(said, at)?;
    let value = format!("{digits}%");
    let span = said.span(at, to);
    let behind = said.text.get(span.end..).unwrap_or_default();
    if behind.trim_start().starts_with('%') {
        let sign = behind.find('%').unwrap_or_default();
        let mut found = super::find(said, at, to, value);
        found.span.end = span.end + sign + 1;
        return Some(found);
    }
    let spoken = |phrase: &[&str]| {
        let words = phrase.iter().enumerate();
        words
            .into_iter()
            .all(|(i, word)| said.word(to + i) == Some(*word))
            .then_some(phrase.len())
    };
    let length = spoken(&["percent"]).or_else(|| spoken(&["per", "cent"]))?;
    Some(super::find(said, at, to + length, value))
}

/// The digits of a number that begins at a word, and the word after it.
pub(super) fn read(said: &Said, at: usize) -> Option<(String, usize)> {
    let word = said.word(at)?;
    if matches!(word, "minus" | "negative") {
        let (digits, to) = read_unsigned(said, at + 1)?;
        return Some((format!("-{digits}"), to));
    }
    read_unsigned(said, at)
}

fn read_unsigned(said: &Said, at: usize) -> Option<(String, usize)> {
    let word = said.word(at)?;
    if let Some(digits) = plain_digits(word) {
        return Some((digits, at + 1));
    }
    let (number, to) = words(said, at)?;
    Some((number.to_string(), to))
}

/// `1234`, `1,234` and `12.5`, without separators of thousands.
fn plain_digits(word: &str) -> Option<String> {
    let (whole, fraction) = match word.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (word, None),
    };
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(&digits) || digits.len() > 18 || !fraction.is_none_or(is_number) {
        return None;
    }
    let kept = digits.trim_start_matches('0');
    let kept = if kept.is_empty() { "0" } else { kept };
    Some(match fraction {
        Some(fraction) => format!("{kept}.{fraction}"),
        None => kept.to_owned(),
    })
}

/// A number in words that begins at a word, and the word after it.
fn words(said: &Said, at: usize) -> Option<(u32, usize)> {
    // `total` is what stands before the last `thousand`, `part` what has come since.
    let (mut total, mut part, mut to) = (0_u32, 0_u32, at);
    // The least unit so far, so that `five two` is two numbers.
    let mut unit = u32::MAX;
    loop {
        let word = said.word(to).unwrap_or_default();
        let is_begun = to > at;
        match word {
            "a" if !is_begun && matches!(said.word(to + 1), Some("hundred" | "thousand")) => {
                part = 1;
                unit = 1;
            }
            "and" if is_begun && unit >= 100 && value(said.word(to + 1)).is_some() => {}
            "hundred" if (1..10).contains(&part) => {
                part *= 100;
                unit = 100;
            }
            "thousand" if total == 0 && part > 0 => {
                total = part.checked_mul(1000)?;
                part = 0;
                unit = 1000;
            }
            "million" if total == 0 && part == 1 => return Some((MAX, to + 1)),
            _ => match value(Some(word)) {
                Some(next) if next < 10 && unit > 9 => {
                    part += next;
                    unit = 1;
                }
                Some(next) if unit >= 100 => {
                    part += next;
                    unit = if next >= 20 { 10 } else { 1 };
                }
                _ => break,
            },
        }
        to += 1;
    }
    (to > at).then_some((total + part, to))
}

/// The number below a hundred that one word is.
pub(super) fn value(word: Option<&str>) -> Option<u32> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = [
        "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    ];
    let word = word?;
    let small = (0..).zip(SMALL).find(|(_, name)| *name == word);
    let tens = (2..).zip(TENS).find(|(_, name)| *name == word);
    small
        .map(|(number, _)| number)
        .or(tens.map(|(number, _)| number * 10))
}
