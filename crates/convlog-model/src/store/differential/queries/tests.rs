//! The reference engine agrees with itself; an engine that answers wrongly is found out, and the
//! case that shows it is small.

use async_trait::async_trait;
use futures::executor::block_on;

use super::*;
use crate::aggregate::{Aggregate, Table};
use crate::clock::Clock;
use crate::filter::{Scope, Test};
use crate::ids::{Position, RecordId, Timeline};
use crate::query::{Page, Query, Scan, Scanned};
use crate::store::memory::MemoryStore;
use crate::store::{
    Batch, Capability, Erasure, Health, Purge, Receipt, Retention, StateWrite, Stats,
};
use crate::testkit::SeededIds;

#[derive(Debug)]
struct Memory {
    store: Arc<dyn Store>,
    clock: Arc<TestClock>,
}

impl Subject for Memory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    fn clock(&self) -> Arc<TestClock> {
        Arc::clone(&self.clock)
    }

    fn reopen(&mut self) {}
}

fn memory(seed: u64, wrap: impl Fn(MemoryStore) -> Arc<dyn Store>) -> Box<dyn Subject> {
    let clock = Arc::new(TestClock::default());
    let read = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = wrap(MemoryStore::new(read, Arc::new(SeededIds::new(seed))));
    Box::new(Memory { store, clock })
}

fn reference(_rows_max: usize) -> Box<dyn Subject> {
    memory(1, |store| Arc::new(store))
}

#[test]
fn two_reference_engines_agree_and_most_cases_match_some_rows() {
    let other = |_| memory(2, |store| Arc::new(store));
    let makes = Makes {
        reference: &reference,
        engine: &other,
    };
    let mut tally = Tally::default();
    let compared = block_on(compare(makes, 5, 120, &mut tally));
    compared.unwrap_or_else(|failure| panic!("{failure}"));
    let complaints = tally.complaints(480);
    let about_shares = complaints.iter().filter(|it| it.contains('%'));
    assert_eq!(about_shares.count(), 0, "{complaints:?}\n{tally}");
    // So few cases do not hold every kind often enough.
    assert!(!complaints.is_empty(), "{tally}");
}

/// Finds no negated patterns.
#[derive(Debug)]
struct Wrong(MemoryStore);

impl Wrong {
    fn wrong(filter: &Filter) -> Filter {
        match filter {
            Filter::And(parts) => Filter::And(parts.iter().map(Self::wrong).collect()),
            Filter::Or(parts) => Filter::Or(parts.iter().map(Self::wrong).collect()),
            Filter::Not(inner) => match inner.as_ref() {
                Filter::Test {
                    test:
                        Test::Glob {
                            scope: Scope::Word, ..
                        },
                    ..
                } => Filter::Or(Vec::new()),
                other => Self::wrong(other).negate(),
            },
            other => other.clone(),
        }
    }
}

#[async_trait]
impl Store for Wrong {
    async fn append(&self, batch: Batch) -> Result<Receipt, StoreError> {
        self.0.append(batch).await
    }
    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        let mut query = query.clone();
        query.filter = Self::wrong(&query.filter);
        self.0.search(&query).await
    }
    async fn count(&self, instance: &InstanceId, filter: &Filter) -> Result<u64, StoreError> {
        self.0.count(instance, filter).await
    }
    async fn aggregate(&self, request: &Aggregate) -> Result<Table, StoreError> {
        self.0.aggregate(request).await
    }
    async fn scan(&self, scan: &Scan) -> Result<Scanned, StoreError> {
        self.0.scan(scan).await
    }
    async fn watch(&self, after: Position) -> Result<Position, StoreError> {
        self.0.watch(after).await
    }
    async fn erase(&self, request: &Erase) -> Result<Erasure, StoreError> {
        self.0.erase(request).await
    }
    async fn erasures(&self, instance: &InstanceId) -> Result<Vec<Erasure>, StoreError> {
        self.0.erasures(instance).await
    }
    async fn expire(&self, rules: &Retention) -> Result<u64, StoreError> {
        self.0.expire(rules).await
    }
    async fn purges(&self) -> Result<Vec<Purge>, StoreError> {
        self.0.purges().await
    }
    async fn forget_purges(&self, told: &[RecordId]) -> Result<(), StoreError> {
        self.0.forget_purges(told).await
    }
    async fn load_state(
        &self,
        instance: &InstanceId,
        session: &str,
    ) -> Result<Option<StateWrite>, StoreError> {
        self.0.load_state(instance, session).await
    }
    async fn drop_state(&self, instance: &InstanceId, session: &str) -> Result<(), StoreError> {
        self.0.drop_state(instance, session).await
    }
    async fn settle(&self) -> Result<(), StoreError> {
        self.0.settle().await
    }
    async fn stats(&self, instance: &InstanceId) -> Result<Stats, StoreError> {
        self.0.stats(instance).await
    }
    fn timeline(&self) -> Timeline {
        self.0.timeline()
    }
    fn newest(&self) -> Position {
        self.0.newest()
    }
    fn health(&self) -> Health {
        self.0.health()
    }
    fn capability(&self) -> Capability {
        self.0.capability()
    }
}

#[test]
fn a_wrong_answer_is_found_and_shown_by_one_record_and_one_condition() {
    let wrong = |_| memory(2, |store| Arc::new(Wrong(store)));
    let makes = Makes {
        reference: &reference,
        engine: &wrong,
    };
    let failure = (0..20).find_map(|seed| {
        let mut tally = Tally::default();
        block_on(compare(makes, seed, 120, &mut tally)).err()
    });
    let failure = failure.unwrap();
    let Case { plan, asked, .. } = &failure.case;
    let n_records: usize = plan.halves.iter().flatten().map(|s| s.records.len()).sum();
    assert_eq!(n_records, 1, "{failure}");
    assert!(plan.erasures.is_empty(), "{failure}");
    let Filter::Not(inner) = &asked.filter else {
        panic!("{failure}");
    };
    assert!(matches!(inner.as_ref(), Filter::Test { .. }), "{failure}");
    let text = failure.to_string();
    assert!(text.contains("expected records [0], but got []"), "{text}");
}
