//! Terms: what an index is asked for, as bytes that sort. docs/format.md lists the kinds.

use convlog_model::flatten::Scalar;
use convlog_model::number::Decimal;
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
    let Some(number) = Decimal::parse(text) else {
        return (Kind::LongWord, hash(text));
    };
    let mut key = number.sort_key();
    if number.plain_text().as_deref() != Some(text) {
        key.extend_from_slice(text.as_bytes());
    }
    (Kind::Number, key)
}

/// The term of a case-folded word.
pub(crate) fn of_word(word: &str) -> (Kind, Vec<u8>) {
    match word.len() <= VALUE_LEN_MAX {
        true => (Kind::Word, word.as_bytes().to_vec()),
        false => (Kind::LongWord, hash(word)),
    }
}

/// The value of the term of the case-folded form of a string, and whether it is the form itself.
pub(crate) fn of_folded(folded: &str) -> (Vec<u8>, bool) {
    match folded.len() <= VALUE_LEN_MAX {
        true => (folded.as_bytes().to_vec(), true),
        false => (hash(folded), false),
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

fn hash(text: &str) -> Vec<u8> {
    xxh3_128(text.as_bytes()).to_be_bytes().to_vec()
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
    let mut pairs = groups.into_iter().flat_map(|group| group.chunks_exact(2));
    for to in &mut out {
        let pair = pairs.next()?;
        *to = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

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
