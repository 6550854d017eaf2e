//! Numbers of JSON by exact value: decimal text in, a key that compares as the numbers do out.

use std::cmp::Ordering;

/// A decimal number of any size and precision, compared by exact value.
///
/// Kept as sign, exponent and digits without leading or trailing zeros, so that `1`, `1.0` and
/// `10e-1` are equal and `1e400` differs from `1e401`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Decimal {
    negative: bool,
    /// The value is `0.DIGITS * 10^exponent`.
    exponent: i64,
    digits: Vec<u8>,
}

impl Decimal {
    /// Reads a number as JSON writes it; anything else, or more than 4,096 characters, is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 4096 {
            return None;
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, written_exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || leading_zero || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes())
            .map(|b| b - b'0')
            .collect();
        let whole_len = i64::try_from(whole.len()).ok()?;
        Some(Self::normalised(
            negative,
            whole_len.saturating_add(written_exponent),
            &digits,
        ))
    }

    fn normalised(negative: bool, exponent: i64, digits: &[u8]) -> Self {
        let first = digits.iter().position(|d| *d != 0);
        let last = digits.iter().rposition(|d| *d != 0);
        let (Some(first), Some(last)) = (first, last) else {
            return Decimal {
                negative: false,
                exponent: 0,
                digits: Vec::new(),
            };
        };
        let shift = i64::try_from(first).unwrap_or(i64::MAX);
        let digits = digits.get(first..=last).unwrap_or_default().to_vec();
        Decimal {
            negative,
            exponent: exponent.saturating_sub(shift),
            digits,
        }
    }
}

/// First byte of the key of zero; smaller ones are negative, greater ones positive.
const ZERO: u8 = 0x80;
/// Exponents in a byte of their own, that many to each side of this one.
const EXPONENT_MIDDLE: i64 = 0x80;
const EXPONENT_NEAR: i64 = 100;

impl Decimal {
    /// Bytes that compare as the numbers do; no key is the beginning of another one.
    ///
    /// Sign; exponent (one byte, or one and eight where it is far from zero); two digits a byte, as
    /// their value plus one; 0. Everything behind the sign of a negative number is complemented.
    #[must_use]
    pub fn sort_key(&self) -> Vec<u8> {
        if self.digits.is_empty() {
            return vec![ZERO];
        }
        let mut out = vec![if self.negative { ZERO - 1 } else { ZERO + 1 }];
        match u8::try_from(self.exponent + EXPONENT_MIDDLE) {
            Ok(near) if self.exponent.abs() <= EXPONENT_NEAR => out.push(near),
            _ => {
                out.push(if self.exponent < 0 { 0x01 } else { 0xFE });
                out.extend_from_slice(&self.exponent.wrapping_sub(i64::MIN).to_be_bytes());
            }
        }
        for pair in self.digits.chunks(2) {
            let (tens, ones) = match pair {
                [tens, ones] => (*tens, *ones),
                _ => (pair.first().copied().unwrap_or(0), 0),
            };
            out.push(tens * 10 + ones + 1);
        }
        out.push(0);
        if self.negative {
            out.iter_mut().skip(1).for_each(|byte| *byte = !*byte);
        }
        out
    }

    /// The number at the front of `bytes` as [`Decimal::sort_key`] wrote it, and how many bytes it
    /// takes; `None` for bytes that it never writes.
    #[must_use]
    pub fn from_sort_key(bytes: &[u8]) -> Option<(Self, usize)> {
        let (sign, rest) = bytes.split_first()?;
        let negative = match *sign {
            ZERO => return Some((Self::normalised(false, 0, &[]), 1)),
            sign if sign == ZERO - 1 => true,
            sign if sign == ZERO + 1 => false,
            _ => return None,
        };
        let plain = |byte: u8| if negative { !byte } else { byte };
        let (near, rest) = rest.split_first()?;
        let (exponent, digits) = match plain(*near) {
            0x01 | 0xFE => {
                let (far, digits) = rest.split_first_chunk::<8>()?;
                let far = far.map(plain);
                (i64::from_be_bytes(far).wrapping_add(i64::MIN), digits)
            }
            near => (i64::from(near) - EXPONENT_MIDDLE, rest),
        };
        let n_pairs = digits.iter().position(|byte| plain(*byte) == 0)?;
        let mut out = Vec::with_capacity(n_pairs * 2);
        for byte in digits.get(..n_pairs)? {
            let pair = plain(*byte) - 1;
            if pair > 99 {
                return None;
            }
            out.extend_from_slice(&[pair / 10, pair % 10]);
        }
        let len = bytes.len() - digits.len() + n_pairs + 1;
        Some((Self::normalised(negative, exponent, &out), len))
    }

