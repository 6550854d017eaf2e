//! Retention reaches the bytes: nothing of what has expired is left in any file, whatever fails,
//! and nothing else is touched.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use convlog_model::filter::Filter;
use convlog_model::query::{Query, Scan, Sort, SortKey};
use convlog_model::record::{Draft, Record};
use convlog_model::store::retention::InstanceRetention;
use convlog_model::store::{Batch, Outcome, Purge, Retention, Store};
use convlog_model::time::{DAY_US, Timestamp};
use futures::executor::block_on;

use super::erasing::{
    CUSTOMER, MARK, Prepared, check_no_term, check_no_trace, holds_mark, logs, marked,
    marked_payloads, others, payloads, small,
};
use super::kit::{Place, SIM_DIR, SimPlace, all, batch, draft, erase_customer, home, shown, state};
use crate::embedded::Embedded;
use crate::embedded::disk::sim::Fault;
use crate::embedded::disk::{Disk, RealDisk};
use crate::embedded::log::CHUNKS_DIR;
use crate::embedded::log::log_number;
use crate::embedded::verify::verify_on;

/// Records of the bot `gone` live for so many days, all others for ever.
fn rules(days: u32) -> Retention {
    let own = InstanceRetention {
        bots: [("gone".to_owned(), days)].into(),
        ..Default::default()
    };
    Retention {
        instances: [(home(), own)].into(),
        ..Default::default()
    }
}

/// Full of marks, to expire.
fn going(i: i64) -> Draft {
    let mut draft = marked(i);
    draft.set_text("bot", "gone");
    draft
}

fn staying(name: &str, i: i64) -> Draft {
    let mut draft = draft(name, "bob", i);
    draft.set_text("bot", "stays");
    draft
}

/// Rows that expire beside others in the same blocks, then chunks of which every row does.
fn fill(place: &SimPlace, store: &dyn Store) {
    fill_with(place, store, 8, 32);
}

fn fill_with(place: &SimPlace, store: &dyn Store, n_mixed: i64, n_going: i64) {
    for i in 0..n_mixed {
        let records = vec![
            staying(&format!("bob-{i}"), i),
            going(i),
            staying(&format!("cid-{i}"), i),
        ];
        let states = vec![state("s", CUSTOMER, MARK.as_bytes(), &place.clock)];
        block_on(store.append(Batch { records, states })).unwrap();
    }
    for i in 10..10 + n_going {
        block_on(store.append(batch(vec![going(i)]))).unwrap();
    }
    for i in 50..54 {
        let last = staying(&format!("last-{i}"), i);
        block_on(store.append(batch(vec![last]))).unwrap();
    }
}

/// One row in 51 of a chunk is to expire.
fn fill_nearly_staying(store: &dyn Store, second: i64) {
    for i in 0..50 {
        let name = format!("bob-{i}");
        block_on(store.append(batch(vec![staying(&name, second)]))).unwrap();
    }
    block_on(store.append(batch(vec![going(second)]))).unwrap();
}

fn n_logs(place: &SimPlace) -> usize {
    logs(&place.disk, Path::new(SIM_DIR)).len()
}

fn has_marks(place: &SimPlace) -> bool {
    let frames = payloads(&place.disk, Path::new(SIM_DIR));
    frames.iter().any(|(_, plain)| holds_mark(plain))
}

fn expire(store: &dyn Store, days: u32) -> u64 {
    let hidden = block_on(store.expire(&rules(days))).unwrap();
    block_on(store.settle()).unwrap();
    hidden
}

