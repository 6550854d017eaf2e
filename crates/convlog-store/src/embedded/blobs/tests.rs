//! Blobs on a disk that fails and forgets.

use std::path::Path;
use std::sync::Arc;

use convlog_model::blobs::Blobs;
use convlog_model::ids::RecordId;
use convlog_model::store::ErrorKind;
use futures::executor::block_on;

use super::BlobFiles;
use crate::embedded::disk::sim::{Fault, SimDisk};

const VOICE: &[u8] = b"what somebody said aloud";

fn id(number: u8) -> RecordId {
    RecordId::from_parts(1, u128::from(number))
}

fn open(disk: &SimDisk) -> BlobFiles {
    BlobFiles::open(Arc::new(disk.clone()), Path::new("/data"), 0).unwrap()
}

fn holds_voice(disk: &SimDisk) -> bool {
    let holds = |bytes: &Vec<u8>| bytes.windows(VOICE.len()).any(|part| part == VOICE);
    disk.everything().iter().any(holds)
}

#[test]
fn an_acknowledged_blob_outlives_a_crash_and_a_torn_one_is_not_there() {
    for call in 0..40 {
        let disk = SimDisk::default();
        let blobs = open(&disk);
        block_on(blobs.put(id(1), b"first".to_vec())).unwrap();
        disk.fail_at(disk.calls() + call, Fault::Dead);
        let put = block_on(blobs.put(id(2), VOICE.to_vec()));
        drop(blobs);
        disk.crash(call);
        let blobs = open(&disk);
        assert_eq!(block_on(blobs.get(id(1))).unwrap().unwrap(), b"first");
        let found = block_on(blobs.get(id(2))).unwrap();
        match put {
            Ok(()) => assert_eq!(found.unwrap(), VOICE),
            Err(_) => assert!(found.is_none_or(|found| found == VOICE)),
        }
        let n_files = disk.everything().len();
        assert!(n_files <= 2, "call {call}: nothing unfinished stays");
    }
}

#[test]
fn after_a_fault_the_blob_is_not_there_and_can_be_put_again() {
    for call in 0..12 {
        let disk = SimDisk::default();
        let blobs = open(&disk);
        disk.fail_at(disk.calls() + call, Fault::Once);
        let put = block_on(blobs.put(id(1), VOICE.to_vec()));
        disk.heal();
        if put.is_err() {
            assert_eq!(block_on(blobs.get(id(1))).unwrap(), None, "call {call}");
            assert!(!holds_voice(&disk), "call {call}");
            block_on(blobs.put(id(1), VOICE.to_vec())).unwrap();
        }
        assert_eq!(block_on(blobs.get(id(1))).unwrap().unwrap(), VOICE);
    }
}

#[test]
fn a_removed_blob_is_on_the_disk_no_more() {
    for call in 0..12 {
        let disk = SimDisk::default();
        let blobs = open(&disk);
        block_on(blobs.put(id(1), VOICE.to_vec())).unwrap();
        assert!(holds_voice(&disk));
        disk.fail_at(disk.calls() + call, Fault::Once);
        let removed = block_on(blobs.remove(id(1)));
        disk.heal();
        if removed.is_err() {
            block_on(blobs.remove(id(1))).unwrap();
        }
        assert!(!holds_voice(&disk), "call {call}");
        assert_eq!(block_on(blobs.get(id(1))).unwrap(), None);
    }
}

#[test]
fn without_room_a_blob_is_refused() {
    let disk = SimDisk::default();
    let blobs = open(&disk);
    disk.set_free(Some(10));
    let refused = block_on(blobs.put(id(1), VOICE.to_vec()));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Full);
    disk.set_free(None);
    block_on(blobs.put(id(1), VOICE.to_vec())).unwrap();
}
