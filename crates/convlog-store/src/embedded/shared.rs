//! What writer, readers and control plane share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use convlog_model::clock::{Clock, IdSource};
use convlog_model::ids::{Position, Timeline};
use convlog_model::store::{Erasure, Retention};
use tokio::sync::{Semaphore, watch};

use super::cache::Cache;
use super::catalog::Catalog;
use super::codec::Codec;
use super::facts::Hasher;
use super::maintain::Signal;
use super::sessions::Sessions;
use super::tail::Tail;

/// The state of an open engine.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) hasher: Hasher,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) sessions: Sessions,
    pub(crate) cache: Cache,
    pub(crate) timeline: Timeline,
    /// One permit: held while logs are copied, and while one is changed but by appending to it.
    pub(crate) copying: Arc<Semaphore>,
    /// Position of the last turn or event that readers see.
    pub(crate) newest: watch::Sender<Position>,
    /// Bytes of all logs.
    pub(crate) log_bytes: AtomicU64,
    /// Wakes the maintenance thread.
    pub(crate) maintenance: Signal,
    tail: RwLock<Tail>,
    rules: RwLock<Arc<Retention>>,
    codec: RwLock<Arc<Codec>>,
    /// A better dictionary, for the next chunk.
    next_codec: Mutex<Option<Arc<Codec>>>,
    erasures: Mutex<Vec<Erasure>>,
    /// Why nothing can be written any more.
    broken: Mutex<Option<String>>,
}

/// What [`Shared::new`] is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) hasher: Hasher,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) sessions: Sessions,
    pub(crate) cache: Cache,
    pub(crate) timeline: Timeline,
    pub(crate) log_bytes: u64,
    pub(crate) tail: Tail,
    pub(crate) rules: Retention,
    pub(crate) codec: Arc<Codec>,
    pub(crate) erasures: Vec<Erasure>,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Shared {
            clock: parts.clock,
            ids: parts.ids,
            hasher: parts.hasher,
            catalog: parts.catalog,
            sessions: parts.sessions,
            cache: parts.cache,
            timeline: parts.timeline,
            copying: Arc::new(Semaphore::new(1)),
            newest: watch::Sender::new(parts.tail.newest()),
            log_bytes: AtomicU64::new(parts.log_bytes),
            maintenance: Signal::default(),
            tail: RwLock::new(parts.tail),
            rules: RwLock::new(Arc::new(parts.rules)),
            codec: RwLock::new(parts.codec),
            next_codec: Mutex::default(),
            erasures: Mutex::new(parts.erasures),
            broken: Mutex::default(),
        }
    }

    pub(crate) fn tail(&self) -> RwLockReadGuard<'_, Tail> {
        self.tail.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tail_mut(&self) -> RwLockWriteGuard<'_, Tail> {
        self.tail.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rules(&self) -> Arc<Retention> {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&rules)
    }

    pub(crate) fn set_rules(&self, rules: Retention) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }

    pub(crate) fn codec(&self) -> Arc<Codec> {
        let codec = self.codec.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&codec)
    }

    /// What the next chunk is compressed with; from now on appends are prepared with it.
    pub(crate) fn take_codec(&self) -> Arc<Codec> {
        let next = self
            .next_codec
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut codec = self.codec.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = next {
            *codec = next;
        }
        Arc::clone(&codec)
    }

    /// Offers a better dictionary to the next chunk.
    pub(crate) fn offer_codec(&self, codec: Arc<Codec>) {
        let mut next = self
            .next_codec
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *next = Some(codec);
    }

    pub(crate) fn erasures(&self) -> MutexGuard<'_, Vec<Erasure>> {
        self.erasures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why nothing can be written any more, without user text.
    pub(crate) fn broken(&self) -> Option<String> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.clone()
    }

    pub(crate) fn set_broken(&self, why: &str) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.get_or_insert_with(|| why.to_owned());
    }
}
