//! How much a run may keep.

use super::RunError;

/// Most values that percentiles and `count_distinct` keep together.
pub(super) const VALUES_MAX: usize = 1_000_000;
/// Most bytes of rows, groups and values.
pub(super) const BYTES_MAX: usize = 128 * 1024 * 1024;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Budget {
    values: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Budget {
            values: VALUES_MAX,
            bytes: BYTES_MAX,
        }
    }

    pub(super) fn take_value(&mut self, len: usize) -> Result<(), RunError> {
        self.values = self.values.checked_sub(1).ok_or(RunError::TooManyValues)?;
        self.take_bytes(len + 64)
    }

    pub(super) fn take_bytes(&mut self, n: usize) -> Result<(), RunError> {
        self.bytes = self.bytes.checked_sub(n).ok_or(RunError::TooLarge)?;
        Ok(())
    }

    pub(super) fn give_bytes(&mut self, n: usize) {
        self.bytes = self.bytes.saturating_add(n).min(BYTES_MAX);
    }

    /// Keeps `new` bytes in place of `old` ones.
    pub(super) fn swap_bytes(&mut self, old: usize, new: usize) -> Result<(), RunError> {
        self.give_bytes(old);
        self.take_bytes(new)
    }
}
