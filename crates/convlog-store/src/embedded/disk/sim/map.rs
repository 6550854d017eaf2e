//! A file of the simulated disk in memory.

use crate::embedded::disk::Mapped;

/// The bytes of a file when it was mapped.
#[derive(Debug)]
pub(super) struct SimMap(pub(super) Vec<u8>);

impl Mapped for SimMap {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}
