//! Keeping a backup that comes as a stream: as one file, or unpacked into a directory. It gets its
//! name when all of it is there and every checksum is right.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bundle::{self, Sink};
use crate::embedded::bytes::to_u64;
use crate::embedded::disk::{Disk, File, RealDisk};
use crate::embedded::error::OpenError;
use crate::embedded::log::CHUNKS_DIR;

/// Whether a backup to this path is one file; else it is a directory.
#[must_use]
pub fn is_one_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// Writes a backup to a path where nothing is yet, and returns the number of its bytes.
///
/// # Errors
/// [`OpenError`] names the file of the backup, and the place where it broke off or is damaged.
pub fn save_backup(from: impl Read, path: &Path) -> Result<u64, OpenError> {
    let disk = RealDisk;
    let name = path.display().to_string();
    let io_error = |error| OpenError::io(&name, error);
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let in_parent = disk.list(parent).map_err(io_error)?;
    let is_taken = |path: &Path| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        in_parent
            .iter()
            .any(|known| Some(known.as_str()) == name.as_deref())
    };
    let is_empty_dir = || disk.is_dir(path) && disk.list(path).is_ok_and(|list| list.is_empty());
    if is_taken(path) && (is_one_file(path) || !is_empty_dir()) {
        return Err(OpenError::unusable(&name, "is there already"));
    }
    let part = part_of(path);
    if disk.is_dir(&part) {
        disk.remove_tree(&part).map_err(io_error)?;
    } else if is_taken(&part) {
        disk.remove(&part).map_err(io_error)?;
    }
    let saved = match is_one_file(path) {
        true => to_file(&disk, from, &part),
        false => to_dir(&disk, from, &part),
    };
    let n_bytes = match saved {
        Ok(n_bytes) => n_bytes,
        Err(error) => {
            // What went wrong before matters more.
            match is_one_file(path) {
                true => drop(disk.remove(&part)),
                false => drop(disk.remove_tree(&part)),
            }
            return Err(error);
        }
    };
    disk.rename(&part, path).map_err(io_error)?;
    disk.sync_dir(parent).map_err(io_error)?;
    Ok(n_bytes)
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Passes on what it reads, and keeps it.
struct Tee<R> {
    from: R,
    file: Option<Arc<dyn File>>,
    n_bytes: u64,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(out)?;
        if let Some(file) = &self.file {
            file.write_at(self.n_bytes, out.get(..n).unwrap_or_default())?;
        }
        self.n_bytes += to_u64(n);
        Ok(n)
    }
}

impl<R: Read> Tee<R> {
    /// What stands behind the last file; the number of all bytes.
    fn finish(mut self) -> io::Result<u64> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.n_bytes)
    }
}

fn to_file(disk: &dyn Disk, from: impl Read, part: &Path) -> Result<u64, OpenError> {
    let io_error = |error| OpenError::io(&part.display().to_string(), error);
    let file = disk.create(part).map_err(io_error)?;
    let mut from = Tee {
        from,
        file: Some(Arc::clone(&file)),
        n_bytes: 0,
    };
    bundle::read_tar(&mut from, &mut Nowhere)?;
    let n_bytes = from.finish().map_err(io_error)?;
    file.sync_data().map_err(io_error)?;
    Ok(n_bytes)
}

fn to_dir(disk: &dyn Disk, from: impl Read, part: &Path) -> Result<u64, OpenError> {
    let io_error = |error| OpenError::io(&part.display().to_string(), error);
    disk.create_dir(&part.join(CHUNKS_DIR)).map_err(io_error)?;
    let mut sink = Files::new(disk, part);
    let mut from = Tee {
        from,
        file: None,
        n_bytes: 0,
    };
    bundle::read_tar(&mut from, &mut sink)?;
    let n_bytes = from.finish().map_err(io_error)?;
    disk.sync_dir(&part.join(CHUNKS_DIR)).map_err(io_error)?;
    disk.sync_dir(part).map_err(io_error)?;
    Ok(n_bytes)
}

/// Looks at a backup without keeping it.
struct Nowhere;

impl Sink for Nowhere {
    fn begin(&mut self, _name: &str) -> Result<(), OpenError> {
        Ok(())
    }

    fn bytes(&mut self, _bytes: &[u8]) -> Result<(), OpenError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), OpenError> {
        Ok(())
    }
}

/// Files under a directory, each synced.
#[derive(Debug)]
pub(crate) struct Files<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    open: Option<(String, Arc<dyn File>, u64)>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(disk: &'a dyn Disk, dir: &'a Path) -> Self {
        Files {
            disk,
            dir,
            open: None,
        }
    }
}

impl Sink for Files<'_> {
    fn begin(&mut self, name: &str) -> Result<(), OpenError> {
        let file = self.disk.create(&self.dir.join(name));
        let file = file.map_err(|error| OpenError::io(name, error))?;
        self.open = Some((name.to_owned(), file, 0));
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), OpenError> {
        if let Some((name, file, at)) = &mut self.open {
            let written = file.write_at(*at, bytes);
            written.map_err(|error| OpenError::io(name, error))?;
            *at += to_u64(bytes.len());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), OpenError> {
        match self.open.take() {
            Some((name, file, _)) => {
                let synced = file.sync_data();
                synced.map_err(|error| OpenError::io(&name, error))
            }
            None => Ok(()),
        }
    }
}
