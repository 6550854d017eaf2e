//! The embedded engine: a log of which only erasures overwrite frames, and an index beside it.
//!
//! docs/format.md describes every byte that it writes. The way of an append: `engine` checks,
//! `prepare` makes rows, compresses and indexes in the caller's thread, `queue` holds them, `writer`
//! gives places, writes and syncs a group, shows it in the `view`, and answers; `indexer` merges the
//! indexes. The way of a search: `engine` hands it to a reading thread, `read` takes the view, `runs`
//! and `select` find matches by `lower`, rows that may match are read and evaluated. The way of an
//! erasure: the writer notes and hides, `maintain` overwrites and makes indexes anew.

mod backup;
mod blobs;
mod bytes;
mod cache;
mod catalog;
mod codec;
mod control;
mod dictionary;
mod disk;
mod engine;
mod erased;
mod error;
mod facts;
mod figures;
mod frame;
mod frames;
mod index;
mod indexer;
mod job;
mod key;
mod load;
mod log;
mod lower;
mod maintain;
mod own;
mod owned;
mod pool;
mod prepare;
mod queue;
mod read;
mod recover;
mod restore;
mod retired;
mod row;
mod rows;
mod rowset;
mod runs;
mod select;
mod sessions;
mod shared;
mod signal;
#[cfg(test)]
mod tests;
mod verify;
mod view;
mod wipe;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use convlog_model::blobs::Blobs;
use convlog_model::clock::{Clock, IdSource};
use convlog_model::control::ControlPlane;
use convlog_model::maintenance;
use convlog_model::seal::Sealer;
use convlog_model::store::Store;

use self::backup::Backups;
pub use self::backup::{is_one_file, save_backup};
use self::blobs::BlobFiles;
use self::catalog::{CATALOG, Documents};
use self::control::Control;
use self::disk::{Disk, Lock, RealDisk};
use self::engine::Engine;
pub use self::error::OpenError;
use self::indexer::Indexer;
use self::load::Start;
use self::log::CHUNKS_DIR;
use self::maintain::Maintenance;
use self::queue::Queue;
pub use self::restore::{Restore, Restored, restore};
pub use self::verify::{Problem, VerifyReport, verify};
use self::writer::{IDLE, Limits, Log, Writer};

const LOCK: &str = "LOCK";

/// How a data directory is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory; made when it is not there.
    pub dir: PathBuf,
    /// Source of time.
    pub clock: Arc<dyn Clock>,
    /// Source of randomness.
    pub ids: Arc<dyn IdSource>,
    /// Bytes of memory for rows and caches; a quarter of it bounds the open chunk.
    pub memory_budget: usize,
    /// Threads for reads, for the work before a write, and for reading the logs at the start.
    pub threads: usize,
    /// Bytes of the logs that erasures overwrite in a second at most; 0 is no limit.
    pub erase_bytes_per_s: u64,
    disk: Arc<dyn Disk>,
    limits: Limits,
    idle: Duration,
}

/// Memory for rows and caches unless told otherwise.
pub const MEMORY_BUDGET: usize = 400 << 20;

/// Bytes that erasures overwrite in a second unless told otherwise.
pub const ERASE_BYTES_PER_S: u64 = 32 << 20;

impl Options {
    /// The usual options for a directory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Options {
            dir: dir.into(),
            clock,
            ids,
            memory_budget: MEMORY_BUDGET,
            threads: 4,
            erase_bytes_per_s: ERASE_BYTES_PER_S,
            disk: Arc::new(RealDisk),
            limits: Limits {
                rows_max: 65_536,
                raw_max: 256 << 20,
                memory_max: MEMORY_BUDGET / 4,
                step: 8 << 20,
                reserve: 64 << 20,
                stop_rows: 8192,
                image_reserve: 0,
            },
            idle: IDLE,
        }
    }
}

/// An open data directory. Closed in order by [`Embedded::close`] or when dropped.
#[derive(Debug)]
pub struct Embedded {
    engine: Arc<Engine>,
    blobs: Arc<BlobFiles>,
    sealer: Sealer,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    _lock: Box<dyn Lock>,
}

