//! The catalog: chunks, control documents, the ledger of erasures, the clean-stop mark.
//!
//! Its pages are recycled, not wiped, so no word of a user and no client's own id stands in it in
//! the clear: names are keyed hashes, bodies are sealed. docs/format.md lists the tables.

mod backend;
mod documents;
mod dump;
mod expiring;
mod ledger;
mod purged;
mod rules;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use convlog_model::clock::IdSource;
use convlog_model::ids::Timeline;
use convlog_model::seal::Sealer;
use convlog_model::time::Timestamp;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

pub(crate) use self::documents::Documents;
pub(crate) use self::dump::{Dump, check_format, decode_ledger, encode_ledger};
pub(crate) use self::expiring::RetentionRun;
pub(crate) use self::ledger::{Hidden, LedgerEntry};
pub(crate) use self::purged::Tally;
use super::bytes::{Malformed, Reader};
use super::disk::{Disk, read_all};
use super::error::OpenError;

/// The catalog's file.
pub(crate) const CATALOG: &str = "catalog.redb";
const CATALOG_NEW: &str = "catalog.redb.new";

/// Version of the tables.
const FORMAT: u64 = 1;
/// redb's cache.
const CACHE_BYTES: usize = 16 << 20;
/// Largest catalog that is read into memory to verify it.
const COPY_LEN_MAX: u64 = 4 << 30;

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const CHUNKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("chunks");
const LEDGER: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("ledger");
const DOCUMENTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("documents");

/// What the catalog says about a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkRow {
    pub(crate) state: ChunkState,
    pub(crate) timeline: Timeline,
    pub(crate) created_at: Timestamp,
    /// End of its last frame; 0 while it is open.
    pub(crate) end: u64,
    /// Number of rows; 0 while it is open.
    pub(crate) rows: u32,
}

/// Whether a chunk may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkState {
    /// It is the one that is appended to.
    Open,
    /// It is full.
    Full,
    /// A write into it failed; what counts ends at its end.
    Broken,
    /// All of it has expired: its files are being removed.
    Gone,
}

impl ChunkRow {
    fn encode(&self) -> Vec<u8> {
        let state: u8 = match self.state {
            ChunkState::Open => 0,
            ChunkState::Full => 1,
            ChunkState::Broken => 2,
            ChunkState::Gone => 3,
        };
        let mut out = vec![state];
        out.extend_from_slice(&self.timeline.0.to_le_bytes());
        out.extend_from_slice(&self.created_at.micros().to_le_bytes());
        out.extend_from_slice(&self.end.to_le_bytes());
        out.extend_from_slice(&self.rows.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let state = match reader.u8()? {
            0 => ChunkState::Open,
            1 => ChunkState::Full,
            2 => ChunkState::Broken,
            3 => ChunkState::Gone,
            _ => return Err(reader.fault("unknown state of a chunk")),
        };
        let row = ChunkRow {
            state,
            timeline: Timeline(reader.u64()?),
            created_at: Timestamp::from_micros(reader.i64()?),
            end: reader.u64()?,
            rows: reader.u32()?,
        };
        reader.finish()?;
        Ok(row)
    }
}

/// Where the log ended when the engine was last stopped in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CleanStop {
    pub(crate) chunk: u64,
    pub(crate) end: u64,
}

/// A catalog that does not do what it should; the text names no user's words.
#[derive(Debug, thiserror::Error)]
#[error("{CATALOG}: {0}")]
pub(crate) struct CatalogError(String);

macro_rules! from_redb {
    ($($name:ident),*) => {$(
        impl From<redb::$name> for CatalogError {
            fn from(error: redb::$name) -> Self {
                CatalogError(error.to_string())
            }
        }
    )*};
}

from_redb!(
    CommitError,
    DatabaseError,
    StorageError,
    TableError,
    TransactionError
);

impl From<Malformed> for CatalogError {
    fn from(error: Malformed) -> Self {
        CatalogError(error.to_string())
    }
}

