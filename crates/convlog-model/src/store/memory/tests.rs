//! What the reference engine demands beyond the contract.

mod fold;

use futures::executor::block_on;

use super::*;
use crate::json::Json;
use crate::testkit::{SeededIds, TestClock, draft};

fn store() -> MemoryStore {
    let (clock, ids) = (TestClock::default(), SeededIds::new(1));
    MemoryStore::new(Arc::new(clock), Arc::new(ids))
}

fn append(store: &MemoryStore, draft: crate::record::Draft) -> Result<Receipt, StoreError> {
    let batch = Batch {
        records: vec![draft],
        states: Vec::new(),
    };
    block_on(store.append(batch))
}

#[test]
fn drafts_that_no_dialect_may_bring_are_bugs() {
    let store = store();
    let mut drafts = vec![draft("{"), draft("{} {}")];
    for path in ["id", "time.received", "own_id", "labels.x", "no_such_field"] {
        let mut wrong = draft("{}");
        wrong.set_value(path, Json::Null);
        drafts.push(wrong);
    }
    for wrong in drafts {
        let error = append(&store, wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    }
    assert_eq!(store.newest(), Position::START);
}

#[test]
fn places_behind_the_newest_position_are_invalid() {
    let store = store();
    append(&store, draft("{}")).unwrap();
    let instance = InstanceId::default_instance();
    let behind = Position(store.newest().0 + 1);
    let mut query = Query::new(instance.clone(), Filter::All);
    query.upto = Some(behind);
    let error = block_on(store.search(&query)).unwrap_err();
    assert_eq!(
        error.client_text(),
        "the match set ends behind the newest position"
    );
    let scan = Scan {
        instance,
        filter: Filter::All,
        after: behind,
        upto: None,
        limit: 1,
    };
    let error = block_on(store.scan(&scan)).unwrap_err();
    assert_eq!(
        error.client_text(),
        "the walk begins behind the newest position"
    );
}

#[test]
fn a_closed_store_answers_nobody_and_wakes_who_waits() {
    let store = store();
    let mut waiting = store.watch(Position::START);
    let waker = futures::task::noop_waker();
    let mut context = std::task::Context::from_waker(&waker);
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(store.lock().sleepers.len(), 1);
    store.close();
    let error = block_on(waiting).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let error = append(&store, draft("{}")).unwrap_err();
    assert_eq!(error.client_text(), "the store is closed");
    assert!(!store.health().writable);
}

#[test]
fn a_watch_that_is_given_up_leaves_no_waker() {
    let store = store();
    let mut waiting = store.watch(Position::END);
    let waker = futures::task::noop_waker();
    let mut context = std::task::Context::from_waker(&waker);
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    append(&store, draft("{}")).unwrap();
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(store.lock().sleepers.len(), 1);
    drop(waiting);
    assert_eq!(store.lock().sleepers.len(), 0);
}
