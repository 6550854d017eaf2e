//! Files that are gone for good: overwritten, synced, removed.

use std::io;
use std::path::Path;

use super::disk::Disk;
use super::index::file::index_number;
use super::log::CHUNKS_DIR;
use super::recover::zero_from;

/// Overwrites a file of the chunk folder with zeros and removes it; durable on return. No error
/// when there is none.
pub(crate) fn wipe(disk: &dyn Disk, dir: &Path, path: &Path) -> io::Result<()> {
    let file = match disk.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    zero_from(file.as_ref(), 0)?;
    disk.remove(path)?;
    disk.sync_dir(&dir.join(CHUNKS_DIR))
}

/// Wipes what a crash left of indexes that were replaced, or never got their name.
pub(crate) fn wipe_left_over(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for name in disk.list(&dir.join(CHUNKS_DIR))? {
        let stem = name
            .strip_suffix(".gone")
            .or_else(|| name.strip_suffix(".new"));
        if stem.is_some_and(|stem| index_number(stem).is_some()) {
            wipe(disk, dir, &dir.join(CHUNKS_DIR).join(&name))?;
        }
    }
    Ok(())
}
