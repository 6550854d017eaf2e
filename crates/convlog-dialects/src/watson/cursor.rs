//! Cursors of lists: where the next page begins, as URL-safe text. The own API uses them too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use convlog_model::ids::{Position, RecordId, Timeline};
use convlog_model::query::{After, Sort, SortKey};
use convlog_model::time::Timestamp;

/// What a cursor says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Behind which record the page begins.
    pub after: After,
    /// Position at which the match set is frozen.
    pub upto: Position,
    /// History that the positions belong to.
    pub timeline: Timeline,
    /// The order.
    pub sort: Sort,
    /// [`query_hash`] of what was asked.
    pub query: u64,
}

/// Why a cursor cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CursorError {
    /// It was not made here, or was cut.
    #[error("the cursor is not valid")]
    Malformed,
    /// It was given for another filter, sort or list.
    #[error("the cursor belongs to another query")]
    OtherQuery,
    /// Positions have no meaning since a backup was restored.
    #[error("the cursor is from before a restore; start again without it")]
    OtherTimeline,
}

/// First byte; another one is a newer format.
const FORMAT: u8 = 1;
/// Bytes of a cursor: format, order, whether there is a value, value, id, two positions, timeline,
/// query, checksum.
const LENGTH: usize = 1 + 1 + 1 + 8 + 16 + 16 + 16 + 8 + 8 + 8;

const KEYS: [SortKey; 4] = [
    SortKey::Position,
    SortKey::Request,
    SortKey::Response,
    SortKey::Received,
];

impl Cursor {
    /// Base64url without padding.
    #[must_use]
    pub fn encode(&self) -> String {
        let order = KEYS.iter().position(|key| *key == self.sort.key);
        let order = order
            .and_then(|order| u8::try_from(order).ok())
            .unwrap_or(0);
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(FORMAT);
        bytes.push(order * 2 + u8::from(self.sort.descending));
        bytes.push(u8::from(self.after.value.is_some()));
        let value = self.after.value.map_or(0, Timestamp::micros);
        bytes.extend_from_slice(&value.to_be_bytes());
        bytes.extend_from_slice(&self.after.id.to_bytes());
        bytes.extend_from_slice(&self.after.position.0.to_be_bytes());
        bytes.extend_from_slice(&self.upto.0.to_be_bytes());
        bytes.extend_from_slice(&self.timeline.0.to_be_bytes());
        bytes.extend_from_slice(&self.query.to_be_bytes());
        let sum = fnv(&bytes);
        bytes.extend_from_slice(&sum.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor of a text.
    ///
    /// # Errors
    /// [`CursorError::Malformed`].
    pub fn decode(text: &str) -> Result<Self, CursorError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        read(&bytes).ok_or(CursorError::Malformed)
    }

    /// The cursor of a text, if it belongs to this query and timeline.
    ///
    /// # Errors
    /// Every [`CursorError`].
    pub fn decode_for(text: &str, query: u64, timeline: Timeline) -> Result<Self, CursorError> {
        let cursor = Self::decode(text)?;
        if cursor.timeline != timeline {
            return Err(CursorError::OtherTimeline);
        }
        if cursor.query != query {
            return Err(CursorError::OtherQuery);
        }
        Ok(cursor)
    }
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    if bytes.len() != LENGTH {
        return None;
    }
    let (body, sum) = bytes.split_last_chunk::<8>()?;
    if u64::from_be_bytes(*sum) != fnv(body) {
        return None;
    }
    let ([format, order, has_value], rest) = body.split_first_chunk::<3>()?;
    let key = *KEYS.get(usize::from(order / 2))?;
    let (value, rest) = rest.split_first_chunk::<8>()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    let (position, rest) = rest.split_first_chunk::<16>()?;
    let (upto, rest) = rest.split_first_chunk::<16>()?;
    let (timeline, rest) = rest.split_first_chunk::<8>()?;
    let (query, _) = rest.split_first_chunk::<8>()?;
    let value = Timestamp::from_micros(i64::from_be_bytes(*value));
    (*format == FORMAT).then_some(Cursor {
        after: After {
            value: (*has_value == 1).then_some(value),
            id: RecordId::from_bytes(*id),
            position: Position(u128::from_be_bytes(*position)),
        },
        upto: Position(u128::from_be_bytes(*upto)),
        timeline: Timeline(u64::from_be_bytes(*timeline)),
        sort: Sort {
            key,
            descending: order % 2 == 1,
        },
        query: u64::from_be_bytes(*query),
    })
}

/// Hash of what a list was asked: its path and every parameter that selects or orders.
#[must_use]
pub fn query_hash(parts: &[&str]) -> u64 {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    fnv(&bytes)
}

/// FNV-1a: against mistakes, not against forgery; a forged cursor shows nothing that its key could
/// not list anyway.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            after: After {
                value: Some(Timestamp::from_micros(-5)),
                id: RecordId::from_parts(7, 9),
                position: Position(1 << 70),
            },
            upto: Position(u128::MAX),
            timeline: Timeline(3),
            sort: Sort {
                key: SortKey::Response,
                descending: true,
            },
            query: query_hash(&["a", "b"]),
        }
    }

    #[test]
    fn a_cursor_comes_back_and_needs_no_escaping() {
        let text = cursor().encode();
        assert!(
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        );
        assert_eq!(Cursor::decode(&text), Ok(cursor()));
        let mut without = cursor();
        without.after.value = None;
        assert_eq!(Cursor::decode(&without.encode()), Ok(without));
    }

    #[test]
    fn a_cut_or_changed_cursor_is_refused() {
        let text = cursor().encode();
        let (cut, changed) = (text.replacen('A', "", 1), text.replace('A', "B"));
        for wrong in ["", "x", "****", cut.as_str(), changed.as_str()] {
            let error = Cursor::decode(wrong).unwrap_err();
            assert_eq!(error.to_string(), "the cursor is not valid", "{wrong}");
        }
    }

    #[test]
    fn a_cursor_of_another_query_or_history_is_refused() {
        let text = cursor().encode();
        let query = query_hash(&["a", "b"]);
        assert_ne!(query, query_hash(&["ab", ""]));
        let other = Cursor::decode_for(&text, 1, Timeline(3)).unwrap_err();
        assert_eq!(other.to_string(), "the cursor belongs to another query");
        let other = Cursor::decode_for(&text, query, Timeline(4)).unwrap_err();
        assert!(
            other
                .to_string()
                .starts_with("the cursor is from before a restore")
        );
        assert!(Cursor::decode_for(&text, query, Timeline(3)).is_ok());
    }
}