#[test]
fn nothing_of_what_has_expired_is_left_in_any_byte() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let before = marked_payloads(&place);
    let (rest, n_before) = (others(store.as_ref()), n_logs(&place));
    assert_eq!(rest.len(), 20);
    assert_eq!(expire(store.as_ref(), 1), 40);
    assert_eq!(all(store.as_ref()), rest);
    assert!(n_logs(&place) <= n_before - 2, "chunks go as a whole");
    check_no_term(&embedded);
    drop((embedded, store));
    check_no_trace(&place, &before, "after a clean stop");
    let embedded = place.open();
    check_no_term(&embedded);
    let store = embedded.store();
    assert_eq!(all(store.as_ref()), rest);
    // What has left is unknown: the same own id is a new record.
    let again = block_on(store.append(batch(vec![going(12)]))).unwrap();
    assert!(matches!(again.outcomes[..], [Outcome::Stored(_)]));
    let state = block_on(store.load_state(&home(), "s")).unwrap();
    assert_eq!(state.unwrap().state, MARK.as_bytes());
}

/// The only purge.
fn purge(store: &dyn Store) -> Purge {
    let mut purges = block_on(store.purges()).unwrap();
    assert_eq!(purges.len(), 1, "{purges:?}");
    purges.remove(0)
}

#[test]
fn what_went_is_counted_once_and_told_until_it_is_forgotten() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    place.clock.step(1_000_000);
    fill(&place, store.as_ref());
    let first = place.now_s() * 1000;
    block_on(store.erase(&erase_customer("bob", 1))).unwrap();
    assert_eq!(expire(store.as_ref(), 1), 40);
    let told = purge(store.as_ref());
    assert_eq!((&told.instance, told.records), (&home(), 40));
    assert_eq!((told.oldest.millis(), told.newest.millis()), (first, first));
    expire(store.as_ref(), 1);
    assert_eq!(purge(store.as_ref()), told);
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(purge(store.as_ref()), told);
    block_on(store.forget_purges(&[told.id])).unwrap();
    expire(store.as_ref(), 1);
    drop((embedded, store));
    let embedded = place.open();
    assert_eq!(block_on(embedded.store().purges()).unwrap(), []);
}

#[test]
fn what_is_only_hidden_is_no_purge() {
    let place = SimPlace::new();
    let embedded = place.open();
    let store = embedded.store();
    fill_nearly_staying(store.as_ref(), place.now_s());
    place.clock.step(3 * DAY_US);
    assert_eq!(expire(store.as_ref(), 2), 1);
    assert_eq!(block_on(store.purges()).unwrap(), []);
    place.clock.step(7 * DAY_US);
    expire(store.as_ref(), 2);
    assert_eq!(purge(store.as_ref()).records, 1);
}

#[test]
fn a_few_rows_stay_until_seven_days_after_the_first_has_expired() {
    let place = SimPlace::new();
    let embedded = place.open();
    let store = embedded.store();
    let now = place.now_s();
    fill_nearly_staying(store.as_ref(), now);
    place.clock.step(DAY_US);
    block_on(store.append(batch(vec![going(now + 86_400)]))).unwrap();
    let rest = others(store.as_ref());
    assert_eq!(expire(store.as_ref(), 3), 0);
    let second = 1_000_000;
    for (micros, hidden) in [
        (2 * DAY_US + second, 1),
        (DAY_US, 1),
        (5 * DAY_US, 0),
        (DAY_US - 2 * second, 0),
    ] {
        place.clock.step(micros);
        assert_eq!(expire(store.as_ref(), 3), hidden);
        assert!(has_marks(&place));
    }
    place.clock.step(2 * second);
    expire(store.as_ref(), 3);
    assert!(!has_marks(&place));
    assert_eq!(all(store.as_ref()), rest);
}

#[test]
fn nothing_is_overwritten_before_its_time() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    let now = place.now_s();
    for i in 0..30 {
        let mut late = going(now);
        late.own_id = Some(format!("{MARK}-late-{i}"));
        block_on(store.append(batch(vec![late]))).unwrap();
    }
    let files = place.disk.everything();
    place.clock.step(DAY_US - 1);
    assert_eq!(expire(store.as_ref(), 1), 0);
    assert_eq!(shown(store.as_ref()).len(), 30);
    assert_eq!(n_logs(&place), 3);
    assert_eq!(payloads(&place.disk, Path::new(SIM_DIR)).len(), 32);
    assert!(files.len() > 5);
}

