//! The form of a backup: named files, as a tar stream or as a directory, and behind all others a
//! manifest with the checksum of each piece. docs/format.md has the same.

use std::io::{self, Read};
use std::path::Path;

use convlog_model::seal::Sealer;

use crate::embedded::bytes::{to_u64, to_usize};
use crate::embedded::catalog::CATALOG;
use crate::embedded::disk::{Disk, File};
use crate::embedded::error::OpenError;
use crate::embedded::key::KEY;
use crate::embedded::log::{CHUNKS_DIR, log_name, log_number};

/// Says what the backup is; the first file.
pub(crate) const HEAD: &str = "BACKUP";
/// The key of the data, sealed with a passphrase.
pub(crate) const SEALED_KEY: &str = "key.sealed";
/// The catalog without the ledger.
pub(crate) const DUMP: &str = "catalog";
/// The ledger of erasures, as it was when all logs had been copied.
pub(crate) const LEDGER: &str = "ledger";
/// The checksums; the last file.
pub(crate) const MANIFEST: &str = "MANIFEST";

/// Bytes that one checksum covers.
pub(crate) const PIECE: usize = 1 << 20;
/// Unit of tar.
pub(crate) const BLOCK: usize = 512;
/// Largest manifest: one line for each piece.
const MANIFEST_LEN_MAX: u64 = 1 << 30;
const MAGIC: &str = "convlog-backup";
const FORMAT: &str = "1";

/// The checksum of one piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) name: String,
    pub(crate) offset: u64,
    pub(crate) len: usize,
    pub(crate) crc: u32,
}

impl Sum {
    pub(crate) fn of(name: &str, offset: u64, bytes: &[u8]) -> Self {
        Sum {
            name: name.to_owned(),
            offset,
            len: bytes.len(),
            crc: crc32fast::hash(bytes),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let crc = u32::from_str_radix(parts.next()?, 16).ok()?;
        Some(Sum {
            crc,
            offset: parts.next()?.parse().ok()?,
            len: parts.next()?.parse().ok()?,
            name: parts.next()?.to_owned(),
        })
    }
}

/// One line a piece, and behind them one for the lines themselves.
pub(crate) fn manifest(sums: &[Sum]) -> Vec<u8> {
    let mut text = String::new();
    for sum in sums {
        let (crc, offset, len, name) = (sum.crc, sum.offset, sum.len, &sum.name);
        text.push_str(&format!("{crc:08x} {offset} {len} {name}\n"));
    }
    let crc = crc32fast::hash(text.as_bytes());
    text.push_str(&format!("{crc:08x} end\n"));
    text.into_bytes()
}

fn parse_manifest(bytes: &[u8]) -> Result<Vec<Sum>, OpenError> {
    let bad = |offset: usize| OpenError::damaged(MANIFEST, to_u64(offset), "no list of checksums");
    let text = std::str::from_utf8(bytes).map_err(|error| bad(error.valid_up_to()))?;
    let lines = text
        .strip_suffix(" end\n")
        .ok_or_else(|| bad(bytes.len()))?;
    let body_len = lines.rfind('\n').map_or(0, |at| at + 1);
    let (body, crc) = lines.split_at(body_len);
    if u32::from_str_radix(crc, 16) != Ok(crc32fast::hash(body.as_bytes())) {
        let why = "wrong checksum of the list";
        return Err(OpenError::damaged(MANIFEST, to_u64(body_len), why));
    }
    let sums = body.lines().map(Sum::parse);
    sums.collect::<Option<_>>().ok_or_else(|| bad(0))
}

/// What a backup says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) ledger_only: bool,
    /// Tells its key from others without showing it.
    pub(crate) key: [u8; 32],
}

