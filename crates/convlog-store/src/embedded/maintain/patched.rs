//! A log as it is once its redo file is carried out: for who only reads the directory.

use std::io;
use std::sync::Arc;

use super::redo::Image;
use crate::embedded::bytes::{to_u64, to_usize};
use crate::embedded::disk::File;

/// A file seen through the images that are to be written over it.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) file: Arc<dyn File>,
    pub(crate) images: Vec<Image>,
}

fn read_only<T>() -> io::Result<T> {
    Err(io::ErrorKind::PermissionDenied.into())
}

impl File for Patched {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)?;
        let end = offset + to_u64(out.len());
        for image in &self.images {
            let image_end = image.offset.saturating_add(to_u64(image.bytes.len()));
            let (from, to) = (offset.max(image.offset), end.min(image_end));
            if from >= to {
                continue;
            }
            let part = to_usize(from - image.offset)..to_usize(to - image.offset);
            let place = to_usize(from - offset)..to_usize(to - offset);
            if let (Some(to), Some(from)) = (out.get_mut(place), image.bytes.get(part)) {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        read_only()
    }

    fn set_len(&self, _len: u64) -> io::Result<()> {
        read_only()
    }

    fn allocate(&self, _offset: u64, _len: u64) -> io::Result<()> {
        read_only()
    }

    fn sync_data(&self) -> io::Result<()> {
        read_only()
    }
}
