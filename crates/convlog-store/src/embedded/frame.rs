//! Frames: how rows stand in a log file. docs/format.md has the same table.

#[cfg(test)]
mod tests;

use convlog_model::ids::RecordId;
use convlog_model::time::Timestamp;

use super::bytes::{Reader, to_u32, to_usize};

/// Bytes of a frame before its payload.
pub(crate) const HEADER_LEN: usize = 60;
/// Frames begin at multiples of this.
pub(crate) const ALIGN: usize = 4;
/// Largest frame: one row with the largest raw body, hardly compressed, and its fields.
pub(crate) const FRAME_LEN_MAX: usize = 80 << 20;
/// Largest payload after decompression.
pub(crate) const PLAIN_LEN_MAX: usize = 64 << 20;
/// Most rows of a frame.
pub(crate) const ROWS_MAX: usize = 4;

/// Last frame of an append.
pub(crate) const APPEND_END: u16 = 1;
/// Last frame of a group commit.
pub(crate) const GROUP_END: u16 = 2;
/// Written by an idle writer; holds no rows.
pub(crate) const MARK: u16 = 4;
/// Last frame of a full log; holds no rows.
pub(crate) const CLOSE: u16 = 8;
/// Written over a frame by an erasure.
pub(crate) const OVERWRITTEN: u16 = 16;

const FLAGS_KNOWN: u16 = APPEND_END | GROUP_END | MARK | CLOSE | OVERWRITTEN;

/// What stands before the payload of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of the whole frame, padding included.
    pub(crate) frame_len: u32,
    /// Bytes of the payload.
    pub(crate) payload_len: u32,
    /// Salt of the chunk: tells its frames from those of another.
    pub(crate) salt: u32,
    /// Number of the group commit, from 1 in each chunk.
    pub(crate) group: u64,
    /// Number of the first row in the chunk.
    pub(crate) first_row: u32,
    /// Number of rows.
    pub(crate) row_count: u16,
    /// [`APPEND_END`] and its siblings.
    pub(crate) flags: u16,
    /// Bytes of the payload after decompression.
    pub(crate) plain_len: u32,
    /// `time.received` of its rows.
    pub(crate) received: Timestamp,
    /// Id of the first row; each further row has the one that follows in the order of ids.
    pub(crate) first_id: RecordId,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    /// Nothing but zeros: no frame was written here.
    #[error("no frame")]
    Empty,
    /// Lengths that cannot be.
    #[error("frame with impossible lengths")]
    Lengths,
    /// The frame reaches behind the end of the bytes.
    #[error("frame cut off")]
    Cut,
    /// A frame of another chunk.
    #[error("frame of another log")]
    Salt,
    /// Checksum mismatch.
    #[error("frame with a wrong checksum")]
    Checksum,
    /// Whole, but written by a later version.
    #[error("frame with flags of a newer format")]
    Newer,
}

impl Header {
    /// Whether a flag is set.
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Reads a header and checks all that needs no payload.
    pub(crate) fn decode(bytes: &[u8]) -> Result<(Header, u32), BadFrame> {
        let header = bytes.get(..HEADER_LEN).ok_or(BadFrame::Cut)?;
        if header.iter().all(|b| *b == 0) {
            return Err(BadFrame::Empty);
        }
        Self::read(header).map_err(|_| BadFrame::Cut)
    }

    fn read(bytes: &[u8]) -> Result<(Header, u32), super::bytes::Malformed> {
        let mut reader = Reader::new(bytes);
        let (frame_len, payload_len, crc) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let header = Header {
            frame_len,
            payload_len,
            salt: reader.u32()?,
            group: reader.u64()?,
            first_row: reader.u32()?,
            row_count: reader.u16()?,
            flags: reader.u16()?,
            plain_len: reader.u32()?,
            received: Timestamp::from_micros(reader.i64()?),
            first_id: RecordId::from_bytes(reader.array()?),
        };
        Ok((header, crc))
    }

    fn lengths_fit(&self) -> bool {
        let frame_len = to_usize(self.frame_len.into());
        let payload_len = to_usize(self.payload_len.into());
        frame_len.is_multiple_of(ALIGN)
            && frame_len <= FRAME_LEN_MAX
            && payload_len
                .checked_add(HEADER_LEN)
                .is_some_and(|needed| needed <= frame_len)
            && to_usize(self.plain_len.into()) <= PLAIN_LEN_MAX
            && usize::from(self.row_count) <= ROWS_MAX
    }
}

/// A frame that passed every check, with its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// Its header.
    pub(crate) header: Header,
    /// Its payload.
    pub(crate) payload: &'a [u8],
    /// What fills it up; zero unless damaged.
    pub(crate) padding: &'a [u8],
}

/// The frame at the front of `bytes`.
pub(crate) fn decode(bytes: &[u8], salt: u32) -> Result<Frame<'_>, BadFrame> {
    let (header, crc) = Header::decode(bytes)?;
    if !header.lengths_fit() {
        return Err(BadFrame::Lengths);
    }
    if header.salt != salt {
        return Err(BadFrame::Salt);
    }
    let payload_end = HEADER_LEN + to_usize(header.payload_len.into());
    let frame_end = to_usize(header.frame_len.into());
    let whole = bytes.get(..frame_end).ok_or(BadFrame::Cut)?;
    let payload = whole
        .get(HEADER_LEN..payload_end)
        .ok_or(BadFrame::Lengths)?;
    let padding = whole.get(payload_end..).ok_or(BadFrame::Lengths)?;
    if checksum(whole, payload_end) != Some(crc) {
        return Err(BadFrame::Checksum);
    }
    if header.flags & !FLAGS_KNOWN != 0 {
        return Err(BadFrame::Newer);
    }
    Ok(Frame {
        header,
        payload,
        padding,
    })
}

/// Appends a frame. `header` gives everything but the lengths of payload and frame; a `frame_len`
/// of 0 takes as much as the payload needs, another one pads with zeros up to it.
pub(crate) fn encode(out: &mut Vec<u8>, header: &Header, payload: &[u8]) {
    let start = out.len();
    let needed = (HEADER_LEN + payload.len()).next_multiple_of(ALIGN);
    let frame_len = needed.max(to_usize(header.frame_len.into()));
    out.extend_from_slice(&to_u32(frame_len).to_le_bytes());
    out.extend_from_slice(&to_u32(payload.len()).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&header.salt.to_le_bytes());
    out.extend_from_slice(&header.group.to_le_bytes());
    out.extend_from_slice(&header.first_row.to_le_bytes());
    out.extend_from_slice(&header.row_count.to_le_bytes());
    out.extend_from_slice(&header.flags.to_le_bytes());
    out.extend_from_slice(&header.plain_len.to_le_bytes());
    out.extend_from_slice(&header.received.micros().to_le_bytes());
    out.extend_from_slice(&header.first_id.to_bytes());
    out.extend_from_slice(payload);
    out.resize(start + frame_len, 0);
    let frame = out.get_mut(start..).unwrap_or_default();
    if let Some(crc) = checksum(frame, HEADER_LEN + payload.len())
        && let Some(place) = frame.get_mut(8..12)
    {
        place.copy_from_slice(&crc.to_le_bytes());
    }
}

/// CRC-32 (IEEE) over the header without the checksum itself, and the payload.
fn checksum(frame: &[u8], payload_end: usize) -> Option<u32> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(frame.get(..8)?);
    crc.update(frame.get(12..payload_end)?);
    Some(crc.finalize())
}
