//! Damaged logs are recovered fully or refused with file and offset, never a panic.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use convlog_model::store::Store;
use convlog_model::testkit::SeededIds;
use futures::executor::block_on;

use super::kit::{SIM_DIR, SimPlace, batch, draft, shown};
use crate::embedded::OpenError;
use crate::embedded::frame::HEADER_LEN;
use crate::embedded::recover::{KnownEnd, scan};

fn log_path() -> PathBuf {
    PathBuf::from(SIM_DIR).join("chunks/0000000001.log")
}

/// A place whose engine was killed after these appends; no mark is behind the last.
fn killed(appends: &[&[&str]]) -> SimPlace {
    let place = SimPlace::new();
    let embedded = place.open();
    let store = embedded.store();
    for names in appends {
        let records = names.iter().map(|name| draft(name, "ann", 1)).collect();
        block_on(store.append(batch(records))).unwrap();
    }
    let dead = place.fork();
    drop((store, embedded));
    dead
}

/// Offsets of the frames of the log, and its end.
fn frames(place: &SimPlace) -> (Vec<u64>, u64) {
    let bytes = place.disk.bytes(&log_path());
    let file = crate::embedded::disk::Disk::open(&place.disk, &log_path()).unwrap();
    let chunk = crate::embedded::log::Chunk::open("chunks/0000000001.log", file).unwrap();
    let whole = scan(&chunk, KnownEnd::Unknown).unwrap();
    assert!(whole.end < bytes.len() as u64, "the log is preallocated");
    (
        whole.frames.iter().map(|(place, _)| place.offset).collect(),
        whole.end,
    )
}

fn names(store: &dyn Store) -> Vec<String> {
    shown(store)
}

#[test]
fn a_log_cut_anywhere_in_its_last_group_keeps_the_groups_before() {
    let place = killed(&[&["a", "b"], &["c"], &["d", "e", "f", "g", "h", "i"]]);
    let (offsets, end) = frames(&place);
    assert_eq!(offsets.len(), 4);
    let bytes = place.disk.bytes(&log_path());
    for cut in offsets[2]..end {
        // Cut off, or zero from here on as a file system may leave it.
        for zeros in [false, true] {
            let place = place.fork();
            let mut damaged = bytes[..cut as usize].to_vec();
            if zeros {
                damaged.resize(bytes.len(), 0);
            }
            place.disk.set_bytes(&log_path(), damaged);
            let embedded = place.open();
            let store = embedded.store();
            // Of the last frame, up to three bytes are zeros that fill it up.
            let found = names(store.as_ref());
            let is_whole = found == ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
            let is_padding = zeros && cut + 4 > end;
            assert!(
                found == ["a", "b", "c"] || (is_whole && is_padding),
                "{cut}: {found:?}"
            );
            block_on(store.append(batch(vec![draft("z", "ann", 1)]))).unwrap();
            assert_eq!(names(store.as_ref()).last().unwrap(), "z");
        }
    }
}

#[test]
fn every_flipped_bit_before_the_last_group_is_corruption_with_file_and_offset() {
    let place = killed(&[&["a"], &["b"], &["c"]]);
    let (offsets, _) = frames(&place);
    let bytes = place.disk.bytes(&log_path());
    for bit in 0..HEADER_LEN * 8 {
        let place = place.fork();
        let mut damaged = bytes.clone();
        damaged[offsets[1] as usize + bit / 8] ^= 1 << (bit % 8);
        place.disk.set_bytes(&log_path(), damaged);
        match place.try_open() {
            Err(OpenError::Damaged { file, offset, .. }) => {
                assert_eq!(file, "chunks/0000000001.log");
                assert_eq!(offset, offsets[1], "bit {bit}");
            }
            other => panic!("bit {bit}: {:?}", other.map(|e| names(e.store().as_ref()))),
        }
    }
}

#[test]
fn every_flipped_bit_of_the_last_group_before_a_kill_looks_like_a_torn_write() {
    let place = killed(&[&["a"], &["b"]]);
    let (offsets, end) = frames(&place);
    let bytes = place.disk.bytes(&log_path());
    for bit in 0..(end - offsets[1]) as usize * 8 {
        let place = place.fork();
        let mut damaged = bytes.clone();
        let at = offsets[1] as usize + bit / 8;
        damaged[at] ^= 1 << (bit % 8);
        place.disk.set_bytes(&log_path(), damaged);
        let embedded = place.open();
        let found = names(embedded.store().as_ref());
        // Padding holds nothing.
        let is_padding = found == ["a", "b"] && at + 4 > end as usize;
        assert!(found == ["a"] || is_padding, "bit {bit}: {found:?}");
        let rest = &place.disk.bytes(&log_path())[offsets[1] as usize..];
        assert!(
            is_padding || rest.iter().all(|byte| *byte == 0),
            "what was dropped is wiped"
        );
    }
}

