//! The suite runs on the reference engine, and through the failing wrapper without a fault.

use std::collections::BTreeSet;

use futures::executor::block_on;

use super::*;
use crate::clock::Clock;
use crate::store::faulty::{FaultyControl, FaultyStore};
use crate::store::memory::{MemoryBlobs, MemoryControl, MemoryStore};
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
fn blobs_in_memory_keep_the_contract() {
    block_on(run_all_blobs(|| Arc::new(MemoryBlobs::new())));
}

#[test]
fn the_wrapped_control_plane_without_a_fault_keeps_the_contract() {
    let wrapped = || FaultyControl::new(Arc::new(MemoryControl::new()));
    block_on(run_all_control(|| Arc::new(wrapped())));
}

/// The names that the lists of a contract ask for: each item up to its colon or end.
fn promised(source: &str) -> BTreeSet<String> {
    let items = source
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("/// * "));
    let name = |item: &str| {
        let sentence = item.split([':', '.']).next().unwrap_or_default();
        let words = sentence.split(|c: char| !c.is_alphanumeric());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words.join("_").to_lowercase()
    };
    items.map(name).collect()
}

#[track_caller]
fn check_names(cases: &BTreeSet<String>, promised: &BTreeSet<String>) {
    let unmatched: Vec<&String> = cases.symmetric_difference(promised).collect();
    assert!(unmatched.is_empty(), "{unmatched:#?}");
}

#[test]
fn each_sentence_of_the_contract_has_a_case_of_its_name() {
    let names: BTreeSet<String> = CASES.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(names.len(), CASES.len(), "a name is used twice");
    check_names(&names, &promised(include_str!("../../store.rs")));
}

#[test]
fn each_sentence_of_the_control_plane_has_a_case_of_its_name() {
    let names = CONTROL_CASES.iter().map(|case| case.name.to_owned());
    let names: BTreeSet<String> = names.collect();
    check_names(&names, &promised(include_str!("../../control.rs")));
}

#[test]
fn each_sentence_of_the_blobs_has_a_case_of_its_name() {
    let names = BLOB_CASES.iter().map(|case| case.name.to_owned());
    check_names(&names.collect(), &promised(include_str!("../../blobs.rs")));
}
