//! Where tokens of a JSON text end, and what its strings mean.

use std::borrow::Cow;

use crate::json::scan;

/// What a string means.
pub(super) fn unquoted(token: &str) -> Option<Cow<'_, str>> {
    let inner = token.get(1..token.len().checked_sub(1)?)?;
    match inner.contains('\\') {
        false => Some(Cow::Borrowed(inner)),
        true => serde_json::from_str::<String>(token).ok().map(Cow::Owned),
    }
}

/// Bytes of the value that a text begins with.
pub(super) fn value_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => at += scan::string_len(text.get(at..)?)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' | b' ' | b'\n' | b'\t' | b'\r' => at += 1,
            _ => {
                let is_end = |b: &u8| {
                    matches!(
                        b,
                        b',' | b':' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r' | b'"'
                    )
                };
                let rest = bytes.get(at..)?;
                at += rest.iter().position(is_end).unwrap_or(rest.len());
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}