impl CatalogError {
    /// Whether the disk had no room.
    pub(crate) fn unusable(self) -> OpenError {
        OpenError::unusable(CATALOG, self.0)
    }
}

/// The open catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    db: Database,
    /// Whether a write has failed: redb panics at some that follow.
    is_broken: Mutex<bool>,
    sealer: Sealer,
    ids: Arc<dyn IdSource>,
}

impl Catalog {
    /// Opens the catalog of a directory, making it when `fresh`.
    pub(crate) fn open(
        disk: &dyn Disk,
        dir: &Path,
        sealer: &Sealer,
        ids: &Arc<dyn IdSource>,
        fresh: bool,
    ) -> Result<Self, OpenError> {
        let path = dir.join(CATALOG);
        let io_error = |error| OpenError::io(CATALOG, error);
        if fresh {
            Self::make(disk, dir, ids.as_ref())?;
        }
        let file = disk.open(&path).map_err(io_error)?;
        let db = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(backend::DiskBackend(file))
            .map_err(|e| CatalogError::from(e).unusable())?;
        Self::with(db, sealer, ids)
    }

    /// Reads the catalog of a directory without touching its file.
    pub(crate) fn open_copy(
        disk: &dyn Disk,
        dir: &Path,
        sealer: &Sealer,
        ids: &Arc<dyn IdSource>,
    ) -> Result<Self, OpenError> {
        let io_error = |error| OpenError::io(CATALOG, error);
        let file = disk.open_read(&dir.join(CATALOG)).map_err(io_error)?;
        let bytes = read_all(file.as_ref(), COPY_LEN_MAX).map_err(io_error)?;
        let copy = backend::CopyBackend(Mutex::new(bytes));
        let mut db = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(copy)
            .map_err(|e| CatalogError::from(e).unusable())?;
        match db.check_integrity() {
            Ok(_) => Self::with(db, sealer, ids),
            Err(error) => Err(CatalogError::from(error).unusable()),
        }
    }

    fn with(db: Database, sealer: &Sealer, ids: &Arc<dyn IdSource>) -> Result<Self, OpenError> {
        let catalog = Catalog {
            db,
            is_broken: Mutex::new(false),
            sealer: sealer.derive("catalog"),
            ids: Arc::clone(ids),
        };
        let format = catalog.meta_number("format");
        match format.map_err(CatalogError::unusable)? {
            Some(FORMAT) => Ok(catalog),
            Some(found) => Err(OpenError::newer(CATALOG, 0, format!("format {found}"))),
            None => Err(OpenError::unusable(CATALOG, "holds no format number")),
        }
    }

    /// Made under another name, so that a catalog is there wholly or not at all.
    fn make(disk: &dyn Disk, dir: &Path, ids: &dyn IdSource) -> Result<(), OpenError> {
        let (path, new) = (dir.join(CATALOG), dir.join(CATALOG_NEW));
        let io_error = |error| OpenError::io(CATALOG, error);
        drop(disk.remove(&new));
        let file = disk.create(&new).map_err(io_error)?;
        let timeline = Self::new_timeline(ids);
        let made = (|| -> Result<(), CatalogError> {
            let db = Builder::new().create_with_backend(backend::DiskBackend(file))?;
            let tx = db.begin_write()?;
            {
                let mut meta = tx.open_table(META)?;
                meta.insert("format", FORMAT.to_le_bytes().as_slice())?;
                meta.insert("timeline", timeline.to_le_bytes().as_slice())?;
                tx.open_table(CHUNKS)?;
                tx.open_table(LEDGER)?;
                tx.open_table(DOCUMENTS)?;
            }
            Ok(tx.commit()?)
        })();
        made.map_err(CatalogError::unusable)?;
        disk.rename(&new, &path).map_err(io_error)?;
        disk.sync_dir(dir).map_err(io_error)
    }