#[test]
fn after_a_clean_stop_damage_to_the_last_group_is_corruption() {
    let place = SimPlace::new();
    block_on(
        place
            .open()
            .store()
            .append(batch(vec![draft("a", "ann", 1)])),
    )
    .unwrap();
    let (offsets, _) = frames(&place);
    let mut bytes = place.disk.bytes(&log_path());
    bytes[offsets[0] as usize + HEADER_LEN] ^= 1;
    place.disk.set_bytes(&log_path(), bytes);
    let error = place.try_open().unwrap_err();
    assert_eq!(
        error.to_string(),
        "chunks/0000000001.log is damaged at byte 4096: frame with a wrong checksum"
    );
}

#[test]
fn every_flipped_bit_of_the_chunk_header_is_refused() {
    let place = killed(&[&["a"]]);
    let bytes = place.disk.bytes(&log_path());
    for bit in 0..64 * 8 {
        let place = place.fork();
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        place.disk.set_bytes(&log_path(), damaged);
        let error = place.try_open().unwrap_err();
        assert!(
            error.to_string().contains("chunks/0000000001.log"),
            "bit {bit}: {error}"
        );
    }
}

#[test]
fn a_missing_log_is_refused() {
    let place = killed(&[&["a"]]);
    crate::embedded::disk::Disk::remove(&place.disk, &log_path()).unwrap();
    let error = place.try_open().unwrap_err();
    assert_eq!(error.to_string(), "chunks/0000000001.log: entity not found");
}

#[test]
fn a_log_that_the_catalog_does_not_know_is_refused_when_it_holds_records() {
    let place = killed(&[&["a"]]);
    let from = log_path();
    let to = PathBuf::from(SIM_DIR).join("chunks/0000000002.log");
    let mut bytes = place.disk.bytes(&from);
    bytes[16] = 2;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..60]);
    let dictionary_len = u32::from_le_bytes(bytes[48..52].try_into().unwrap());
    crc.update(&bytes[64..64 + dictionary_len as usize]);
    bytes.splice(60..64, crc.finalize().to_le_bytes());
    crate::embedded::disk::Disk::create(&place.disk, &to).unwrap();
    place.disk.set_bytes(&to, bytes);
    let error = place.try_open().unwrap_err();
    let text = "chunks/0000000002.log: holds records, but the catalog does not know it";
    assert_eq!(error.to_string(), text);
}

#[test]
fn behind_a_mark_of_an_idle_writer_damage_is_corruption() {
    let place = SimPlace {
        idle: Duration::from_millis(1),
        ..SimPlace::new()
    };
    let embedded = place.open();
    block_on(embedded.store().append(batch(vec![draft("a", "ann", 1)]))).unwrap();
    let marked = loop {
        let dead = place.fork();
        if frames(&dead).0.len() == 2 {
            break dead;
        }
        std::thread::yield_now();
    };
    let (offsets, _) = frames(&marked);
    let mut bytes = marked.disk.bytes(&log_path());
    bytes[offsets[0] as usize + HEADER_LEN + 1] ^= 8;
    marked.disk.set_bytes(&log_path(), bytes);
    let error = marked.try_open().unwrap_err().to_string();
    let expected = format!(
        "chunks/0000000001.log is damaged at byte {}: frame with a wrong checksum, \
         and a later group is whole at byte {}",
        offsets[0], offsets[1]
    );
    assert_eq!(error, expected);
}

#[test]
fn a_row_of_a_newer_format_is_refused_as_such() {
    let place = killed(&[&["a"]]);
    let (offsets, _) = frames(&place);
    let file = crate::embedded::disk::Disk::open(&place.disk, &log_path()).unwrap();
    let chunk = crate::embedded::log::Chunk::open("chunks/0000000001.log", file).unwrap();
    let whole = scan(&chunk, KnownEnd::Unknown).unwrap();
    let plain = [2, 99, 0];
    let payload = chunk.codec.compress(&plain).unwrap();
    let header = crate::embedded::frame::Header {
        plain_len: 3,
        ..whole.frames[0].1
    };
    let mut frame = Vec::new();
    crate::embedded::frame::encode(&mut frame, &header, &payload);
    let mut bytes = place.disk.bytes(&log_path());
    let at = offsets[0] as usize;
    bytes.splice(at..at + frame.len(), frame);
    place.disk.set_bytes(&log_path(), bytes);
    let error = place.try_open().unwrap_err();
    let expected = format!(
        "chunks/0000000001.log at byte {at}: row of a newer format (kind 99); \
         a newer convlog is needed to read it"
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_log_of_another_directory_under_the_same_number_is_refused() {
    let place = killed(&[&["a"]]);
    let other = SimPlace {
        ids: Arc::new(SeededIds::new(8)),
        ..SimPlace::new()
    };
    let embedded = other.open();
    let theirs = batch(vec![draft("theirs", "bob", 1)]);
    block_on(embedded.store().append(theirs)).unwrap();
    drop(embedded);
    place
        .disk
        .set_bytes(&log_path(), other.disk.bytes(&log_path()));
    let refused = place.try_open().unwrap_err().to_string();
    assert!(refused.contains("chunks/0000000001.log"), "{refused}");
    assert!(refused.contains("that the catalog knows"), "{refused}");
}
