//! What the other threads and the maintenance thread tell each other about retention.

use std::sync::atomic::{AtomicBool, Ordering};

use super::shared::Shared;

/// The maintenance job as others see it.
#[derive(Debug, Default)]
pub(crate) struct Job {
    /// Whether a pass of retention is asked for.
    is_wanted: AtomicBool,
}

impl Job {
    /// Whether a pass of retention was asked for since the last call.
    pub(crate) fn take_wanted(&self) -> bool {
        self.is_wanted.swap(false, Ordering::SeqCst)
    }
}

impl Shared {
    /// Asks for a pass of retention, and for everything else that maintenance may have to do.
    pub(crate) fn want_retention(&self) {
        self.job.is_wanted.store(true, Ordering::SeqCst);
        self.maintenance.want();
    }
}
