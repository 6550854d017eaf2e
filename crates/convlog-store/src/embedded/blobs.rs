//! Blobs: one file each under `blobs/`, named by its id.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use convlog_model::blobs::{BLOB_BYTES_MAX, BlobEntry, Blobs, taken, too_long};
use convlog_model::ids::RecordId;
use convlog_model::store::StoreError;

use super::bytes::to_u64;
use super::disk::{Disk, is_full, read_all};
use super::error::{OpenError, failed, full};
use super::pool::Pool;
use super::recover::zero_from;

/// The directory.
pub(crate) const BLOBS_DIR: &str = "blobs";
/// Ends the name of a file that is still being written.
const NEW: &str = ".new";
/// Threads for blobs: a write that waits for the disk holds back one other at most.
const THREADS: usize = 2;

/// The blobs of an open data directory.
#[derive(Debug)]
pub(crate) struct BlobFiles {
    folder: Arc<Folder>,
    threads: Pool,
}

#[derive(Debug)]
struct Folder {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// Bytes of the disk that are left to erasures.
    reserve: u64,
}

impl BlobFiles {
    /// Opens the directory, making it where it is missing; what never got its name is wiped.
    pub(crate) fn open(disk: Arc<dyn Disk>, dir: &Path, reserve: u64) -> Result<Self, OpenError> {
        let folder = Folder {
            disk,
            dir: dir.join(BLOBS_DIR),
            reserve,
        };
        let clean = || -> io::Result<()> {
            folder.disk.create_dir(&folder.dir)?;
            folder.disk.sync_dir(dir)?;
            for name in folder.disk.list(&folder.dir)? {
                if name.ends_with(NEW) {
                    folder.wipe(&name)?;
                }
            }
            Ok(())
        };
        clean().map_err(|error| OpenError::io(BLOBS_DIR, error))?;
        let threads = Pool::new("convlog-blobs", THREADS, false);
        Ok(BlobFiles {
            folder: Arc::new(folder),
            threads: threads.map_err(|error| OpenError::io("threads", error))?,
        })
    }

    /// Finishes what waits.
    pub(crate) fn close(&self) {
        self.threads.close();
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = Arc::clone(&self.folder);
        self.threads.run(move || work(&folder)).await
    }
}

impl Folder {
    fn put(&self, id: RecordId, bytes: &[u8]) -> Result<(), StoreError> {
        let name = id.to_string();
        let error = |error: io::Error| match is_full(&error) {
            true => full(),
            false => failed(BLOBS_DIR, &error),
        };
        let free = self.disk.free_bytes(&self.dir).map_err(error)?;
        if free < self.reserve.saturating_add(to_u64(bytes.len())) {
            return Err(full());
        }
        let (path, new) = (self.dir.join(&name), format!("{name}{NEW}"));
        if self.disk.open_read(&path).is_ok() {
            return Err(taken());
        }
        let file = match self.disk.create(&self.dir.join(&new)) {
            // Somebody else is at it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken()),
            other => other.map_err(error)?,
        };
        let written = file
            .write_at(0, bytes)
            .and_then(|()| file.sync_data())
            .and_then(|()| self.disk.rename(&self.dir.join(&new), &path))
            .and_then(|()| self.disk.sync_dir(&self.dir));
        drop(file);
        let Err(why) = written else { return Ok(()) };
        for left in [new, name] {
            if let Err(error) = self.wipe(&left) {
                tracing::warn!(%error, "what is left of a blob that could not be written stays");
            }
        }
        Err(error(why))
    }

    fn get(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.dir.join(id.to_string());
        let file = match self.disk.open_read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| failed(BLOBS_DIR, &error))?,
        };
        let bytes = read_all(file.as_ref(), to_u64(BLOB_BYTES_MAX));
        bytes.map(Some).map_err(|error| failed(BLOBS_DIR, &error))
    }

    fn list(&self, after: Option<RecordId>, limit: usize) -> io::Result<Vec<BlobEntry>> {
        let mut ids: Vec<RecordId> = Vec::new();
        for name in self.disk.list(&self.dir)? {
            ids.extend(name.parse::<RecordId>().ok());
        }
        ids.retain(|id| after.is_none_or(|after| *id > after));
        ids.sort();
        let mut found = Vec::new();
        for id in ids {
            if found.len() == limit {
                break;
            }
            match self.disk.open_read(&self.dir.join(id.to_string())) {
                Ok(file) => found.push(BlobEntry {
                    id,
                    bytes: file.len()?,
                }),
                // Removed since the directory was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn wipe(&self, name: &str) -> io::Result<()> {
        let path = self.dir.join(name);
        let file = match self.disk.open(&path) {
            // An attempt that failed may have left the removal to be made durable.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.disk.sync_dir(&self.dir);
            }
            other => other?,
        };
        zero_from(file.as_ref(), 0)?;
        drop(file);
        self.disk.remove(&path)?;
        self.disk.sync_dir(&self.dir)
    }
}

#[async_trait]
impl Blobs for BlobFiles {
    async fn put(&self, id: RecordId, bytes: Vec<u8>) -> Result<(), StoreError> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(too_long(bytes.len()));
        }
        self.run(move |folder| folder.put(id, &bytes)).await
    }

    async fn get(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        self.run(move |folder| folder.get(id)).await
    }

    async fn list(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, StoreError> {
        let work = move |folder: &Folder| {
            let found = folder.list(after, limit);
            found.map_err(|error| failed(BLOBS_DIR, &error))
        };
        self.run(work).await
    }

    async fn remove(&self, id: RecordId) -> Result<(), StoreError> {
        let work = move |folder: &Folder| {
            let gone = folder.wipe(&id.to_string());
            gone.map_err(|error| failed(BLOBS_DIR, &error))
        };
        self.run(work).await
    }
}

#[cfg(test)]
mod tests;
