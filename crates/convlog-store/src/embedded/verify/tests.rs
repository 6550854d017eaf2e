//! `verify` is silent about a sound directory and names file and offset of what is broken.

use std::path::{Path, PathBuf};

use futures::executor::block_on;

use super::*;
use crate::embedded::tests::kit::{Place as Dir, SIM_DIR, SimPlace, batch, draft};

fn filled() -> SimPlace {
    let place = SimPlace {
        rows_max: 8,
        ..SimPlace::new()
    };
    let embedded = place.open();
    for i in 0..5 {
        let drafts = (0..4)
            .map(|j| draft(&format!("r{i}-{j}"), "ann", i))
            .collect();
        block_on(embedded.store().append(batch(drafts))).unwrap();
    }
    place
}

fn check(place: &SimPlace, expected: &[&str]) {
    let report = verify_on(&place.disk, Path::new(SIM_DIR));
    let found: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_sound_directory_has_no_problems() {
    let place = filled();
    let report = verify_on(&place.disk, Path::new(SIM_DIR));
    assert_eq!(report.problems, []);
    assert_eq!((report.chunks, report.records), (3, 20));
    assert!(!report.is_running && report.bytes > 0 && report.frames >= 5);
}

#[test]
fn a_directory_in_use_is_read_too() {
    let place = Dir::new();
    let embedded = place.open();
    block_on(embedded.store().append(batch(vec![draft("a", "ann", 1)]))).unwrap();
    let report = verify(place.dir.path());
    assert_eq!(report.problems, []);
    assert!(report.is_running);
    assert_eq!(report.records, 1);
}

#[test]
fn a_flipped_bit_is_named() {
    let place = filled();
    let path = PathBuf::from(SIM_DIR).join("chunks/0000000002.log");
    let mut bytes = place.disk.bytes(&path);
    bytes[4096 + 80] ^= 4;
    place.disk.set_bytes(&path, bytes);
    check(
        &place,
        &["chunks/0000000002.log at byte 4096: frame with a wrong checksum"],
    );
}

#[test]
fn a_missing_log_and_a_missing_key_are_named() {
    let place = filled();
    let path = PathBuf::from(SIM_DIR).join("chunks/0000000001.log");
    place.disk.remove(&path).unwrap();
    check(
        &place,
        &["chunks/0000000001.log: is missing, but catalog.redb names it"],
    );
    place
        .disk
        .remove(&PathBuf::from(SIM_DIR).join("key"))
        .unwrap();
    check(&place, &["key: entity not found"]);
}

#[test]
fn a_damaged_catalog_is_named() {
    let place = filled();
    let path = PathBuf::from(SIM_DIR).join("catalog.redb");
    place
        .disk
        .set_bytes(&path, b"not a catalog at all".to_vec());
    let report = verify_on(&place.disk, Path::new(SIM_DIR));
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].file, "catalog.redb");
}
