//! What was acknowledged is there after a restart, in order or not.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests change files behind the engine's back"
)]

use std::sync::Arc;

use convlog_model::control::Expect;
use convlog_model::filter::Filter;
use convlog_model::store::{Batch, Erase, Outcome, Retention, Selector};
use futures::executor::block_on;

use super::kit::{Place, all, batch, draft, erase_customer, home, shown, state, stored};
use crate::embedded::Embedded;

#[test]
fn records_come_back_as_they_were() {
    let place = Place::new();
    let embedded = place.open();
    let store = embedded.store();
    let drafts: Vec<_> = (0..50).map(|i| draft(&format!("r{i}"), "ann", i)).collect();
    block_on(store.append(batch(drafts))).unwrap();
    let before = all(store.as_ref());
    assert_eq!(before.len(), 50);
    let (timeline, newest) = (store.timeline(), store.newest());
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(all(store.as_ref()), before);
    assert_eq!((store.timeline(), store.newest()), (timeline, newest));
    let receipt = block_on(store.append(batch(vec![draft("next", "ann", 99)]))).unwrap();
    let next = stored(&receipt.outcomes[0]);
    assert!(next.position > newest && next.id > before[49].id);
}

#[test]
fn resends_are_recognised_after_a_restart() {
    let place = Place::new();
    let first = block_on(
        place
            .open()
            .store()
            .append(batch(vec![draft("a", "ann", 1)])),
    );
    let first = stored(&first.unwrap().outcomes[0]);
    let store = place.open();
    let mut other = draft("a", "ann", 1);
    other.raw = r#"{"other":true}"#.into();
    let again = batch(vec![draft("a", "ann", 1), other]);
    let receipt = block_on(store.store().append(again)).unwrap();
    assert_eq!(
        receipt.outcomes,
        [Outcome::Duplicate(first), Outcome::Conflict]
    );
}

#[test]
fn erasures_hold_after_a_restart() {
    let place = Place::new();
    let embedded = place.open();
    let store = embedded.store();
    let drafts = vec![draft("a", "ann", 1), draft("b", "bob", 2)];
    block_on(store.append(batch(drafts))).unwrap();
    let erased = block_on(store.erase(&erase_customer("ann", 1))).unwrap();
    assert_eq!(erased.records, 1);
    block_on(store.settle()).unwrap();
    let erased = block_on(store.erasures(&home())).unwrap();
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(shown(store.as_ref()), ["b"]);
    assert_eq!(block_on(store.erasures(&home())).unwrap(), erased);
    let again = block_on(store.append(batch(vec![draft("a", "ann", 1)]))).unwrap();
    assert_eq!(again.outcomes, [Outcome::Erased]);
}

#[test]
fn own_ids_that_a_filter_erased_are_refused_after_a_restart() {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = 4;
    let embedded = Embedded::open(options).unwrap();
    let store = embedded.store();
    let long = "long ".repeat(60);
    let uuid = "0192f0c1-7a2b-7c3d-8e4f-0123456789ab";
    let drafts: Vec<_> = ["a", &long, uuid, "kept"]
        .iter()
        .map(|own_id| draft(own_id, "ann", 1))
        .collect();
    // The first chunk is sealed, the second is open.
    block_on(store.append(batch(drafts.clone()))).unwrap();
    block_on(store.append(batch(vec![draft("open", "ann", 1)]))).unwrap();
    block_on(store.settle()).unwrap();
    let erase = Erase {
        selector: Selector::Filter(Filter::equals("own_id", "kept").negate()),
        ..erase_customer("", 1)
    };
    assert_eq!(block_on(store.erase(&erase)).unwrap().records, 4);
    block_on(store.settle()).unwrap();
    drop((embedded, store));
    let embedded = place.open();
    let store = embedded.store();
    let mut again = drafts;
    again.push(draft("open", "bob", 2));
    again.push(draft("open", "bob", 2_000_000_000));
    again.push(draft("another", "ann", 1));
    let outcomes = block_on(store.append(batch(again))).unwrap().outcomes;
    let refused = [0, 1, 2, 4].map(|i| outcomes[i].clone());
    assert_eq!(refused, [const { Outcome::Erased }; 4]);
    assert!(matches!(outcomes[3], Outcome::Duplicate(_)));
    assert_eq!(shown(store.as_ref()), ["kept", "open", "another"]);
}

