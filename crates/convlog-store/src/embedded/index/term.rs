//! Terms: what an index is asked for, as bytes that sort. docs/format.md lists the kinds.

use convlog_model::flatten::Scalar;
use convlog_model::number::{self, Decimal};
use convlog_model::time::Timestamp;
use xxhash_rust::xxh3::xxh3_128;

/// Values longer than this are kept by hash.
const VALUE_LEN_MAX: usize = 256;

/// Kinds of terms, in the order of their codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Every value that is not `null`.
    Present = 0,
    /// The objects in an array; has elements instead of postings.
    Elements = 1,
    /// A string.
    Text = 2,
    /// A string that is a UUID in lower case, as its 16 bytes.
    Uuid = 3,
    /// A value too long to be kept, by hash.
    Hashed = 4,
    /// A number: its key, and its text where that is not the plain one.
    Number = 5,
    /// A boolean.
    Bool = 6,
    /// A string that is a moment, in microseconds.
    Time = 7,
    /// The case-folded form of a string that is another one.
    Folded = 8,
    /// A case-folded word of a text.
    Word = 9,
    /// A word, or a number, too long to be kept, by hash.
    LongWord = 10,
    /// A stem that differs from its word, behind the class of its stemmer.
    Stem = 11,
    /// The raw path that a canonical field refers to.
    Reference = 12,
    /// The keyed hash of a customer.
    Customer = 13,
    /// Slot and number of a dialogue session.
    State = 14,
    /// Rows of which not everything is indexed.
    Overflow = 15,
    /// Rows whose times have several values.
    OddTimes = 16,
    /// Instance, kind, dialect, bot and event type of a row.
    Class = 17,
    /// The stemmer of a row's language.
    Language = 18,
}

impl Kind {
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// Whether look-ups of it go through the Bloom filter.
    pub(crate) fn is_filtered(self) -> bool {
        FILTERED.contains(&self)
    }

    /// The filtered kind of a code.
    pub(crate) fn filtered(code: u8) -> Option<Self> {
        FILTERED.into_iter().find(|kind| kind.code() == code)
    }
}

/// Kinds of which look-ups go through the Bloom filter.
const FILTERED: [Kind; 9] = [
    Kind::Text,
    Kind::Uuid,
    Kind::Hashed,
    Kind::Folded,
    Kind::Word,
    Kind::LongWord,
    Kind::Stem,
    Kind::Customer,
    Kind::State,
];

/// The term of a string.
pub(crate) fn of_text(text: &str) -> (Kind, Vec<u8>) {
    let mut value = Vec::new();
    (put_text(&mut value, text), value)
}

/// Appends the term of a string.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) -> Kind {
    if let Some(bytes) = uuid_bytes(text) {
        out.extend_from_slice(&bytes);
        return Kind::Uuid;
    }
    if text.len() <= VALUE_LEN_MAX {
        out.extend_from_slice(text.as_bytes());
        return Kind::Text;
    }
    out.extend_from_slice(&hash(text));
    Kind::Hashed
}

/// The term of a number; one too long to be compared by value is like a word too long to be kept.
pub(crate) fn of_number(text: &str) -> (Kind, Vec<u8>) {
    let mut value = Vec::new();
    (put_number(&mut value, text), value)
}

/// Appends the term of a number.
pub(crate) fn put_number(out: &mut Vec<u8>, text: &str) -> Kind {
    if number::put_exact_key(text, out) {
        return Kind::Number;
    }
    out.extend_from_slice(&hash(text));
    Kind::LongWord
}

/// The term of a case-folded word.
pub(crate) fn of_word(word: &str) -> (Kind, Vec<u8>) {
    let mut value = Vec::new();
    (put_word(&mut value, word), value)
}

/// Appends the term of a case-folded word.
pub(crate) fn put_word(out: &mut Vec<u8>, word: &str) -> Kind {
    match word.len() <= VALUE_LEN_MAX {
        true => {
            out.extend_from_slice(word.as_bytes());
            Kind::Word
        }
        false => {
            out.extend_from_slice(&hash(word));
            Kind::LongWord
        }
    }
}

/// The value of the term of the case-folded form of a string, and whether it is the form itself.
pub(crate) fn of_folded(folded: &str) -> (Vec<u8>, bool) {
    match folded.len() <= VALUE_LEN_MAX {
        true => (folded.as_bytes().to_vec(), true),
        false => (hash(folded).to_vec(), false),
    }
}

/// The term of a moment.
pub(crate) fn of_time(micros: i64) -> [u8; 8] {
    micros.wrapping_sub(i64::MIN).to_be_bytes()
}

/// The moment of a term that [`of_time`] made.
pub(crate) fn time_of(value: [u8; 8]) -> i64 {
    i64::from_be_bytes(value).wrapping_add(i64::MIN)
}

/// The term of a stem.
pub(crate) fn of_stem(class: u8, stem: &str) -> Vec<u8> {
    let mut out = vec![class];
    match of_word(stem) {
        (Kind::Word, bytes) => out.extend_from_slice(&bytes),
        (_, hashed) => {
            // No stem has this byte.
            out.push(0xFF);
            out.extend_from_slice(&hashed);
        }
    }
    out
}