impl Embedded {
    /// Opens a data directory, making what is missing in an empty one.
    ///
    /// # Errors
    /// [`OpenError`] names the file, and the offset where bytes are damaged.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let Options { dir, disk, .. } = &options;
        let io_error = |error| OpenError::io(CHUNKS_DIR, error);
        disk.create_dir(&dir.join(CHUNKS_DIR)).map_err(io_error)?;
        let lock = disk.lock(&dir.join(LOCK));
        let lock = lock.map_err(|error| OpenError::io(LOCK, error))?;
        let lock = lock.ok_or(OpenError::Locked)?;
        let (sealer, fresh) = open_key(disk.as_ref(), dir, options.ids.as_ref())?;
        let start = Start {
            disk: disk.as_ref(),
            dir,
            sealer: &sealer,
            clock: &options.clock,
            ids: &options.ids,
            fresh,
            cache_bytes: options.memory_budget / 8,
            unsealed_max: options.memory_budget / 2,
            threads: options.threads.max(1),
        };
        let loaded = start.load()?;
        let shared = Arc::new(loaded.shared);
        let blobs = BlobFiles::open(Arc::clone(disk), dir, options.limits.reserve)?;
        let documents = Documents::load(Arc::clone(&shared.catalog));
        let documents = documents.map_err(catalog::CatalogError::unusable)?;
        let log = Log {
            disk: Arc::clone(disk),
            dir: dir.clone(),
            limits: Limits {
                memory_max: options.limits.memory_max.min(options.memory_budget / 4),
                ..options.limits
            },
            open: loaded.open,
            number: loaded.next_number,
            timeline: shared.timeline,
            ids: Arc::clone(&options.ids),
        };
        let queue = Arc::new(Queue::new());
        let maintenance = Maintenance::new(
            Arc::clone(&shared),
            Arc::clone(disk),
            dir.clone(),
            options.erase_bytes_per_s,
            options.limits.image_reserve,
            Arc::clone(&queue),
            loaded.expiring,
        );
        let writer = Writer::new(Arc::clone(&shared), log, loaded.last_id);
        let indexer = Indexer {
            shared: Arc::clone(&shared),
            disk: Arc::clone(disk),
            dir: dir.clone(),
        };
        let engine = Engine::start(
            shared,
            documents,
            queue,
            (writer, indexer, maintenance),
            options.threads.max(1),
            options.idle,
        );
        let engine = engine.map_err(|error| OpenError::io("threads", error))?;
        Ok(Embedded {
            engine: Arc::new(engine),
            blobs: Arc::new(blobs),
            sealer,
            disk: Arc::clone(disk),
            dir: dir.clone(),
            _lock: lock,
        })
    }

    /// The records.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.engine) as Arc<dyn Store>
    }

    /// The control plane.
    #[must_use]
    pub fn control(&self) -> Arc<dyn ControlPlane> {
        Arc::new(Control(Arc::clone(&self.engine)))
    }

    /// The blobs.
    #[must_use]
    pub fn blobs(&self) -> Arc<dyn Blobs> {
        Arc::clone(&self.blobs) as Arc<dyn Blobs>
    }

    /// Backups.
    #[must_use]
    pub fn maintenance(&self) -> Arc<dyn maintenance::Maintenance> {
        Arc::new(Backups {
            engine: Arc::clone(&self.engine),
            sealer: self.sealer.clone(),
            disk: Arc::clone(&self.disk),
            dir: self.dir.clone(),
        })
    }

    /// Encrypts with the directory's key.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        self.sealer.clone()
    }

    /// Finishes what was accepted and records the end of the log. Later calls of the store answer
    /// `Unavailable`.
    pub fn close(&self) {
        self.engine.close();
        self.blobs.close();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

/// The key, made together with everything else on the first start. The catalog comes last then,
/// so that a first start that was cut short is simply done again.
fn open_key(disk: &dyn Disk, dir: &Path, ids: &dyn IdSource) -> Result<(Sealer, bool), OpenError> {
    let names = disk.list(dir).map_err(|error| OpenError::io(".", error))?;
    let has = |name: &str| names.iter().any(|known| known == name);
    let has_chunks = || -> Result<bool, OpenError> {
        let names = disk.list(&dir.join(CHUNKS_DIR));
        let names = names.map_err(|error| OpenError::io(CHUNKS_DIR, error))?;
        Ok(names.iter().any(|name| log::log_number(name).is_some()))
    };
    if has(CATALOG) {
        if !has(key::KEY) {
            let why = "is missing; without it nothing in this directory can be trusted";
            return Err(OpenError::unusable(key::KEY, why));
        }
        return Ok((key::read(disk, dir)?, false));
    }
    if has_chunks()? {
        let why = "is missing, but there are logs";
        return Err(OpenError::unusable(CATALOG, why));
    }
    if !has(key::KEY) {
        key::make(disk, dir, ids)?;
    }
    Ok((key::read(disk, dir)?, true))
}
