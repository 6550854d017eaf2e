//! What of a log is whole: torn writes are told from corruption as docs/format.md says.

#[cfg(test)]
mod tests;

use std::io;

use super::bytes::{to_u64, to_usize};
use super::disk::File;
use super::error::OpenError;
use super::frame::{self, ALIGN, BadFrame, CLOSE, FRAME_LEN_MAX, GROUP_END, HEADER_LEN, Header};
use super::log::{Chunk, Place};

/// What is known about the end of a log before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownEnd {
    /// Nothing: the writer may have been killed at any moment.
    Unknown,
    /// Everything before this offset was synced; nothing behind it counts.
    At(u64),
}

/// The whole groups of a log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Every frame, with its header.
    pub(crate) frames: Vec<(Place, Header)>,
    /// End of the last whole group.
    pub(crate) end: u64,
    /// Number of the last whole group.
    pub(crate) group: u64,
    /// Number of rows.
    pub(crate) rows: u32,
    /// Whether the log was closed when it was full.
    pub(crate) closed: bool,
    /// Where a group begins that is not whole, if anything but zeros stands behind the end.
    pub(crate) torn_at: Option<u64>,
}

/// Reads all frames of a log. An error names file and offset.
pub(crate) fn scan(chunk: &Chunk, known: KnownEnd) -> Result<Whole, OpenError> {
    let io_error = |error| OpenError::io(&chunk.name, error);
    let mut window = Window::new(chunk.file.as_ref()).map_err(io_error)?;
    let mut walk = Walk::new(chunk.header.len());
    let limit = match known {
        KnownEnd::Unknown => window.len,
        KnownEnd::At(end) if end <= window.len => end,
        KnownEnd::At(end) => {
            let why = format!("file ends before byte {end}, up to which it was synced");
            return Err(OpenError::damaged(&chunk.name, window.len, why));
        }
    };
    let stop = loop {
        if walk.at >= limit || walk.whole.closed {
            break None;
        }
        match window
            .frame(walk.at, limit, chunk.header.salt)
            .map_err(io_error)?
        {
            Ok((place, header)) => {
                if !walk.follows(&header) {
                    let why = "frame out of order";
                    return Err(OpenError::damaged(&chunk.name, walk.at, why));
                }
                walk.take(place, header);
            }
            Err(BadFrame::Newer) => {
                return Err(OpenError::newer(&chunk.name, walk.at, BadFrame::Newer));
            }
            Err(bad) => break Some(bad),
        }
    };
    judge(chunk, known, walk, stop, &mut window, limit)
}

/// Decides what a broken frame, or the lack of one, means.
fn judge(
    chunk: &Chunk,
    known: KnownEnd,
    walk: Walk,
    stop: Option<BadFrame>,
    window: &mut Window<'_>,
    limit: u64,
) -> Result<Whole, OpenError> {
    let io_error = |error| OpenError::io(&chunk.name, error);
    let mut whole = walk.whole;
    if let KnownEnd::At(end) = known {
        if whole.end != end {
            let why = stop.map_or("group cut off".to_owned(), |bad| bad.to_string());
            return Err(OpenError::damaged(&chunk.name, walk.at, why));
        }
        let rest = window.first_nonzero(end).map_err(io_error)?;
        whole.torn_at = rest.map(|_| end);
        return Ok(whole);
    }
    let group = walk.group_expected;
    let later = window
        .later_group(walk.at, limit, chunk.header.salt, group)
        .map_err(io_error)?;
    if let Some(offset) = later {
        let bad = stop.map_or("frames behind the end".to_owned(), |bad| bad.to_string());
        let why = format!("{bad}, and a later group is whole at byte {offset}");
        return Err(OpenError::damaged(&chunk.name, walk.at, why));
    }
    let rest = window.first_nonzero(whole.end).map_err(io_error)?;
    whole.torn_at = rest.map(|_| whole.end);
    Ok(whole)
}

/// The state of a walk from frame to frame.
#[derive(Debug)]
struct Walk {
    at: u64,
    group_expected: u64,
    /// Frames of the present group, which may turn out not to be whole.
    pending: Vec<(Place, Header)>,
    pending_rows: u32,
    whole: Whole,
}

impl Walk {
    fn new(start: u64) -> Self {
        Walk {
            at: start,
            group_expected: 1,
            pending: Vec::new(),
            pending_rows: 0,
            whole: Whole {
                end: start,
                ..Whole::default()
            },
        }
    }

    fn follows(&self, header: &Header) -> bool {
        header.group == self.group_expected
            && header.first_row == self.whole.rows + self.pending_rows
    }

