//! Restoring a backup: made beside the data directory, checked wholly, then put in its place.
//!
//! The restored directory begins a new timeline, and no chunk number is used again that the
//! backup, the directory that is replaced or another ledger knows. So no entry of a ledger is ever
//! about a record that comes later.

mod ledger;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use convlog_model::clock::IdSource;
use convlog_model::seal::Sealer;

use self::ledger::{History, Ledger};
use super::backup::bundle::{self, DUMP, HEAD, Head, LEDGER, SEALED_KEY, Sink};
use super::backup::passphrase;
use super::bytes::Malformed;
use super::catalog::{CATALOG, Catalog, Dump, check_format, decode_ledger};
use super::disk::{Disk, Lock, RealDisk};
use super::error::OpenError;
use super::key::{self, KEY};
use super::log::CHUNKS_DIR;
use super::sessions::Slots;
use super::verify::verify_on;
use super::{LOCK, backup};

/// What is to be restored, and where.
#[derive(Clone)]
pub struct Restore {
    /// The backup: one file, or a directory.
    pub from: PathBuf,
    /// The data directory.
    pub dir: PathBuf,
    /// Whether a directory that holds data is replaced; its ledger is kept.
    pub replace: bool,
    /// A data directory or a backup whose ledger of erasures is applied, too.
    pub ledger: Option<PathBuf>,
    /// What the key of the backup was sealed with.
    pub passphrase: Option<String>,
    /// Source of randomness.
    pub ids: Arc<dyn IdSource>,
}

/// Shows nothing of the passphrase.
impl fmt::Debug for Restore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restore")
            .field("from", &self.from)
            .field("dir", &self.dir)
            .field("replace", &self.replace)
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Records, those included that the ledger hides.
    pub records: u64,
    /// Logs.
    pub chunks: u64,
    /// Erasures in the ledger.
    pub erasures: u64,
    /// Of them, those that the backup did not know.
    pub erasures_added: u64,
    /// Whether a data directory was replaced.
    pub is_replaced: bool,
}

/// Makes a data directory of a backup. The server must be stopped.
///
/// # Errors
/// [`OpenError`] names the file, and the offset where bytes are damaged. The data directory is
/// then what it was.
pub fn restore(order: &Restore) -> Result<Restored, OpenError> {
    let disk = RealDisk;
    let parent = match order.dir.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let made = disk.create_dir(parent);
    made.map_err(|error| OpenError::io(&parent.display().to_string(), error))?;
    let (old, lock) = look_at(&disk, order)?;
    let new = beside(&order.dir);
    let io_error = |error| OpenError::io(&new.display().to_string(), error);
    disk.remove_tree(&new).map_err(io_error)?;
    let built = build(&disk, order, &new, old);
    let restored = built.and_then(|restored| {
        let placed = put_in_place(&disk, order, &new, parent, restored.is_replaced);
        placed.map(|()| restored)
    });
    if restored.is_err() {
        // What went wrong before matters more.
        drop(disk.remove_tree(&new));
    }
    drop(lock);
    restored
}

