//! The new image of a frame: rows that are erased become rows of no bytes, the others stay.

use std::io;

use convlog_model::store::StoreError;

use super::redo::Image;
use crate::embedded::bytes::{put_bytes, to_u32, to_usize};
use crate::embedded::error::{corrupt, failed};
use crate::embedded::frame::{self, Header, OVERWRITTEN};
use crate::embedded::log::{Chunk, Place};
use crate::embedded::row;
use crate::embedded::tail::Doomed;

/// The image of a frame: as long as the frame, or longer if what is left does not fit.
pub(crate) fn of(chunk: &Chunk, doomed: &Doomed) -> Result<Image, StoreError> {
    let place = doomed.place;
    let damaged = |why: &dyn std::fmt::Display| corrupt(&chunk.name, place.offset, why);
    let (header, plain) = chunk.read_frame(place)?;
    let rows = row::split(&plain, header.row_count).map_err(|bad| damaged(&bad))?;
    let mut left = Vec::new();
    for (in_frame, bytes) in (0u8..).zip(rows) {
        let is_doomed = doomed.rows.iter().any(|(_, one)| *one == in_frame);
        put_bytes(&mut left, if is_doomed { &[] } else { bytes });
    }
    let header = Header {
        flags: header.flags | OVERWRITTEN,
        plain_len: to_u32(left.len()),
        ..header
    };
    // The longest and last resort almost never differs from the first: rows that go take more
    // away than the others lose by it.
    let mut payload = compressed(chunk.codec.compress(&left))?;
    if !fits(place, &payload) {
        payload = compressed(chunk.codec.compress_hard(&left))?;
    }
    let frame_len = if fits(place, &payload) { place.len } else { 0 };
    let mut bytes = Vec::new();
    frame::encode(
        &mut bytes,
        &Header {
            frame_len,
            payload_len: 0,
            ..header
        },
        &payload,
    );
    Ok(Image {
        offset: place.offset,
        bytes,
    })
}

fn compressed(payload: io::Result<Vec<u8>>) -> Result<Vec<u8>, StoreError> {
    payload.map_err(|error| failed("compression", &error))
}

fn fits(place: Place, payload: &[u8]) -> bool {
    frame::HEADER_LEN + payload.len() <= to_usize(place.len.into())
}
