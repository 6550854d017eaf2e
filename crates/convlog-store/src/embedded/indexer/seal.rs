//! A full chunk gets its index file.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use super::{Trouble, encode, write};
use crate::embedded::disk::Disk;
use crate::embedded::index::file::{gone_path, index_name};
use crate::embedded::shared::Shared;
use crate::embedded::view::Part;
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
        let alone = shared.reindexing.lock();
        let alone = alone.unwrap_or_else(PoisonError::into_inner);
        if !shared.retired.is_held(chunk) {
            break alone;
        }
    };
    let view = shared.view();
    let segment = view.segment(chunk);
    let Some(segment) = segment.filter(|segment| segment.is_full && !segment.is_sealed) else {
        return Ok(());
    };
    let own = shared.own().bits(chunk);
    let forgotten = segment.hidden.overwritten.clone();
    let bytes = encode(segment, forgotten.as_deref(), &own)?;
    let index = write(disk, dir, chunk, &bytes)?;
    let sealed = Arc::new(Part {
        base: 0,
        index: Arc::new(index),
        held: None,
    });
    shared.change_view(|view| {
        view.change(chunk, |segment| {
            segment.parts = vec![sealed];
            segment.is_sealed = true;
            segment.hidden.forget(forgotten.as_deref());
        });
    });
    shared.own().seal(chunk, &own);
    tracing::debug!(file = %index_name(chunk), bytes = bytes.len(), "chunk sealed");
    // Nobody holds what stood in its place.
    wipe(disk, dir, &gone_path(dir, chunk))?;
    Ok(())
}
