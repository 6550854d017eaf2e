//! Paths of keys, as leaves carry them.

use std::fmt;

use smallvec::SmallVec;

/// Bytes of a path that take no allocation: most have fewer.
const INLINE: usize = 40;

/// A path of keys. Segments are joined by byte 0xFF, which UTF-8 never contains; array indexes
/// are no part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LeafPath(SmallVec<[u8; INLINE]>);

impl LeafPath {
    /// The path of these keys.
    #[must_use]
    pub fn of(segments: &[&str]) -> Self {
        let mut bytes = SmallVec::with_capacity(segments.iter().map(|one| one.len() + 1).sum());
        for segment in segments {
            push_key(&mut bytes, segment);
        }
        LeafPath(bytes)
    }

    /// The path of the keys that a dotted name spells; no key of it has a dot.
    #[must_use]
    pub fn spelled(name: &str) -> Self {
        // As in `of`, an empty key is none where a path begins.
        let name = name.trim_start_matches('.');
        let mut bytes = SmallVec::from_slice(name.as_bytes());
        let dots = bytes.iter_mut().filter(|b| **b == b'.');
        dots.for_each(|dot| *dot = 0xFF);
        LeafPath(bytes)
    }

    /// The path whose bytes these are, as [`LeafPath::as_bytes`] gave them; `None` when a segment
    /// is no UTF-8.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let legal = bytes
            .split(|b| *b == 0xFF)
            .all(|part| std::str::from_utf8(part).is_ok());
        legal.then(|| LeafPath(bytes.into()))
    }

    /// The joined bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// This path and one key more.
    #[must_use]
    pub fn child(&self, key: &str) -> Self {
        let mut bytes = SmallVec::with_capacity(self.0.len() + key.len() + 1);
        bytes.extend_from_slice(&self.0);
        push_key(&mut bytes, key);
        LeafPath(bytes)
    }

    /// Goes down to a member and does something there; the path is the same afterwards.
    pub(super) fn within<T>(&mut self, key: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let len = self.0.len();
        push_key(&mut self.0, key);
        let answer = act(self);
        self.0.truncate(len);
        answer
    }

    /// Goes down to a member; what it returns leads back.
    pub(crate) fn enter(&mut self, key: &str) -> usize {
        let len = self.0.len();
        push_key(&mut self.0, key);
        len
    }

    /// Goes back to where [`LeafPath::enter`] began.
    pub(crate) fn leave(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// The path without its last key; empty stays empty.
    #[must_use]
    pub fn parent(&self) -> Self {
        let end = self.0.iter().rposition(|b| *b == 0xFF).unwrap_or(0);
        LeafPath(self.0.get(..end).unwrap_or_default().into())
    }

    /// The keys joined by dots: how filters spell it.
    #[must_use]
    pub fn dotted(&self) -> String {
        let parts = self.0.split(|b| *b == 0xFF).map(String::from_utf8_lossy);
        parts.collect::<Vec<_>>().join(".")
    }

    /// Whether the keys, joined by dots, spell `name`.
    #[must_use]
    pub fn spells(&self, name: &str) -> bool {
        spells(&self.0, name)
    }

    /// The keys.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0
            .split(|b| *b == 0xFF)
            .map(|part| std::str::from_utf8(part).unwrap_or_default())
    }
}

/// Whether the keys of a path, joined by dots, spell `name`.
pub(super) fn spells(path: &[u8], name: &str) -> bool {
    let is_same = |(a, b): (&u8, u8)| *a == b || (*a == 0xFF && b == b'.');
    path.len() == name.len() && path.iter().zip(name.bytes()).all(is_same)
}

fn push_key(bytes: &mut SmallVec<[u8; INLINE]>, key: &str) {
    if !bytes.is_empty() {
        bytes.push(0xFF);
    }
    bytes.extend_from_slice(key.as_bytes());
}

impl fmt::Debug for LeafPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dotted())
    }
}
