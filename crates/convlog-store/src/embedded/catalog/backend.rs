//! The catalog's file behind the seam of all disk calls.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use redb::StorageBackend;

use crate::embedded::bytes::{to_u64, to_usize};
use crate::embedded::disk::File;

/// A file of the engine's disk as redb wants it.
#[derive(Debug)]
pub(crate) struct DiskBackend(pub(crate) Arc<dyn File>);

impl StorageBackend for DiskBackend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    /// A file that grows is synced at once: the header that redb writes next tells the new length,
    /// and the two may reach the disk in any order; of a file that is shorter than its header says,
    /// redb makes nothing any more.
    fn set_len(&self, len: u64) -> io::Result<()> {
        let grows = len > self.0.len()?;
        self.0.set_len(len)?;
        match grows {
            true => self.0.sync_data(),
            false => Ok(()),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}

/// A copy in memory: reading it never touches the file, whatever redb repairs.
#[derive(Debug)]
pub(crate) struct CopyBackend(pub(crate) Mutex<Vec<u8>>);

impl CopyBackend {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl StorageBackend for CopyBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.with(|bytes| to_u64(bytes.len())))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|bytes| {
            let from = to_usize(offset);
            let part = bytes.get(from..from.saturating_add(out.len()));
            out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|bytes| bytes.resize(to_usize(len), 0));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(|bytes| {
            let from = to_usize(offset);
            let part = bytes.get_mut(from..from.saturating_add(data.len()));
            part.ok_or(io::ErrorKind::UnexpectedEof)?
                .copy_from_slice(data);
            Ok(())
        })
    }
}