/// A path and the first bytes of what stands behind it in the key of a term, as numbers that compare
/// as the keys do: few keys need to be looked at beyond them.
pub(crate) type Head = (u64, u64);

/// The head of a key, with `path` in place of its own.
pub(crate) fn head(path: u32, key: &[u8]) -> Head {
    let mut first = [0; 12];
    match key.get(4..16) {
        Some(bytes) => first.copy_from_slice(bytes),
        None => {
            let bytes = key.get(4..).unwrap_or_default();
            first
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, byte)| *to = *byte);
        }
    }
    let [a, b, c, d, rest @ ..] = first;
    let upper = u64::from(path) << 32 | u64::from(u32::from_be_bytes([a, b, c, d]));
    (upper, u64::from_be_bytes(rest))
}

/// The moment that a string is.
pub(crate) fn moment(text: &str) -> Option<i64> {
    let begins_with_digit = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
    if !begins_with_digit || text.len() < 20 {
        return None;
    }
    Timestamp::parse_rfc3339(text).map(Timestamp::micros)
}

/// The value of an exact term; `None` for kinds that do not keep it.
pub(crate) fn value(kind: Kind, bytes: &[u8]) -> Option<Scalar> {
    match kind {
        Kind::Text => Some(Scalar::Text(std::str::from_utf8(bytes).ok()?.to_owned())),
        Kind::Uuid => Some(Scalar::Text(uuid_text(bytes.try_into().ok()?))),
        Kind::Number => {
            let (number, len) = Decimal::from_sort_key(bytes)?;
            let written = std::str::from_utf8(bytes.get(len..)?).ok()?;
            match written {
                "" => number.plain_text().map(Scalar::Number),
                written => Some(Scalar::Number(written.to_owned())),
            }
        }
        Kind::Bool => Some(Scalar::Bool(bytes == [1])),
        _ => None,
    }
}

fn hash(text: &str) -> [u8; 16] {
    xxh3_128(text.as_bytes()).to_be_bytes()
}

const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The bytes of a UUID that is written as [`uuid_text`] writes it.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let groups = [
        &text[0..8],
        &text[9..13],
        &text[14..18],
        &text[19..23],
        &text[24..36],
    ];
    let mut out = [0; 16];
    let mut all = 0;
    let pairs = groups
        .into_iter()
        .flat_map(|group| group.as_chunks::<2>().0);
    for (to, [high, low]) in out.iter_mut().zip(pairs) {
        let (high, low) = (VALUES[usize::from(*high)], VALUES[usize::from(*low)]);
        all |= high | low;
        *to = high << 4 | low & 15;
    }
    (all < 16).then_some(out)
}

/// The value of each digit; of what is none, more than any digit's. Asked for without a branch: what
/// the next digit is cannot be guessed.
const VALUES: [u8; 256] = {
    let mut values = [0xFF; 256];
    let mut value = 0;
    while value < DIGITS.len() {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};

fn uuid_text(bytes: [u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for byte in bytes {
        if HYPHENS.contains(&out.len()) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_values_come_back_as_they_were() {
        let uuid = "0192f0c1-7a2b-7c3d-8e4f-0123456789ab";
        for text in [
            "",
            "order",
            uuid,
            &uuid.to_uppercase(),
            &uuid.replace('-', ""),
            &uuid.replace('f', "g"),
            &uuid.replacen('0', "\u{e9}", 1),
        ] {
            let (kind, bytes) = of_text(text);
            assert_eq!(kind == Kind::Uuid, text == uuid, "{text}");
            assert_eq!(value(kind, &bytes), Some(Scalar::Text(text.to_owned())));
        }
        for text in ["1", "1.0", "-0.5", "1e400", "-1E+2", "0", "-0"] {
            let (kind, bytes) = of_number(text);
            assert_eq!(
                value(kind, &bytes),
                Some(Scalar::Number(text.to_owned())),
                "{text}"
            );
        }
        let long = "x".repeat(257);
        assert_eq!(of_text(&long).0, Kind::Hashed);
        assert_eq!(of_number(&"9".repeat(5000)).0, Kind::LongWord);
    }

    #[test]
    fn heads_compare_as_keys_do() {
        let values: [&[u8]; 7] = [
            b"",
            b"\0",
            b"a",
            b"ab",
            b"abcdefghijkl",
            b"abcdefghijklm",
            b"b",
        ];
        let keys = [1u32, 2].iter().flat_map(|path| {
            let whole = |value: &&[u8]| [&path.to_be_bytes(), *value].concat();
            values.iter().map(move |value| (*path, whole(value)))
        });
        let keys: Vec<(u32, Vec<u8>)> = keys.collect();
        for pair in keys.windows(2) {
            let [(a, x), (b, y)] = pair else { continue };
            assert!((head(*a, x), x) < (head(*b, y), y));
            assert!(head(*a, x) <= head(*b, y));
        }
        assert_eq!(head(7, &keys[6].1), (head(7, &keys[13].1)));
    }

    #[test]
    fn moments_sort_as_they_pass() {
        let moments = [i64::MIN, -1, 0, 1, i64::MAX];
        for pair in moments.windows(2) {
            assert!(of_time(pair[0]) < of_time(pair[1]));
            assert_eq!(time_of(of_time(pair[0])), pair[0]);
        }
        assert_eq!(moment("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(moment("1970-01-01"), None);
    }
}