#[test]
fn a_longer_rule_keeps_what_a_shorter_one_has_only_hidden() {
    let place = SimPlace::new();
    let embedded = place.open();
    let store = embedded.store();
    let now = place.now_s();
    fill_nearly_staying(store.as_ref(), now);
    place.clock.step(2 * DAY_US);
    assert_eq!(expire(store.as_ref(), 1), 1);
    place.clock.step(20 * DAY_US);
    assert_eq!(expire(store.as_ref(), 365), 0);
    assert!(has_marks(&place));
    drop((embedded, store));
    let embedded = place.open();
    assert_eq!(all(embedded.store().as_ref()).len(), 51);
}

#[test]
fn a_chunk_with_the_state_of_a_living_session_stays() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    let states = vec![state("s", "somebody", b"kept", &place.clock)];
    let records = vec![going(0)];
    block_on(store.append(Batch { records, states })).unwrap();
    for i in 1..30 {
        block_on(store.append(batch(vec![going(i)]))).unwrap();
    }
    block_on(store.append(batch(vec![staying("last", 40)]))).unwrap();
    let before = marked_payloads(&place);
    expire(store.as_ref(), 1);
    let numbers = |place: &SimPlace| -> Vec<u64> {
        let names = place.disk.list(&Path::new(SIM_DIR).join(CHUNKS_DIR));
        names
            .unwrap()
            .iter()
            .filter_map(|name| log_number(name))
            .collect()
    };
    assert_eq!(numbers(&place), [1, 3]);
    let kept = block_on(store.load_state(&home(), "s")).unwrap();
    assert_eq!(kept.unwrap().state, b"kept");
    drop((embedded, store));
    check_no_trace(&place, &before, "with a session");
    let embedded = place.open();
    let store = embedded.store();
    let kept = block_on(store.load_state(&home(), "s")).unwrap();
    assert_eq!(kept.unwrap().state, b"kept");
    place.clock.step(3_700_000_000);
    expire(store.as_ref(), 1);
    assert_eq!(numbers(&place), [3]);
    assert_eq!(shown(store.as_ref()), ["last"]);
}

#[test]
fn cursors_and_walks_go_on_behind_a_chunk_that_is_gone() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let mut query = Query::new(home(), Filter::All);
    query.sort = Sort {
        key: SortKey::Position,
        descending: false,
    };
    query.limit = 36;
    let page = block_on(store.search(&query)).unwrap();
    (query.after, query.upto) = (page.next, Some(page.upto));
    let last = page.records.last().unwrap();
    assert_eq!(last.flat().text("bot"), Some("gone"));
    let mut walk = Scan {
        instance: home(),
        filter: Filter::All,
        after: last.position,
        upto: None,
        limit: 100,
    };
    let newest = store.newest();
    expire(store.as_ref(), 1);
    let expected: Vec<String> = (50..54).map(|i| format!("last-{i}")).collect();
    let names = |records: &[Arc<Record>]| -> Vec<String> {
        records.iter().map(|record| record.shown_id()).collect()
    };
    let check = |store: &dyn Store, query: &Query, walk: &Scan| {
        let page = block_on(store.search(query)).unwrap();
        assert_eq!((names(&page.records), page.next), (expected.clone(), None));
        let walked = block_on(store.scan(walk)).unwrap();
        assert_eq!(
            (names(&walked.records), walked.done),
            (expected.clone(), true)
        );
        assert_eq!(store.newest(), newest);
    };
    check(store.as_ref(), &query, &walk);
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    check(store.as_ref(), &query, &walk);
    // The newest ones go, too; their position stays what it was.
    let everything = Retention {
        default_days: 1,
        ..Default::default()
    };
    block_on(store.expire(&everything)).unwrap();
    block_on(store.settle()).unwrap();
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(store.newest(), newest);
    walk.after = newest;
    assert!(block_on(store.scan(&walk)).unwrap().done);
    let stored = block_on(store.append(batch(vec![draft("next", "ann", 60)]))).unwrap();
    assert!(matches!(stored.outcomes[..], [Outcome::Stored(s)] if s.position > newest));
}

