//! Planned failures happen when they are planned, and once.

use futures::executor::block_on;

use super::*;
use crate::store::memory::{MemoryControl, MemoryStore};
use crate::testkit::{SeededIds, TestClock, said};

fn batch() -> Batch {
    Batch {
        records: vec![said("hello")],
        states: Vec::new(),
    }
}

fn store() -> FaultyStore {
    let (clock, ids) = (TestClock::default(), SeededIds::new(1));
    FaultyStore::new(Arc::new(MemoryStore::new(Arc::new(clock), Arc::new(ids))))
}

fn count(store: &FaultyStore) -> u64 {
    block_on(store.count(&InstanceId::default_instance(), &Filter::All)).unwrap()
}

#[test]
fn a_failure_before_does_nothing_and_happens_once() {
    let store = store();
    store.fail(Call::Append, 2, When::Before, ErrorKind::Full);
    assert!(block_on(store.append(batch())).is_ok());
    let error = block_on(store.append(batch())).unwrap_err();
    assert_eq!(
        (error.kind(), error.client_text()),
        (ErrorKind::Full, "a planned failure")
    );
    assert_eq!(count(&store), 1);
    assert!(block_on(store.append(batch())).is_ok());
    assert_eq!((count(&store), store.calls(Call::Append)), (2, 3));
}

#[test]
fn a_failure_after_has_done_it() {
    let store = store();
    store.fail(Call::Append, 1, When::After, ErrorKind::Unavailable);
    let error = block_on(store.append(batch())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(count(&store), 1);
}

#[test]
fn a_control_plane_fails_on_demand() {
    let plane = FaultyControl::new(Arc::new(MemoryControl::new()));
    plane.fail(Call::Put, 1, When::After, ErrorKind::Unavailable);
    let error = block_on(plane.put("c", "a", b"x", Expect::Absent)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(block_on(plane.get("c", "a")).unwrap().is_some());
    assert_eq!((plane.calls(Call::Put), plane.calls(Call::List)), (1, 0));
}
