//! What this process remembers of log groups; all but queries can be made again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::counted::{Counter, Counters};
use super::documents::LogGroup;
use super::insights::Queries;
use super::missed::Noted;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Known {
    counters: Counters,
    workers: Mutex<BTreeSet<String>>,
    missed: Noted,
    queries: Queries,
}

impl Known {
    pub(super) fn counters(&self, group: &LogGroup) -> Arc<Vec<Counter>> {
        self.counters.of(group)
    }

    pub(super) fn missed(&self) -> &Noted {
        &self.missed
    }

    pub(super) fn queries(&self) -> &Queries {
        &self.queries
    }

    /// Notes that a subscription filter has a worker; `false` when it had one.
    pub(super) fn begin_worker(&self, id: &str) -> bool {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.insert(id.to_owned())
    }

    /// Notes that it has none any more.
    pub(super) fn end_worker(&self, id: &str) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.remove(id);
    }
}