/// The directory in which the new one is made.
fn beside(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

type Held = Option<Box<dyn Lock>>;

/// The ledger of the directory that is replaced, and its lock; none where there is no data.
fn look_at(disk: &dyn Disk, order: &Restore) -> Result<(Option<Ledger>, Held), OpenError> {
    let name = order.dir.display().to_string();
    let io_error = |error| OpenError::io(&name, error);
    if !disk.is_dir(&order.dir) {
        return Ok((None, None));
    }
    let names = disk.list(&order.dir).map_err(io_error)?;
    if names.is_empty() {
        return Ok((None, None));
    }
    if !order.replace {
        let why = "holds data already; --replace puts the backup in its place";
        return Err(OpenError::unusable(&name, why));
    }
    let lock = disk.lock(&order.dir.join(LOCK)).map_err(io_error)?;
    let lock = lock.ok_or(OpenError::Locked)?;
    if !names.iter().any(|name| name == CATALOG) {
        let why = format!("holds something, but no {CATALOG} whose ledger could be kept");
        return Err(OpenError::unusable(&name, why));
    }
    let ledger = of_data_dir(disk, &order.dir, &order.ids)?;
    Ok((Some(ledger), Some(lock)))
}

/// The ledger of a data directory.
fn of_data_dir(disk: &dyn Disk, dir: &Path, ids: &Arc<dyn IdSource>) -> Result<Ledger, OpenError> {
    let sealer = key::read(disk, dir)?;
    let catalog = Catalog::open_copy(disk, dir, &sealer, ids)?;
    let dump = catalog.dump(false).map_err(|e| e.unusable())?;
    Ok(Ledger {
        name: dir.display().to_string(),
        key: bundle::fingerprint(&sealer),
        entries: catalog.ledger().map_err(|e| e.unusable())?,
        next_chunk: number(&dump, "next_chunk")?,
        version: number(&dump, "version")?,
        chunks: dump.chunks,
    })
}

fn number(dump: &Dump, name: &str) -> Result<u64, OpenError> {
    let found = dump.number(name).map_err(|bad| malformed(DUMP, bad))?;
    Ok(found.unwrap_or_default())
}

fn malformed(file: &str, bad: Malformed) -> OpenError {
    OpenError::unusable(file, bad)
}

/// The ledger of another directory or backup.
fn of_other(disk: &dyn Disk, path: &Path, ids: &Arc<dyn IdSource>) -> Result<Ledger, OpenError> {
    let name = path.display().to_string();
    let is_data = bundle::is_data_dir(disk, path);
    if is_data.map_err(|error| OpenError::io(&name, error))? {
        return of_data_dir(disk, path, ids);
    }
    let mut parts = Parts::new(None);
    bundle::read_path(disk, path, &mut parts)?;
    parts.ledger(name).map(|(ledger, _)| ledger)
}

/// Makes the new directory and checks every byte of it.
fn build(
    disk: &dyn Disk,
    order: &Restore,
    new: &Path,
    old: Option<Ledger>,
) -> Result<Restored, OpenError> {
    let io_error = |error| OpenError::io(&new.display().to_string(), error);
    disk.create_dir(&new.join(CHUNKS_DIR)).map_err(io_error)?;
    let mut parts = Parts::new(Some((disk, new)));
    bundle::read_path(disk, &order.from, &mut parts)?;
    disk.sync_dir(&new.join(CHUNKS_DIR)).map_err(io_error)?;
    let (mine, mut dump) = parts.ledger("the backup".to_owned())?;
    if parts.head()?.ledger_only {
        let why = "is only a ledger of erasures; --ledger takes it beside a backup with data";
        return Err(OpenError::unusable(HEAD, why));
    }
    write_key(disk, new, &parts, order, &mine)?;
    Slots::open(disk, new, true)?;
    let n_known = mine.entries.len();
    let is_replaced = old.is_some();
    let mut ledgers = vec![mine];
    ledgers.extend(old);
    if let Some(path) = &order.ledger {
        ledgers.push(of_other(disk, path, &order.ids)?);
    }
    check_keys(&ledgers)?;
    let next_chunk = ledgers.iter().map(Ledger::chunk_max).max().unwrap_or(0) + 1;
    let version = ledgers.iter().map(|ledger| ledger.version).max();
    let history = History {
        disk,
        dir: new,
        chunks: &dump.chunks,
        next_chunk,
    };
    let entries = history.merge(&ledgers)?;
    let timeline = Catalog::new_timeline(order.ids.as_ref());
    for (name, value) in [
        ("timeline", timeline),
        ("next_chunk", next_chunk),
        ("version", version.unwrap_or_default()),
    ] {
        dump.meta
            .insert(name.to_owned(), value.to_le_bytes().to_vec());
    }
    dump.meta.remove("clean_stop");
    Catalog::make_of(disk, new, &dump, &entries)?;
    let report = verify_on(disk, new);
    if let Some(problem) = report.problems.first() {
        let why = format!("the backup cannot be used: {}", problem.what);
        let offset = problem.offset.unwrap_or_default();
        return Err(OpenError::damaged(&problem.file, offset, why));
    }
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Ok(Restored {
        records: report.records,
        chunks: report.chunks,
        erasures: count(entries.len()),
        erasures_added: count(entries.len().saturating_sub(n_known)),
        is_replaced,
    })
}

/// Hashes of another key say nothing about the records that come back.
fn check_keys(ledgers: &[Ledger]) -> Result<(), OpenError> {
    let Some((mine, others)) = ledgers.split_first() else {
        return Ok(());
    };
    let foreign = |other: &&Ledger| other.key != mine.key && !other.entries.is_empty();
    match others.iter().find(foreign) {
        None => Ok(()),
        Some(other) => Err(OpenError::unusable(
            &other.name,
            "its ledger of erasures was made with another key than the backup, so it cannot be \
             applied to it; restore into an empty directory and erase those customers again",
        )),
    }
}

fn write_key(
    disk: &dyn Disk,
    new: &Path,
    parts: &Parts<'_>,
    order: &Restore,
    mine: &Ledger,
) -> Result<(), OpenError> {
    let bytes = match (&parts.key, &parts.sealed_key, &order.passphrase) {
        (key, _, _) if !key.is_empty() => key.clone(),
        (_, sealed, Some(passphrase)) => passphrase::open(sealed, passphrase)?,
        (_, sealed, None) if !sealed.is_empty() => {
            let why = "is sealed; --passphrase-file opens it";
            return Err(OpenError::unusable(SEALED_KEY, why));
        }
        _ => return Err(OpenError::unusable(KEY, "is missing in the backup")),
    };
    let sealer: Sealer = key::decode(bytes.clone())?;
    if bundle::fingerprint(&sealer) != mine.key {
        return Err(OpenError::unusable(KEY, "is not the key of this backup"));
    }
    let io_error = |error| OpenError::io(KEY, error);
    let file = disk.create(&new.join(KEY)).map_err(io_error)?;
    file.write_at(0, &bytes).map_err(io_error)?;
    file.sync_data().map_err(io_error)
}

/// The directory gets its name in one step, so that there always is a whole one.
fn put_in_place(
    disk: &dyn Disk,
    order: &Restore,
    new: &Path,
    parent: &Path,
    is_replaced: bool,
) -> Result<(), OpenError> {
    let name = order.dir.display().to_string();
    let io_error = |error: io::Error| OpenError::io(&name, error);
    disk.sync_dir(new).map_err(io_error)?;
    if !is_replaced {
        disk.rename(new, &order.dir).map_err(io_error)?;
        return disk.sync_dir(parent).map_err(io_error);
    }
    disk.exchange(new, &order.dir).map_err(io_error)?;
    disk.sync_dir(parent).map_err(io_error)?;
    // Now it is the old one.
    if let Err(error) = disk.remove_tree(new) {
        let left = new.display();
        tracing::warn!(%error, "the replaced directory could not be removed: {left}");
    }
    Ok(())
}

/// The files of a backup: logs go to their place at once, the others are kept.
struct Parts<'a> {
    head: Vec<u8>,
    key: Vec<u8>,
    sealed_key: Vec<u8>,
    dump: Vec<u8>,
    entries: Vec<u8>,
    files: Option<backup::Files<'a>>,
    now: String,
}

