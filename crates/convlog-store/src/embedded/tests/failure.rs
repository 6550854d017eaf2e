//! Any call to the disk may fail, and the machine may die at any: what was acknowledged stays.

use std::collections::BTreeSet;

use convlog_model::control::Expect;
use convlog_model::store::{Batch, ErrorKind, StoreError};
use futures::executor::block_on;

use super::kit::{Place, SimPlace, all, batch, draft, erase_customer, home, shown, state, stored};
use crate::embedded::Embedded;
use crate::embedded::disk::sim::Fault;

/// What a workload was told.
#[derive(Debug, Default)]
struct Told {
    /// Own ids of records whose append was acknowledged, in order.
    kept: Vec<String>,
    /// Appends of which nothing is known; each is there wholly or not at all.
    unknown: Vec<Vec<String>>,
    /// Whether the erasure of `ann` was acknowledged.
    erased: bool,
    /// The newest state of the session whose append was acknowledged.
    state: Option<u8>,
    /// Newest state that was sent.
    state_sent: Option<u8>,
    /// The newest body of the document whose put was acknowledged.
    document: Option<u8>,
}

const APPENDS: u8 = 6;

/// Appends, an erasure, a document and a clean stop; goes on after errors.
fn work(place: &SimPlace, told: &mut Told) -> Result<(), Box<dyn std::error::Error>> {
    let embedded = place.try_open()?;
    let (store, control) = (embedded.store(), embedded.control());
    let mut version = None;
    for round in 0..APPENDS {
        let names: Vec<String> = (0..4).map(|i| format!("r{round}-{i}")).collect();
        let records = names.iter().map(|name| draft(name, "bob", round.into()));
        let states = vec![state("s", "bob", &[round], &place.clock)];
        let records: Vec<_> = records.collect();
        told.state_sent = Some(round);
        match block_on(store.append(Batch { records, states })) {
            Ok(_) => {
                told.kept.extend(names);
                told.state = Some(round);
            }
            Err(error) if error.kind() == ErrorKind::Unavailable => told.unknown.push(names),
            Err(error) => check_refusal(&error),
        }
        if round == 2 {
            let name = vec!["ann's".to_owned()];
            match block_on(store.append(batch(vec![draft("ann's", "ann", 1)]))) {
                Ok(_) => told.kept.extend(name),
                Err(_) => told.unknown.push(name),
            }
            told.erased = block_on(store.erase(&erase_customer("ann", 1))).is_ok();
            // Until the maintenance thread rests, so that every run makes the same calls.
            drop(block_on(store.settle()));
        }
        let expect = version.map_or(Expect::Absent, Expect::Version);
        if let Ok(new) = block_on(control.put("bots", "b", &[round], expect)) {
            version = Some(new);
            told.document = Some(round);
        }
        // What was acknowledged is shown by a store in trouble, too, or it says that it cannot.
        if let Ok(newest) = block_on(store.count(&home(), &convlog_model::filter::Filter::All)) {
            let erased = told
                .kept
                .iter()
                .filter(|name| told.erased && *name == "ann's");
            let expected = told.kept.len() - erased.count();
            let unknown: usize = told.unknown.iter().map(Vec::len).sum();
            assert!((expected..=expected + unknown).contains(&(newest as usize)));
        }
    }
    embedded.close();
    Ok(())
}

fn check_refusal(error: &StoreError) {
    assert!(
        matches!(error.kind(), ErrorKind::Full | ErrorKind::Busy),
        "{error:?}"
    );
}

