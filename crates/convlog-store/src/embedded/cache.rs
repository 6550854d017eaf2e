//! Records that were read lately, so that the newest page costs no decompression every time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convlog_model::ids::Position;
use convlog_model::record::Record;

type Records = HashMap<Position, Arc<Record>>;

/// Two generations: what was used since the last change of generations survives the next.
#[derive(Debug, Default)]
struct Generations {
    young: Records,
    old: Records,
    young_bytes: usize,
}

/// A bounded map from position to record.
#[derive(Debug)]
pub(crate) struct Cache {
    generation_bytes_max: usize,
    kept: Mutex<Generations>,
}

fn weight(record: &Record) -> usize {
    // A decoded record takes about twice its body: the body, and fields that repeat parts of it.
    record.draft.raw.len() * 2 + 1024
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Cache {
            generation_bytes_max: bytes_max / 2,
            kept: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, at: Position) -> Option<Arc<Record>> {
        let mut kept = self.lock();
        if let Some(record) = kept.young.get(&at) {
            return Some(Arc::clone(record));
        }
        let record = kept.old.remove(&at)?;
        self.insert(&mut kept, Arc::clone(&record));
        Some(record)
    }

    pub(crate) fn put(&self, record: Arc<Record>) {
        self.insert(&mut self.lock(), record);
    }

    fn insert(&self, kept: &mut Generations, record: Arc<Record>) {
        let bytes = weight(&record);
        if kept.young_bytes + bytes > self.generation_bytes_max {
            kept.old = std::mem::take(&mut kept.young);
            kept.young_bytes = 0;
        }
        if kept.young.insert(record.position, record).is_none() {
            kept.young_bytes += bytes;
        }
    }

    /// Forgets everything, as an erasure demands.
    pub(crate) fn clear(&self) {
        *self.lock() = Generations::default();
    }
}