impl<'a> Parts<'a> {
    fn new(logs: Option<(&'a dyn Disk, &'a Path)>) -> Self {
        Parts {
            head: Vec::new(),
            key: Vec::new(),
            sealed_key: Vec::new(),
            dump: Vec::new(),
            entries: Vec::new(),
            files: logs.map(|(disk, dir)| backup::Files::new(disk, dir)),
            now: String::new(),
        }
    }

    fn head(&self) -> Result<Head, OpenError> {
        Head::decode(&self.head)
    }

    fn ledger(&self, name: String) -> Result<(Ledger, Dump), OpenError> {
        let head = self.head()?;
        let dump = Dump::decode(&self.dump).map_err(|bad| malformed(DUMP, bad))?;
        check_format(&dump, DUMP)?;
        let entries = decode_ledger(&self.entries).map_err(|bad| malformed(LEDGER, bad))?;
        let ledger = Ledger {
            name,
            key: head.key,
            entries,
            next_chunk: number(&dump, "next_chunk")?,
            version: number(&dump, "version")?,
            chunks: dump.chunks.clone(),
        };
        Ok((ledger, dump))
    }

    fn kept(&mut self) -> Option<&mut Vec<u8>> {
        match self.now.as_str() {
            HEAD => Some(&mut self.head),
            KEY => Some(&mut self.key),
            SEALED_KEY => Some(&mut self.sealed_key),
            DUMP => Some(&mut self.dump),
            LEDGER => Some(&mut self.entries),
            _ => None,
        }
    }

    fn is_log(&self) -> bool {
        self.now.starts_with(CHUNKS_DIR)
    }
}

impl Sink for Parts<'_> {
    fn begin(&mut self, name: &str) -> Result<(), OpenError> {
        name.clone_into(&mut self.now);
        match &mut self.files {
            Some(files) if name.starts_with(CHUNKS_DIR) => files.begin(name),
            _ => Ok(()),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), OpenError> {
        if self.is_log() {
            return match &mut self.files {
                Some(files) => files.bytes(bytes),
                None => Ok(()),
            };
        }
        if let Some(kept) = self.kept() {
            kept.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), OpenError> {
        match &mut self.files {
            Some(files) => files.end(),
            None => Ok(()),
        }
    }
}
