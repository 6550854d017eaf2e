//! What is left of a frame fits where the frame was.

use std::path::Path;
use std::sync::Arc;

use convlog_model::clock::IdSource;
use convlog_model::ids::{RecordId, Timeline};
use convlog_model::testkit::SeededIds;
use convlog_model::time::Timestamp;

use super::{fits, of, payload_of};
use crate::embedded::bytes::{put_bytes, to_u32};
use crate::embedded::codec::Codec;
use crate::embedded::dictionary::builtin;
use crate::embedded::disk::sim::SimDisk;
use crate::embedded::frame::{self, ALIGN, HEADER_LEN, Header};
use crate::embedded::log::{Chunk, ChunkHeader, Place};
use crate::embedded::maintain::Doomed;
use crate::embedded::prepare::compress;

struct Random(SeededIds);

impl Random {
    fn below(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        (u64::from_le_bytes(bytes) % sides as u64) as usize
    }

    fn pick<'a>(&self, from: &[&'a [u8]]) -> &'a [u8] {
        from[self.below(from.len())]
    }
}

const WORDS: [&[u8]; 5] = [b"hello ", b"request", b"{\"input\":", b"intent", b"world"];
const SIGNS: [&[u8]; 8] = [b"a", b"b", b"{", b"}", b"\"", b":", b"0", b" "];

/// A row like those before it, or of words, signs or noise; its hash comes last.
fn row(random: &Random, rows: &[Vec<u8>]) -> Vec<u8> {
    let earlier = rows.get(random.below(rows.len() + 1));
    let mut row = match (random.below(5), earlier) {
        (0, Some(earlier)) => earlier[..earlier.len() - 16].to_vec(),
        (1, Some(earlier)) => {
            let mut row = earlier[..earlier.len() - 16].to_vec();
            row.insert(random.below(row.len() + 1), b'x');
            row
        }
        (2, _) => (0..random.below(2000))
            .map(|_| random.below(256) as u8)
            .collect(),
        (3, _) => (0..random.below(200))
            .flat_map(|_| random.pick(&WORDS).to_vec())
            .collect(),
        _ => (0..random.below(800))
            .flat_map(|_| random.pick(&SIGNS).to_vec())
            .collect(),
    };
    let mut hash = [0; 16];
    random.0.fill(&mut hash);
    row.extend_from_slice(&hash);
    row
}

#[test]
fn any_rows_of_a_frame_fit_where_all_of_them_stood() {
    let random = Random(SeededIds::new(3));
    let codec = Codec::new(builtin());
    for round in 0..2000 {
        let mut rows = Vec::new();
        for _ in 0..2 + random.below(3) {
            let row = row(&random, &rows);
            rows.push(row);
        }
        let plain = |erased: usize| {
            let mut plain = Vec::new();
            for (i, row) in rows.iter().enumerate() {
                put_bytes(&mut plain, if erased & (1 << i) == 0 { row } else { &[] });
            }
            plain
        };
        let len = (HEADER_LEN + codec.compress(&plain(0)).unwrap().len()).next_multiple_of(ALIGN);
        let place = Place {
            offset: 0,
            len: to_u32(len),
        };
        for erased in 1..1 << rows.len() {
            let left = plain(erased);
            let payload = payload_of(&codec, &left, place).unwrap();
            assert!(
                fits(place, payload.len()),
                "round {round}, erased {erased:b}"
            );
            assert_eq!(codec.decompress(&payload, left.len()).unwrap(), left);
        }
    }
}

#[test]
fn rows_with_the_same_body_are_not_put_into_one_frame() {
    let codec = Codec::new(builtin());
    let row = |own_id: &str, hash: u8| [own_id.as_bytes(), &[hash; 16]].concat();
    let rows = [
        row("a", 1),
        row("b", 1),
        row("c", 2),
        row("d", 1),
        row("e", 3),
    ];
    let blocks = compress(rows.iter().map(Vec::as_slice), &codec).unwrap();
    let counts: Vec<usize> = blocks.iter().map(|block| block.row_count).collect();
    assert_eq!(counts, [1, 2, 2]);
}

#[test]
fn what_does_not_fit_is_not_written() {
    let disk = SimDisk::default();
    let header = ChunkHeader {
        number: 1,
        timeline: Timeline(1),
        created_at: Timestamp::default(),
        salt: 7,
        fields_version: 1,
        dictionary: Vec::new(),
    };
    let codec = Arc::new(Codec::new(Vec::new()));
    let chunk = Chunk::create(&disk, Path::new("/data"), header, codec).unwrap();
    // Rows that are the same, as no frame of ours has them: none takes anything away.
    let mut unfit = 0;
    for len in 400..600 {
        let place = four_the_same(&chunk, len);
        let image_without = |rows: &[u8]| {
            let rows = rows.iter().map(|row| (u32::from(*row), *row)).collect();
            let image = of(&chunk, &Doomed { place, rows }, 0).unwrap();
            image.map(|image| (image.offset, to_u32(image.bytes.len())))
        };
        let whole = Some((place.offset, place.len));
        match image_without(&[1]) {
            None => unfit += 1,
            fitting => assert_eq!(fitting, whole),
        }
        assert_eq!(image_without(&[0, 1, 2, 3]), whole);
    }
    assert!(unfit > 0);
}

/// Writes a frame of four rows of the same noise.
fn four_the_same(chunk: &Chunk, len: usize) -> Place {
    let mut row = vec![0; len];
    SeededIds::new(len as u64).fill(&mut row);
    let mut plain = Vec::new();
    (0..4).for_each(|_| put_bytes(&mut plain, &row));
    let payload = chunk.codec.compress(&plain).unwrap();
    let header = Header {
        frame_len: 0,
        payload_len: 0,
        salt: chunk.header.salt,
        group: 1,
        first_row: 0,
        row_count: 4,
        flags: 0,
        plain_len: to_u32(plain.len()),
        received: Timestamp::default(),
        first_id: RecordId::from_bytes([0; 16]),
    };
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, &header, &payload);
    let offset = chunk.header.len();
    chunk.file.write_at(offset, &bytes).unwrap();
    let len = to_u32(bytes.len());
    Place { offset, len }
}