    /// The shortest text without an exponent; `None` where that would have many zeros.
    #[must_use]
    pub fn plain_text(&self) -> Option<String> {
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        if !(-5..=20).contains(&self.exponent) {
            return None;
        }
        let mut text = String::from(if self.negative { "-" } else { "" });
        let n_digits = i64::try_from(self.digits.len()).ok()?;
        if self.exponent <= 0 {
            text.push_str("0.");
        }
        for place in self.exponent.min(0)..n_digits.max(self.exponent) {
            if place == self.exponent && place > 0 {
                text.push('.');
            }
            let digit = usize::try_from(place).ok().and_then(|i| self.digits.get(i));
            text.push(char::from(b'0' + digit.copied().unwrap_or(0)));
        }
        Some(text)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let digits: Vec<u8> = value
            .unsigned_abs()
            .to_string()
            .bytes()
            .map(|b| b - b'0')
            .collect();
        let exponent = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        Self::normalised(value < 0, exponent, &digits)
    }
}

/// Whether this is a number as JSON writes it, of any length.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let signed = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(signed)
}

/// Exponents beyond this are cut to it: no two such numbers of real data are told apart.
const EXPONENT_MAX: i64 = 1 << 40;

fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits
        .parse::<i64>()
        .unwrap_or(EXPONENT_MAX)
        .min(EXPONENT_MAX);
    Some(if negative { -size } else { size })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |d: &Decimal| match (d.digits.is_empty(), d.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || sign(self) == 0 {
            return by_sign;
        }
        let by_size = self
            .exponent
            .cmp(&other.exponent)
            .then_with(|| self.digits.cmp(&other.digits));
        if self.negative {
            by_size.reverse()
        } else {
            by_size
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn equal_values_are_equal_however_written() {
        for (a, b) in [
            ("1", "1.0"),
            ("10e-1", "1"),
            ("0", "-0.0e7"),
            ("1E2", "100"),
        ] {
            assert_eq!(number(a), number(b));
        }
        assert_eq!(number("-42"), Decimal::from(-42));
    }

    #[test]
    fn order_is_that_of_the_values() {
        let rising = [
            "-1e400", "-2", "-1.5", "0", "1e-400", "0.1", "0.11", "2", "10", "1e400",
        ];
        for pair in rising.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn keys_compare_as_the_numbers_do_and_give_them_back() {
        let rising = [
            "-1e1000", "-1e400", "-101", "-100", "-2", "-1.5", "-1e-400", "0", "1e-1000", "1e-400",
            "0.00001", "0.1", "0.11", "0.5", "1", "1.01", "2", "9.99", "10", "99", "100", "1e101",
            "1e400",
        ];
        for (i, text) in rising.iter().enumerate() {
            let key = number(text).sort_key();
            let read = Decimal::from_sort_key(&[key.as_slice(), b"1.50"].concat());
            assert_eq!(read, Some((number(text), key.len())), "{text}");
            for greater in rising.iter().skip(i + 1) {
                let other = number(greater).sort_key();
                assert!(key < other, "{text} {greater}");
                assert!(!other.starts_with(&key), "{text} {greater}");
            }
        }
    }

    #[test]
    fn plain_texts_are_the_shortest_without_exponent() {
        for (written, plain) in [
            ("1.0", "1"),
            ("-0.50", "-0.5"),
            ("0", "0"),
            ("1e2", "100"),
            ("12.5", "12.5"),
            ("0.00025", "0.00025"),
            ("123456789012345678", "123456789012345678"),
        ] {
            assert_eq!(number(written).plain_text().as_deref(), Some(plain));
            assert_eq!(number(plain), number(written));
        }
        assert_eq!(number("1e30").plain_text(), None);
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        for text in ["", "+1", "01", "1.", ".5", "1e", "0x1", "NaN", "1 ", "--1"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
            assert!(!is_number(text), "{text}");
        }
        for text in ["0", "-0", "10", "1.50", "1e5", "-1.2E+300", "0e-0"] {
            assert!(Decimal::parse(text).is_some() && is_number(text), "{text}");
        }
        assert!(is_number(&"9".repeat(5000)));
    }
}
