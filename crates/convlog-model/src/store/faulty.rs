//! Wrappers that fail on demand: the n-th call of a method, before or after it is done.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    Batch, Capability, Erase, Erasure, ErrorKind, Health, Purge, Receipt, Retention, StateWrite,
    Stats, Store, StoreError, Upkeep,
};
use crate::aggregate::{Aggregate, Table};
use crate::control::{ControlPlane, Document, Expect};
use crate::filter::Filter;
use crate::ids::{InstanceId, Position, RecordId, Timeline};
use crate::query::{Page, Query, Scan, Scanned};

/// A method of [`Store`] or [`ControlPlane`] that can fail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "each is named as its method")]
pub enum Call {
    Append,
    Search,
    Count,
    Aggregate,
    Scan,
    Watch,
    Erase,
    Erasures,
    Expire,
    Purges,
    ForgetPurges,
    LoadState,
    DropState,
    Settle,
    Stats,
    Get,
    Put,
    Delete,
    List,
}

/// When a planned failure happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Nothing is done.
    Before,
    /// It is done, and its answer is lost.
    After,
}

/// The plan of failures, and how often each method was called.
#[derive(Debug, Default)]
struct Faults {
    calls: BTreeMap<Call, u64>,
    planned: BTreeMap<(Call, u64), (When, ErrorKind)>,
}

#[derive(Debug, Default)]
struct Gate(Mutex<Faults>);

impl Gate {
    fn plan(&self, call: Call, nth: u64, when: When, kind: ErrorKind) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = faults.calls.get(&call).copied().unwrap_or(0) + nth;
        faults.planned.insert((call, at), (when, kind));
    }

    fn calls(&self, call: Call) -> u64 {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.calls.get(&call).copied().unwrap_or(0)
    }

    /// Counts a call: fails now, or says how it is to fail when it is done.
    fn pass(&self, call: Call) -> Result<Done, StoreError> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = faults.calls.entry(call).or_default();
        *counter += 1;
        let nth = *counter;
        match faults.planned.remove(&(call, nth)) {
            Some((When::Before, kind)) => Err(planned(kind)),
            Some((When::After, kind)) => Ok(Done(Some(kind))),
            None => Ok(Done(None)),
        }
    }
}

struct Done(Option<ErrorKind>);

impl Done {
    fn with<T>(self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match self.0 {
            Some(kind) => Err(planned(kind)),
            None => answer,
        }
    }
}

fn planned(kind: ErrorKind) -> StoreError {
    StoreError::new(kind, "a planned failure")
}

/// A [`Store`] that fails on demand and else does what the one inside does.
#[derive(Debug)]
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    gate: Gate,
}

