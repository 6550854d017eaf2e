//! Chunk files: header, names, and reading frames by their place. docs/format.md has the bytes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use convlog_model::ids::Timeline;
use convlog_model::store::StoreError;
use convlog_model::time::Timestamp;

use super::bytes::{Reader, to_u32, to_u64, to_usize};
use super::codec::Codec;
use super::disk::{Disk, File};
use super::error::{OpenError, corrupt, failed};
use super::frame::{self, Header};

/// First bytes of a chunk file.
pub(crate) const MAGIC: [u8; 8] = *b"convlogC";
/// Version of everything in a chunk file.
pub(crate) const FORMAT: u32 = 1;
/// Folder of chunk files.
pub(crate) const CHUNKS_DIR: &str = "chunks";
/// Largest dictionary.
pub(crate) const DICTIONARY_LEN_MAX: usize = 112 << 10;

const FIXED_LEN: usize = 64;
const CRC_AT: usize = 60;
const HEADER_ALIGN: usize = 4096;

/// What stands before the first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChunkHeader {
    pub(crate) number: u64,
    pub(crate) timeline: Timeline,
    pub(crate) created_at: Timestamp,
    pub(crate) salt: u32,
    pub(crate) fields_version: u32,
    pub(crate) dictionary: Vec<u8>,
}

/// Why bytes are no chunk header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Damaged; where.
    Damaged(u64, &'static str),
    /// Of a later version.
    Newer(u32),
}

impl ChunkHeader {
    /// Bytes of the header in the file; the first frame begins behind them.
    pub(crate) fn len(&self) -> u64 {
        to_u64((FIXED_LEN + self.dictionary.len()).next_multiple_of(HEADER_ALIGN))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(to_usize(self.len()));
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&to_u32(to_usize(self.len())).to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.timeline.0.to_le_bytes());
        out.extend_from_slice(&self.created_at.micros().to_le_bytes());
        out.extend_from_slice(&self.salt.to_le_bytes());
        out.extend_from_slice(&self.fields_version.to_le_bytes());
        out.extend_from_slice(&to_u32(self.dictionary.len()).to_le_bytes());
        out.resize(CRC_AT, 0);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&out);
        crc.update(&self.dictionary);
        out.extend_from_slice(&crc.finalize().to_le_bytes());
        out.extend_from_slice(&self.dictionary);
        out.resize(to_usize(self.len()), 0);
        out
    }

    /// Reads the header of a file.
    pub(crate) fn read(file: &dyn File) -> io::Result<Result<Self, BadHeader>> {
        let len = file.len()?;
        let mut fixed = [0; FIXED_LEN];
        if len < to_u64(FIXED_LEN) {
            return Ok(Err(BadHeader::Damaged(0, "file shorter than its header")));
        }
        file.read_at(0, &mut fixed)?;
        let (mut header, dictionary_len, crc) = match Self::decode_fixed(&fixed) {
            Ok(found) => found,
            Err(bad) => return Ok(Err(bad)),
        };
        if to_u64(FIXED_LEN + dictionary_len) > len {
            return Ok(Err(BadHeader::Damaged(
                48,
                "dictionary behind the end of the file",
            )));
        }
        header.dictionary = vec![0; dictionary_len];
        file.read_at(to_u64(FIXED_LEN), &mut header.dictionary)?;
        let mut found = crc32fast::Hasher::new();
        found.update(fixed.get(..CRC_AT).unwrap_or_default());
        found.update(&header.dictionary);
        if found.finalize() != crc {
            let bad = BadHeader::Damaged(to_u64(CRC_AT), "wrong checksum of the header");
            return Ok(Err(bad));
        }
        Ok(Ok(header))
    }

    fn decode_fixed(fixed: &[u8]) -> Result<(Self, usize, u32), BadHeader> {
        let short = |_| BadHeader::Damaged(0, "header cut off");
        let mut reader = Reader::new(fixed);
        if reader.array::<8>().map_err(short)? != MAGIC {
            return Err(BadHeader::Damaged(0, "no chunk of convlog"));
        }
        let version = reader.u32().map_err(short)?;
        if version != FORMAT {
            return Err(BadHeader::Newer(version));
        }
        let header_len = reader.u32().map_err(short)?;
        let header = ChunkHeader {
            number: reader.u64().map_err(short)?,
            timeline: Timeline(reader.u64().map_err(short)?),
            created_at: Timestamp::from_micros(reader.i64().map_err(short)?),
            salt: reader.u32().map_err(short)?,
            fields_version: reader.u32().map_err(short)?,
            dictionary: Vec::new(),
        };
        let dictionary_len = to_usize(reader.u32().map_err(short)?.into());
        let expected = (FIXED_LEN + dictionary_len).next_multiple_of(HEADER_ALIGN);
        if dictionary_len > DICTIONARY_LEN_MAX || to_usize(header_len.into()) != expected {
            return Err(BadHeader::Damaged(12, "impossible length of the header"));
        }
        reader.take(CRC_AT - 52).map_err(short)?;
        let crc = reader.u32().map_err(short)?;
        Ok((header, dictionary_len, crc))
    }
}

