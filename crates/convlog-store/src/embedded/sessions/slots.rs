//! `sessions.keys`: a header and fixed slots, each written and overwritten in place.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use convlog_model::store::StoreError;

use crate::embedded::bytes::{Reader, to_u64, to_usize};
use crate::embedded::disk::{Disk, File, is_full, read_all};
use crate::embedded::error::{OpenError, failed, full};
use crate::embedded::row::Hash16;

/// The file.
pub(crate) const SESSIONS: &str = "sessions.keys";
const SESSIONS_NEW: &str = "sessions.keys.new";
const MAGIC: [u8; 8] = *b"convlogS";
const FORMAT: u32 = 1;
const SLOT_LEN: usize = 64;
/// Slots that room is made for at once.
const STEP: u64 = 4096;
/// Largest file: a million slots and as many again.
const FILE_LEN_MAX: u64 = 256 << 20;

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Tells it from others that used the slot.
    pub(crate) number: u64,
    pub(crate) session_hash: Hash16,
    pub(crate) key: [u8; 32],
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slot({:x})", self.number)
    }
}

impl Slot {
    /// Checksum, a mark, number, hash, key.
    fn encode(&self) -> [u8; SLOT_LEN] {
        let mut body = Vec::with_capacity(SLOT_LEN);
        body.extend_from_slice(&1u32.to_le_bytes());
        body.extend_from_slice(&self.number.to_le_bytes());
        body.extend_from_slice(&self.session_hash);
        body.extend_from_slice(&self.key);
        let crc = crc32fast::hash(&body).to_le_bytes();
        let mut out = [0; SLOT_LEN];
        for (to, from) in out.iter_mut().zip(crc.iter().chain(&body)) {
            *to = *from;
        }
        out
    }

    /// `None` for a free slot and for one that was torn while it was taken.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let crc = reader.u32().ok()?;
        if crc32fast::hash(bytes.get(4..)?) != crc || reader.u32().ok()? != 1 {
            return None;
        }
        Some(Slot {
            number: reader.u64().ok()?,
            session_hash: reader.array().ok()?,
            key: reader.array().ok()?,
        })
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Slots {
    file: Arc<dyn File>,
    taken: BTreeMap<u32, Slot>,
    free: Vec<u32>,
    /// Slots that room was made for.
    count: u32,
    dirty: bool,
}

impl Slots {
    /// Opens the file of a data directory, making it when `fresh`.
    pub(crate) fn open(disk: &dyn Disk, dir: &Path, fresh: bool) -> Result<Self, OpenError> {
        let io_error = |error| OpenError::io(SESSIONS, error);
        let path = dir.join(SESSIONS);
        if fresh {
            Self::make(disk, dir).map_err(io_error)?;
        }
        let file = disk.open(&path).map_err(io_error)?;
        let bytes = read_all(file.as_ref(), FILE_LEN_MAX).map_err(io_error)?;
        check_header(&bytes)?;
        let mut slots = Slots {
            file,
            taken: BTreeMap::new(),
            free: Vec::new(),
            count: 0,
            dirty: false,
        };
        let mut torn = Vec::new();
        for bytes in bytes.chunks_exact(SLOT_LEN).skip(1) {
            let index = slots.count;
            slots.count += 1;
            match Slot::decode(bytes) {
                Some(slot) => drop(slots.taken.insert(index, slot)),
                None if bytes.iter().all(|b| *b == 0) => slots.free.push(index),
                None => torn.push(index),
            }
        }
        slots.free.reverse();
        if !torn.is_empty() {
            tracing::warn!(
                file = SESSIONS,
                slots = torn.len(),
                "wiping unreadable slots"
            );
            slots.wipe(&torn).map_err(io_error)?;
        }
        Ok(slots)
    }

    fn make(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
        let new = dir.join(SESSIONS_NEW);
        drop(disk.remove(&new));
        let file = disk.create(&new)?;
        let mut header = [0; SLOT_LEN];
        let written = MAGIC
            .iter()
            .chain(&FORMAT.to_le_bytes())
            .copied()
            .collect::<Vec<u8>>();
        for (to, from) in header.iter_mut().zip(written) {
            *to = from;
        }
        file.write_at(0, &header)?;
        file.sync_data()?;
        disk.rename(&new, &dir.join(SESSIONS))?;
        disk.sync_dir(dir)
    }

    pub(crate) fn keys(&self) -> &BTreeMap<u32, Slot> {
        &self.taken
    }

    fn offset(index: u32) -> u64 {
        (u64::from(index) + 1) * to_u64(SLOT_LEN)
    }

    /// Writes a key into a free slot.
    pub(crate) fn take(&mut self, slot: &Slot) -> Result<u32, StoreError> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow()?,
        };
        let written = self.file.write_at(Self::offset(index), &slot.encode());
        self.dirty = true;
        self.taken.insert(index, *slot);
        match written {
            Ok(()) => Ok(index),
            Err(error) => Err(failed(SESSIONS, &error)),
        }
    }

    fn grow(&mut self) -> Result<u32, StoreError> {
        let room = self
            .file
            .allocate(Self::offset(self.count), STEP * to_u64(SLOT_LEN));
        match room {
            Ok(()) => {}
            Err(error) if is_full(&error) => return Err(full()),
            Err(error) => return Err(failed(SESSIONS, &error)),
        }
        let first = self.count;
        self.count += u32::try_from(STEP).unwrap_or_default();
        self.free.extend((first + 1..self.count).rev());
        Ok(first)
    }

    /// Overwrites slots; durable on return.
    pub(crate) fn wipe(&mut self, indexes: &[u32]) -> io::Result<()> {
        if indexes.is_empty() {
            return Ok(());
        }
        for index in indexes {
            self.file.write_at(Self::offset(*index), &[0; SLOT_LEN])?;
            self.taken.remove(index);
        }
        self.dirty = true;
        self.sync()?;
        // Only now: a slot that is not wiped for certain is not used again.
        self.free.extend(indexes);
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.sync_data()?;
            self.dirty = false;
        }
        Ok(())
    }
}

/// What is wrong with the file, for `verify`.
pub(crate) fn check_header(bytes: &[u8]) -> Result<(), OpenError> {
    let mut reader = Reader::new(bytes);
    let magic: Result<[u8; 8], _> = reader.array();
    if magic != Ok(MAGIC) {
        return Err(OpenError::damaged(SESSIONS, 0, "no file of session keys"));
    }
    match reader.u32() {
        Ok(FORMAT) => Ok(()),
        Ok(found) => Err(OpenError::newer(SESSIONS, 8, format!("format {found}"))),
        Err(error) => Err(OpenError::damaged(SESSIONS, to_u64(to_usize(8)), error)),
    }
}