impl FaultyStore {
    /// Around `inner`, without a failure.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>) -> Self {
        let gate = Gate::default();
        FaultyStore { inner, gate }
    }

    /// Lets the `nth` call of a method from now on (the next is 1) fail with an error of `kind`.
    pub fn fail(&self, call: Call, nth: u64, when: When, kind: ErrorKind) {
        self.gate.plan(call, nth, when, kind);
    }

    /// How often a method was called.
    pub fn calls(&self, call: Call) -> u64 {
        self.gate.calls(call)
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn append(&self, batch: Batch) -> Result<Receipt, StoreError> {
        let done = self.gate.pass(Call::Append)?;
        done.with(self.inner.append(batch).await)
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        let done = self.gate.pass(Call::Search)?;
        done.with(self.inner.search(query).await)
    }

    async fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        let done = self.gate.pass(Call::Count)?;
        done.with(self.inner.count(instance, filter).await)
    }

    async fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        let done = self.gate.pass(Call::Aggregate)?;
        done.with(self.inner.aggregate(request).await)
    }

    async fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        let done = self.gate.pass(Call::Scan)?;
        done.with(self.inner.scan(scan).await)
    }

    async fn watch(&self, after: Position) -> Result<Position, StoreError> {
        let done = self.gate.pass(Call::Watch)?;
        done.with(self.inner.watch(after).await)
    }

    async fn erase(&self, request: &Erase) -> Result<Erasure, StoreError> {
        let done = self.gate.pass(Call::Erase)?;
        done.with(self.inner.erase(request).await)
    }

    async fn erasures(&self, instance: &InstanceId) -> Result<Vec<Erasure>, StoreError> {
        let done = self.gate.pass(Call::Erasures)?;
        done.with(self.inner.erasures(instance).await)
    }

    async fn expire(&self, rules: &Retention) -> Result<u64, StoreError> {
        let done = self.gate.pass(Call::Expire)?;
        done.with(self.inner.expire(rules).await)
    }

    async fn purges(&self) -> Result<Vec<Purge>, StoreError> {
        let done = self.gate.pass(Call::Purges)?;
        done.with(self.inner.purges().await)
    }

    async fn forget_purges(&self, told: &[RecordId]) -> Result<(), StoreError> {
        let done = self.gate.pass(Call::ForgetPurges)?;
        done.with(self.inner.forget_purges(told).await)
    }

    async fn load_state(
        &self,
        instance: &InstanceId,
        session: &str,
    ) -> Result<Option<StateWrite>, StoreError> {
        let done = self.gate.pass(Call::LoadState)?;
        done.with(self.inner.load_state(instance, session).await)
    }

    async fn drop_state(&self, instance: &InstanceId, session: &str) -> Result<(), StoreError> {
        let done = self.gate.pass(Call::DropState)?;
        done.with(self.inner.drop_state(instance, session).await)
    }

    async fn settle(&self) -> Result<(), StoreError> {
        let done = self.gate.pass(Call::Settle)?;
        done.with(self.inner.settle().await)
    }

    async fn stats(&self, instance: &InstanceId) -> Result<Stats, StoreError> {
        let done = self.gate.pass(Call::Stats)?;
        done.with(self.inner.stats(instance).await)
    }

    fn upkeep(&self) -> Upkeep {
        self.inner.upkeep()
    }

    async fn confirm_retention(&self) -> Result<(), StoreError> {
        self.inner.confirm_retention().await
    }

    fn timeline(&self) -> Timeline {
        self.inner.timeline()
    }

    fn newest(&self) -> Position {
        self.inner.newest()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }
}

/// A [`ControlPlane`] that fails on demand and else does what the one inside does.
#[derive(Debug)]
pub struct FaultyControl {
    inner: Arc<dyn ControlPlane>,
    gate: Gate,
}

impl FaultyControl {
    /// Around `inner`, without a failure.
    #[must_use]
    pub fn new(inner: Arc<dyn ControlPlane>) -> Self {
        let gate = Gate::default();
        FaultyControl { inner, gate }
    }

    /// Lets the `nth` call of a method from now on (the next is 1) fail with an error of `kind`.
    pub fn fail(&self, call: Call, nth: u64, when: When, kind: ErrorKind) {
        self.gate.plan(call, nth, when, kind);
    }

    /// How often a method was called.
    pub fn calls(&self, call: Call) -> u64 {
        self.gate.calls(call)
    }
}

#[async_trait]
impl ControlPlane for FaultyControl {
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        let done = self.gate.pass(Call::Get)?;
        done.with(self.inner.get(collection, id).await)
    }

    async fn put(
        &self,
        collection: &str,
        id: &str,
        body: &[u8],
        expect: Expect,
    ) -> Result<u64, StoreError> {
        let done = self.gate.pass(Call::Put)?;
        done.with(self.inner.put(collection, id, body, expect).await)
    }

    async fn delete(&self, collection: &str, id: &str, version: u64) -> Result<(), StoreError> {
        let done = self.gate.pass(Call::Delete)?;
        done.with(self.inner.delete(collection, id, version).await)
    }

    async fn list(
        &self,
        collection: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        let done = self.gate.pass(Call::List)?;
        done.with(self.inner.list(collection, prefix, after, limit).await)
    }
}