/// Name of a chunk's log, relative to the data directory.
pub(crate) fn log_name(number: u64) -> String {
    format!("{CHUNKS_DIR}/{number:010}.log")
}

/// The number in a file name of the chunk folder.
pub(crate) fn log_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let number: u64 = digits.parse().ok()?;
    (format!("{number:010}") == digits).then_some(number)
}

/// An open chunk file.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) number: u64,
    /// Relative to the data directory.
    pub(crate) name: String,
    pub(crate) header: ChunkHeader,
    pub(crate) file: Arc<dyn File>,
    pub(crate) codec: Arc<Codec>,
    /// Held by who reads a frame, and alone by who overwrites one.
    gate: RwLock<()>,
}

impl Chunk {
    /// Makes the file of a chunk: create, header, sync, sync directory. The catalog comes next.
    pub(crate) fn create(
        disk: &dyn Disk,
        dir: &Path,
        header: ChunkHeader,
        codec: Arc<Codec>,
    ) -> io::Result<Self> {
        let name = log_name(header.number);
        let path = dir.join(&name);
        let file = disk.create(&path)?;
        let written = (|| {
            file.allocate(0, header.len())?;
            file.write_at(0, &header.encode())?;
            file.sync_data()?;
            disk.sync_dir(&dir.join(CHUNKS_DIR))
        })();
        if let Err(error) = written {
            // Nothing knows the file yet. What cannot be removed is removed by the next start.
            drop(disk.remove(&path));
            return Err(error);
        }
        Ok(Chunk {
            number: header.number,
            name,
            header,
            file,
            codec,
            gate: RwLock::default(),
        })
    }

    /// Opens the file of a chunk, `file` being already open.
    pub(crate) fn open(name: &str, file: Arc<dyn File>) -> Result<Self, OpenError> {
        let header = ChunkHeader::read(file.as_ref()).map_err(|e| OpenError::io(name, e))?;
        let header = header.map_err(|bad| match bad {
            BadHeader::Damaged(offset, why) => OpenError::damaged(name, offset, why),
            BadHeader::Newer(found) => OpenError::newer(name, 8, format!("format {found}")),
        })?;
        let expected = log_name(header.number);
        if expected != name {
            return Err(OpenError::unusable(
                name,
                format!("holds what belongs to {expected}"),
            ));
        }
        let codec = Arc::new(Codec::new(header.dictionary.clone()));
        Ok(Chunk {
            number: header.number,
            name: name.to_owned(),
            header,
            file,
            codec,
            gate: RwLock::default(),
        })
    }

    /// No frame is overwritten while this is held.
    pub(crate) fn hold(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Overwrites a frame. No reader sees half of it.
    pub(crate) fn overwrite(&self, offset: u64, image: &[u8]) -> io::Result<()> {
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.file.write_at(offset, image)
    }

    /// Header and decompressed rows of a frame whose place is known.
    pub(crate) fn read_frame(&self, place: Place) -> Result<(Header, Vec<u8>), StoreError> {
        self.read_held(place, &self.hold())
    }

    /// The same while no frame is overwritten.
    pub(crate) fn read_held(
        &self,
        place: Place,
        _held: &RwLockReadGuard<'_, ()>,
    ) -> Result<(Header, Vec<u8>), StoreError> {
        let mut bytes = vec![0; to_usize(place.len.into())];
        let read = self.file.read_at(place.offset, &mut bytes);
        read.map_err(|error| failed(&self.name, &error))?;
        let frame = frame::decode(&bytes, self.header.salt)
            .map_err(|bad| corrupt(&self.name, place.offset, &bad))?;
        let plain_len = to_usize(frame.header.plain_len.into());
        let plain = self.codec.decompress(frame.payload, plain_len);
        let plain = plain.map_err(|error| corrupt(&self.name, place.offset, &error))?;
        Ok((frame.header, plain))
    }
}

/// Where a frame stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) len: u32,
}

/// Path of a chunk's log.
pub(crate) fn log_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(log_name(number))
}

/// What a log that was replaced, or has expired, is called until it is wiped.
pub(crate) fn gone_log_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{}.gone", log_name(number)))
}
