//! The engine and the reference engine do the same at random and answer the same.

use std::sync::Arc;

use convlog_model::clock::Clock;
use convlog_model::store::conformance::Rig;
use convlog_model::store::differential::agree;
use convlog_model::store::memory::MemoryStore;
use convlog_model::testkit::{SeededIds, TestClock};
use futures::executor::block_on;
use proptest::prelude::*;

use super::kit::Place;
use crate::embedded::Embedded;

fn reference() -> Rig {
    let clock = Arc::new(TestClock::default());
    let read = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = MemoryStore::new(read, Arc::new(SeededIds::new(1)));
    Rig::new(Arc::new(store), clock)
}

fn embedded(rows_max: usize) -> Rig {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = rows_max;
    let embedded = Embedded::open(options).unwrap();
    let rig = Rig::new(embedded.store(), Arc::clone(&place.clock));
    rig.keeping((embedded, place))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn both_answer_the_same(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        rows_max in prop_oneof![Just(2_usize), Just(7), Just(65_536)],
    ) {
        block_on(agree(&reference(), &embedded(rows_max), &bytes));
    }
}
