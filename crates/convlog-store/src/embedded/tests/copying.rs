//! What an erasure leaves of a frame does not fit where the frame was: its log is copied, whatever
//! fails. No rows do that by themselves (see `maintain/image/tests.rs`), so room is kept free.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use convlog_model::filter::Filter;
use convlog_model::query::Query;
use convlog_model::store::{ErasureState, Outcome};
use futures::executor::block_on;

use super::erasing::{
    CUSTOMER, Prepared, check_no_term, check_no_trace, each_call_of, erasure, fill, logs, marked,
    marked_payloads, others, small,
};
use super::kit::{SIM_DIR, SimPlace, all, batch, draft, erase_customer, home, shown};
use crate::embedded::disk::sim::Fault;

/// A place where no frame has room for what is left of it.
fn tight() -> SimPlace {
    SimPlace {
        image_reserve: 1 << 20,
        ..small()
    }
}

#[test]
fn logs_are_copied_without_the_rows_of_the_customer() {
    let place = tight();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let before = marked_payloads(&place);
    let n_logs = logs(&place.disk, Path::new(SIM_DIR)).len();
    let rest = others(store.as_ref());
    block_on(store.erase(&erase_customer(CUSTOMER, 1))).unwrap();
    block_on(store.settle()).unwrap();
    assert_eq!(erasure(store.as_ref()).state, ErasureState::Done);
    assert_eq!(all(store.as_ref()), rest);
    let again = block_on(store.append(batch(vec![marked(3), draft("new", "dan", 1)])));
    let [Outcome::Erased, Outcome::Stored(_)] = again.unwrap().outcomes[..] else {
        panic!("a resend is recognised by what is left of its log");
    };
    let again = block_on(store.append(batch(vec![draft("bob-2", "bob", 2)])));
    assert!(matches!(
        again.unwrap().outcomes[..],
        [Outcome::Duplicate(_)]
    ));
    let found = Query::new(home(), Filter::equals("customer", "cid"));
    assert_eq!(block_on(store.search(&found)).unwrap().records.len(), 8);
    check_no_term(&embedded);
    drop((embedded, store));
    check_no_trace(&place, &before, "after a clean stop");
    assert!(
        logs(&place.disk, Path::new(SIM_DIR)).len() > n_logs,
        "the open log was ended"
    );
    let embedded = place.open();
    let ids = shown(embedded.store().as_ref());
    assert_eq!(ids.len(), rest.len() + 1);
    assert_eq!(ids.last().unwrap(), "new");
}

#[test]
fn any_call_may_fail_and_a_restart_finishes_it() {
    each_call_of(&Prepared::on(tight(), fill), Fault::Once, false);
}

#[test]
fn any_call_may_find_no_room_and_a_restart_finishes_it() {
    each_call_of(&Prepared::on(tight(), fill), Fault::Full, false);
}

#[test]
fn the_machine_may_die_at_any_call_and_a_restart_finishes_it() {
    each_call_of(&Prepared::on(tight(), fill), Fault::Dead, true);
}

#[test]
fn readers_see_all_others_while_logs_are_copied() {
    let place = tight();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let query = Query::new(home(), Filter::equals("customer", "bob"));
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(block_on(store.search(&query)).unwrap().records.len(), 8);
            }
        });
        block_on(store.erase(&erase_customer(CUSTOMER, 1))).unwrap();
        block_on(store.settle()).unwrap();
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(erasure(store.as_ref()).state, ErasureState::Done);
}