fn prepared() -> Prepared {
    Prepared::new(|place, store| fill_with(place, store, 3, 14))
}

/// Expires and settles as far as the disk lets it.
fn try_expire(place: &SimPlace) {
    let Ok(embedded) = place.try_open() else {
        return;
    };
    let store = embedded.store();
    drop(block_on(store.expire(&rules(1))));
    drop(block_on(store.settle()));
    // Records that are shown are what they were, or a read says that it cannot.
    let query = Query::new(home(), Filter::equals("bot", "stays"));
    if let Ok(page) = block_on(store.search(&query)) {
        assert_eq!(page.records.len(), 10);
    }
}

fn check_finishes(place: &SimPlace, prepared: &Prepared, when: &str) {
    let embedded = place.try_open().unwrap_or_else(|e| panic!("{when}: {e}"));
    let store = embedded.store();
    // What is half done is hidden, whatever the rules say.
    let filter = Filter::equals("bot", "gone");
    let counted = block_on(store.count(&home(), &filter)).unwrap();
    let found = block_on(store.search(&Query::new(home(), filter))).unwrap();
    assert_eq!(counted as usize, found.records.len(), "{when}");
    expire(store.as_ref(), 1);
    assert_eq!(all(store.as_ref()), prepared.rest, "{when}");
    let purges = block_on(store.purges()).unwrap();
    let n_purged: u64 = purges.iter().map(|purge| purge.records).sum();
    assert_eq!(n_purged, 17, "{when}: {purges:?}");
    let stored = block_on(store.append(batch(vec![draft("new", "ann", 60)]))).unwrap();
    let newest = prepared.rest.last().unwrap();
    assert!(
        matches!(stored.outcomes[..], [Outcome::Stored(s)]
            if s.position > newest.position && s.id > newest.id),
        "{when}"
    );
    drop((embedded, store));
    check_no_trace(place, &prepared.before, when);
}

fn each_call(fault: Fault, crash: bool) {
    let prepared = prepared();
    prepared.each_call(fault, crash, try_expire, |place, when| {
        if crash {
            let report = verify_on(&place.disk, Path::new(SIM_DIR));
            assert_eq!(report.problems, [], "{when}");
        }
        check_finishes(place, &prepared, when);
    });
}

#[test]
fn any_call_may_fail_and_a_restart_finishes_it() {
    each_call(Fault::Once, false);
}

#[test]
fn any_call_may_find_no_room_and_a_restart_finishes_it() {
    each_call(Fault::Full, false);
}

#[test]
fn the_machine_may_die_at_any_call_and_a_restart_finishes_it() {
    each_call(Fault::Dead, true);
}

#[test]
fn the_machine_may_die_again_at_any_call_of_the_finish() {
    let prepared = prepared();
    let half = |place: &SimPlace| {
        let report = verify_on(&place.disk, Path::new(SIM_DIR));
        report
            .notes
            .iter()
            .any(|note| note.contains("all of it has expired"))
    };
    let died = (1..)
        .map(|call| {
            let place = prepared.failing_at(call, Fault::Dead, try_expire);
            place.disk.crash(call);
            place
        })
        .find(half);
    let died = died.unwrap();
    for call in 1.. {
        let place = died.fork();
        place.disk.fail_at(place.disk.calls() + call, Fault::Dead);
        let is_whole = place.try_open().is_ok();
        place.disk.crash(call + 1000);
        check_finishes(&place, &prepared, &format!("again at call {call}"));
        if is_whole {
            break;
        }
    }
}

#[test]
fn rows_that_are_half_gone_stay_hidden_under_longer_rules() {
    let prepared = prepared();
    for call in (1..prepared.calls(try_expire)).step_by(3) {
        let place = prepared.failing_at(call, Fault::Dead, try_expire);
        place.disk.crash(call);
        let embedded = place.open();
        let store = embedded.store();
        block_on(store.expire(&Retention::default())).unwrap();
        let filter = Filter::equals("bot", "gone");
        let counted = block_on(store.count(&home(), &filter)).unwrap();
        let mut query = Query::new(home(), filter);
        query.limit = 100;
        let found = block_on(store.search(&query)).unwrap();
        assert_eq!(counted as usize, found.records.len(), "died at call {call}");
        assert_eq!(others(store.as_ref()), prepared.rest, "died at call {call}");
    }
}

