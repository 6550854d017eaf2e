//! The engine keeps the contract, sentence by sentence.

use std::sync::Arc;

use convlog_model::store::conformance::{BLOB_CASES, CASES, CONTROL_CASES, Rig};
use futures::executor::block_on;

use super::kit::Place;

#[test]
fn every_sentence_of_the_store_contract() {
    for case in CASES {
        println!("{}", case.name);
        let place = Place::new();
        let embedded = place.open();
        let rig = Rig::new(embedded.store(), Arc::clone(&place.clock));
        block_on((case.run)(rig.keeping((embedded, place))));
    }
}

#[test]
fn every_sentence_also_across_many_small_chunks() {
    for case in CASES {
        println!("{}", case.name);
        let place = Place::new();
        let mut options = place.options();
        options.limits.rows_max = 3;
        let embedded = crate::embedded::Embedded::open(options).unwrap();
        let rig = Rig::new(embedded.store(), Arc::clone(&place.clock));
        block_on((case.run)(rig.keeping((embedded, place))));
    }
}

#[test]
fn every_sentence_of_the_control_plane() {
    for case in CONTROL_CASES {
        println!("{}", case.name);
        let place = Place::new();
        let embedded = place.open();
        block_on((case.run)(embedded.control()));
    }
}

#[test]
fn every_sentence_of_the_blobs() {
    for case in BLOB_CASES {
        println!("{}", case.name);
        let place = Place::new();
        let embedded = place.open();
        block_on((case.run)(embedded.blobs()));
    }
}