    fn take(&mut self, place: Place, header: Header) {
        self.at = place.offset + u64::from(place.len);
        self.pending_rows += u32::from(header.row_count);
        self.pending.push((place, header));
        if header.has(GROUP_END) {
            self.whole.frames.append(&mut self.pending);
            self.whole.rows += std::mem::take(&mut self.pending_rows);
            self.whole.end = self.at;
            self.whole.group = header.group;
            self.whole.closed = header.has(CLOSE);
            self.group_expected += 1;
        }
    }
}

/// Bytes read ahead.
const WINDOW_LEN: usize = 4 << 20;
/// Bytes looked at in one go; far fewer than are read ahead, so that most looks read nothing.
const SPAN_LEN: usize = 4096;

/// A file seen through a buffer.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    file: &'a dyn File,
    pub(crate) len: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> Window<'a> {
    pub(crate) fn new(file: &'a dyn File) -> io::Result<Self> {
        Ok(Window {
            file,
            len: file.len()?,
            start: 0,
            buffer: Vec::new(),
        })
    }

    /// Up to `wanted` bytes from `offset` on; fewer only at the end of the file.
    pub(crate) fn bytes(&mut self, offset: u64, wanted: usize) -> io::Result<&[u8]> {
        let wanted = to_usize(self.len.saturating_sub(offset)).min(wanted);
        let held_end = self.start + to_u64(self.buffer.len());
        if offset < self.start || offset + to_u64(wanted) > held_end {
            let len = to_usize(self.len.saturating_sub(offset)).min(WINDOW_LEN.max(wanted));
            self.buffer.resize(len, 0);
            self.file.read_at(offset, &mut self.buffer)?;
            self.start = offset;
        }
        let from = to_usize(offset - self.start);
        Ok(self.buffer.get(from..from + wanted).unwrap_or_default())
    }

    /// The frame at `offset`, if one is whole before `limit`.
    fn frame(
        &mut self,
        offset: u64,
        limit: u64,
        salt: u32,
    ) -> io::Result<Result<(Place, Header), BadFrame>> {
        let left = to_usize(limit.saturating_sub(offset));
        let head = self.bytes(offset, HEADER_LEN.min(left))?;
        let frame_len = match Header::decode(head) {
            Ok((header, _)) => to_usize(header.frame_len.into()),
            Err(bad) => return Ok(Err(bad)),
        };
        if frame_len > FRAME_LEN_MAX || frame_len > left {
            return Ok(Err(BadFrame::Cut));
        }
        let bytes = self.bytes(offset, frame_len)?;
        Ok(frame::decode(bytes, salt).map(|frame| {
            let place = Place {
                offset,
                len: frame.header.frame_len,
            };
            (place, frame.header)
        }))
    }

    /// Offset of a whole frame behind `from` whose group is later than `group`.
    fn later_group(
        &mut self,
        from: u64,
        limit: u64,
        salt: u32,
        group: u64,
    ) -> io::Result<Option<u64>> {
        let mark = salt.to_le_bytes();
        let mut offset = from;
        while offset + to_u64(HEADER_LEN) <= limit {
            let span = self.bytes(offset, SPAN_LEN)?;
            if is_zero(span) {
                offset += to_u64(span.len().next_multiple_of(ALIGN));
                continue;
            }
            if span.get(12..16) == Some(&mark)
                && let Ok((_, header)) = self.frame(offset, limit, salt)?
                && header.group > group
            {
                return Ok(Some(offset));
            }
            offset += to_u64(ALIGN);
        }
        Ok(None)
    }

    /// Offset of the first byte from `from` on that is not zero.
    pub(crate) fn first_nonzero(&mut self, from: u64) -> io::Result<Option<u64>> {
        let mut offset = from;
        while offset < self.len {
            let span = self.bytes(offset, SPAN_LEN)?;
            if !is_zero(span)
                && let Some(found) = span.iter().position(|b| *b != 0)
            {
                return Ok(Some(offset + to_u64(found)));
            }
            offset += to_u64(span.len());
        }
        Ok(None)
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    static ZEROS: [u8; SPAN_LEN] = [0; SPAN_LEN];
    ZEROS.get(..bytes.len()) == Some(bytes)
}

/// Overwrites everything from `end` to the end of the file with zeros and syncs.
pub(crate) fn zero_from(file: &dyn File, end: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let len = file.len()?;
    let mut at = end;
    while at < len {
        let step = to_usize(len - at).min(zeros.len());
        file.write_at(at, zeros.get(..step).unwrap_or_default())?;
        at += to_u64(step);
    }
    file.sync_data()
}