#[test]
fn an_erasure_ends_beside_retention() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    block_on(store.expire(&rules(1))).unwrap();
    block_on(store.erase(&erase_customer("bob", 1))).unwrap();
    block_on(store.settle()).unwrap();
    let erasure = block_on(store.erasures(&home())).unwrap().remove(0);
    let done = convlog_model::store::ErasureState::Done;
    assert_eq!((erasure.records, erasure.state), (20, done));
    assert_eq!(shown(store.as_ref()), [""; 0]);
    drop((embedded, store));
    let plain = payloads(&place.disk, Path::new(SIM_DIR));
    let is_empty = |(_, plain): &(_, Vec<u8>)| !plain.windows(5).any(|part| part == b"hello");
    assert!(plain.iter().all(is_empty));
}

#[test]
fn readers_see_no_error_and_no_gap_while_chunks_go() {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = 100;
    let embedded = Embedded::open(options).unwrap();
    let store = embedded.store();
    let mut expected = Vec::new();
    for chunk in 0..30 {
        let records: Vec<Draft> = (0..100)
            .map(|i| match chunk % 3 {
                0 => staying(&format!("stays {chunk} {i}"), i),
                _ => {
                    let mut going = staying(&format!("goes {chunk} {i}"), i);
                    going.set_text("bot", &format!("goes-{chunk}"));
                    going
                }
            })
            .collect();
        if chunk % 3 == 0 {
            expected.extend(records.iter().map(|r| r.own_id.clone().unwrap()));
        }
        block_on(store.append(batch(records))).unwrap();
    }
    let (is_over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    let mut names = shown(store.as_ref());
                    names.retain(|name| name.starts_with("stays"));
                    assert_eq!(names, expected);
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let mut bots = std::collections::BTreeMap::new();
        for chunk in (0..30).filter(|chunk| chunk % 3 != 0) {
            bots.insert(format!("goes-{chunk}"), 1);
            let own = InstanceRetention {
                bots: bots.clone(),
                ..Default::default()
            };
            let rules = Retention {
                instances: [(home(), own)].into(),
                ..Default::default()
            };
            assert_eq!(block_on(store.expire(&rules)).unwrap(), 100);
            let seen = rounds.load(Ordering::SeqCst);
            while chunk % 5 == 0 && rounds.load(Ordering::SeqCst) < seen + 3 {
                std::thread::yield_now();
            }
        }
        block_on(store.settle()).unwrap();
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(shown(store.as_ref()), expected);
    embedded.close();
    let n_left = logs(&RealDisk, place.dir.path()).len();
    assert!(n_left <= 11, "{n_left} logs are left");
}

#[test]
fn a_clock_that_jumps_while_the_store_is_open_removes_nothing_until_it_is_confirmed() {
    for jump in [400 * DAY_US, -DAY_US] {
        let place = small();
        let embedded = place.open();
        let store = embedded.store();
        fill(&place, store.as_ref());
        let shown_before = all(store.as_ref()).len();
        place.set_after(jump);
        assert_eq!(expire(store.as_ref(), 1), 0);
        let held = store.upkeep().held.unwrap();
        let text = format!("the clock has jumped by {} seconds while", jump / 1_000_000);
        assert!(held.starts_with(&text), "{held}");
        assert!(has_marks(&place));
        // Reads go on by the clock, and show nothing that has expired by it.
        assert_eq!(all(store.as_ref()), others(store.as_ref()));
        drop((embedded, store));
        // It is remembered.
        let embedded = place.open();
        let store = embedded.store();
        assert_eq!(store.upkeep().held, Some(held));
        expire(store.as_ref(), 1);
        assert!(has_marks(&place));
        // Nothing was hidden for good: under other rules all of it is there.
        block_on(store.expire(&Retention::default())).unwrap();
        assert_eq!(all(store.as_ref()).len(), shown_before);
        block_on(store.confirm_retention()).unwrap();
        assert_eq!(store.upkeep().held, None);
        assert_eq!(expire(store.as_ref(), 1), 40);
        assert!(!has_marks(&place));
    }
}

#[test]
fn a_clock_far_beyond_the_last_run_removes_nothing_until_it_is_confirmed() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    let now = place.now_s();
    let mut late = going(now);
    late.own_id = Some(format!("{MARK}-late"));
    block_on(store.append(batch(vec![late]))).unwrap();
    assert_eq!(expire(store.as_ref(), 100), 40);
    drop((embedded, store));
    place.clock.step(7 * DAY_US);
    let embedded = place.open();
    assert_eq!(embedded.store().upkeep().held, None);
    // The pass of this run vouches for the moment.
    block_on(embedded.store().settle()).unwrap();
    drop(embedded);
    place.clock.step(7 * DAY_US + 1);
    let embedded = place.open();
    let store = embedded.store();
    let held = store.upkeep().held.unwrap();
    let text = "the clock shows 2026-03-16T09:00:00.000Z, more than 7 days beyond \
                2026-03-09T09:00:00.000Z, the last moment known before this start";
    assert_eq!(held, text);
    assert_eq!(expire(store.as_ref(), 2), 0);
    assert!(has_marks(&place));
    block_on(store.confirm_retention()).unwrap();
    block_on(store.settle()).unwrap();
    assert!(!has_marks(&place));
    drop((embedded, store));
    let embedded = place.open();
    assert_eq!(embedded.store().upkeep().held, None);
}

