//! Checks every checksum of a data directory, and that every row can be read.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use convlog_model::clock::IdSource;
use convlog_model::seal::Sealer;

use super::catalog::{CATALOG, Catalog, ChunkState, CleanStop};
use super::disk::{Disk, RealDisk, read_all};
use super::error::OpenError;
use super::facts::Hasher;
use super::frame;
use super::index::file::{self, index_name, index_number};
use super::log::{CHUNKS_DIR, Chunk, Place, log_name, log_number, log_path};
use super::maintain::patched::Patched;
use super::maintain::redo;
use super::recover::{KnownEnd, Whole, scan};
use super::row::{self, Row};
use super::sessions::SESSIONS;
use super::{LOCK, key};

/// Something that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the data directory.
    pub file: String,
    /// Where in the file, as far as it is known.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at byte {offset}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        let (file, offset, what) = match error {
            OpenError::Locked => (LOCK.to_owned(), None, error.to_string()),
            OpenError::Io { file, source } => (file, None, source.to_string()),
            OpenError::Damaged { file, offset, why } => (file, Some(offset), why),
            OpenError::Newer { file, offset, why } => {
                let what = format!("{why}; a newer convlog is needed to read it");
                (file, Some(offset), what)
            }
            OpenError::Unusable { file, why } => (file, None, why),
        };
        Problem { file, offset, what }
    }
}

/// Where the logs end that the catalog names; `None` for one that is being removed.
type Ends = BTreeMap<u64, Option<KnownEnd>>;

/// What was checked, and what is broken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Whether a server had the directory open; then the catalog was not looked at.
    pub is_running: bool,
    /// Logs read.
    pub chunks: u64,
    /// Indexes read.
    pub indexes: u64,
    /// Frames checked.
    pub frames: u64,
    /// Turns and events read.
    pub records: u64,
    /// Bytes of frames checked.
    pub bytes: u64,
    /// Everything that is broken.
    pub problems: Vec<Problem>,
    /// What is not broken but worth knowing, such as a write that a crash cut short.
    pub notes: Vec<String>,
}

/// Reads every log, the session keys and, unless a server is running, the catalog of a data
/// directory. Changes nothing but the lock.
#[must_use]
pub fn verify(dir: &Path) -> VerifyReport {
    verify_on(&RealDisk, dir)
}

/// Nothing is sealed while a directory is only read.
#[derive(Debug)]
struct NoIds;

impl IdSource for NoIds {
    fn fill(&self, _bytes: &mut [u8]) {}
}

/// Attempts on the log that a running server writes to.
const ATTEMPTS: usize = 5;

pub(crate) fn verify_on(disk: &dyn Disk, dir: &Path) -> VerifyReport {
    let mut report = VerifyReport::default();
    let sealer = match key::read(disk, dir) {
        Ok(sealer) => sealer,
        Err(error) => {
            report.problems.push(error.into());
            return report;
        }
    };
    // Held until everything is read, so that no server starts meanwhile.
    let lock = match disk.lock(&dir.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) => {
            report.problems.push(OpenError::io(LOCK, error).into());
            return report;
        }
    };
    report.is_running = lock.is_none();
    let mut ends = BTreeMap::new();
    if !report.is_running {
        match read_catalog(disk, dir, &sealer) {
            Ok(known) => ends = known,
            Err(error) => report.problems.push(error.into()),
        }
    }
    if let Err(error) = read_sessions(disk, dir) {
        report.problems.push(error.into());
    }
    check_logs(disk, dir, &ends, &Hasher::new(&sealer), &mut report);
    report
}

fn read_sessions(disk: &dyn Disk, dir: &Path) -> Result<(), OpenError> {
    let io_error = |error| OpenError::io(SESSIONS, error);
    let file = disk.open_read(&dir.join(SESSIONS)).map_err(io_error)?;
    let bytes = read_all(file.as_ref(), u64::MAX).map_err(io_error)?;
    super::sessions::check_header(&bytes)
}

fn read_catalog(disk: &dyn Disk, dir: &Path, sealer: &Sealer) -> Result<Ends, OpenError> {
    let ids: Arc<dyn IdSource> = Arc::new(NoIds);
    let catalog = Catalog::open_copy(disk, dir, sealer, &ids)?;
    let chunks = catalog.chunks().map_err(|e| e.unusable())?;
    let clean_stop = catalog.clean_stop().map_err(|e| e.unusable())?;
    catalog.ledger().map_err(|e| e.unusable())?;
    catalog.retention().map_err(|e| e.unusable())?;
    super::catalog::Documents::load(Arc::new(catalog)).map_err(|e| e.unusable())?;
    let ends = chunks.into_iter().map(|(number, row)| {
        let end = match (row.state, clean_stop) {
            (ChunkState::Gone, _) => None,
            (ChunkState::Full | ChunkState::Broken, _) => Some(KnownEnd::At(row.end)),
            (ChunkState::Open, Some(CleanStop { chunk, end })) if chunk == number => {
                Some(KnownEnd::At(end))
            }
            (ChunkState::Open, _) => Some(KnownEnd::Unknown),
        };
        (number, end)
    });
    Ok(ends.collect())
}

