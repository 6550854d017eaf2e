//! Frames come back as they were written; damage is noticed, whatever it hits.

use proptest::prelude::*;

use super::*;

fn header() -> Header {
    Header {
        frame_len: 0,
        payload_len: 0,
        salt: 0xABCD_1234,
        group: 7,
        first_row: 42,
        row_count: 3,
        flags: APPEND_END | GROUP_END,
        plain_len: 500,
        received: Timestamp::from_micros(1_700_000_000_000_000),
        first_id: RecordId::from_parts(1_700_000_000_000, 99),
    }
}

proptest! {
    #[test]
    fn frames_come_back(payload in prop::collection::vec(any::<u8>(), 0..200), extra in 0..9u32) {
        let wanted = Header { frame_len: extra * 32, ..header() };
        let mut bytes = vec![1, 2, 3];
        encode(&mut bytes, &wanted, &payload);
        let frame = decode(&bytes[3..], wanted.salt).unwrap();
        prop_assert_eq!(frame.payload, payload.as_slice());
        prop_assert!(frame.padding.iter().all(|b| *b == 0));
        let same = Header {
            frame_len: frame.header.frame_len,
            payload_len: to_u32(payload.len()),
            ..wanted
        };
        prop_assert_eq!(frame.header, same);
        prop_assert_eq!(frame.header.frame_len as usize, bytes.len() - 3);
        prop_assert_eq!(frame.header.frame_len % 4, 0);
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _frame = decode(&bytes, 5);
    }
}

#[test]
fn every_flipped_bit_of_header_and_payload_is_noticed() {
    let mut bytes = Vec::new();
    encode(&mut bytes, &header(), b"payload!");
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(decode(&damaged, header().salt).is_err(), "bit {bit}");
    }
}

#[test]
fn every_cut_is_noticed() {
    let mut bytes = Vec::new();
    encode(&mut bytes, &header(), b"payload!");
    for len in 0..bytes.len() {
        assert!(
            decode(&bytes[..len], header().salt).is_err(),
            "cut at {len}"
        );
    }
}

#[test]
fn zeros_are_no_frame_and_other_salts_are_of_another_log() {
    assert_eq!(decode(&[0; 100], 1), Err(BadFrame::Empty));
    let mut bytes = Vec::new();
    encode(&mut bytes, &header(), b"x");
    assert_eq!(decode(&bytes, 1), Err(BadFrame::Salt));
    let newer = Header {
        flags: 1 << 15,
        ..header()
    };
    let mut bytes = Vec::new();
    encode(&mut bytes, &newer, b"x");
    assert_eq!(decode(&bytes, newer.salt), Err(BadFrame::Newer));
}
