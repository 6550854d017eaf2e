//! A chunk that goes as a whole: marked in the catalog, taken from the readers, overwritten with
//! zeros, removed, forgotten. A start ends what a mark stands for.

use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};

use super::{Maintenance, Trouble, broken, hold_off_backups, redo, wipe_retired};
use crate::embedded::bytes::to_u64;
use crate::embedded::catalog::{Catalog, Tally};
use crate::embedded::disk::Disk;
use crate::embedded::error::OpenError;
use crate::embedded::index::Index;
use crate::embedded::index::file::{gone_path, index_path, new_path};
use crate::embedded::log::{CHUNKS_DIR, Chunk, gone_log_path, log_name, log_path};
use crate::embedded::retired::wait_until;
use crate::embedded::view::Segment;
use crate::embedded::wipe::wipe;

/// What readers may still hold of a chunk.
struct Held {
    chunk: Weak<Chunk>,
    indexes: Vec<Weak<Index>>,
}

impl Held {
    fn of(segment: &Segment) -> Self {
        let indexes = segment.parts.iter();
        Held {
            chunk: Arc::downgrade(&segment.chunk),
            indexes: indexes.map(|part| Arc::downgrade(&part.index)).collect(),
        }
    }

    fn is_free(&self) -> bool {
        self.chunk.strong_count() == 0 && self.indexes.iter().all(|one| one.strong_count() == 0)
    }
}

impl Maintenance {
    /// Removes a chunk of which nothing is shown.
    pub(super) fn drop_chunk(
        &mut self,
        number: u64,
        n_rows: usize,
        tally: &Tally,
    ) -> Result<(), Trouble> {
        let shared = Arc::clone(&self.shared);
        let _permit = hold_off_backups(&shared)?;
        let later = |error: &dyn std::fmt::Display| Trouble::Later(error.to_string());
        let is_over = || shared.maintenance.is_closed();
        let (disk, dir) = (self.disk.as_ref(), self.dir.as_path());
        // An index that was replaced must have left the name that the last one gets now.
        wipe_retired(&shared, disk, dir, number, &is_over)?;
        let marked = shared
            .catalog
            .mark_gone(number, tally, shared.view().newest);
        marked.map_err(|error| later(&error))?;
        let held = {
            // Nobody makes its index anew meanwhile.
            let _alone = shared.lock_indexes();
            let held = shared
                .view()
                .segment(number)
                .map(|segment| Held::of(segment));
            shared.change_view(|view| view.remove(number));
            shared.own().drop_chunk(number);
            held
        };
        shared.cache.clear();
        if !wait_until(|| held.as_ref().is_none_or(Held::is_free), &is_over) {
            return Err(Trouble::Closing);
        }
        // Who read a row meanwhile has put it here.
        shared.cache.clear();
        let wiped = wipe_files(disk, dir, number);
        let bytes = wiped.map_err(|error| broken(number, &error))?;
        let forgotten = shared.catalog.forget_chunk(number);
        forgotten.map_err(|error| Trouble::Broken(error.to_string()))?;
        self.expiring.remove(&number);
        self.has_purged = true;
        shared.job.note(|figures| {
            figures.chunks_dropped += 1;
            figures.rows_expired += to_u64(n_rows);
            figures.bytes_overwritten += bytes;
        });
        tracing::info!(file = %log_name(number), n_rows, bytes, "a chunk has expired");
        match self.rest(bytes) {
            true => Ok(()),
            false => Err(Trouble::Closing),
        }
    }
}

/// Overwrites and removes every file of a chunk; durable on return. Returns the length of its log
/// and index.
fn wipe_files(disk: &dyn Disk, dir: &Path, number: u64) -> io::Result<u64> {
    let gone_log = gone_log_path(dir, number);
    // Whoever only reads the directory must not take half of a file for a damaged one.
    for (path, gone) in [
        (log_path(dir, number), &gone_log),
        (index_path(dir, number), &gone_path(dir, number)),
    ] {
        // What has the name already was replaced by what stands at the path.
        if disk.open_read(&path).is_ok() {
            wipe(disk, dir, gone)?;
        }
        match disk.rename(&path, gone) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    disk.sync_dir(&dir.join(CHUNKS_DIR))?;
    redo::wipe(disk, dir, number)?;
    let mut bytes = 0;
    for path in [&new_path(dir, number), &gone_path(dir, number), &gone_log] {
        match disk.open_read(path) {
            Ok(file) => bytes += file.len()?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => continue,
        }
        wipe(disk, dir, path)?;
    }
    Ok(bytes)
}

/// Ends at the start what was begun with a chunk that is marked.
pub(crate) fn finish(
    disk: &dyn Disk,
    dir: &Path,
    catalog: &Catalog,
    number: u64,
) -> Result<(), OpenError> {
    tracing::warn!(file = %log_name(number), "removing the rest of a chunk that has expired");
    let wiped = wipe_files(disk, dir, number);
    wiped.map_err(|error| OpenError::io(&log_name(number), error))?;
    catalog.forget_chunk(number).map_err(|e| e.unusable())
}
