//! Detectors: what e-mail addresses, numbers of cards, tokens and the like look like.
//!
//! They find too much rather than too little where both cannot be had, and say nothing of a text
//! that is plainly something else. Each has a table of what it finds and what it passes over.

mod account;
mod address;
mod card;
mod email;
mod phone;
mod token;

use std::ops::Range;

/// A kind of thing that is found by how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detector {
    /// Numbers of payment cards, with a valid check digit.
    Card,
    /// International bank account numbers, with a valid checksum and a country's length.
    Iban,
    /// E-mail addresses.
    Email,
    /// Addresses of IPv4 and IPv6.
    Ip,
    /// Bearer tokens, JSON web tokens and API keys of known forms.
    Bearer,
    /// Access keys of AWS and the secrets that go with them.
    Aws,
    /// Telephone numbers.
    Phone,
    /// Whatever stands under a key that usually holds a secret.
    SecretKeys,
}

impl Detector {
    /// Every detector, in the order in which all of them are applied.
    pub const ALL: [Detector; 8] = [
        Detector::Card,
        Detector::Iban,
        Detector::Email,
        Detector::Ip,
        Detector::Bearer,
        Detector::Aws,
        Detector::Phone,
        Detector::SecretKeys,
    ];

    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Detector::Card => "card",
            Detector::Iban => "iban",
            Detector::Email => "email",
            Detector::Ip => "ip",
            Detector::Bearer => "bearer",
            Detector::Aws => "aws",
            Detector::Phone => "phone",
            Detector::SecretKeys => "secret-keys",
        }
    }

    /// The detector of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|detector| detector.as_str() == name)
    }

    /// The parts of a text that it finds, in order and apart from each other.
    pub(super) fn find(self, text: &str) -> Vec<Range<usize>> {
        match self {
            Detector::Card => card::find(text),
            Detector::Iban => account::find(text),
            Detector::Email => email::find(text),
            Detector::Ip => address::find(text),
            Detector::Bearer => token::bearer(text),
            Detector::Aws => token::aws(text),
            Detector::Phone => phone::find(text),
            Detector::SecretKeys => Vec::new(),
        }
    }

    /// Whether a JSON number is one of what it finds.
    pub(super) fn is_number(self, text: &str) -> bool {
        self == Detector::Card && card::find(text).first() == Some(&(0..text.len()))
    }
}

/// Whether a sign is part of a word that what is found here cannot be part of. Scripts that are
/// written without spaces between words have no such signs.
fn is_word(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_' || (sign < '\u{250}' && sign.is_alphabetic())
}

/// Whether something may begin here.
fn may_begin(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|text| text.chars().next_back());
    !before.is_some_and(is_word)
}

/// Whether something may end here.
fn may_end(text: &str, at: usize) -> bool {
    let behind = text.get(at..).and_then(|text| text.chars().next());
    !behind.is_some_and(is_word)
}

/// Bytes of the sign between two groups of digits that a text begins with; 0 where there is none.
fn separator_len(rest: &[u8]) -> usize {
    match rest {
        [b' ' | b'-', ..] => 1,
        // No-break space; no-break hyphen, en dash and narrow no-break space.
        [0xC2, 0xA0, ..] => 2,
        [0xE2, 0x80, 0x91 | 0x93 | 0xAF, ..] => 3,
        _ => 0,
    }
}

/// Checks a detector against what it must find whole, the only thing in each text, between `<>`,
/// and against texts in which it must find nothing.
#[cfg(test)]
fn check(detector: Detector, finds: &[&str], passes: &[&str]) {
    assert!(finds.len() >= 40, "{} finds", finds.len());
    assert!(passes.len() >= 40, "{} near misses", passes.len());
    for marked in finds {
        let text = marked.replace(['<', '>'], "");
        let mut expected = Vec::new();
        let mut start = 0;
        for (n_marks, (at, sign)) in marked.match_indices(['<', '>']).enumerate() {
            match sign {
                "<" => start = at - n_marks,
                _ => expected.push(start..at - n_marks),
            }
        }
        assert!(!expected.is_empty(), "{marked}");
        let found = detector.find(&text);
        let shown: Vec<_> = found.iter().map(|part| text.get(part.clone())).collect();
        assert_eq!(found, expected, "{marked}: found {shown:?}");
    }
    for text in passes {
        let found = detector.find(text);
        let shown: Vec<_> = found.iter().map(|part| text.get(part.clone())).collect();
        assert!(found.is_empty(), "{text}: found {shown:?}");
    }
}
