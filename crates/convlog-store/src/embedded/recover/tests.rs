//! Recovery on hand-made logs; the engine's own tests damage real ones.

use std::path::Path;
use std::sync::Arc;

use convlog_model::ids::{RecordId, Timeline};
use convlog_model::time::Timestamp;

use super::*;
use crate::embedded::codec::Codec;
use crate::embedded::disk::Disk;
use crate::embedded::disk::sim::SimDisk;
use crate::embedded::frame::MARK;
use crate::embedded::log::ChunkHeader;

/// A log with these frames: (group, flags).
fn log(frames: &[(u64, u16)]) -> (Chunk, Vec<u64>) {
    let disk = SimDisk::default();
    let header = ChunkHeader {
        number: 1,
        timeline: Timeline(1),
        created_at: Timestamp::from_micros(0),
        salt: 77,
        fields_version: 1,
        dictionary: Vec::new(),
    };
    let codec = Arc::new(Codec::new(Vec::new()));
    let chunk = Chunk::create(&disk, Path::new("/"), header, codec).unwrap();
    let mut bytes = Vec::new();
    let mut ends = vec![4096];
    for (group, flags) in frames {
        let header = Header {
            frame_len: 0,
            payload_len: 0,
            salt: 77,
            group: *group,
            first_row: 0,
            row_count: 0,
            flags: *flags,
            plain_len: 0,
            received: Timestamp::from_micros(0),
            first_id: RecordId::from_bytes([0; 16]),
        };
        frame::encode(&mut bytes, &header, &[]);
        ends.push(4096 + bytes.len() as u64);
    }
    chunk.file.write_at(4096, &bytes).unwrap();
    let end = 4096 + bytes.len() as u64;
    chunk.file.allocate(end, 10_000).unwrap();
    assert!(disk.open(Path::new("/chunks/0000000001.log")).is_ok());
    (chunk, ends)
}

#[test]
fn a_group_without_its_end_is_dropped() {
    let (chunk, ends) = log(&[(1, GROUP_END), (2, 0), (2, 0)]);
    let whole = scan(&chunk, KnownEnd::Unknown).unwrap();
    assert_eq!(
        (whole.end, whole.group, whole.frames.len()),
        (ends[1], 1, 1)
    );
    assert_eq!(whole.torn_at, Some(ends[1]));
    zero_from(chunk.file.as_ref(), whole.end).unwrap();
    assert_eq!(scan(&chunk, KnownEnd::Unknown).unwrap().torn_at, None);
}

#[test]
fn a_hole_in_the_last_group_is_torn_and_a_later_group_makes_it_corruption() {
    let (chunk, ends) = log(&[(1, GROUP_END), (2, 0), (2, GROUP_END)]);
    chunk.file.write_at(ends[1], &[0; HEADER_LEN]).unwrap();
    assert_eq!(scan(&chunk, KnownEnd::Unknown).unwrap().end, ends[1]);
    let (chunk, ends) = log(&[(1, GROUP_END), (2, GROUP_END), (3, MARK | GROUP_END)]);
    chunk.file.write_at(ends[1], &[0; HEADER_LEN]).unwrap();
    let error = scan(&chunk, KnownEnd::Unknown).unwrap_err().to_string();
    let expected = format!(
        "chunks/0000000001.log is damaged at byte {}: no frame, and a later group is whole at \
         byte {}",
        ends[1], ends[2]
    );
    assert_eq!(error, expected);
}

#[test]
fn a_known_end_must_be_reached_and_nothing_behind_it_counts() {
    let (chunk, ends) = log(&[(1, GROUP_END), (2, GROUP_END)]);
    let whole = scan(&chunk, KnownEnd::At(ends[1])).unwrap();
    assert_eq!((whole.end, whole.torn_at), (ends[1], Some(ends[1])));
    let error = scan(&chunk, KnownEnd::At(ends[2] + 4))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("damaged at byte {}", ends[2])),
        "{error}"
    );
}

#[test]
fn a_closed_log_ends_at_its_close() {
    let (chunk, ends) = log(&[(1, GROUP_END), (2, CLOSE | GROUP_END)]);
    let whole = scan(&chunk, KnownEnd::Unknown).unwrap();
    assert!(whole.closed);
    assert_eq!(whole.end, ends[2]);
}
