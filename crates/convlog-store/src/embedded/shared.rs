//! What writer, readers and control plane share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use convlog_model::clock::{Clock, IdSource};
use convlog_model::ids::{Position, Timeline};
use convlog_model::store::{Erasure, Retention};
use tokio::sync::{Semaphore, watch};

use super::cache::Cache;
use super::catalog::Catalog;
use super::codec::Codec;
use super::erased::Erased;
use super::facts::Hasher;
use super::job::Job;
use super::own::OwnKeys;
use super::prepare::{Builders, Tools};
use super::retired::Retired;
use super::sessions::Sessions;
use super::signal::Signal;
use super::view::View;
use super::writer::Reply;

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
    /// Wakes the maintenance thread.
    pub(crate) maintenance: Signal,
    /// Wakes the indexing thread.
    pub(crate) indexing: Signal,
    /// Bytes of memory that the indexes of chunks that are not sealed may take.
    pub(crate) unsealed_max: usize,
    /// What the maintenance thread is asked for beyond erasures.
    pub(crate) job: Job,
    /// Index files that are to be wiped.
    pub(crate) retired: Retired,
    /// Held while the index of rows in memory is replaced, but for appending to it.
    reindexing: Mutex<()>,
    builders: Builders,
    view: RwLock<Arc<View>>,
    own: Mutex<OwnKeys>,
    erased: Mutex<Erased>,
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
    pub(crate) unsealed_max: usize,
    pub(crate) view: View,
    pub(crate) own: OwnKeys,
    pub(crate) erased: Erased,
    pub(crate) rules: Retention,
    pub(crate) codec: Arc<Codec>,
    pub(crate) erasures: Vec<Erasure>,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        Shared {
            job: Job::new(parts.clock.as_ref()),
            clock: parts.clock,
            ids: parts.ids,
            hasher: parts.hasher,
            catalog: parts.catalog,
            sessions: parts.sessions,
            cache: parts.cache,
            timeline: parts.timeline,
            copying: Arc::new(Semaphore::new(1)),
            newest: watch::Sender::new(parts.view.newest),
            maintenance: Signal::default(),
            indexing: Signal::default(),
            unsealed_max: parts.unsealed_max,
            retired: Retired::default(),
            reindexing: Mutex::default(),
            builders: Builders::default(),
            view: RwLock::new(Arc::new(parts.view)),
            own: Mutex::new(parts.own),
            erased: Mutex::new(parts.erased),
            rules: RwLock::new(Arc::new(parts.rules)),
            codec: RwLock::new(parts.codec),
            next_codec: Mutex::default(),
            erasures: Mutex::new(parts.erasures),
            broken: Mutex::default(),
        }
    }

    /// What readers see now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what readers see from now on.
    pub(crate) fn change_view<T>(&self, change: impl FnOnce(&mut View) -> T) -> T {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut view))
    }

    /// What rows are prepared with.
    pub(crate) fn tools<'a>(&'a self, codec: &'a Arc<Codec>) -> Tools<'a> {
        Tools {
            hasher: &self.hasher,
            codec,
            builders: &self.builders,
        }
    }

    /// Nobody else replaces an index while this is held.
    pub(crate) fn lock_indexes(&self) -> MutexGuard<'_, ()> {
        self.reindexing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn own(&self) -> MutexGuard<'_, OwnKeys> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn erased(&self) -> MutexGuard<'_, Erased> {
        self.erased.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Answers when every chunk that is full is sealed.
    pub(crate) fn settle_indexes(&self, reply: Reply<()>) {
        self.indexing.settle(reply);
    }

    /// Answers when every erasure is done.
    pub(crate) fn settle_maintenance(&self, reply: Reply<()>) {
        self.maintenance.settle(reply);
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
