//! Bytes that stand beside the records: audio that waits for its delivery, or is kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::ids::RecordId;
use crate::store::StoreError;

/// Most bytes of one blob.
pub const BLOB_BYTES_MAX: usize = 16 << 20;

/// A blob as a list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobEntry {
    /// Its id.
    pub id: RecordId,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Keeps blobs of at most [`BLOB_BYTES_MAX`] bytes under ids that the caller chooses.
///
/// Every method returns only after what it did is durable. Each item of the list is the name of a
/// case in `store/conformance.rs`.
///
/// * A blob is what was put.
/// * An id is put once: the second put is a conflict, and the first blob stays.
/// * A removed blob is gone: its bytes are overwritten first, and one that is not there is no
///   error.
/// * A list shows ids and lengths in order of id behind after.
/// * A blob beyond the limit is invalid and nothing is kept.
#[async_trait]
pub trait Blobs: Debug + Send + Sync {
    /// Keeps a blob.
    ///
    /// # Errors
    /// `Invalid` beyond [`BLOB_BYTES_MAX`], `Conflict` for an id that is there, `Full` without
    /// room, `Unavailable` for a disk that fails.
    async fn put(&self, id: RecordId, bytes: Vec<u8>) -> Result<(), StoreError>;

    /// The blob, `None` when there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    async fn get(&self, id: RecordId) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` blobs behind the id `after`, in order of id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(
        &self,
        after: Option<RecordId>,
        limit: usize,
    ) -> Result<Vec<BlobEntry>, StoreError>;

    /// Overwrites a blob and removes it.
    ///
    /// # Errors
    /// `Unavailable`; it may be there or not then, and can be removed again.
    async fn remove(&self, id: RecordId) -> Result<(), StoreError>;
}

/// The error of a blob that is too long.
#[must_use]
pub fn too_long(n_bytes: usize) -> StoreError {
    let text = format!("a blob of {n_bytes} bytes, at most {BLOB_BYTES_MAX}");
    StoreError::new(crate::store::ErrorKind::Invalid, text)
}

/// The error of an id that is there already.
#[must_use]
pub fn taken() -> StoreError {
    StoreError::new(
        crate::store::ErrorKind::Conflict,
        "there is a blob of this id",
    )
}
