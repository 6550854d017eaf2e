//! Sessions end when they should, and their keys with them.

use std::path::Path;

use convlog_model::store::Batch;
use futures::executor::block_on;

use super::SESSIONS;
use crate::embedded::tests::kit::{SIM_DIR, SimPlace, erase_customer, home, state};

fn keys(place: &SimPlace) -> Vec<[u8; 32]> {
    let bytes = place.disk.bytes(&Path::new(SIM_DIR).join(SESSIONS));
    let slots = bytes.chunks_exact(64).skip(1);
    let taken = slots.filter(|slot| slot.iter().any(|byte| *byte != 0));
    taken.map(|slot| slot[32..].try_into().unwrap()).collect()
}

fn open(place: &SimPlace, names: &[&str]) {
    let store = place.open();
    for name in names {
        let states = vec![state(name, name, b"words of a user", &place.clock)];
        let records = Vec::new();
        block_on(store.store().append(Batch { records, states })).unwrap();
    }
}

#[test]
fn a_key_is_overwritten_when_its_session_ends() {
    let place = SimPlace::new();
    open(&place, &["ann", "bob", "cid"]);
    assert_eq!(keys(&place).len(), 3);
    let embedded = place.open();
    let store = embedded.store();
    block_on(store.drop_state(&home(), "ann")).unwrap();
    assert_eq!(keys(&place).len(), 2);
    block_on(store.erase(&erase_customer("bob", 1))).unwrap();
    assert_eq!(keys(&place).len(), 1);
    drop((embedded, store));
    place.clock.step(2 * 3_600_000_000);
    drop(place.open());
    assert_eq!(keys(&place).len(), 0);
}

#[test]
fn a_slot_is_used_again_with_another_key() {
    let place = SimPlace::new();
    open(&place, &["ann"]);
    let before = keys(&place);
    block_on(place.open().store().drop_state(&home(), "ann")).unwrap();
    open(&place, &["bob"]);
    let after = keys(&place);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
    let len = place.disk.bytes(&Path::new(SIM_DIR).join(SESSIONS)).len();
    assert_eq!(len, 64 * 4097, "one step of slots behind the header");
}

#[test]
fn no_file_holds_words_of_a_state_or_names_of_sessions_and_customers() {
    let place = SimPlace::new();
    open(&place, &["a-session-name"]);
    for file in ["sessions.keys", "catalog.redb", "chunks/0000000001.log"] {
        let bytes = place.disk.bytes(&Path::new(SIM_DIR).join(file));
        for text in ["words of a user", "a-session-name"] {
            let mut windows = bytes.windows(text.len());
            assert!(!windows.any(|window| window == text.as_bytes()), "{file}");
        }
    }
}