#[test]
fn what_is_sent_again_after_an_erasure_is_recognised_when_it_is_sent_once_more() {
    let place = Place::new();
    let embedded = place.open();
    let store = embedded.store();
    let mut timeless = draft("a", "ann", 1);
    timeless.canonical.remove("time.request");
    let erase = Erase {
        selector: Selector::Filter(Filter::All),
        ..erase_customer("", 1)
    };
    let append = || block_on(store.append(batch(vec![timeless.clone()]))).unwrap();
    append();
    block_on(store.erase(&erase)).unwrap();
    let second = stored(&append().outcomes[0]);
    assert_eq!(append().outcomes, [Outcome::Duplicate(second)]);
    assert_eq!(shown(store.as_ref()), ["a"]);
}

#[test]
fn sessions_go_on_after_a_restart_until_they_are_dropped() {
    let place = Place::new();
    let embedded = place.open();
    let store = embedded.store();
    for text in [b"one".as_slice(), b"two"] {
        let states = vec![
            state("s1", "ann", text, &place.clock),
            state("s2", "bob", text, &place.clock),
            state("s3", "cid", text, &place.clock),
        ];
        let records = vec![];
        block_on(store.append(Batch { records, states })).unwrap();
    }
    block_on(store.drop_state(&home(), "s2")).unwrap();
    block_on(store.erase(&erase_customer("cid", 1))).unwrap();
    drop((embedded, store));
    let embedded = place.open();
    let load = |session: &str| block_on(embedded.store().load_state(&home(), session)).unwrap();
    let found = load("s1").unwrap();
    assert_eq!(
        (found.state, found.customers),
        (b"two".to_vec(), vec!["ann".to_owned()])
    );
    assert_eq!((load("s2"), load("s3")), (None, None));
}

#[test]
fn rules_of_retention_hold_after_a_restart() {
    let place = Place::new();
    let embedded = place.open();
    let store = embedded.store();
    block_on(store.append(batch(vec![draft("old", "ann", 1)]))).unwrap();
    let rules = Retention {
        default_days: 1,
        ..Retention::default()
    };
    assert_eq!(block_on(store.expire(&rules)).unwrap(), 1);
    drop((embedded, store));
    assert_eq!(shown(place.open().store().as_ref()), [""; 0]);
}

#[test]
fn documents_come_back_with_versions_that_go_on() {
    let place = Place::new();
    let put = |body: &[u8], expect| {
        let embedded = place.open();
        block_on(embedded.control().put("bots", "default/x", body, expect))
    };
    let first = put(b"one", Expect::Absent).unwrap();
    let second = put(b"two", Expect::Version(first)).unwrap();
    assert!(second > first);
    let embedded = place.open();
    let control = embedded.control();
    let found = block_on(control.get("bots", "default/x")).unwrap().unwrap();
    assert_eq!((found.version, found.body), (second, b"two".to_vec()));
    block_on(control.delete("bots", "default/x", second)).unwrap();
    drop((embedded, control));
    assert!(put(b"three", Expect::Absent).unwrap() > second);
}

#[test]
fn a_directory_in_use_is_refused() {
    let place = Place::new();
    let _open = place.open();
    let error = place.try_open().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the data directory is in use by another process"
    );
}

