//! The engine and the reference engine do the same at random and answer the same.

use std::sync::Arc;

use convlog_model::clock::Clock;
use convlog_model::store::ErasureState;
use convlog_model::store::conformance::Rig;
use convlog_model::store::differential::agree;
use convlog_model::store::memory::MemoryStore;
use convlog_model::testkit::{SeededIds, TestClock};
use futures::executor::block_on;
use proptest::prelude::*;

use super::kit::{Place, all, home};
use crate::embedded::{Embedded, verify};

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

    #[test]
    fn nothing_that_is_shown_changes_when_erasures_end_and_after_a_restart(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        rows_max in prop_oneof![Just(2_usize), Just(7), Just(65_536)],
    ) {
        let place = Place::new();
        let options = || {
            let mut options = place.options();
            options.limits.rows_max = rows_max;
            options
        };
        let embedded = Embedded::open(options()).unwrap();
        let rig = Rig::new(embedded.store(), Arc::clone(&place.clock));
        block_on(agree(&reference(), &rig, &bytes));
        let before = all(embedded.store().as_ref());
        block_on(embedded.store().settle()).unwrap();
        prop_assert_eq!(&all(embedded.store().as_ref()), &before);
        let erasures = block_on(embedded.store().erasures(&home())).unwrap();
        prop_assert!(erasures.iter().all(|erasure| erasure.state == ErasureState::Done));
        drop((rig, embedded));
        prop_assert_eq!(verify(place.dir.path()).problems, vec![]);
        let embedded = Embedded::open(options()).unwrap();
        prop_assert_eq!(&all(embedded.store().as_ref()), &before);
    }
}
