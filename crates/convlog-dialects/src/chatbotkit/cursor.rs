//! Cursors: a place in the log, so that they outlive what they point at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use convlog_model::ids::{Position, RecordId, Timeline};

use super::item::Place;

/// What every cursor begins with; no id of an item does.
const PREFIX: &str = "cv1_";

/// A place in the log, in one history of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The last item seen, or everything up to a position.
    pub place: Place,
    /// Whether an item stood there; else it is a bare position, where none need to have been.
    pub is_item: bool,
    /// The history that the position belongs to.
    pub timeline: Timeline,
}

impl Cursor {
    /// Everything up to a position has been seen.
    #[must_use]
    pub fn behind(position: Position, timeline: Timeline) -> Self {
        Cursor {
            place: Place::behind(position),
            is_item: false,
            timeline,
        }
    }

    /// The text that clients send back.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![u8::from(self.is_item), self.place.ordinal];
        bytes.extend(self.timeline.0.to_be_bytes());
        bytes.extend(self.place.position.0.to_be_bytes());
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (timeline, rest) = rest.split_first_chunk::<8>()?;
        let position: [u8; 16] = rest.try_into().ok()?;
        let [is_item, ordinal] = *head;
        (is_item <= 1).then_some(Cursor {
            place: Place {
                position: Position(u128::from_be_bytes(position)),
                ordinal,
            },
            is_item: is_item == 1,
            timeline: Timeline(u64::from_be_bytes(*timeline)),
        })
    }
}

/// What a client named as the last item that it has seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// A cursor.
    Cursor(Cursor),
    /// The id of an item that a turn or an event of ours shows: that of the record, and which of
    /// its items.
    Record(RecordId, u8),
    /// Any other id: that of a foreign event, or nothing that was ever shown.
    Own(String),
}

/// Reads `cursor`: a cursor, or the id of an item.
///
/// # Errors
/// A text that begins as a cursor and is none.
pub fn parse(text: &str) -> Result<Seen, NoCursor> {
    if let Some(rest) = text.strip_prefix(PREFIX) {
        return Cursor::decode(rest).map(Seen::Cursor).ok_or(NoCursor);
    }
    let canonical = |text: &str| {
        let id: RecordId = text.parse().ok()?;
        (id.to_string() == text).then_some(id)
    };
    if let Some(id) = canonical(text) {
        return Ok(Seen::Record(id, 0));
    }
    let with_ordinal = text.rsplit_once('-').and_then(|(id, ordinal)| {
        let ordinal = ordinal.parse().ok().filter(|_| ordinal.len() == 1)?;
        Some(Seen::Record(canonical(id)?, ordinal))
    });
    Ok(with_ordinal.unwrap_or_else(|| Seen::Own(text.to_owned())))
}

/// A text that begins as a cursor and is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is not a cursor")]
pub struct NoCursor;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_ids_are_told_apart() {
        let cursor = Cursor {
            place: Place {
                position: Position(7 << 40),
                ordinal: 2,
            },
            is_item: true,
            timeline: Timeline(9),
        };
        let text = cursor.encode();
        assert_eq!(parse(&text), Ok(Seen::Cursor(cursor)));
        let cut = text.strip_suffix(|_| true).unwrap();
        assert_eq!(parse(cut), Err(NoCursor));
        assert_eq!(parse("cv1_"), Err(NoCursor));
        let id = "01998877-6655-7fff-bfff-ffffffffffff";
        let record: RecordId = id.parse().unwrap();
        assert_eq!(parse(id), Ok(Seen::Record(record, 0)));
        assert_eq!(parse(&format!("{id}-2")), Ok(Seen::Record(record, 2)));
        for foreign in ["evt002", "mb3k1x0z0001abcd12345efg", "a-2", "-1"] {
            assert_eq!(parse(foreign), Ok(Seen::Own(foreign.to_owned())));
        }
    }
}
