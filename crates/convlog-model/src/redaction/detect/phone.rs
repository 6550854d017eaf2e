//! Telephone numbers: with a country's code; with the 0 of a national number; and in the groups of
//! three, three and four of North America. Digits alone are none.

use std::ops::Range;

use super::{is_word, may_begin};

/// Most digits of a number with its country's code (E.164).
const DIGITS_MAX: usize = 15;
/// Most signs between two groups of digits.
const GAP_MAX: usize = 3;

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begins = (byte.is_ascii_digit() || matches!(byte, b'+' | b'(')) && is_free(text, at);
        match begins.then(|| number(text, at)).flatten() {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether the sign before leaves room for a number: it is no part of a longer token.
fn is_free(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    let mut signs = before.chars().rev();
    match (signs.next(), signs.next()) {
        (Some('-' | '+' | '#' | '$' | '%' | '\\'), _) => false,
        (Some('.' | ',' | '/' | ':'), Some(sign)) => !sign.is_ascii_digit(),
        _ => may_begin(text, at),
    }
}

/// Groups of digits that stand together.
#[derive(Debug, Default)]
struct Groups {
    digits: Vec<u8>,
    /// Digits up to the end of each group, and where that is in the text.
    ends: Vec<(usize, usize)>,
    /// Whether groups are in parentheses or have signs between them.
    has_gaps: bool,
    opens: usize,
}

impl Groups {
    /// The groups that begin here.
    fn read(text: &str, start: usize) -> Self {
        let bytes = text.as_bytes();
        let mut groups = Groups::default();
        let mut at = start;
        loop {
            let gap = gap_len(bytes.get(at..).unwrap_or_default());
            groups.opens += bytes
                .get(at..at + gap)
                .unwrap_or_default()
                .iter()
                .filter(|byte| **byte == b'(')
                .count();
            if gap > 0 && (!groups.ends.is_empty() || bytes.get(at) == Some(&b'(')) {
                groups.has_gaps = true;
            }
            let group = bytes.get(at + gap..).unwrap_or_default();
            let len = group
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if len == 0 || groups.digits.len() + len > 2 * DIGITS_MAX {
                return groups;
            }
            groups.digits.extend(group.get(..len).unwrap_or_default());
            at += gap + len;
            groups.ends.push((groups.digits.len(), at));
        }
    }

    fn lens(&self) -> Vec<usize> {
        let mut before = 0;
        let ends = self.ends.iter();
        ends.map(|(n, _)| n - std::mem::replace(&mut before, *n))
            .collect()
    }

    /// The end of the longest number of so many digits that is followed by no word.
    fn longest(&self, text: &str, n_digits: std::ops::RangeInclusive<usize>) -> Option<usize> {
        let mut ends = self.ends.iter().rev();
        ends.find_map(|(n, at)| {
            let end = with_extension(text, *at)?;
            n_digits.contains(n).then_some(end)
        })
    }
}

/// Bytes of the signs between two groups of digits.
fn gap_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    for _ in 0..GAP_MAX {
        at += match bytes.get(at..).unwrap_or_default() {
            [b' ' | b'-' | b'.' | b'/' | b'(' | b')', ..] => 1,
            [0xC2, 0xA0, ..] => 2,
            [0xE2, 0x80, 0x90 | 0x91 | 0x93 | 0xAF, ..] => 3,
            _ => 0,
        };
    }
    at
}

/// The end of a number with the extension behind it; `None` where it is part of a longer token.
fn with_extension(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let lower: String = rest.chars().take(8).collect();
    let lower = lower.to_ascii_lowercase();
    for mark in ["x", " x", "ext", " ext", " ext.", "ext. ", " ext. "] {
        let number = lower.strip_prefix(mark).map(str::trim_start);
        let n_digits = number.map_or(0, |number| {
            number.bytes().take_while(u8::is_ascii_digit).count()
        });
        if n_digits > 0 {
            let mark_len = lower.len() - number.map_or(0, str::len);
            let digits = rest.get(mark_len..)?.bytes();
            let len = digits.take_while(u8::is_ascii_digit).count();
            return Some(end + mark_len + len);
        }
    }
    let is_part = |sign: &char| is_word(*sign) || *sign == '-';
    let behind: String = rest.chars().take_while(is_part).take(64).collect();
    let is_token = behind
        .chars()
        .any(|sign| is_word(sign) && !sign.is_ascii_digit());
    let goes_on = behind.starts_with(|sign: char| sign.is_ascii_digit());
    (!is_token && !goes_on).then_some(end)
}

/// The end of the number that begins here.
fn number(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let plus = rest
        .strip_prefix("(+")
        .or_else(|| rest.strip_prefix('+'))
        .map(|behind| text.len() - behind.len());
    if let Some(behind) = plus {
        let groups = Groups::read(text, behind);
        let is_known = has_country(&groups.digits);
        return groups.longest(text, 8..=DIGITS_MAX).filter(|_| is_known);
    }
    let groups = Groups::read(text, start);
    match groups.digits.as_slice() {
        [b'0', b'0', country @ ..] if has_country(country) => {
            let n_digits_min = if groups.has_gaps { 11 } else { 12 };
            groups.longest(text, n_digits_min..=DIGITS_MAX + 2)
        }
        [b'0', b'1'..=b'9', ..] => national(&groups, text),
        [b'0', ..] => None,
        _ => american(&groups, text),
    }
}

