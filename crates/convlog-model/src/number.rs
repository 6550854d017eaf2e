//! Numbers of JSON by exact value: decimal text in, a key that compares as the numbers do out.

use std::cmp::Ordering;
use std::ops::Range;

use smallvec::SmallVec;

/// Digits of a number; most have fewer than take an allocation.
type Digits = SmallVec<[u8; 24]>;

/// A decimal number of any size and precision, compared by exact value.
///
/// Kept as sign, exponent and digits without leading or trailing zeros, so that `1`, `1.0` and
/// `10e-1` are equal and `1e400` differs from `1e401`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Decimal {
    negative: bool,
    /// The value is `0.DIGITS * 10^exponent`.
    exponent: i64,
    digits: Digits,
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
        let mut digits = Digits::new();
        let whole_len = push_digits(rest, &mut digits);
        let leading_zero = whole_len > 1 && digits.first() == Some(&0);
        if whole_len == 0 || leading_zero {
            return None;
        }
        let mut rest = rest.get(whole_len..)?;
        if let Some(fraction) = rest.strip_prefix('.') {
            let fraction_len = push_digits(fraction, &mut digits);
            if fraction_len == 0 {
                return None;
            }
            rest = fraction.get(fraction_len..)?;
        }
        let written_exponent = match rest.as_bytes().first() {
            None => 0,
            Some(b'e' | b'E') => parse_exponent(rest.get(1..)?)?,
            Some(_) => return None,
        };
        let whole_len = i64::try_from(whole_len).ok()?;
        let exponent = whole_len.saturating_add(written_exponent);
        Some(Self::normalised(negative, exponent, digits))
    }

    fn normalised(negative: bool, exponent: i64, mut digits: Digits) -> Self {
        let first = digits.iter().position(|d| *d != 0);
        let last = digits.iter().rposition(|d| *d != 0);
        let (Some(first), Some(last)) = (first, last) else {
            return Decimal {
                negative: false,
                exponent: 0,
                digits: Digits::new(),
            };
        };
        digits.truncate(last + 1);
        digits.drain(..first);
        let shift = i64::try_from(first).unwrap_or(i64::MAX);
        Decimal {
            negative,
            exponent: exponent.saturating_sub(shift),
            digits,
        }
    }
}

fn put_sort_key(negative: bool, exponent: i64, digits: &[u8], out: &mut Vec<u8>) {
    if digits.is_empty() {
        out.push(ZERO);
        return;
    }
    out.push(if negative { ZERO - 1 } else { ZERO + 1 });
    let start = out.len();
    match u8::try_from(exponent + EXPONENT_MIDDLE) {
        Ok(near) if exponent.abs() <= EXPONENT_NEAR => out.push(near),
        _ => {
            out.push(if exponent < 0 { 0x01 } else { 0xFE });
            out.extend_from_slice(&exponent.wrapping_sub(i64::MIN).to_be_bytes());
        }
    }
    for pair in digits.chunks(2) {
        let (tens, ones) = match pair {
            [tens, ones] => (*tens, *ones),
            _ => (pair.first().copied().unwrap_or(0), 0),
        };
        out.push(tens * 10 + ones + 1);
    }
    out.push(0);
    if negative {
        let rest = out.iter_mut().skip(start);
        rest.for_each(|byte| *byte = !*byte);
    }
}

/// Longest text that [`put_short`] takes.
const SHORT_LEN_MAX: usize = 16;