fn check_logs(
    disk: &dyn Disk,
    dir: &Path,
    ends: &Ends,
    hasher: &Hasher,
    report: &mut VerifyReport,
) {
    let names = match disk.list(&dir.join(CHUNKS_DIR)) {
        Ok(names) => names,
        Err(error) => {
            report
                .problems
                .push(OpenError::io(CHUNKS_DIR, error).into());
            return;
        }
    };
    let is_gone = |number: &u64| ends.get(number).is_some_and(Option::is_none);
    for number in ends.keys().filter(|number| is_gone(number)) {
        let log = log_name(*number);
        let note = format!("{log}: all of it has expired, the next start removes what is left");
        report.notes.push(note);
    }
    let indexes = names.iter().filter_map(|name| index_number(name));
    for number in indexes.filter(|number| !is_gone(number)) {
        check_index(disk, dir, number, report);
    }
    let logs = names.iter().filter_map(|name| log_number(name));
    let numbers: Vec<u64> = logs.filter(|number| !is_gone(number)).collect();
    let named = ends.keys().filter(|number| !is_gone(number));
    for number in named.filter(|number| !numbers.contains(number)) {
        report.problems.push(Problem {
            file: log_name(*number),
            offset: None,
            what: format!("is missing, but {CATALOG} names it"),
        });
    }
    let last = numbers.last().copied();
    for number in numbers {
        // A server may be writing to the last log, may close it and begin another, and may be
        // overwriting frames of any.
        let is_moving = report.is_running && Some(number) == last;
        let attempts = if report.is_running { ATTEMPTS } else { 1 };
        let known = ends.get(&number).copied().flatten();
        let known = known.unwrap_or(KnownEnd::Unknown);
        let n_problems = report.problems.len();
        let mut outcome = Err(OpenError::Locked);
        for _ in 0..attempts {
            outcome = open_log(disk, dir, number, known);
            if outcome.is_ok() {
                break;
            }
        }
        match outcome {
            Ok((chunk, whole)) => check_log(&chunk, &whole, hasher, is_moving, report),
            Err(error) => report.problems.push(error.into()),
        }
        // A server that is running may have removed it meanwhile, because all of it has expired.
        if report.is_running && is_missing(disk, &log_path(dir, number)) {
            report.problems.truncate(n_problems);
        }
    }
}

fn is_missing(disk: &dyn Disk, path: &Path) -> bool {
    let opened = disk.open_read(path);
    opened.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Checks every checksum of an index, and that every entry can be read.
fn check_index(disk: &dyn Disk, dir: &Path, number: u64, report: &mut VerifyReport) {
    report.indexes += 1;
    let name = index_name(number);
    // A running server may be replacing it.
    let attempts = if report.is_running { ATTEMPTS } else { 1 };
    let mut outcome = Err(OpenError::Locked);
    for _ in 0..attempts {
        outcome = file::open(disk, dir, number).and_then(|index| {
            let read = index.check_all();
            read.map_err(|bad| OpenError::damaged(&name, bad.at, "wrong checksum or bad entry"))
        });
        let is_gone = |error: &OpenError| {
            matches!(error, OpenError::Io { source, .. }
                if report.is_running && source.kind() == std::io::ErrorKind::NotFound)
        };
        if outcome.is_ok() || outcome.as_ref().is_err_and(is_gone) {
            return;
        }
    }
    report.problems.extend(outcome.err().map(Problem::from));
}

fn open_log(
    disk: &dyn Disk,
    dir: &Path,
    number: u64,
    known: KnownEnd,
) -> Result<(Chunk, Whole), OpenError> {
    let name = log_name(number);
    let file = disk.open_read(&log_path(dir, number));
    let file = file.map_err(|error| OpenError::io(&name, error))?;
    // What an erasure that was cut short, or is under way, has left half done counts as done.
    let images = redo::read(disk, dir, number)?;
    let chunk = Chunk::open(&name, Arc::new(Patched { file, images }))?;
    let whole = scan(&chunk, known)?;
    Ok((chunk, whole))
}

fn check_log(
    chunk: &Chunk,
    whole: &Whole,
    hasher: &Hasher,
    is_moving: bool,
    report: &mut VerifyReport,
) {
    report.chunks += 1;
    if let Some(offset) = whole.torn_at
        && !is_moving
    {
        let note = format!(
            "{} at byte {offset}: a write that was never acknowledged, the next start drops it",
            chunk.name
        );
        report.notes.push(note);
    }
    for (place, _) in &whole.frames {
        report.frames += 1;
        report.bytes += u64::from(place.len);
        let attempts = if report.is_running { ATTEMPTS } else { 1 };
        let mut checked = Err("never checked".to_owned());
        for _ in 0..attempts {
            checked = check_frame(chunk, *place, hasher);
            if checked.is_ok() {
                break;
            }
        }
        match checked {
            Ok(records) => report.records += records,
            Err(what) => report.problems.push(Problem {
                file: chunk.name.clone(),
                offset: Some(place.offset),
                what,
            }),
        }
    }
}

/// Number of records in a frame, or what is wrong with it.
fn check_frame(chunk: &Chunk, place: Place, hasher: &Hasher) -> Result<u64, String> {
    let mut bytes = vec![0; super::bytes::to_usize(place.len.into())];
    let read = chunk.file.read_at(place.offset, &mut bytes);
    read.map_err(|error| error.to_string())?;
    let frame = frame::decode(&bytes, chunk.header.salt).map_err(|bad| bad.to_string())?;
    if frame.padding.iter().any(|byte| *byte != 0) {
        return Err("padding that is not zero".to_owned());
    }
    let (header, plain) = chunk
        .read_frame(place)
        .map_err(|error| error.log_text().to_owned())?;
    let rows = row::split(&plain, header.row_count).map_err(|bad| bad.to_string())?;
    let mut records = 0;
    for bytes in rows {
        if let Row::Record(row) = row::decode(bytes).map_err(|bad| bad.to_string())? {
            records += 1;
            if hasher.body(&row.draft.raw) != row.body_hash {
                return Err("a body that is not the one that was accepted".to_owned());
            }
        }
    }
    Ok(records)
}
