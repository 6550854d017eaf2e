//! Backups of an open data directory: a consistent copy that is read piece by piece while
//! everything goes on.
//!
//! First the catalog as of one moment, then every log that it names up to where it was synced, at
//! last the ledger of erasures, which so holds those that came meanwhile. Keys of dialogue sessions
//! are left out: a session does not survive a restore.

pub(crate) mod bundle;
pub(crate) mod passphrase;
mod save;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use convlog_model::maintenance::{BackupOrder, BackupStream, Maintenance};
use convlog_model::seal::Sealer;
use convlog_model::store::StoreError;
use tokio::sync::OwnedSemaphorePermit;

use self::bundle::{BLOCK, DUMP, HEAD, Head, LEDGER, MANIFEST, PIECE, SEALED_KEY, Sum};
pub(crate) use self::save::Files;
pub use self::save::{is_one_file, save_backup};
use super::bytes::{to_u64, to_usize};
use super::catalog::{ChunkRow, ChunkState, encode_ledger};
use super::disk::Disk;
use super::engine::Engine;
use super::error::{failed, stopped};
use super::key::{self, KEY};
use super::log::{Chunk, log_name};
use super::shared::Shared;

/// Bytes as lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hex digits.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    pairs.collect()
}

/// Maintenance of an open data directory.
#[derive(Debug)]
pub(crate) struct Backups {
    pub(crate) engine: Arc<Engine>,
    pub(crate) sealer: Sealer,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
}

#[async_trait]
impl Maintenance for Backups {
    async fn backup(&self, order: &BackupOrder) -> Result<Box<dyn BackupStream>, StoreError> {
        let shared = Arc::clone(&self.engine.shared);
        let pass = Arc::clone(&shared.copying).acquire_owned().await;
        let pass = pass.map_err(|_| stopped())?;
        let (order, sealer) = (order.clone(), self.sealer.clone());
        let (disk, dir) = (Arc::clone(&self.disk), self.dir.clone());
        let begin = move |shared: &Shared| {
            let key = match order.ledger_only {
                true => None,
                false => {
                    let key = key::text(disk.as_ref(), &dir);
                    Some(key.map_err(|error| failed(KEY, &error))?)
                }
            };
            Copying::begin(shared, &order, &sealer, key)
        };
        Ok(Box::new(Running {
            copying: Some(self.engine.read(begin).await?),
            engine: Arc::clone(&self.engine),
            _pass: pass,
        }))
    }
}

/// A backup under way.
#[derive(Debug)]
struct Running {
    engine: Arc<Engine>,
    copying: Option<Copying>,
    /// While it is held, nothing changes a log but by appending to it.
    _pass: OwnedSemaphorePermit,
}

#[async_trait]
impl BackupStream for Running {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut copying) = self.copying.take() else {
            return Ok(None);
        };
        let work = move |shared: &Shared| {
            let piece = copying.piece(shared)?;
            Ok((copying, piece))
        };
        let (copying, piece) = self.engine.read(work).await?;
        self.copying = piece.is_some().then_some(copying);
        Ok(piece)
    }
}

/// What a file of the backup is made of.
#[derive(Debug)]
enum Content {
    Bytes(Vec<u8>),
    Log(Arc<Chunk>, u64),
    /// The ledger at the moment when it is reached.
    Ledger,
    Manifest,
}

#[derive(Debug)]
struct Copying {
    time_s: u64,
    waiting: VecDeque<(String, Content)>,
    /// Name, content and how much of it was given.
    now: Option<(String, Content, u64)>,
    sums: Vec<Sum>,
    is_ended: bool,
}

impl Copying {
    fn begin(
        shared: &Shared,
        order: &BackupOrder,
        sealer: &Sealer,
        key: Option<Vec<u8>>,
    ) -> Result<Self, StoreError> {
        // The catalog first: a chunk stands in it before its first append.
        let dump = shared.catalog.dump(!order.ledger_only);
        let mut dump = dump.map_err(|error| failed("catalog", &error))?;
        let logs = ends(shared, &mut dump.chunks)?;
        let head = Head {
            ledger_only: order.ledger_only,
            key: bundle::fingerprint(sealer),
        };
        let mut waiting = VecDeque::new();
        waiting.push_back((HEAD.to_owned(), Content::Bytes(head.encode())));
        if let Some(key) = key {
            waiting.push_back(key_file(shared, order, key)?);
        }
        waiting.push_back((DUMP.to_owned(), Content::Bytes(dump.encode())));
        if !order.ledger_only {
            let logs = logs.into_iter();
            waiting.extend(logs.map(|(chunk, end)| {
                let name = log_name(chunk.number);
                (name, Content::Log(chunk, end))
            }));
        }
        waiting.push_back((LEDGER.to_owned(), Content::Ledger));
        waiting.push_back((MANIFEST.to_owned(), Content::Manifest));
        let now_s = shared.clock.now().millis().div_euclid(1000);
        Ok(Copying {
            time_s: u64::try_from(now_s).unwrap_or_default(),
            waiting,
            now: None,
            sums: Vec::new(),
            is_ended: false,
        })
    }

