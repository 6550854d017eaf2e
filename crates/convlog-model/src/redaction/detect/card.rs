//! Numbers of payment cards: 13 to 19 digits of an issuer, the last one a check digit (Luhn).

use std::ops::Range;

use super::{may_begin, may_end, separator_len};

const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let begins = is_digit(bytes, at) && may_begin(text, at) && !is_behind_point(bytes, at);
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

fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}

/// Whether the digits here are decimals.
fn is_behind_point(bytes: &[u8], at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).and_then(|at| bytes.get(at));
    before(1) == Some(&b'.') && before(2).is_some_and(u8::is_ascii_digit)
}

/// The end of the longest number that begins here. Groups of digits have one sign between them.
fn number(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut digits = Vec::with_capacity(DIGITS_MAX);
    let mut end = None;
    let mut at = start;
    loop {
        while let Some(byte) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
            if digits.len() == DIGITS_MAX {
                return end;
            }
            digits.push(byte - b'0');
            at += 1;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let is_decimal = rest.first() == Some(&b'.') && is_digit(bytes, at + 1);
        if may_end(text, at) && !is_decimal && is_number(&digits) {
            end = Some(at);
        }
        let gap = separator_len(rest);
        if gap == 0 || !is_digit(bytes, at + gap) {
            return end;
        }
        at += gap;
    }
}

fn is_number(digits: &[u8]) -> bool {
    digits.len() >= DIGITS_MIN && is_issued(digits) && has_check_digit(digits)
}

/// Whether an issuer gives numbers that begin so and are so long.
fn is_issued(digits: &[u8]) -> bool {
    let head = |n: usize| {
        let head = digits.iter().take(n);
        head.fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
    };
    let len = digits.len();
    match (head(1), head(2), head(4)) {
        (4, _, _) => matches!(len, 13 | 16 | 19),
        (_, 51..=55, _) | (_, _, 2200..=2204 | 2221..=2720) => len == 16,
        (_, 34 | 37, _) => len == 15,
        (_, 30 | 36 | 38 | 39, _) => (14..=19).contains(&len),
        (_, 35 | 60 | 62 | 64 | 65, _) => (16..=19).contains(&len),
        (_, 50 | 56..=58, _) | (6, _, _) => true,
        _ => false,
    }
}

/// Luhn: every second digit from the right counts double.
fn has_check_digit(digits: &[u8]) -> bool {
    let of_digit = |(i, digit): (usize, &u8)| match (i % 2, u32::from(*digit) * 2) {
        (0, _) => u32::from(*digit),
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(of_digit).sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

#[cfg(test)]
mod tests {
    use super::super::{Detector, check};

    #[test]
    fn card_numbers() {
        check(
            Detector::Card,
            &[
                "<4111111111111111>",
                "<4111 1111 1111 1111>",
                "<4111-1111-1111-1111>",
                "<4111\u{a0}1111\u{a0}1111\u{a0}1111>",
                "<4111\u{202f}1111\u{202f}1111\u{202f}1111>",
                "<4111\u{2011}1111\u{2011}1111\u{2011}1111>",
                "my card is <4012888888881881>.",
                "<4222222222222>",
                "visa:<4000056655665556>",
                "\"<4242424242424242>\"",
                "(<4242 4242 4242 4242>)",
                "<4242424242424242>, exp 12/29",
                "<4242 4242 4242 4242> 12/29 123",
                "card=<5555555555554444>&cvc=123",
                "<5105105105105100>",
                "<5200828282828210>",
                "<5454 5454 5454 5454>",
                "<2223003122003222>",
                "<2720990000000007>",
                "<378282246310005>",
                "<3782 822463 10005>",
                "<371449635398431>",
                "<3714-496353-98431>",
                "<30569309025904>",
                "<3056 930902 5904>",
                "<38520000023237>",
                "<36227206271667>",
                "<6011111111111117>",
                "<6011 0009 9013 9424>",
                "<3530111333300000>",
                "<3566002020360505>",
                "<6200000000000005>",
                "<6205500000000000004>",
                "<6759649826438453>",
                "<5018000000000009>",
                "<6304000000000000>",
                "a <4111111111111111> b <5555555555554444> c",
                "<4111111111111111>\n<4242424242424242>",
                "kredit: <4000 0025 0000 3155>!",
                "#<4000000000003220>",
                "number <2200000000000004>",
                "123 <4111111111111111>",
                "卡号<4111111111111111>。",
                "Karte:\u{a0}<4111111111111111>",
                "“<4111111111111111>”",
                "[<6011111111111117>]",
                "<4000002760003184>/12/30",
            ],
            &[
                "4111111111111112",
                "4111 1111 1111 1112",
                "4242424242424241",
                "5555555555554445",
                "378282246310006",
                "411111111111",
                "41111111111111",
                "411111111111111",
                "41111111111111111111",
                "0000000000000000",
                "0000 0000 0000 0000",
                "1234567890123456",
                "1111111111111111",
                "7777777777777777",
                "9999999999999995",
                "8000000000000006",
                "a4111111111111111",
                "4111111111111111b",
                "x_4111111111111111",
                "4111111111111111_y",
                "0.4111111111111111",
                "4111111111111111.5",
                "3.14159265358979323846",
                "1700000000000",
                "1760000003000",
                "1760000003000000",
                "1760000003000000000",
                "20260302080102000",
                "2026-03-02 08:01:02.000",
                "2026-03-02T08:01:02.250Z",
                "0.9999999999999999",
                "018f4c3e-7b3a-7c11-8d2e-41111111111a",
                "4111  1111  1111  1111",
                "4111,1111,1111,1111",
                "4111 1111 1111",
                "DE89370400440532013000",
                "+49 30 1234567",
                "order 4711",
                "42",
                "550e8400e29b41d4a716446655440000",
                "4111 1111 x 1111 1111",
                "123456789012345678901234567890",
                "",
            ],
        );
    }

    #[test]
    fn a_number_of_json_counts_when_it_is_one_whole() {
        assert!(Detector::Card.is_number("4111111111111111"));
        for other in [
            "4111111111111112",
            "-4111111111111111",
            "4111111111111111.0",
            "1e5",
        ] {
            assert!(!Detector::Card.is_number(other), "{other}");
        }
        assert!(!Detector::Phone.is_number("4111111111111111"));
    }
}
