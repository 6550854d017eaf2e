//! Random operations with crashes in between, on a disk that forgets what was not synced: what was
//! acknowledged stays, nothing is there twice, and every answer is the reference engine's.

use std::path::Path;
use std::sync::Arc;

use convlog_model::clock::Clock;
use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::query::{Query, Sort, SortKey};
use convlog_model::record::{Dialect, Draft};
use convlog_model::store::memory::MemoryStore;
use convlog_model::store::{
    Batch, Erase, Erasure, Outcome, Receipt, Selector, StateWrite, Store, StoreError,
};
use convlog_model::testkit::generate::{self, Choices};
use convlog_model::testkit::{SeededIds, TestClock};
use convlog_model::time::Timestamp;
use futures::executor::block_on;
use proptest::prelude::*;

use super::kit::{SIM_DIR, SimPlace, home};
use crate::embedded::Embedded;
use crate::embedded::disk::sim::Fault;
use crate::embedded::verify::verify_on;

const SESSIONS: [&str; 3] = ["s", "t", "u"];
const CUSTOMERS: [&str; 3] = ["ann", "bob", "cid"];
/// A crash happens within so many calls to the disk after it was ordered.
const CALLS_MAX: usize = 40;

/// What became of a record, told without ids.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Stored,
    /// When the first one was accepted.
    Duplicate(Timestamp),
    Conflict,
    Erased,
}

fn told(receipt: &Receipt) -> Vec<Told> {
    let told = receipt.outcomes.iter().map(|outcome| match outcome {
        Outcome::Stored(_) => Told::Stored,
        Outcome::Duplicate(first) => Told::Duplicate(first.received),
        Outcome::Conflict => Told::Conflict,
        Outcome::Erased => Told::Erased,
    });
    told.collect()
}

/// An erasure without the times of what comes after it was accepted.
fn shown(erasure: &Erasure) -> (RecordId, u64, Timestamp) {
    (erasure.id, erasure.records, erasure.requested_at)
}

/// Everything that a store shows.
#[derive(Debug, PartialEq, Eq)]
struct Everything {
    records: Vec<(Timestamp, Draft)>,
    erasures: Vec<(RecordId, u64, Timestamp)>,
    states: Vec<Option<StateWrite>>,
}

fn search(store: &dyn Store, filter: &Filter, key: SortKey) -> Vec<(Timestamp, Draft)> {
    let mut query = Query::new(home(), filter.clone());
    query.limit = 10_000;
    query.sort = Sort {
        key,
        descending: false,
    };
    let found = block_on(store.search(&query)).unwrap().records;
    let rising = found
        .windows(2)
        .all(|two| two[0].position < two[1].position && two[0].id < two[1].id);
    assert!(rising || key != SortKey::Position, "ids and positions rise");
    let pairs = found.iter().map(|r| (r.received, r.draft.clone()));
    pairs.collect()
}

fn everything(store: &dyn Store) -> Everything {
    let erasures = block_on(store.erasures(&home())).unwrap();
    let state = |session: &&str| block_on(store.load_state(&home(), session)).unwrap();
    Everything {
        records: search(store, &Filter::All, SortKey::Position),
        erasures: erasures.iter().map(shown).collect(),
        states: SESSIONS.iter().map(state).collect(),
    }
}

/// What both sides are asked to do.
#[derive(Clone, Debug)]
enum Order {
    Append(Batch),
    Erase(Erase),
    Drop(String),
}

/// What a side answered.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Appended(Vec<Told>),
    Erased((RecordId, u64, Timestamp)),
    Dropped,
}

impl Order {
    fn give(&self, store: &dyn Store) -> Result<Answer, StoreError> {
        Ok(match self {
            Order::Append(batch) => Answer::Appended(told(&block_on(store.append(batch.clone()))?)),
            Order::Erase(erase) => Answer::Erased(shown(&block_on(store.erase(erase))?)),
            Order::Drop(session) => {
                block_on(store.drop_state(&home(), session))?;
                Answer::Dropped
            }
        })
    }
}

fn draft(choices: &mut Choices<'_>, now: Timestamp) -> Draft {
    let mut draft = generate::draft(choices);
    draft.instance = InstanceId::default_instance();
    draft.own_id = None;
    if choices.once_in(2) {
        draft.set_text("customer", choices.pick(&CUSTOMERS));
    }
    if choices.once_in(3) {
        let request = now.plus_micros([-1_000_000, 0, 1, 5_000_000][choices.below(4)]);
        draft.set_text("time.request", &request.to_micros_text());
    }
    if !choices.once_in(3) {
        // Few, so that some are sent again and again.
        draft.dialect = choices.pick(&[Dialect::WatsonV1, Dialect::WatsonV2]);
        draft.own_id = Some(choices.below(6).to_string());
        if !choices.once_in(4) {
            let body = format!(r#"{{"text":"one body","of":{:?}}}"#, draft.own_id);
            draft = Draft {
                raw: body.replace("Some(", "[").replace(')', "]").into(),
                ..draft
            };
            let kept = ["customer", "time.request"];
            draft.canonical.retain(|path| kept.contains(&path));
        }
    }
    draft
}

fn order(choices: &mut Choices<'_>, now: Timestamp, n_erasures: &mut u64) -> Order {
    match choices.below(8) {
        0..=4 => {
            let n_records = choices.below(5);
            let n_states = choices.below(3);
            let state = |choices: &mut Choices<'_>| StateWrite {
                instance: home(),
                session: choices.pick(&SESSIONS).to_owned(),
                state: vec![1; choices.below(40)],
                customers: vec![choices.pick(&CUSTOMERS).to_owned()],
                expires_at: now.plus_micros(30_000_000),
            };
            Order::Append(Batch {
                records: (0..n_records).map(|_| draft(choices, now)).collect(),
                states: (0..n_states).map(|_| state(choices)).collect(),
            })
        }
        5 | 6 => {
            let selector = match choices.below(4) {
                0 => Selector::Customer(choices.pick(&CUSTOMERS).to_owned()),
                1 => Selector::Filter(generate::filter(choices, 1)),
                2 => Selector::Filter(Filter::equals("customer", choices.pick(&CUSTOMERS))),
                _ => Selector::Filter(Filter::equals("own_id", &choices.below(6).to_string())),
            };
            *n_erasures += 1;
            Order::Erase(Erase {
                id: RecordId::from_parts(*n_erasures, 0),
                instance: home(),
                selector,
            })
        }
        _ => Order::Drop(choices.pick(&SESSIONS).to_owned()),
    }
}

