//! Keys that were looked up, and failed logins that were told of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::KeyDoc;

/// Parsed keys kept in memory.
const CACHE_MAX: usize = 4096;
/// Time between two events of the same key's failed logins.
const TOLD_PAUSE_US: u64 = 60_000_000;

/// Keys that were looked up, so that a request costs no read of the control plane. A key that is
/// revoked leaves at once, and a look-up that began before that is not kept.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    generation: u64,
    keys: BTreeMap<String, Arc<KeyDoc>>,
    /// When a failed login was last told of, by key.
    told_us: BTreeMap<String, u64>,
}

impl KeyCache {
    pub(super) fn get(&self, id: &str) -> (u64, Option<Arc<KeyDoc>>) {
        let cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (cached.generation, cached.keys.get(id).cloned())
    }

    pub(super) fn put(&self, generation: u64, id: &str, key: &Arc<KeyDoc>) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.generation != generation {
            return;
        }
        if cached.keys.len() >= CACHE_MAX {
            cached.keys.pop_first();
        }
        cached.keys.insert(id.to_owned(), Arc::clone(key));
    }

    pub(super) fn forget(&self, id: &str) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cached.generation += 1;
        cached.keys.remove(id);
    }

    /// Whether a failed login is to be told of: once a minute and key, so that guessing cannot
    /// fill the audit.
    pub(super) fn should_tell(&self, id: &str, now_us: u64) -> bool {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |told: &u64| now_us < told.saturating_add(TOLD_PAUSE_US);
        if cached.told_us.get(id).is_some_and(is_recent) {
            return false;
        }
        if cached.told_us.len() >= CACHE_MAX {
            cached.told_us.pop_first();
        }
        cached.told_us.insert(id.to_owned(), now_us);
        true
    }
}