/// With the 0 that stands before the area.
fn national(groups: &Groups, text: &str) -> Option<usize> {
    let lens = groups.lens();
    // A date, and a decimal.
    let is_date = matches!(lens.as_slice(), [2, 2, 4, ..] | [2, 4, ..] if lens.len() <= 6);
    let is_decimal = lens.first() == Some(&1) && groups.opens == 0;
    if is_date || is_decimal {
        return None;
    }
    match groups.has_gaps {
        true => groups.longest(text, 9..=13),
        false => groups.longest(text, 10..=12),
    }
}

/// Three, three and four digits, perhaps behind a 1.
fn american(groups: &Groups, text: &str) -> Option<usize> {
    let lens = groups.lens();
    let n_groups = match lens.as_slice() {
        [1, 3, 3, 4, ..] if groups.digits.first() == Some(&b'1') => 4,
        [3, 3, 4, ..] => 3,
        [3, 7, ..] if groups.opens == 1 => 2,
        _ => return None,
    };
    let (_, end) = groups.ends.get(n_groups - 1)?;
    // A fourth group makes it something else, unless a space is before it.
    let goes_on = lens.len() > n_groups && text.as_bytes().get(*end) != Some(&b' ');
    with_extension(text, *end).filter(|_| !goes_on)
}

/// Whether a number begins with the code of a country.
fn has_country(digits: &[u8]) -> bool {
    let head = |n: usize| {
        let head = digits.iter().take(n);
        head.fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    match head(1) {
        1 | 7 => return true,
        0 => return false,
        _ => {}
    }
    let short = matches!(
        head(2),
        20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66 | 81 | 82 | 84 | 86
            | 90..=95 | 98
    );
    let long = matches!(
        head(3),
        211..=213 | 216 | 218 | 220..=269 | 290 | 291 | 297..=299 | 350..=359 | 370..=389
            | 420 | 421 | 423 | 500..=509 | 590..=599 | 670..=692 | 800 | 808 | 850 | 852..=856
            | 870 | 878 | 880..=883 | 886 | 888 | 960..=968 | 970..=979 | 992..=998
    );
    short || long
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, check};

    #[test]
    fn telephone_numbers() {
        check(
            Detector::Phone,
            &[
                "<+49 30 1234567>",
                "<+49301234567>",
                "<+49 (0)30 1234567>",
                "<+49 (30) 123 45 67>",
                "<+49-30-1234567>",
                "<+49/30/1234567>",
                "<+49.30.1234567>",
                "<(+49) 30 1234567>",
                "<+49\u{a0}30\u{a0}1234567>",
                "<+49 170 1234567>",
                "<+1 555 123 4567>",
                "<+1 (555) 123-4567>",
                "<+15551234567>",
                "<+44 20 7946 0958>",
                "<+447911123456>",
                "<+33 1 23 45 67 89>",
                "<+33612345678>",
                "<+86 138 0013 8000>",
                "<+91 98765 43210>",
                "<+81 3-1234-5678>",
                "<+353 1 234 5678>",
                "<+7 495 123-45-67>",
                "<+55 11 91234-5678>",
                "<0049 30 1234567>",
                "<0049301234567>",
                "<00441632960001>",
                "<030 1234567>",
                "<030/1234567>",
                "<030-1234567>",
                "<(030) 1234567>",
                "<0170 1234567>",
                "<01701234567>",
                "<07911 123456>",
                "<07911123456>",
                "<020 7946 0958>",
                "<06 12 34 56 78>",
                "<01.23.45.67.89>",
                "<0612345678>",
                "<555-123-4567>",
                "<(555) 123-4567>",
                "<(555)123-4567>",
                "<555.123.4567>",
                "<555 123 4567>",
                "<1-800-555-0199>",
                "<1 (800) 555-0199>",
                "<800-555-0199x123>",
                "<800-555-0199 ext. 42>",
                "call <+49 30 1234567>.",
                "call <+49 30 1234567>, please",
                "tel:<+49301234567>",
                "tel=<+49301234567>&x=1",
                "\"<+49301234567>\"",
                "电话<+49301234567>",
                "<+49 30 1234567> or <+49 30 7654321>",
                "call <555-123-4567> today",
                "call <555-123-4567> 24/7",
            ],
            &[
                "1234567",
                "12345678",
                "1234567890",
                "5551234567",
                "order 4711",
                "order 0815",
                "+49",
                "+49 30",
                "+49 123",
                "+1",
                "+10 points",
                "+0 30 1234567",
                "+21000000000",
                "+4930123456789012345",
                "00",
                "0000000000",
                "000 000 0000",
                "00123",
                "0012345678",
                "007",
                "0123456",
                "0.12345678",
                "0.1234567890",
                "02.03.2026",
                "02/03/2026",
                "02-03-2026",
                "02.03.2026 14:30",
                "02.03.2026 08:01:02",
                "2026-03-02",
                "2026-03-02T08:01:02.250Z",
                "2026-03-02T08:01:02+01:00",
                "2026-03-02 08:01:02 +0100",
                "08:01:02",
                "1700000000",
                "1760000003000",
                "123-45-6789",
                "12-34-56",
                "123 456",
                "555-1234",
                "555-123-45678",
                "5555-123-4567",
                "555-123-4567-890",
                "a555-123-4567",
                "555-123-4567a",
                "x+49301234567",
                "018f4c3e-7b3a-7c11-8d2e-0123456789ab",
                "00491234-5678-4abc-8def-0123456789ab",
                "10.0.0.1",
                "192.168.0.1",
                "1.234.567,89",
                "12 345 678",
                "4111 1111 1111 1111",
                "DE89370400440532013000",
                "v0.12.345678901",
                "#0123456789",
                "$1-800-555-0199",
                "",
            ],
        );
    }
}
