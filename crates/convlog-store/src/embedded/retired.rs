//! Index files that were replaced: wiped once no reader holds their bytes any more.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::disk::Disk;
use super::index::Index;
use super::index::file::gone_path;
use super::wipe::wipe;

/// How often is looked whether a reader has let go.
const STEP: Duration = Duration::from_millis(2);

/// Waits for readers to let go; false when `is_over` says so first.
pub(crate) fn wait_until(is_free: impl Fn() -> bool, is_over: &dyn Fn() -> bool) -> bool {
    while !is_free() {
        if is_over() {
            return false;
        }
        std::thread::sleep(STEP);
    }
    true
}

/// What was replaced and is not wiped yet, by chunk.
#[derive(Debug, Default)]
pub(crate) struct Retired(Mutex<Vec<(u64, Weak<Index>)>>);

impl Retired {
    /// Notes an index that readers no longer find.
    pub(crate) fn note(&self, chunk: u64, index: &Arc<Index>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.push((chunk, Arc::downgrade(index)));
    }

    /// Whether a reader holds what was replaced in a chunk.
    pub(crate) fn is_held(&self, chunk: u64) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut mine = held.iter().filter(|(number, _)| *number == chunk);
        mine.any(|(_, index)| index.strong_count() > 0)
    }

    /// Waits until nobody reads what was replaced in a chunk, then wipes its file. Does nothing
    /// when `is_over` says so first: the next start wipes it.
    pub(crate) fn wipe(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        chunk: u64,
        is_over: &dyn Fn() -> bool,
    ) -> io::Result<bool> {
        if !wait_until(|| !self.is_held(chunk), is_over) {
            return Ok(false);
        }
        wipe(disk, dir, &gone_path(dir, chunk))?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(number, _)| *number != chunk);
        Ok(true)
    }
}
