//! The `Store` contract: what keeping and finding records promises. Each item of its lists, up to
//! the colon where it has one, is the name of a case in `store/conformance.rs`.

#[cfg(any(test, feature = "testkit"))]
pub mod conformance;
#[cfg(any(test, feature = "testkit"))]
pub mod differential;
mod error;
#[cfg(any(test, feature = "testkit"))]
pub mod faulty;
mod figures;
pub mod memory;
pub mod retention;

use std::fmt::Debug;

use async_trait::async_trait;

pub use self::error::{ErrorKind, StoreError};
pub use self::figures::{Capability, Health, Stats, Upkeep};
pub use self::retention::{Purge, Retention};
use crate::aggregate::{Aggregate, Table};
use crate::filter::Filter;
use crate::ids::{InstanceId, Position, RecordId, Timeline};
use crate::query::{Page, Query, Scan, Scanned};
use crate::record::Draft;
use crate::time::Timestamp;

/// Most records of one append.
pub const BATCH_RECORDS_MAX: usize = 10_000;
/// Most bytes of raw bodies and dialogue states of one append.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// What one append brings: records, and the dialogue states that belong to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Records, in the order in which they are to be committed.
    pub records: Vec<Draft>,
    /// Dialogue states, written together with the records.
    pub states: Vec<StateWrite>,
}

/// State of a dialogue session at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateWrite {
    /// The tenant.
    pub instance: InstanceId,
    /// The session.
    pub session: String,
    /// What the server wants back after a restart.
    pub state: Vec<u8>,
    /// Customers whose erasure ends the session: all that it has named.
    pub customers: Vec<String>,
    /// After this moment the session is gone.
    pub expires_at: Timestamp,
}

/// What became of one record of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept under this id.
    Stored(Stored),
    /// The same record had been stored before; this is the first one.
    Duplicate(Stored),
    /// Another body is stored under the same own id; nothing was stored.
    Conflict,
    /// Its customer, or by a filter what had its own id, was erased after the time of the record;
    /// nothing was stored.
    Erased,
}

/// What the engine's sequencing step gave to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: RecordId,
    /// Its place in commit order.
    pub position: Position,
    /// When it was accepted.
    pub received: Timestamp,
}

/// Answer to an append: one outcome a record, in order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
}

/// Which records an erasure removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Everything of one customer.
    Customer(String),
    /// The records that match at the moment of the request.
    Filter(Filter),
}

/// A request to erase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erase {
    /// Id of the erasure, chosen by the caller; the same id again changes nothing.
    pub id: RecordId,
    /// The tenant.
    pub instance: InstanceId,
    /// Which records.
    pub selector: Selector,
}

/// How far an erasure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErasureState {
    /// No read shows the rows any more.
    Hidden,
    /// The rows are being overwritten.
    Overwriting,
    /// The indexes are being made anew.
    Reindexing,
    /// Gone from every file.
    Done,
}

impl ErasureState {
    /// The name in the own API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErasureState::Hidden => "hidden",
            ErasureState::Overwriting => "overwriting",
            ErasureState::Reindexing => "reindexing",
            ErasureState::Done => "done",
        }
    }
}

/// One erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: RecordId,
    /// The tenant.
    pub instance: InstanceId,
    /// How far it has come.
    pub state: ErasureState,
    /// Number of records that it hid.
    pub records: u64,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When the last record was hidden.
    pub hidden_at: Timestamp,
    /// When the last row was overwritten.
    pub rows_overwritten_at: Option<Timestamp>,
    /// When the last trace was gone.
    pub done_at: Option<Timestamp>,
}

/// Keeps and finds records.
///
/// * Positions are a total order of commit.
/// * Ids increase with positions, also when the clock steps back.
/// * Times of receipt never decrease along positions: when the clock steps back they stand, to the
///   millisecond, until it has caught up.
/// * A record is immutable: it leaves only by `erase` and `expire`.
/// * No method shows or counts erased and expired records: they are cut by the engine.
/// * No method shows records of another instance than the one asked for.
/// * The newest position is that of the last record.
#[async_trait]
pub trait Store: Debug + Send + Sync {
    /// Keeps a batch and returns when it is durable and, unless the engine is eventual, visible.
    ///
    /// * A batch is visible when append returns: `settle` makes it so where the engine is eventual.
    /// * All stored records and states of one append are there together or not at all.
    /// * There is one outcome a record, in order.
    /// * A record whose own id is stored is a duplicate of the first.
    /// * Own ids are apart by instance and dialect.
    /// * The same own id with another body is a conflict, and the first is kept.
    /// * The same own id twice in one batch counts as sent one after the other.
    /// * Bodies are compared as JSON values whose members may come in any order.
    /// * A record of an erased customer, not later than the erasure, is refused as erased: its
    ///   time of request counts, and one that names none is later.
    /// * A record with an own id that a filter erased is refused like one of an erased customer:
    ///   unless it is later than the erasure.
    /// * A batch beyond the limits is invalid, and nothing is stored.
    ///
    /// # Errors
    /// `Invalid` beyond [`BATCH_RECORDS_MAX`] or [`BATCH_BYTES_MAX`], `Full` without room, `Busy`
    /// with a retry hint, `Unavailable` when a write has failed before. Nothing was stored then,
    /// or (`Unavailable` alone) it is unknown until the restart.
    async fn append(&self, batch: Batch) -> Result<Receipt, StoreError>;

