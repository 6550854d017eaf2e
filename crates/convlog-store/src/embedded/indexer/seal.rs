//! A full chunk gets its index file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Trouble, kept};
use crate::embedded::bytes::to_u64;
use crate::embedded::disk::Disk;
use crate::embedded::frames::FrameRow;
use crate::embedded::index::file::{self, gone_path, index_name, index_path, new_path};
use crate::embedded::index::merge::{Input, Rows, merge};
use crate::embedded::index::source::Damaged;
use crate::embedded::index::{Index, Parts};
use crate::embedded::log::CHUNKS_DIR;
use crate::embedded::own::OwnBits;
use crate::embedded::rowset::RowSet;
use crate::embedded::shared::Shared;
use crate::embedded::view::{Part, Segment};
use crate::embedded::wipe::wipe;

/// Writes the index of a full chunk, unless it has one: temporary name, sync, name, sync of the
/// directory. What stood in its place was damaged and is wiped.
pub(crate) fn seal(
    shared: &Shared,
    disk: &dyn Disk,
    dir: &Path,
    chunk: u64,
    is_over: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let _alone = loop {
        // An index that was damaged must have left its file before another takes its place. Who
        // holds it may be waiting for the lock: it is not held meanwhile.
        if !shared.retired.wipe(disk, dir, chunk, is_over)? {
            return Err(Trouble::Closing);
        }
        let alone = shared.lock_indexes();
        if !shared.retired.is_held(chunk) {
            break alone;
        }
    };
    let view = shared.view();
    let segment = view.segment(chunk);
    let Some(segment) = segment.filter(|segment| segment.is_full && !segment.is_sealed) else {
        return Ok(());
    };
    // No more than a copy is made while appends wait for the keys.
    let own = shared.own().keys(chunk);
    let own = OwnBits::of(own.iter());
    let forgotten = segment.hidden.overwritten.clone();
    let len = put_in_place(shared, disk, dir, segment, forgotten.as_deref(), &own)?;
    tracing::debug!(file = %index_name(chunk), bytes = len, "chunk sealed");
    // Nobody holds what stood in its place.
    wipe(disk, dir, &gone_path(dir, chunk))?;
    Ok(())
}

/// Writes the index of a full chunk, without the rows that are forgotten, and shows it to readers;
/// the length of its file. The lock on indexes is held.
pub(crate) fn put_in_place(
    shared: &Shared,
    disk: &dyn Disk,
    dir: &Path,
    segment: &Segment,
    forgotten: Option<&RowSet>,
    own: &OwnBits,
) -> Result<usize, Trouble> {
    let chunk = segment.chunk.number;
    let bytes = encode(segment, forgotten, own)?;
    let index = write(disk, dir, chunk, &bytes)?;
    if segment.is_sealed {
        for part in &segment.parts {
            shared.retired.note(chunk, &part.index);
        }
    }
    let sealed = Arc::new(Part {
        base: 0,
        index: Arc::new(index),
        held: None,
    });
    shared.change_view(|view| {
        view.change(chunk, |segment| {
            segment.parts = vec![sealed];
            segment.is_sealed = true;
            segment.hidden.forget(forgotten);
        });
    });
    shared.own().seal(chunk, own);
    Ok(bytes.len())
}

/// The bytes of the index file of a chunk, without the rows that are forgotten.
fn encode(
    segment: &Segment,
    forgotten: Option<&RowSet>,
    own: &OwnBits,
) -> Result<Vec<u8>, Damaged> {
    let kept: Vec<RowSet> = segment
        .parts
        .iter()
        .map(|part| kept(part, forgotten))
        .collect();
    let inputs: Vec<Input<'_>> = segment
        .parts
        .iter()
        .zip(&kept)
        .map(|(part, kept)| Input {
            index: &part.index,
            rows: match forgotten {
                Some(_) => Rows::Only(part.base, kept),
                None => Rows::From(part.base),
            },
        })
        .collect();
    let parts: Parts = merge(&inputs, segment.rows(), true)?;
    let frames = all_frames(segment)?;
    Ok(file::encode(segment.chunk.number, parts, &frames, own))
}

fn all_frames(segment: &Segment) -> Result<Vec<FrameRow>, Damaged> {
    let mut out = Vec::new();
    for part in &segment.parts {
        let frames = part.frames()?;
        out.extend((0..frames.len()).filter_map(|number| frames.get(number)));
    }
    Ok(out)
}

/// Puts the bytes of an index in the place of the one that is there, which keeps the name of what
/// is gone.
fn write(disk: &dyn Disk, dir: &Path, chunk: u64, bytes: &[u8]) -> Result<Index, Trouble> {
    let (new, path) = (new_path(dir, chunk), index_path(dir, chunk));
    if let Err(error) = write_new(disk, dir, &new, bytes) {
        // What was written of it is of no use; what cannot be wiped now is wiped at the start.
        drop(wipe(disk, dir, &new));
        return Err(error.into());
    }
    match disk.rename(&path, &gone_path(dir, chunk)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    disk.rename(&new, &path)?;
    disk.sync_dir(&dir.join(CHUNKS_DIR))?;
    Ok(file::open(disk, dir, chunk)?)
}

/// Writes a file and makes it durable under its temporary name.
fn write_new(disk: &dyn Disk, dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    // An attempt before this one may have left it.
    wipe(disk, dir, path)?;
    let file = disk.create(path)?;
    // The name first: bytes of which a crash left no name could not be wiped.
    disk.sync_dir(&dir.join(CHUNKS_DIR))?;
    file.allocate(0, to_u64(bytes.len()))?;
    file.write_at(0, bytes)?;
    file.sync_data()
}