/// What must hold after a restart.
fn check(place: &SimPlace, told: &Told, when: &str) {
    let embedded = place.try_open().unwrap_or_else(|e| panic!("{when}: {e}"));
    let store = embedded.store();
    let names = shown(store.as_ref());
    let there: BTreeSet<&String> = names.iter().collect();
    assert_eq!(there.len(), names.len(), "{when}: something is there twice");
    for name in &told.kept {
        // An erasure may be durable although its answer was lost.
        let may_be_there = !(told.erased && name == "ann's");
        let may_be_gone = name == "ann's";
        let is_there = there.contains(name);
        assert!(
            if is_there { may_be_there } else { may_be_gone },
            "{when}: {name}"
        );
    }
    let kept = names.iter().filter(|name| told.kept.contains(name));
    let expected = told.kept.iter().filter(|name| there.contains(name));
    assert!(kept.eq(expected), "{when}: another order");
    for append in &told.unknown {
        let count = append.iter().filter(|name| there.contains(name)).count();
        // The erasure may have been durable although its answer was lost.
        assert!(
            count == 0 || count == append.len(),
            "{when}: {count} of {append:?}"
        );
    }
    let ids: Vec<_> = all(store.as_ref())
        .iter()
        .map(|r| (r.position, r.id))
        .collect();
    assert!(
        ids.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1),
        "{when}: ids"
    );
    let session = block_on(store.load_state(&home(), "s")).unwrap();
    let held = session.map(|state| state.state[0]);
    assert!(
        held >= told.state && held <= told.state_sent,
        "{when}: state {held:?}"
    );
    let document = block_on(embedded.control().get("bots", "b")).unwrap();
    let held = document.map(|document| document.body[0]);
    assert!(held >= told.document, "{when}: document {held:?}");
    let receipt = block_on(store.append(batch(vec![draft("after", "bob", 99)])));
    stored(&receipt.unwrap().outcomes[0]);
}

fn place() -> SimPlace {
    SimPlace {
        // A few appends a chunk, so that chunks change, too.
        rows_max: 12,
        ..SimPlace::new()
    }
}

fn calls_of_a_whole_run() -> u64 {
    let place = place();
    let mut told = Told::default();
    work(&place, &mut told).unwrap();
    assert_eq!(told.kept.len(), 4 * usize::from(APPENDS) + 1);
    assert!(told.erased && told.unknown.is_empty());
    let calls = place.disk.calls();
    check(&place, &told, "without failure");
    calls
}

fn run(fault: Fault, crash: bool) {
    let calls = calls_of_a_whole_run();
    for call in 1..calls {
        let when = format!("{fault:?} at call {call}");
        let place = place();
        place.disk.fail_at(call, fault);
        let mut told = Told::default();
        let outcome = work(&place, &mut told);
        place.disk.heal();
        if crash {
            place.disk.crash(call);
        }
        if let Err(error) = outcome {
            assert!(told.kept.is_empty(), "{when}: {error}");
        }
        check(&place, &told, &when);
    }
}

#[test]
fn any_call_may_fail() {
    run(Fault::Once, false);
}

#[test]
fn any_call_may_find_no_room() {
    run(Fault::Full, false);
}

#[test]
fn the_machine_may_die_at_any_call() {
    run(Fault::Dead, true);
}

/// A workload whose machine died in the middle, with what it was told.
fn died_in_the_middle() -> (SimPlace, Told) {
    let place = place();
    place
        .disk
        .fail_at(calls_of_a_whole_run() * 2 / 3, Fault::Dead);
    let mut told = Told::default();
    let outcome = work(&place, &mut told);
    assert!(outcome.is_ok() && !told.kept.is_empty() && !told.unknown.is_empty());
    (place, told)
}

#[test]
fn unsynced_pages_may_be_forgotten_in_any_order() {
    let (place, told) = died_in_the_middle();
    for seed in 1..200 {
        let place = place.fork();
        place.disk.crash(seed);
        check(&place, &told, &format!("seed {seed}"));
    }
}

#[test]
fn the_machine_may_die_again_at_any_call_of_the_recovery() {
    let (place, told) = died_in_the_middle();
    for call in 1.. {
        let place = place.fork();
        place.disk.crash(call);
        place.disk.fail_at(place.disk.calls() + call, Fault::Dead);
        let is_whole = place.try_open().is_ok();
        place.disk.crash(call + 1000);
        check(&place, &told, &format!("again at call {call}"));
        if is_whole {
            break;
        }
    }
}

