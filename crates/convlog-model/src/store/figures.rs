//! What engines tell of themselves.

use crate::time::Timestamp;

/// What an engine holds for one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stats {
    /// Records that reads can show.
    pub records: u64,
    /// Bytes on disk, of all instances.
    pub bytes: u64,
    /// Sealed chunks or segments, of all instances.
    pub segments: u64,
    /// Records not yet in a sealed chunk, of all instances.
    pub tail: u64,
    /// Smallest time of receipt.
    pub oldest: Option<Timestamp>,
    /// Greatest time of receipt.
    pub newest: Option<Timestamp>,
}

/// Whether an engine can work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether appends are accepted.
    pub writable: bool,
    /// Why not, without user text; empty when all is well.
    pub reason: String,
}

/// What the maintenance of an engine has done since it was opened, and has yet to do; of all
/// instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// Erasures that are not done.
    pub erasures_pending: u64,
    /// Chunks that the pass of retention under way has yet to look at.
    pub chunks_pending: u64,
    /// Bytes overwritten.
    pub bytes_overwritten: u64,
    /// Rows that erasures took out of the bytes.
    pub rows_erased: u64,
    /// Rows that retention took out of the bytes.
    pub rows_expired: u64,
    /// Chunks that went as a whole.
    pub chunks_dropped: u64,
    /// When a pass of retention last ended, also before a restart.
    pub last_pass: Option<Timestamp>,
    /// Why retention removes nothing until [`super::Store::confirm_retention`].
    pub held: Option<String>,
}

/// What an engine can do beyond the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Appends may become visible only at the next `settle`.
    pub eventual: bool,
    /// Positions have no holes and readers see only prefixes.
    pub gapless: bool,
    /// Erasures reach [`super::ErasureState::Done`].
    pub physical_erasure: bool,
}