struct World {
    place: SimPlace,
    embedded: Option<Embedded>,
    reference: MemoryStore,
    clock: Arc<TestClock>,
    n_erasures: u64,
    n_crashes: u64,
}

impl World {
    fn new(rows_max: usize, stop_rows: u32) -> Self {
        let place = SimPlace {
            rows_max,
            stop_rows,
            ..SimPlace::new()
        };
        let clock = Arc::new(TestClock::default());
        let read = Arc::clone(&clock) as Arc<dyn Clock>;
        World {
            embedded: Some(place.open()),
            place,
            reference: MemoryStore::new(read, Arc::new(SeededIds::new(1))),
            clock,
            n_erasures: 0,
            n_crashes: 0,
        }
    }

    fn engine(&self) -> Arc<dyn Store> {
        self.embedded.as_ref().unwrap().store()
    }

    fn order(&mut self, choices: &mut Choices<'_>) -> Order {
        order(choices, self.clock.now(), &mut self.n_erasures)
    }

    /// Both do it and say the same.
    fn both(&mut self, order: &Order) {
        let answer = order.give(self.engine().as_ref()).unwrap();
        let expected = order.give(&self.reference).unwrap();
        assert_eq!(answer, expected, "{order:?}");
    }

    fn compare(&self, choices: &mut Choices<'_>) {
        let filter = generate::filter(choices, 3);
        let key = choices.pick(&[SortKey::Position, SortKey::Request, SortKey::Received]);
        let engine = self.engine();
        assert_eq!(
            search(engine.as_ref(), &filter, key),
            search(&self.reference, &filter, key),
            "{filter:?} by {key:?}"
        );
        assert_eq!(
            block_on(engine.count(&home(), &filter)).unwrap(),
            block_on(self.reference.count(&home(), &filter)).unwrap(),
            "{filter:?}"
        );
    }

    fn compare_everything(&self, when: &str) {
        let engine = self.engine();
        assert_eq!(
            everything(engine.as_ref()),
            everything(&self.reference),
            "{when}"
        );
    }

    /// The machine dies, at once or while it does something; what was under way then is there
    /// wholly or not at all.
    fn crash(&mut self, choices: &mut Choices<'_>) {
        self.n_crashes += 1;
        let under_way = choices.once_in(2).then(|| self.order(choices));
        let calls = choices.below(CALLS_MAX) as u64;
        let seed = choices.below(256) as u64 * 7 + self.n_crashes;
        self.place
            .disk
            .fail_at(self.place.disk.calls() + 1 + calls, Fault::Dead);
        let mut unknown = None;
        if let Some(order) = under_way {
            match order.give(self.engine().as_ref()) {
                Ok(answer) => {
                    let expected = order.give(&self.reference).unwrap();
                    assert_eq!(answer, expected, "{order:?}");
                }
                Err(_) => unknown = Some(order),
            }
        }
        self.place
            .disk
            .fail_at(self.place.disk.calls() + 1, Fault::Dead);
        self.embedded = None;
        self.place.disk.crash(seed);
        self.embedded = Some(self.place.open());
        if let Some(order) = unknown
            && everything(self.engine().as_ref()) != everything(&self.reference)
        {
            order.give(&self.reference).unwrap();
            self.compare_everything(&format!("after a crash during {order:?}"));
        }
        self.compare_everything("after a crash");
    }

    fn reopen(&mut self) {
        self.embedded = None;
        self.embedded = Some(self.place.open());
        self.compare_everything("after a restart");
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let micros = i64::try_from(choices.below(200)).unwrap() * 100_000;
        self.clock.step(micros);
        self.place.clock.step(micros);
    }

    fn run(&mut self, choices: &mut Choices<'_>) {
        while !choices.is_empty() {
            match choices.below(16) {
                0..=7 => {
                    let order = self.order(choices);
                    self.both(&order);
                }
                8 | 9 => self.compare(choices),
                10 | 11 => self.crash(choices),
                12 => self.reopen(),
                13 => block_on(self.engine().settle()).unwrap(),
                14 => self.step(choices),
                _ => self.compare_everything("in between"),
            }
        }
        self.compare_everything("at the end");
        block_on(self.engine().settle()).unwrap();
        self.compare_everything("when all is settled");
        self.reopen();
        self.embedded = None;
        let report = verify_on(&self.place.disk, Path::new(SIM_DIR));
        assert_eq!(report.problems, []);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(320))]

    #[test]
    fn what_was_acknowledged_stays_whatever_happens(
        bytes in proptest::collection::vec(any::<u8>(), 0..900),
        rows_max in prop_oneof![Just(3_usize), Just(8), Just(20), Just(65_536)],
        stop_rows in prop_oneof![Just(1_u32), Just(u32::MAX)],
    ) {
        World::new(rows_max, stop_rows).run(&mut Choices::new(&bytes));
    }
}