#[test]
fn a_directory_without_its_key_is_refused() {
    let place = Place::new();
    drop(place.open());
    let disk = crate::embedded::disk::RealDisk;
    crate::embedded::disk::Disk::remove(&disk, &place.dir.path().join("key")).unwrap();
    let error = place.try_open().unwrap_err();
    let text = "key: is missing; without it nothing in this directory can be trusted";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_closed_store_answers_unavailable() {
    let place = Place::new();
    let embedded = place.open();
    let store = embedded.store();
    embedded.close();
    let error = block_on(store.append(batch(vec![draft("a", "ann", 1)]))).unwrap_err();
    assert_eq!(error.client_text(), "the store is closing");
    let error = block_on(store.watch(store.newest())).unwrap_err();
    assert_eq!(error.client_text(), "the store is closing");
    drop(Arc::clone(&store));
}

#[test]
fn what_comes_after_an_erasure_stays_where_an_unknown_log_was_removed_before() {
    let place = Place::new();
    drop(place.open());
    let unknown = place.dir.path().join("chunks/0000000009.log");
    std::fs::write(unknown, "").unwrap();
    let embedded = place.open();
    block_on(embedded.store().erase(&erase_customer("ann", 1))).unwrap();
    drop(embedded);
    let embedded = place.open();
    let one = state("s", "ann", b"1", &place.clock);
    let states = vec![one.clone()];
    let records = vec![draft("a", "ann", 2_000_000_000)];
    block_on(embedded.store().append(Batch { records, states })).unwrap();
    drop(embedded);
    let embedded = place.open();
    let store = embedded.store();
    assert_eq!(block_on(store.load_state(&home(), "s")).unwrap(), Some(one));
    assert_eq!(shown(store.as_ref()), ["a"]);
}

#[test]
fn the_newest_state_counts_where_an_older_index_is_made_again() {
    let place = Place::new();
    let mut options = place.options();
    options.limits.rows_max = 2;
    let embedded = Embedded::open(options).unwrap();
    let store = embedded.store();
    for (own_id, bytes) in [("a", b"1"), ("b", b"2"), ("c", b"3")] {
        let states = match own_id {
            "c" => Vec::new(),
            _ => vec![state("s", "ann", bytes, &place.clock)],
        };
        let records = vec![draft(own_id, "ann", 1)];
        block_on(store.append(Batch { records, states })).unwrap();
        block_on(store.settle()).unwrap();
    }
    drop((embedded, store));
    std::fs::remove_file(place.dir.path().join("chunks/0000000001.idx")).unwrap();
    let embedded = place.open();
    let newest = block_on(embedded.store().load_state(&home(), "s")).unwrap();
    assert_eq!(newest.unwrap().state, b"2");
}

#[test]
fn a_long_chunk_is_sealed_at_a_clean_stop_and_a_short_one_goes_on() {
    let place = Place::new();
    let open = || {
        let mut options = place.options();
        options.limits.stop_rows = 3;
        Embedded::open(options).unwrap()
    };
    let append = |embedded: &Embedded, own_id: &str| {
        let states = vec![state("s", "ann", own_id.as_bytes(), &place.clock)];
        let records = vec![draft(own_id, "ann", 1)];
        let receipt = block_on(embedded.store().append(Batch { records, states }));
        receipt.unwrap().outcomes.remove(0)
    };
    let chunk = |outcome: &Outcome| stored(outcome).position.0 >> 32;
    let sealed = place.dir.path().join("chunks/0000000001.idx");
    let embedded = open();
    let first = append(&embedded, "a");
    drop(embedded);
    assert!(!sealed.exists());
    let embedded = open();
    assert_eq!(chunk(&append(&embedded, "b")), 1);
    drop(embedded);
    assert!(sealed.exists());
    let embedded = open();
    let store = embedded.store();
    assert_eq!(shown(store.as_ref()), ["a", "b"]);
    let again = append(&embedded, "a");
    assert_eq!(again, Outcome::Duplicate(stored(&first)));
    assert_eq!(chunk(&append(&embedded, "c")), 2);
    let newest = block_on(store.load_state(&home(), "s")).unwrap();
    assert_eq!(newest.unwrap().state, b"c");
}
