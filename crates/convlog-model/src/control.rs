//! The control plane: one document an entity (key, bot, instance, hook, setting), put if unchanged.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::store::StoreError;

/// A stored document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Name within its collection.
    pub id: String,
    /// Grows with every put; never used twice for one id.
    pub version: u64,
    /// The bytes as put.
    pub body: Vec<u8>,
}

/// What a put expects to find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expect {
    /// No document of that id.
    Absent,
    /// A document of exactly this version.
    Version(u64),
}

/// Most bytes of one body.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// A small transactional collection of documents. Bodies are at most [`BODY_BYTES_MAX`] bytes
/// long, longer ones are an error of kind `Invalid`.
///
/// Every method returns only after what it did is durable. Each item of the list is the name of a
/// case in `store/conformance.rs`.
///
/// * A document is what was put last.
/// * Absent expects that there is none.
/// * A version expects exactly that one.
/// * Versions grow, and are never used twice for one id.
/// * A delete expects the version.
/// * A list is in order of id, behind after and within prefix.
/// * Collections are apart.
/// * A body beyond the limit is invalid.
#[async_trait]
pub trait ControlPlane: Debug + Send + Sync {
    /// The document, `None` when there is none.
    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError>;

    /// Writes the document if what is there is what `expect` says, and returns its new version;
    /// else an error of kind `Conflict`, and nothing is changed.
    async fn put(
        &self,
        collection: &str,
        id: &str,
        body: &[u8],
        expect: Expect,
    ) -> Result<u64, StoreError>;

    /// Removes the document if it has this version; else an error of kind `Conflict`.
    async fn delete(&self, collection: &str, id: &str, version: u64) -> Result<(), StoreError>;

    /// Documents whose id starts with `prefix` and lies behind `after`, in order of id, at most
    /// `limit`.
    async fn list(
        &self,
        collection: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError>;
}