#[test]
fn a_full_disk_refuses_appends_and_takes_them_again_when_there_is_room() {
    let place = SimPlace::new();
    let embedded = place.open();
    let store = embedded.store();
    block_on(store.append(batch(vec![draft("a", "ann", 1)]))).unwrap();
    place.disk.set_free(Some(0));
    let mut refused = 0;
    for i in 0..400 {
        let mut big = draft(&format!("b{i}"), "ann", 1);
        let noise: String = (0..600)
            .map(|j| format!("{:x}", (i * 7919 + j * 104_729) % 65_537))
            .collect();
        big.raw = format!(r#"{{"noise":"{noise}"}}"#).into();
        match block_on(store.append(batch(vec![big]))) {
            Ok(_) => assert_eq!(refused, 0),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full);
                assert_eq!(error.client_text(), "no room left on the disk");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    assert!(store.health().writable);
    block_on(store.erase(&erase_customer("ann", 1))).unwrap();
    assert_eq!(shown(store.as_ref()), [""; 0]);
    place.disk.set_free(None);
    block_on(store.append(batch(vec![draft("z", "bob", 1)]))).unwrap();
    assert_eq!(shown(store.as_ref()), ["z"]);
}

#[test]
fn a_failed_sync_refuses_writes_until_a_restart() {
    let place = SimPlace::new();
    let embedded = place.open();
    let store = embedded.store();
    block_on(store.append(batch(vec![draft("a", "ann", 1)]))).unwrap();
    // The next append writes, then syncs.
    place.disk.fail_at(place.disk.calls() + 2, Fault::Once);
    for name in ["b", "c"] {
        let error = block_on(store.append(batch(vec![draft(name, "ann", 2)]))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let text = "the store writes nothing until it is restarted";
        assert_eq!(error.client_text(), text);
    }
    assert!(!store.health().writable);
    assert_eq!(shown(store.as_ref()), ["a"]);
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(shown(store.as_ref()), ["a"]);
    let receipt = block_on(store.append(batch(vec![draft("d", "ann", 3)]))).unwrap();
    let chunk = stored(&receipt.outcomes[0]).position.0 >> 32;
    assert_eq!(chunk, 2, "a restart opens a new chunk");
}

#[test]
fn after_a_failed_write_of_the_catalog_no_other_is_tried() {
    let place = SimPlace::new();
    let embedded = place.open();
    let (store, control) = (embedded.store(), embedded.control());
    let put = |id: &str| block_on(control.put("bots", id, b"{}", Expect::Absent));
    put("a").unwrap();
    place.disk.fail_at(place.disk.calls() + 1, Fault::Once);
    put("b").unwrap_err();
    put("c").unwrap_err();
    // The first append opens a chunk, of which the catalog would have to know.
    for name in ["d", "e"] {
        let error = block_on(store.append(batch(vec![draft(name, "ann", 1)]))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
    drop((embedded, store, control));
    let embedded = place.open();
    let found = block_on(embedded.control().get("bots", "a")).unwrap();
    assert_eq!(found.unwrap().body, b"{}");
    let receipt = block_on(embedded.store().append(batch(vec![draft("d", "ann", 1)])));
    stored(&receipt.unwrap().outcomes[0]);
}

#[test]
fn appends_are_refused_while_indexes_take_all_the_memory_that_they_may() {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = 4;
    options.memory_budget = 128 << 10;
    let embedded = Embedded::open(options).unwrap();
    let store = embedded.store();
    let nothing_is_sealed = embedded.engine.shared.lock_indexes();
    let mut kept = Vec::new();
    let refused = loop {
        let name = format!("r{}", kept.len());
        match block_on(store.append(batch(vec![draft(&name, "ann", 1)]))) {
            Ok(_) => kept.push(name),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Busy);
    assert!(kept.len() > 8, "{}", kept.len());
    assert_eq!(shown(store.as_ref()), kept, "reads go on");
    drop(nothing_is_sealed);
    block_on(store.settle()).unwrap();
    block_on(store.append(batch(vec![draft("more", "ann", 1)]))).unwrap();
}
