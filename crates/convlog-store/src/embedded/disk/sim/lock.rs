//! A lock of the simulated disk.

use std::path::PathBuf;

use super::SimDisk;
use crate::embedded::disk::Lock;

#[derive(Debug)]
pub(super) struct SimLock {
    pub(super) disk: SimDisk,
    pub(super) path: PathBuf,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.state().locked.remove(&self.path);
    }
}
