//! Paths as an index sorts them: those that spell the same name side by side, those below it behind.

use convlog_model::flatten::Space;

use crate::embedded::bytes::to_u32;

/// The space of what the engine itself knows of rows.
pub(crate) const ENGINE: u8 = 2;

/// Behind the name; no UTF-8 has this byte.
pub(super) const END: u8 = 0xFE;
/// Between the keys of a path.
const BETWEEN: u8 = 0xFF;

pub(super) fn code(space: Space) -> u8 {
    match space {
        Space::Raw => 0,
        Space::Canonical => 1,
    }
}

/// The sort key of a path: its space; its name, keys joined by dots; [`END`]; the numbers of the
/// dots that stand inside of a key, four bytes each.
pub(crate) fn key(space: u8, path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 2);
    out.push(space);
    let is_dot = |byte: &&u8| **byte == BETWEEN || **byte == b'.';
    let dotted = path
        .iter()
        .map(|byte| if *byte == BETWEEN { b'.' } else { *byte });
    out.extend(dotted);
    out.push(END);
    for (number, byte) in path.iter().filter(is_dot).enumerate() {
        if *byte == b'.' {
            out.extend_from_slice(&to_u32(number).to_be_bytes());
        }
    }
    out
}

/// The bytes that keys of a name, or of what lies below it, begin with.
pub(super) fn prefix(space: Space, name: &str, next: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 2);
    out.push(code(space));
    out.extend_from_slice(name.as_bytes());
    out.push(next);
    out
}

/// The name in a key.
pub(super) fn name(key: &[u8]) -> String {
    let end = key
        .iter()
        .position(|byte| *byte == END)
        .unwrap_or(key.len());
    String::from_utf8_lossy(key.get(1..end).unwrap_or_default()).into_owned()
}