/// What tells a key from others without showing it.
pub(crate) fn fingerprint(sealer: &Sealer) -> [u8; 32] {
    sealer.derive("backup").hash(b"key")
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let kind = if self.ledger_only { "ledger" } else { "full" };
        let key = super::hex(&self.key);
        format!("{MAGIC} {FORMAT}\nkind {kind}\nkey {key}\n").into_bytes()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, OpenError> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let foreign = || OpenError::unusable(HEAD, "is not that of a backup of convlog");
        let first = lines.next().unwrap_or_default();
        match first.split_once(' ') {
            Some((MAGIC, FORMAT)) => {}
            Some((MAGIC, other)) => {
                return Err(OpenError::newer(
                    HEAD,
                    0,
                    format!("backup of format {other}"),
                ));
            }
            _ => return Err(foreign()),
        }
        let ledger_only = match lines.next() {
            Some("kind full") => false,
            Some("kind ledger") => true,
            _ => return Err(foreign()),
        };
        let key = lines.next().and_then(|line| line.strip_prefix("key "));
        let key = key
            .and_then(super::unhex)
            .and_then(|key| key.try_into().ok());
        Ok(Head {
            ledger_only,
            key: key.ok_or_else(foreign)?,
        })
    }
}

/// The header of a file in the tar stream.
pub(crate) fn tar_header(name: &str, len: u64, time_s: u64) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_size(len);
    header.set_mode(0o600);
    header.set_mtime(time_s);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

/// Where the files of a backup go while it is read.
pub(crate) trait Sink {
    fn begin(&mut self, name: &str) -> Result<(), OpenError>;
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), OpenError>;
    fn end(&mut self) -> Result<(), OpenError>;
}

/// What was read so far.
#[derive(Debug, Default)]
struct Found {
    sums: Vec<Sum>,
    manifest: Option<Vec<u8>>,
    /// Where the last file ended.
    last: (String, u64),
}

impl Found {
    fn file(
        &mut self,
        name: &str,
        len: u64,
        from: &mut dyn Read,
        sink: &mut dyn Sink,
    ) -> Result<(), OpenError> {
        if !is_known(name) || self.manifest.is_some() {
            return Err(OpenError::unusable(name, "does not belong into a backup"));
        }
        if name == MANIFEST && len > MANIFEST_LEN_MAX {
            return Err(OpenError::unusable(name, "is too long"));
        }
        sink.begin(name)?;
        let mut kept = Vec::new();
        let mut offset = 0;
        loop {
            let wanted = to_usize(len - offset).min(PIECE);
            let mut piece = Vec::with_capacity(wanted);
            let taken = from.take(to_u64(wanted)).read_to_end(&mut piece);
            let n_read = to_u64(piece.len());
            let cut = |why: &str| OpenError::damaged(name, offset + n_read, why);
            taken.map_err(|error| cut(&format!("the backup cannot be read on: {error}")))?;
            if piece.len() < wanted {
                return Err(cut("the backup ends here"));
            }
            sink.bytes(&piece)?;
            match name {
                MANIFEST => kept.extend_from_slice(&piece),
                _ => self.sums.push(Sum::of(name, offset, &piece)),
            }
            offset += n_read;
            if offset == len {
                break;
            }
        }
        sink.end()?;
        self.last = (name.to_owned(), len);
        if name == MANIFEST {
            self.manifest = Some(kept);
        }
        Ok(())
    }

    /// Every piece is there, and no other.
    fn check(self) -> Result<(), OpenError> {
        let Some(manifest) = self.manifest else {
            let (name, end) = &self.last;
            let why = format!("the backup ends behind this, without its {MANIFEST}");
            return Err(OpenError::damaged(name, *end, why));
        };
        let wanted = parse_manifest(&manifest)?;
        let mut found = self.sums.iter();
        for sum in &wanted {
            let place = |why| Err(OpenError::damaged(&sum.name, sum.offset, why));
            match found.next() {
                Some(found) if found == sum => {}
                Some(found) if (&found.name, found.offset) == (&sum.name, sum.offset) => {
                    return place(format!(
                        "the {} bytes from here on are not those that were backed up",
                        sum.len
                    ));
                }
                _ => return place("this part of the backup is missing".to_owned()),
            }
        }
        match found.next() {
            None => Ok(()),
            Some(sum) => {
                let why = "the backup holds more than was backed up";
                Err(OpenError::damaged(&sum.name, sum.offset, why))
            }
        }
    }
}

