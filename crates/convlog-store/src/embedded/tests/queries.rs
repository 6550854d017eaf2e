//! Random filters of every kind, asked of the engine and of the reference engine: in the open
//! chunk, in sealed ones, after a restart, during and after erasures.
//!
//! A run prints its seed and what it covered; `CONVLOG_SEED` repeats it.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use convlog_model::clock::Clock;
use convlog_model::store::Store;
use convlog_model::store::differential::queries::{Makes, Subject, Tally, compare};
use convlog_model::store::memory::MemoryStore;
use convlog_model::testkit::{SeededIds, TestClock};
use futures::executor::block_on;

use super::kit::Place;
use crate::embedded::Embedded;

const CASES_MIN: u64 = 20_000;
/// Sets of records.
const SETS: u64 = 56;
/// Questions about a set of records in each of the four states.
const QUESTIONS: usize = 100;

#[derive(Debug)]
struct Memory {
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
}

impl Subject for Memory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    fn clock(&self) -> Arc<TestClock> {
        Arc::clone(&self.clock)
    }

    fn reopen(&mut self) {}
}

fn memory(_rows_max: usize) -> Box<dyn Subject> {
    let clock = Arc::new(TestClock::default());
    let read = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = Arc::new(MemoryStore::new(read, Arc::new(SeededIds::new(1))));
    Box::new(Memory { store, clock })
}

#[derive(Debug)]
struct OnDisk {
    /// `None` while it is opened again.
    embedded: Option<Embedded>,
    place: Place,
    rows_max: usize,
}

impl OnDisk {
    fn open(&mut self) {
        let mut options = self.place.options();
        options.limits.rows_max = self.rows_max;
        options.threads = 1;
        self.embedded = Some(Embedded::open(options).unwrap());
    }
}

impl Subject for OnDisk {
    fn store(&self) -> Arc<dyn Store> {
        self.embedded.as_ref().unwrap().store()
    }

    fn clock(&self) -> Arc<TestClock> {
        Arc::clone(&self.place.clock)
    }

    fn reopen(&mut self) {
        self.embedded = None;
        self.open();
    }
}

fn on_disk(rows_max: usize) -> Box<dyn Subject> {
    let mut subject = OnDisk {
        embedded: None,
        place: Place::new(),
        rows_max,
    };
    subject.open();
    Box::new(subject)
}

#[expect(clippy::disallowed_methods, reason = "repeats a run of this test")]
fn chosen_seed() -> u64 {
    match std::env::var("CONVLOG_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        // Keys of a hasher are the randomness that is always at hand.
        Err(_) => RandomState::new().hash_one(0),
    }
}

/// Past the test runner, which shows what tests print only when they fail.
fn print(text: &str) {
    writeln!(std::io::stdout(), "{text}").unwrap();
}

#[test]
fn every_kind_of_filter_in_every_state_is_answered_as_the_reference_does() {
    let seed = chosen_seed();
    print(&format!("queries compared, CONVLOG_SEED={seed}"));
    let makes = Makes {
        reference: &memory,
        engine: &on_disk,
    };
    let next = AtomicU64::new(0);
    let covered = Mutex::new(Tally::default());
    let work = &|| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= SETS {
                return;
            }
            let mut tally = Tally::default();
            let seed = seed.wrapping_add(number);
            let compared = block_on(compare(makes, seed, QUESTIONS, &mut tally));
            compared.unwrap_or_else(|failure| panic!("set {number}: {failure}"));
            covered.lock().unwrap().merge(&tally);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let covered = covered.into_inner().unwrap();
    print(&covered.to_string());
    assert_eq!(covered.complaints(CASES_MIN), [""; 0]);
}