    /// The next piece of the stream.
    fn piece(&mut self, shared: &Shared) -> Result<Option<Vec<u8>>, StoreError> {
        let mut out = Vec::with_capacity(PIECE + 2 * BLOCK);
        if self.now.is_none() {
            let Some((name, content)) = self.waiting.pop_front() else {
                // Two empty blocks end a tar stream.
                let is_first = !std::mem::replace(&mut self.is_ended, true);
                return Ok(is_first.then(|| vec![0; 2 * BLOCK]));
            };
            let content = self.ready(shared, content)?;
            let header = bundle::tar_header(&name, content.len(), self.time_s);
            out.extend(header.map_err(|error| failed(&name, &error))?);
            self.now = Some((name, content, 0));
        }
        if let Some((name, content, offset)) = &mut self.now {
            let left = content.len() - *offset;
            let piece = content.read(*offset, to_usize(left).min(PIECE))?;
            if name != MANIFEST {
                self.sums.push(Sum::of(name, *offset, &piece));
            }
            *offset += to_u64(piece.len());
            out.extend_from_slice(&piece);
            if *offset == content.len() {
                out.resize(out.len().next_multiple_of(BLOCK), 0);
                self.now = None;
            }
        }
        Ok(Some(out))
    }

    fn ready(&self, shared: &Shared, content: Content) -> Result<Content, StoreError> {
        Ok(match content {
            Content::Ledger => {
                let ledger = shared.catalog.ledger();
                let ledger = ledger.map_err(|error| failed("catalog", &error))?;
                Content::Bytes(encode_ledger(&ledger))
            }
            Content::Manifest => Content::Bytes(bundle::manifest(&self.sums)),
            other => other,
        })
    }
}

impl Content {
    fn len(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => to_u64(bytes.len()),
            Content::Log(_, end) => *end,
            Content::Ledger | Content::Manifest => 0,
        }
    }

    fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        match self {
            Content::Bytes(bytes) => {
                let from = to_usize(offset);
                Ok(bytes.get(from..from + len).unwrap_or_default().to_vec())
            }
            Content::Log(chunk, _) => {
                let mut out = vec![0; len];
                let read = chunk.file.read_at(offset, &mut out);
                read.map_err(|error| failed(&chunk.name, &error))?;
                Ok(out)
            }
            Content::Ledger | Content::Manifest => Ok(Vec::new()),
        }
    }
}

/// The logs with their ends. One that is open is full in the backup: it never grows there.
fn ends(
    shared: &Shared,
    rows: &mut BTreeMap<u64, ChunkRow>,
) -> Result<Vec<(Arc<Chunk>, u64)>, StoreError> {
    let view = shared.view();
    let segments = view.segments.iter().map(|s| (s.chunk.number, s));
    let segments: BTreeMap<u64, _> = segments.collect();
    // One that was made a moment ago holds nothing that was answered, and one that goes nothing
    // that is shown.
    rows.retain(|number, row| match row.state {
        ChunkState::Open => segments.contains_key(number),
        ChunkState::Full | ChunkState::Broken => true,
        ChunkState::Gone => false,
    });
    let mut logs = Vec::with_capacity(rows.len());
    for (number, row) in rows {
        let segment = segments.get(number);
        let missing = || failed(&log_name(*number), &"is not in memory");
        let segment = segment.ok_or_else(missing)?;
        if row.state == ChunkState::Open {
            let n_rows = segment.rows();
            let last = n_rows.checked_sub(1).map(|last| segment.frame_of(last));
            let last = last.transpose().map_err(|error| failed("index", &error))?;
            let end = last
                .flatten()
                .map(|frame| frame.place.offset + u64::from(frame.place.len));
            row.end = end.unwrap_or(segment.chunk.header.len());
            row.rows = n_rows;
            row.state = ChunkState::Full;
        }
        logs.push((Arc::clone(&segment.chunk), row.end));
    }
    Ok(logs)
}

fn key_file(
    shared: &Shared,
    order: &BackupOrder,
    key: Vec<u8>,
) -> Result<(String, Content), StoreError> {
    let Some(passphrase) = &order.passphrase else {
        return Ok((KEY.to_owned(), Content::Bytes(key)));
    };
    let sealed = passphrase::seal(shared.ids.as_ref(), passphrase, &key);
    let sealed = sealed.ok_or_else(|| failed(SEALED_KEY, &"cannot be made"))?;
    Ok((SEALED_KEY.to_owned(), Content::Bytes(sealed)))
}
