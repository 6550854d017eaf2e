//! The new image of a frame: rows that are erased become rows of no bytes, the others stay.

#[cfg(test)]
mod tests;

use std::io;

use convlog_model::store::StoreError;

use super::Doomed;
use super::redo::Image;
use crate::embedded::bytes::{put_bytes, to_u32, to_usize};
use crate::embedded::codec::Codec;
use crate::embedded::error::{corrupt, failed};
use crate::embedded::frame::{self, Header, OVERWRITTEN};
use crate::embedded::log::{Chunk, Place};
use crate::embedded::row;

/// The image of a frame, as long as the frame and with at least `reserve` bytes to spare; `None`
/// when what is left does not fit.
pub(crate) fn of(
    chunk: &Chunk,
    doomed: &Doomed,
    reserve: usize,
) -> Result<Option<Image>, StoreError> {
    let place = doomed.place;
    let (header, payload) = left_of(chunk, doomed)?;
    Ok(fits(place, payload.len() + reserve).then(|| image(place, &header, &payload)))
}

/// The image of a frame, longer than the frame where what is left does not fit.
pub(crate) fn grown(chunk: &Chunk, doomed: &Doomed) -> Result<Image, StoreError> {
    let (header, payload) = left_of(chunk, doomed)?;
    Ok(image(doomed.place, &header, &payload))
}

fn image(place: Place, header: &Header, payload: &[u8]) -> Image {
    let mut bytes = Vec::new();
    frame::encode(&mut bytes, header, payload);
    Image {
        offset: place.offset,
        bytes,
    }
}

/// Header and payload of what is left of a frame.
fn left_of(chunk: &Chunk, doomed: &Doomed) -> Result<(Header, Vec<u8>), StoreError> {
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
    let payload = payload_of(&chunk.codec, &left, place);
    let payload = payload.map_err(|error| failed("compression", &error))?;
    Ok((header, payload))
}

/// What is left of a frame, compressed so that it fits where the frame was if that can be had.
///
/// A row that goes takes its hash away, 16 bytes that nothing compresses and that no other row of
/// the frame has. What the others lose by it, a match that they had there or a better table of
/// codes, is less: the tests try it on rows that repeat each other in every way.
fn payload_of(codec: &Codec, left: &[u8], place: Place) -> io::Result<Vec<u8>> {
    let payload = codec.compress(left)?;
    match fits(place, payload.len()) {
        true => Ok(payload),
        false => codec.compress_hard(left),
    }
}

fn fits(place: Place, payload_len: usize) -> bool {
    frame::HEADER_LEN + payload_len <= to_usize(place.len.into())
}