    /// One page of matching records.
    ///
    /// * Sees every batch whose append returned before the call.
    /// * The order is total, and missing values come last both ways: value, then record id.
    /// * The match set is frozen: pages with the same `upto` never show later records.
    /// * Pages that follow each other show every match once.
    /// * A next page is promised only if a further record exists.
    /// * A limit out of range is invalid.
    ///
    /// # Errors
    /// `Invalid` for a limit out of range, `Timeout` when the filter is too dear.
    async fn search(&self, query: &Query) -> Result<Page, StoreError>;

    /// Number of matching records.
    ///
    /// * Count is the number of matching records.
    ///
    /// # Errors
    /// As `search`.
    async fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError>;

    /// Groups and metrics over matching records, as [`crate::aggregate::fold`] defines them.
    ///
    /// * Aggregate groups and measures matching records.
    /// * Too many groups are invalid, and name the field.
    ///
    /// # Errors
    /// `Invalid` beyond [`crate::aggregate::GROUPS_MAX`] groups, naming the field.
    async fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError>;

    /// One step of a walk over everything that matches, in commit order.
    ///
    /// * A walk shows every record that existed at its first step and still exists, once.
    /// * A walk is in commit order, and ends at its bounds: a step may be short, also empty, before
    ///   it is done.
    /// * A walk with a limit out of range is invalid.
    ///
    /// # Errors
    /// As `search`.
    async fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError>;

    /// Waits for something behind `after`, and returns the newest visible position.
    ///
    /// * Watch waits until something is visible behind.
    ///
    /// # Errors
    /// `Unavailable` when the engine stops.
    async fn watch(&self, after: Position) -> Result<Position, StoreError>;

    /// Hides the selected records for good and returns when that is durable.
    ///
    /// * On return no read shows the records.
    /// * On return no cursor under way shows the records.
    /// * A filter selects what matches at the moment of the request.
    /// * Records appended later stay.
    /// * The same id again changes nothing and answers the same erasure.
    /// * Dialogue sessions of the customer are gone.
    /// * An erasure keeps to its instance.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    async fn erase(&self, request: &Erase) -> Result<Erasure, StoreError>;

    /// The erasures of an instance.
    ///
    /// * Erasures are listed oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn erasures(&self, instance: &InstanceId) -> Result<Vec<Erasure>, StoreError>;

    /// Takes new rules of retention and returns the number of records hidden under them.
    ///
    /// * On return no read shows a record that has expired: rows that arrive later are judged by the same rules.
    /// * A record that expires later is hidden from that moment on.
    /// * The most special rule wins.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn expire(&self, rules: &Retention) -> Result<u64, StoreError>;

    /// What retention has taken out of every file and was not forgotten yet: one for each instance
    /// and pass that took something, oldest first.
    ///
    /// * A purge counts the records of an instance that a pass of retention took away.
    /// * A purge is listed until it is forgotten: under the same id, also after a restart.
    /// * Nothing is a purge that an erasure took away.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn purges(&self) -> Result<Vec<Purge>, StoreError>;

    /// Lists these purges no more; ids that are not listed are no error.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn forget_purges(&self, told: &[RecordId]) -> Result<(), StoreError>;

    /// The last state of a dialogue session.
    ///
    /// * A state is there until it is dropped.
    /// * A state is there until it is replaced.
    /// * A state is there until it has expired.
    /// * States are apart by instance.
    /// * A state may come without a record.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn load_state(
        &self,
        instance: &InstanceId,
        session: &str,
    ) -> Result<Option<StateWrite>, StoreError>;

    /// Forgets a dialogue session; no error when there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn drop_state(&self, instance: &InstanceId, session: &str) -> Result<(), StoreError>;

    /// Returns when everything appended before is searchable, every full chunk sealed, and every
    /// erasure and retention pass requested before has ended.
    ///
    /// * Settle ends every erasure requested before.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn settle(&self) -> Result<(), StoreError>;

    /// What the engine holds.
    ///
    /// * Stats tell what is held for an instance.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn stats(&self, instance: &InstanceId) -> Result<Stats, StoreError>;

    /// What maintenance does. An engine without it has nothing to tell.
    fn upkeep(&self) -> Upkeep {
        Upkeep::default()
    }

    /// Lets retention, held because the clock looked wrong, go on by the clock as it is now.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn confirm_retention(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The history that positions belong to.
    fn timeline(&self) -> Timeline;

    /// The newest visible position.
    fn newest(&self) -> Position;

    /// Whether the engine can work.
    fn health(&self) -> Health;

    /// What the engine can do.
    fn capability(&self) -> Capability;
}
