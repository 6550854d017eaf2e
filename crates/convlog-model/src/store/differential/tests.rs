//! The reference engine agrees with itself, whatever its ids; a wrong answer is noticed.

use futures::executor::block_on;
use proptest::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::store::memory::MemoryStore;
use crate::testkit::{SeededIds, TestClock};

fn memory(seed: u64) -> Rig {
    let clock = Arc::new(TestClock::default());
    let read: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let store = MemoryStore::new(read, Arc::new(SeededIds::new(seed)));
    Rig::new(Arc::new(store), clock)
}

proptest! {
    #[test]
    fn two_reference_engines_agree(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        block_on(agree(&memory(1), &memory(2), &bytes));
    }
}

#[test]
#[should_panic(expected = "the engine's answer differs")]
fn an_engine_that_has_lost_a_record_is_noticed() {
    let full = memory(1);
    let records = vec![testkit::said("hello")];
    let states = Vec::new();
    block_on(full.append_batch(Batch { records, states }));
    block_on(agree(&full, &memory(2), &[]));
}
