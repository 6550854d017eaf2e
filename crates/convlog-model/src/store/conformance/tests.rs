//! The suite runs on the reference engine, and through the failing wrapper without a fault.

use std::collections::BTreeSet;

use futures::executor::block_on;

use super::*;
use crate::clock::Clock;
use crate::store::faulty::{FaultyControl, FaultyStore};
use crate::store::memory::{MemoryControl, MemoryStore};
use crate::testkit::SeededIds;

fn memory() -> Rig {
    let clock = Arc::new(TestClock::default());
    let read: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = MemoryStore::new(read, Arc::new(SeededIds::new(1)));
    Rig::new(Arc::new(store), clock)
}

#[test]
fn the_reference_engine_keeps_the_contract() {
    block_on(run_all(memory));
}

#[test]
fn the_wrapper_without_a_fault_keeps_the_contract() {
    block_on(run_all(|| {
        let rig = memory();
        let wrapped = FaultyStore::new(Arc::clone(&rig.store));
        Rig::new(Arc::new(wrapped), rig.clock)
    }));
}

#[test]
fn the_control_plane_in_memory_keeps_the_contract() {
    block_on(run_all_control(|| Arc::new(MemoryControl::new())));
}

#[test]
fn the_wrapped_control_plane_without_a_fault_keeps_the_contract() {
    let wrapped = || FaultyControl::new(Arc::new(MemoryControl::new()));
    block_on(run_all_control(|| Arc::new(wrapped())));
}

#[test]
fn no_name_is_used_twice() {
    let names: BTreeSet<&str> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len());
}
