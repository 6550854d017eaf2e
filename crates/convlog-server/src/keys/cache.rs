//! Keys that were looked up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::KeyDoc;

/// Parsed keys kept in memory.
const CACHE_MAX: usize = 4096;

/// Keys that were looked up, so that a request costs no read of the control plane. A key that is
/// revoked leaves at once, and a look-up that began before that is not kept.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    generation: u64,
    keys: BTreeMap<String, Arc<KeyDoc>>,
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
}