fn is_known(name: &str) -> bool {
    let is_log = || {
        let inside = name.strip_prefix(CHUNKS_DIR)?.strip_prefix('/')?;
        log_number(inside)
    };
    [HEAD, KEY, SEALED_KEY, DUMP, LEDGER, MANIFEST].contains(&name) || is_log().is_some()
}

/// Reads a tar stream into a sink. Nothing that the sink got counts unless this succeeds.
pub(crate) fn read_tar(from: &mut dyn Read, sink: &mut dyn Sink) -> Result<(), OpenError> {
    let mut read = Found {
        last: ("backup".to_owned(), 0),
        ..Found::default()
    };
    let mut archive = tar::Archive::new(from);
    let bad = |last: &(String, u64), error: io::Error| {
        OpenError::damaged(
            &last.0,
            last.1,
            format!("what follows is no backup: {error}"),
        )
    };
    let entries = archive.entries().map_err(|error| bad(&read.last, error))?;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|error| bad(&read.last, error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(OpenError::unusable(&name, "does not belong into a backup"));
        }
        let len = entry.size();
        read.file(&name, len, &mut entry, sink)?;
    }
    read.check()
}

/// Reads a directory into a sink, as [`read_tar`] does.
pub(crate) fn read_dir(disk: &dyn Disk, dir: &Path, sink: &mut dyn Sink) -> Result<(), OpenError> {
    let names = disk.list(dir).map_err(|error| OpenError::io(".", error))?;
    let has = |name: &str| names.iter().any(|known| known == name);
    if !has(HEAD) {
        let why = "is missing; this is no backup of convlog";
        return Err(OpenError::unusable(HEAD, why));
    }
    let mut wanted = vec![HEAD.to_owned()];
    let keys = [KEY, SEALED_KEY, DUMP].into_iter();
    wanted.extend(keys.filter(|name| has(name)).map(str::to_owned));
    if has(CHUNKS_DIR) {
        let logs = disk.list(&dir.join(CHUNKS_DIR));
        let logs = logs.map_err(|error| OpenError::io(CHUNKS_DIR, error))?;
        wanted.extend(
            logs.iter()
                .filter_map(|name| log_number(name))
                .map(log_name),
        );
    }
    let ends = [LEDGER, MANIFEST].into_iter();
    wanted.extend(ends.filter(|name| has(name)).map(str::to_owned));
    let mut read = Found::default();
    for name in wanted {
        let io_error = |error| OpenError::io(&name, error);
        let file = disk.open_read(&dir.join(&name)).map_err(io_error)?;
        let len = file.len().map_err(io_error)?;
        let mut from = FileReader {
            file: &*file,
            at: 0,
            len,
        };
        read.file(&name, len, &mut from, sink)?;
    }
    read.check()
}

/// Reads a backup of either form.
pub(crate) fn read_path(
    disk: &dyn Disk,
    path: &Path,
    sink: &mut dyn Sink,
) -> Result<(), OpenError> {
    if disk.is_dir(path) {
        return read_dir(disk, path, sink);
    }
    let io_error = |error| OpenError::io(&path.display().to_string(), error);
    let file = disk.open_read(path).map_err(io_error)?;
    let len = file.len().map_err(io_error)?;
    let mut from = FileReader {
        file: &*file,
        at: 0,
        len,
    };
    read_tar(&mut from, sink)
}

/// Whether a directory is a data directory rather than a backup.
pub(crate) fn is_data_dir(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    if !disk.is_dir(path) {
        return Ok(false);
    }
    Ok(disk.list(path)?.iter().any(|name| name == CATALOG))
}

/// A file of the engine's disk, read from the front.
struct FileReader<'a> {
    file: &'a dyn File,
    at: u64,
    len: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = to_usize(self.len - self.at).min(out.len());
        let part = out.get_mut(..n).unwrap_or_default();
        self.file.read_at(self.at, part)?;
        self.at += to_u64(n);
        Ok(n)
    }
}
