//! A small cache of what the control plane holds, emptied at every change.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Values by key. What was read before a change is never kept after it.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    inner: Mutex<Inner<K, V>>,
    len_max: usize,
}

#[derive(Debug)]
struct Inner<K, V> {
    generation: u64,
    map: BTreeMap<K, V>,
}

/// When a reading began; what was read may be kept only if nothing changed since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(u64);

impl<K: Ord, V: Clone> Cache<K, V> {
    /// An empty cache of at most `len_max` values.
    pub(crate) fn new(len_max: usize) -> Self {
        let inner = Inner {
            generation: 0,
            map: BTreeMap::new(),
        };
        Cache {
            inner: Mutex::new(inner),
            len_max,
        }
    }

    /// The value, or the leave to read it and keep it.
    pub(crate) fn get(&self, key: &K) -> Result<V, Ticket> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let found = inner.map.get(key).cloned();
        found.ok_or(Ticket(inner.generation))
    }

    /// Keeps what was read, unless something has changed meanwhile.
    pub(crate) fn keep(&self, ticket: Ticket, key: K, value: V) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation != ticket.0 {
            return;
        }
        if inner.map.len() >= self.len_max {
            inner.map.clear();
        }
        inner.map.insert(key, value);
    }

    /// Forgets everything; to be called after each change.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.generation += 1;
        inner.map.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let cache = Cache::new(2);
        let ticket = cache.get(&1).unwrap_err();
        cache.clear();
        cache.keep(ticket, 1, "old");
        let ticket = cache.get(&1).unwrap_err();
        cache.keep(ticket, 1, "new");
        assert_eq!(cache.get(&1).unwrap(), "new");
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let cache = Cache::new(2);
        for key in 0..10 {
            let ticket = cache.get(&key).unwrap_err();
            cache.keep(ticket, key, ());
        }
        assert!(cache.inner.lock().unwrap().map.len() <= 2);
    }
}
