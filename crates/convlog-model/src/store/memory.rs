//! The in-memory reference engine: the contract in its plainest form, and stricter than any real
//! engine about what callers bring. Nothing survives it; it is for tests and as an oracle.

mod append;
mod blobs;
mod control;
mod erase;
mod purge;
mod read;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

pub use self::blobs::MemoryBlobs;
pub use self::control::MemoryControl;
use self::purge::Purged;
use self::watch::{Sleepers, Watching};
use super::{
    Batch, Capability, Erase, Erasure, Health, Purge, Receipt, Retention, StateWrite, Stats, Store,
    StoreError, Stored,
};
use crate::aggregate::{Aggregate, Table};
use crate::clock::{Clock, IdSource};
use crate::filter::Filter;
use crate::flatten::Flat;
use crate::ids::{InstanceId, Position, RecordId, Timeline};
use crate::query::{Page, Query, Scan, Scanned};
use crate::record::{Dialect, Record};
use crate::store::ErrorKind;
use crate::time::Timestamp;

/// A [`Store`] in memory.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    timeline: Timeline,
    state: Mutex<State>,
}

/// A record with its leaves, flattened once.
#[derive(Debug)]
struct Row {
    record: Arc<Record>,
    flat: Flat,
}

/// Instance, dialect and own id.
type OwnKey = (InstanceId, Dialect, String);

#[derive(Debug)]
struct Own {
    first: Stored,
    /// The key-sorted body.
    body: String,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Position, Row>,
    newest: Position,
    last_id: Option<RecordId>,
    own_ids: BTreeMap<OwnKey, Own>,
    erasures: BTreeMap<(InstanceId, RecordId), Erasure>,
    /// Moment of the last erasure of each customer.
    erased: BTreeMap<(InstanceId, String), Timestamp>,
    /// Moment of the last erasure by a filter of a record with each own id.
    erased_own_ids: BTreeMap<OwnKey, Timestamp>,
    sessions: BTreeMap<(InstanceId, String), StateWrite>,
    retention: Retention,
    /// Records that reads dropped as expired since the last call of `expire`.
    n_expired: u64,
    /// What has gone since the last call of `expire`, by instance.
    purged: BTreeMap<InstanceId, Purged>,
    purges: Vec<Purge>,
    sleepers: Sleepers,
    is_closed: bool,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        let mut timeline = [0; 8];
        ids.fill(&mut timeline);
        MemoryStore {
            clock,
            ids,
            timeline: Timeline(u64::from_le_bytes(timeline)),
            state: Mutex::default(),
        }
    }

    /// Ends the engine: from now on every call is answered with `Unavailable`, also those that
    /// wait.
    pub fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let waiting = state.sleepers.take();
        drop(state);
        waiting.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it is now: without what has expired.
    fn open(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(closed());
        }
        state.drop_expired(self.clock.now());
        Ok(state)
    }
}

fn closed() -> StoreError {
    StoreError::new(ErrorKind::Unavailable, "the store is closed")
}

fn invalid(text: String) -> StoreError {
    StoreError::new(ErrorKind::Invalid, text)
}

#[async_trait]
impl Store for MemoryStore {
    async fn append(&self, batch: Batch) -> Result<Receipt, StoreError> {
        append::check(&batch)?;
        let mut state = self.open()?;
        let receipt = state.append(batch, self.clock.now(), self.ids.as_ref());
        let waiting = state.sleepers.take();
        drop(state);
        waiting.wake();
        Ok(receipt)
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        self.open()?.search(query)
    }

    async fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        let state = self.open()?;
        let n_matches = state.matching(instance, filter).count();
        Ok(u64::try_from(n_matches).unwrap_or(u64::MAX))
    }

    async fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        let state = self.open()?;
        let rows = state.matching(&request.instance, &request.filter);
        let flats: Vec<Flat> = rows.map(|row| row.flat.clone()).collect();
        drop(state);
        crate::aggregate::fold::fold(request, &flats)
    }

    async fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        self.open()?.scan(scan)
    }

    async fn watch(&self, after: Position) -> Result<Position, StoreError> {
        Watching::new(self, after).await
    }

    async fn erase(&self, request: &Erase) -> Result<Erasure, StoreError> {
        Ok(self.open()?.erase(request, self.clock.now()))
    }

    async fn erasures(&self, instance: &InstanceId) -> Result<Vec<Erasure>, StoreError> {
        Ok(self.open()?.erasures_of(instance))
    }

    async fn expire(&self, rules: &Retention) -> Result<u64, StoreError> {
        let mut state = self.open()?;
        state.retention = rules.clone();
        state.drop_expired(self.clock.now());
        state.end_purges(self.clock.now(), self.ids.as_ref());
        Ok(std::mem::take(&mut state.n_expired))
    }

    async fn purges(&self) -> Result<Vec<Purge>, StoreError> {
        Ok(self.open()?.purges.clone())
    }

    async fn forget_purges(&self, told: &[RecordId]) -> Result<(), StoreError> {
        let mut state = self.open()?;
        state.purges.retain(|purge| !told.contains(&purge.id));
        Ok(())
    }

    async fn load_state(
        &self,
        instance: &InstanceId,
        session: &str,
    ) -> Result<Option<StateWrite>, StoreError> {
        let key = (instance.clone(), session.to_owned());
        Ok(self.open()?.sessions.get(&key).cloned())
    }

    async fn drop_state(&self, instance: &InstanceId, session: &str) -> Result<(), StoreError> {
        let key = (instance.clone(), session.to_owned());
        self.open()?.sessions.remove(&key);
        Ok(())
    }

    async fn settle(&self) -> Result<(), StoreError> {
        self.open().map(drop)
    }

    async fn stats(&self, instance: &InstanceId) -> Result<Stats, StoreError> {
        Ok(self.open()?.stats(instance))
    }

    fn timeline(&self) -> Timeline {
        self.timeline
    }

    fn newest(&self) -> Position {
        self.lock().newest
    }

    fn health(&self) -> Health {
        let is_closed = self.lock().is_closed;
        Health {
            writable: !is_closed,
            reason: if is_closed {
                closed().client_text().to_owned()
            } else {
                String::new()
            },
        }
    }

    fn capability(&self) -> Capability {
        Capability {
            eventual: false,
            gapless: true,
            physical_erasure: true,
        }
    }
}