/// The sort key of a short number without an exponent, and whether the text is its plain one: what
/// [`Decimal`] says of it, several times faster. `None` where the text is anything else.
fn put_short(text: &str, out: &mut Vec<u8>) -> Option<bool> {
    let bytes = text.as_bytes();
    if bytes.len() > SHORT_LEN_MAX {
        return None;
    }
    let (negative, rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut digits = [0; SHORT_LEN_MAX];
    let mut places = digits.iter_mut();
    let mut whole_len = None;
    let mut n_digits = 0;
    for byte in rest {
        match byte {
            b'0'..=b'9' => {
                *places.next()? = byte - b'0';
                n_digits += 1;
            }
            b'.' if whole_len.is_none() => whole_len = Some(n_digits),
            _ => return None,
        }
    }
    let is_whole = whole_len.is_none();
    let whole_len = whole_len.unwrap_or(n_digits);
    let leading_zero = whole_len > 1 && rest.first() == Some(&b'0');
    if whole_len == 0 || leading_zero || (!is_whole && whole_len == n_digits) {
        return None;
    }
    let digits = digits.get(..n_digits)?;
    let Some(first) = digits.iter().position(|digit| *digit != 0) else {
        put_sort_key(false, 0, &[], out);
        return Some(text == "0");
    };
    let last = digits.iter().rposition(|digit| *digit != 0)?;
    let exponent = i64::try_from(whole_len).ok()? - i64::try_from(first).ok()?;
    put_sort_key(negative, exponent, digits.get(first..=last)?, out);
    Some(exponent >= PLAIN_EXPONENTS.start && (is_whole || last + 1 == n_digits))
}

/// Appends the sort key of a number, and its text where that is not the plain one; false, with nothing
/// appended, where [`Decimal::parse`] takes it for none.
#[must_use]
pub fn put_exact_key(text: &str, out: &mut Vec<u8>) -> bool {
    let is_plain = match put_short(text, out) {
        Some(is_plain) => is_plain,
        None => match Decimal::parse(text) {
            Some(number) => {
                number.put_sort_key(out);
                number.is_plain(text)
            }
            None => return false,
        },
    };
    if !is_plain {
        out.extend_from_slice(text.as_bytes());
    }
    true
}

/// Adds the value of each digit that a text begins with; how many there are.
fn push_digits(text: &str, digits: &mut Digits) -> usize {
    let before = digits.len();
    let read = text.bytes().take_while(u8::is_ascii_digit);
    digits.extend(read.map(|byte| byte - b'0'));
    digits.len() - before
}

/// Exponents of the numbers that have a plain text.
const PLAIN_EXPONENTS: Range<i64> = -5..21;

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
        let mut out = Vec::new();
        self.put_sort_key(&mut out);
        out
    }

    /// Appends [`Decimal::sort_key`].
    fn put_sort_key(&self, out: &mut Vec<u8>) {
        put_sort_key(self.negative, self.exponent, &self.digits, out);
    }

    /// The number at the front of `bytes` as [`Decimal::sort_key`] wrote it, and how many bytes it
    /// takes; `None` for bytes that it never writes.
    #[must_use]
    pub fn from_sort_key(bytes: &[u8]) -> Option<(Self, usize)> {
        let (sign, rest) = bytes.split_first()?;
        let negative = match *sign {
            ZERO => return Some((Self::normalised(false, 0, Digits::new()), 1)),
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
        let mut out = Digits::with_capacity(n_pairs * 2);
        for byte in digits.get(..n_pairs)? {
            let pair = plain(*byte) - 1;
            if pair > 99 {
                return None;
            }
            out.extend_from_slice(&[pair / 10, pair % 10]);
        }
        let len = bytes.len() - digits.len() + n_pairs + 1;
        Some((Self::normalised(negative, exponent, out), len))
    }

    /// The shortest text without an exponent; `None` where that would have many zeros.
    #[must_use]
    pub fn plain_text(&self) -> Option<String> {
        Some(self.plain()?.into_iter().map(char::from).collect())
    }

    /// Whether [`Decimal::plain_text`] is this text.
    fn is_plain(&self, text: &str) -> bool {
        self.plain().is_some_and(|plain| *plain == *text.as_bytes())
    }

    fn plain(&self) -> Option<SmallVec<[u8; 48]>> {
        let mut text = SmallVec::new();
        if self.digits.is_empty() {
            text.push(b'0');
            return Some(text);
        }
        if !PLAIN_EXPONENTS.contains(&self.exponent) {
            return None;
        }
        if self.negative {
            text.push(b'-');
        }
        let n_digits = i64::try_from(self.digits.len()).ok()?;
        if self.exponent <= 0 {
            text.extend_from_slice(b"0.");
        }
        for place in self.exponent.min(0)..n_digits.max(self.exponent) {
            if place == self.exponent && place > 0 {
                text.push(b'.');
            }
            let digit = usize::try_from(place).ok().and_then(|i| self.digits.get(i));
            text.push(b'0' + digit.copied().unwrap_or(0));
        }
        Some(text)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let digits: Digits = value
            .unsigned_abs()
            .to_string()
            .bytes()
            .map(|b| b - b'0')
            .collect();
        let exponent = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        Self::normalised(value < 0, exponent, digits)
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
    use proptest::prelude::*;

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
            assert!(number(written).is_plain(plain));
            assert_eq!(number(written).is_plain(written), written == plain);
            assert_eq!(number(plain), number(written));
        }
        assert_eq!(number("1e30").plain_text(), None);
    }

    proptest! {
        #[test]
        fn short_numbers_have_the_key_of_all(
            text in "-?(0|[0-9]{1,9})(\\.[0-9]{0,8})?|[-.0-9e]{0,6}|-?0\\.0{0,8}[0-9]{1,3}"
        ) {
            let mut key = Vec::new();
            let expected = Decimal::parse(&text).map(|number| {
                let mut key = number.sort_key();
                if number.plain_text().as_ref() != Some(&text) {
                    key.extend_from_slice(text.as_bytes());
                }
                key
            });
            let found = put_exact_key(&text, &mut key);
            prop_assert_eq!(found.then_some(key), expected);
        }
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
