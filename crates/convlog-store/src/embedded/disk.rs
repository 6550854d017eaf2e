//! The one seam for all disk calls: what the engine asks of a disk, and the real one.
//!
//! Everything else in this crate works on [`Disk`] and [`File`], so that tests can fail any call,
//! forget what was not synced and damage what was.

#[cfg(test)]
pub(crate) mod sim;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// A file system.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Makes a directory and those above it; no error when it is there.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a new file that only its owner may read. `AlreadyExists` when there is one.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading and writing. `NotFound` when there is none.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading. `NotFound` when there is none.
    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// A file's bytes, read where they lie. Whoever overwrites the file waits until the value is
    /// dropped everywhere.
    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>>;

    /// Names of the entries of a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name, replacing what has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Gives a directory the place of another one, which gets its place, in one step.
    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()>;

    /// Removes a directory with everything in it; no error when it is not there.
    fn remove_tree(&self, path: &Path) -> io::Result<()>;

    /// Whether a path leads to a directory.
    fn is_dir(&self, path: &Path) -> bool;

    /// Makes names that were made, changed or removed in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes that may still be allocated.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;

    /// Takes the lock that this file stands for; `None` when somebody else holds it. It is given
    /// back when the value is dropped, at the latest when the process ends.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>>;
}

/// The bytes of a file.
pub(crate) trait Mapped: Debug + Send + Sync {
    fn bytes(&self) -> &[u8];
}

/// A held lock.
pub(crate) trait Lock: Debug + Send + Sync {}

/// An open file.
pub(crate) trait File: Debug + Send + Sync {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Fills `out` from `offset` on; `UnexpectedEof` behind the end.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends the file; new bytes are zero.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Sets room aside for a range, extending the file; new bytes are zero. [`is_full`] tells
    /// whether an error means that there is no room.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Returns when everything written is durable, with the length of the file.
    fn sync_data(&self) -> io::Result<()>;
}

/// Whether an error says that the disk, or the user's share of it, is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// All bytes of a file; `InvalidData` beyond `len_max`.
pub(crate) fn read_all(file: &dyn File, len_max: u64) -> io::Result<Vec<u8>> {
    let len = file.len()?;
    if len > len_max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "file too long"));
    }
    let mut out = vec![0; super::bytes::to_usize(len)];
    file.read_at(0, &mut out)?;
    Ok(out)
}

/// The disk of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealDisk;

#[expect(clippy::disallowed_types, reason = "the seam itself")]
type StdFile = std::fs::File;

#[derive(Debug)]
struct RealFile(StdFile);

/// Held for what its drop does.
#[derive(Debug)]
struct RealLock(#[expect(dead_code, reason = "the lock lives as long as the file")] StdFile);

impl Lock for RealLock {}

/// A file in the address space, for reading.
#[derive(Debug)]
struct RealMap(memmap2::Mmap);

impl Mapped for RealMap {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[expect(clippy::disallowed_types, reason = "the seam itself")]
fn options() -> std::fs::OpenOptions {
    std::fs::OpenOptions::new()
}

#[expect(clippy::disallowed_methods, reason = "the seam itself")]
impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut options = options();
        options.read(true).write(true).create_new(true).mode(0o600);
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile(
            options().read(true).write(true).open(path)?,
        )))
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(RealFile(options().read(true).open(path)?)))
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        let file = options().read(true).open(path)?;
        #[expect(unsafe_code, reason = "the one memory map")]
        // SAFETY: the directory is locked for this process, which changes the bytes of a mapped
        // file only once every map of it is dropped, and never cuts it.
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Arc::new(RealMap(map)))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        let done = rustix::fs::renameat_with(rustix::fs::CWD, one, rustix::fs::CWD, other, flags);
        done.map_err(io::Error::from)
    }

    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        options().read(true).open(dir)?.sync_all()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let found = statvfs(dir)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut options = options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(RealLock(file)))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::empty(), offset, len) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::OPNOTSUPP) => self.write_zeros(offset, len),
            Err(error) => Err(error.into()),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

impl RealFile {
    /// Allocates by writing, where the file system cannot do otherwise. Bytes that are there stay.
    fn write_zeros(&self, offset: u64, len: u64) -> io::Result<()> {
        let zeros = vec![0; 1 << 16];
        let end = offset + len;
        let mut at = offset.max(self.len()?);
        while at < end {
            let step = super::bytes::to_usize(end - at).min(zeros.len());
            self.write_at(at, zeros.get(..step).unwrap_or_default())?;
            at += super::bytes::to_u64(step);
        }
        Ok(())
    }
}
