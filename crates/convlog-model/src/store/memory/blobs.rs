//! Blobs in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::blobs::{BLOB_BYTES_MAX, BlobEntry, Blobs, taken, too_long};
use crate::ids::RecordId;
use crate::store::StoreError;

/// [`Blobs`] in memory.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    all: Mutex<BTreeMap<RecordId, Vec<u8>>>,
}

impl MemoryBlobs {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        MemoryBlobs::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RecordId, Vec<u8>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, id: RecordId, bytes: Vec<u8>) -> Result<(), StoreError> {
        if bytes.len() > BLOB_BYTES_MAX {
            return Err(too_long(bytes.len()));
        }
        let mut all = self.lock();
        if all.contains_key(&id) {
            return Err(taken());
        }
        all.insert(id, bytes);
        Ok(())
    }

    async fn get(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().get(&id).cloned())
    }

    async fn list(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.lock();
        let behind = all.range((from, Bound::Unbounded)).take(limit);
        let entry = |(id, bytes): (&RecordId, &Vec<u8>)| BlobEntry {
            id: *id,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        Ok(behind.map(entry).collect())
    }

    async fn remove(&self, id: RecordId) -> Result<(), StoreError> {
        if let Some(mut bytes) = self.lock().remove(&id) {
            bytes.fill(0);
        }
        Ok(())
    }
}