#[test]
fn a_clock_that_is_set_back_a_little_overwrites_nothing_early() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    let now = place.now_s();
    for i in 0..20 {
        let mut late = going(now);
        late.own_id = Some(format!("{MARK}-late-{i}"));
        block_on(store.append(batch(vec![late]))).unwrap();
    }
    place.set_after(-3_000_000_000);
    place.clock.step(DAY_US);
    assert_eq!(expire(store.as_ref(), 1), 0);
    assert_eq!(store.upkeep().held, None);
    assert_eq!(all(store.as_ref()).len(), 20);
    place.clock.step(3_000_000_001);
    assert_eq!(expire(store.as_ref(), 1), 20);
    assert!(!has_marks(&place));
}

#[test]
fn upkeep_tells_what_was_done() {
    let place = small();
    let embedded = place.open();
    let store = embedded.store();
    fill(&place, store.as_ref());
    assert_eq!(store.upkeep(), Default::default());
    block_on(store.erase(&erase_customer("bob", 1))).unwrap();
    block_on(store.settle()).unwrap();
    let after_erasure = store.upkeep();
    assert_eq!(
        (after_erasure.rows_erased, after_erasure.rows_expired),
        (20, 0)
    );
    assert!(after_erasure.bytes_overwritten > 0);
    let n_before = n_logs(&place);
    expire(store.as_ref(), 1);
    let upkeep = store.upkeep();
    assert_eq!((upkeep.rows_erased, upkeep.rows_expired), (20, 40));
    assert_eq!(upkeep.chunks_dropped as usize, n_before - n_logs(&place));
    assert_eq!((upkeep.chunks_pending, upkeep.erasures_pending), (0, 0));
    assert_eq!(upkeep.last_pass.unwrap().millis() / 1000, place.now_s());
    drop((embedded, store));
    let embedded = place.open();
    assert_eq!(embedded.store().upkeep().last_pass, upkeep.last_pass);
}

impl SimPlace {
    /// Seconds since 1970 on its clock.
    fn now_s(&self) -> i64 {
        use convlog_model::clock::Clock;
        let now: Timestamp = self.clock.now();
        now.millis() / 1000
    }

    /// Sets the wall clock alone.
    fn set_after(&self, micros: i64) {
        use convlog_model::clock::Clock;
        self.clock.set(self.clock.now().plus_micros(micros));
    }
}