    /// The history of this directory.
    pub(crate) fn timeline(&self) -> Result<Timeline, CatalogError> {
        let number = self.meta_number("timeline")?;
        let missing = || CatalogError("holds no timeline".to_owned());
        number.map(Timeline).ok_or_else(missing)
    }

    fn meta_number(&self, name: &str) -> Result<Option<u64>, CatalogError> {
        match self.meta(name)? {
            Some(bytes) => Ok(Some(Reader::new(&bytes).u64()?)),
            None => Ok(None),
        }
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, CatalogError> {
        let tx = self.db.begin_read()?;
        let meta = tx.open_table(META)?;
        Ok(meta.get(name)?.map(|value| value.value().to_vec()))
    }

    /// Changes tables, all or none; durable on return. After a write that failed there is no other.
    fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, CatalogError>,
    ) -> Result<T, CatalogError> {
        let mut is_broken = self
            .is_broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if *is_broken {
            let text = "a write failed before, nothing is written until a restart";
            return Err(CatalogError(text.to_owned()));
        }
        // Also when the library panics in between.
        *is_broken = true;
        let tx = self.db.begin_write()?;
        let out = change(&tx)?;
        tx.commit()?;
        *is_broken = false;
        Ok(out)
    }

    fn put_meta(&self, name: &str, value: &[u8]) -> Result<(), CatalogError> {
        self.write(|tx| {
            tx.open_table(META)?.insert(name, value)?;
            Ok(())
        })
    }

    /// Every chunk, in order.
    pub(crate) fn chunks(&self) -> Result<Vec<(u64, ChunkRow)>, CatalogError> {
        let tx = self.db.begin_read()?;
        let table = tx.open_table(CHUNKS)?;
        let mut out = Vec::new();
        for entry in table.iter()? {
            let (number, row) = entry?;
            out.push((number.value(), ChunkRow::decode(row.value())?));
        }
        Ok(out)
    }

    /// Adds or changes the rows of chunks, all or none.
    pub(crate) fn put_chunks(&self, rows: &[(u64, ChunkRow)]) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut table = tx.open_table(CHUNKS)?;
            for (number, row) in rows {
                table.insert(*number, row.encode().as_slice())?;
            }
            Ok(())
        })
    }

    /// The mark of the last clean stop; gone once the engine works again.
    pub(crate) fn clean_stop(&self) -> Result<Option<CleanStop>, CatalogError> {
        let Some(bytes) = self.meta("clean_stop")? else {
            return Ok(None);
        };
        let mut reader = Reader::new(&bytes);
        let (chunk, end) = (reader.u64()?, reader.u64()?);
        Ok(Some(CleanStop { chunk, end }))
    }

    /// Sets or removes the mark.
    pub(crate) fn set_clean_stop(&self, mark: Option<CleanStop>) -> Result<(), CatalogError> {
        self.write(|tx| {
            let mut meta = tx.open_table(META)?;
            match mark {
                Some(CleanStop { chunk, end }) => {
                    let value = [chunk.to_le_bytes(), end.to_le_bytes()].concat();
                    meta.insert("clean_stop", value.as_slice())?;
                }
                None => drop(meta.remove("clean_stop")?),
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use convlog_model::testkit::SeededIds;

    use super::*;
    use crate::embedded::disk::sim::SimDisk;

    #[test]
    fn a_catalog_of_a_newer_format_is_refused_by_name() {
        let (disk, dir) = (SimDisk::default(), Path::new("/data"));
        let ids: Arc<dyn IdSource> = Arc::new(SeededIds::new(1));
        let sealer = Sealer::new([7; 32]);
        let open = |fresh| Catalog::open(&disk, dir, &sealer, &ids, fresh);
        let catalog = open(true).unwrap();
        let newer = FORMAT + 1;
        catalog.put_meta("format", &newer.to_le_bytes()).unwrap();
        drop(catalog);
        let refused = open(false).unwrap_err();
        assert!(matches!(&refused, OpenError::Newer { file, .. } if file == CATALOG));
        assert!(refused.to_string().contains("format 2"), "{refused}");
    }
}
