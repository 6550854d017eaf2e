//! Identifiers as types of their own: record ids (UUIDv7), instances, positions and timelines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Id of a record: a UUIDv7 in lower case, given by the engine's sequencing step.
///
/// Ids increase with positions, even when the clock steps back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(u128);

impl RecordId {
    /// Builds a UUIDv7 from milliseconds since the epoch and 74 bits of `random`.
    #[must_use]
    pub fn from_parts(millis: u64, random: u128) -> Self {
        let time = u128::from(millis & 0xFFFF_FFFF_FFFF) << 80;
        let high = ((random >> 62) & 0xFFF) << 64;
        let low = random & 0x3FFF_FFFF_FFFF_FFFF;
        RecordId(time | (0x7 << 76) | high | (0b10 << 62) | low)
    }

    /// The id that follows directly in the order of ids, still a valid UUIDv7.
    #[must_use]
    pub fn next(self) -> Self {
        let low = (self.0 & 0x3FFF_FFFF_FFFF_FFFF) + 1;
        if low <= 0x3FFF_FFFF_FFFF_FFFF {
            return RecordId((self.0 & !0x3FFF_FFFF_FFFF_FFFF) | low);
        }
        let high = ((self.0 >> 64) & 0xFFF) + 1;
        let millis = self.millis() + u64::from(high > 0xFFF);
        RecordId::from_parts(millis, (high & 0xFFF) << 62)
    }

    /// Milliseconds since the epoch that the id carries.
    #[must_use]
    pub fn millis(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }

    /// The time that the id carries, of which a record that follows is received not before.
    #[must_use]
    pub fn time(self) -> Timestamp {
        let millis = i64::try_from(self.millis()).unwrap_or(i64::MAX);
        Timestamp::from_micros(millis.saturating_mul(1000))
    }

    /// The 16 bytes of the UUID, most significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id of 16 bytes as [`RecordId::to_bytes`] gives them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        RecordId(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_u128(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an id of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct BadId;

impl FromStr for RecordId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let parsed = uuid::Uuid::try_parse(text).map_err(|_| BadId)?;
        Ok(RecordId(parsed.as_u128()))
    }
}

/// A tenant, in Watson's word: every key belongs to one, every record lies in one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// The instance that the first start creates.
    #[must_use]
    pub fn default_instance() -> Self {
        InstanceId("default".to_owned())
    }

    /// An instance id: 1 to 64 of `a-z A-Z 0-9 _ -`.
    ///
    /// # Errors
    /// [`BadId`] for any other text.
    pub fn new(text: &str) -> Result<Self, BadId> {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if (1..=64).contains(&text.len()) && text.chars().all(legal) {
            return Ok(InstanceId(text.to_owned()));
        }
        Err(BadId)
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Place of a record in commit order: opaque and ordered. Cursors and snapshots are positions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position(pub u128);

impl Position {
    /// Before every record.
    pub const START: Position = Position(0);
    /// After every record.
    pub const END: Position = Position(u128::MAX);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for Position {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        u128::from_str_radix(text, 16)
            .map(Position)
            .map_err(|_| BadId)
    }
}

/// One history of a data directory; a restored backup starts another, so that positions of the
/// two are never compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timeline(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_ids_are_version_7_in_lower_case_and_increase() {
        let id = RecordId::from_parts(0x0199_8877_6655, u128::MAX);
        assert_eq!(id.to_string(), "01998877-6655-7fff-bfff-ffffffffffff");
        assert_eq!(id.millis(), 0x0199_8877_6655);
        let next = id.next();
        assert!(next > id);
        assert_eq!(next.to_string(), "01998877-6656-7000-8000-000000000000");
        assert_eq!(next.to_string().parse(), Ok(next));
    }

    #[test]
    fn instance_ids_of_other_characters_are_refused() {
        assert_eq!(InstanceId::new("a/b"), Err(BadId));
        assert_eq!(InstanceId::new(""), Err(BadId));
    }
}
