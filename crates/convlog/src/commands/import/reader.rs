//! From files and directories to log objects, read by a thread of its own while others are sent.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use convlog_dialects::import::{Found, Splitter};
use flate2::bufread::MultiGzDecoder;
use tokio::sync::mpsc::Sender;

const READ_BYTES: usize = 64 << 10;
/// Files of one import.
const FILES_MAX: usize = 1_000_000;
/// Times that a file may be packed.
const PACKED_MAX: usize = 2;
/// Directories below directories.
const DEPTH_MAX: usize = 32;
/// Endings of the files that are taken from a directory, before an optional `.gz`.
const ENDINGS: &[&str] = &["json", "jsonl", "ndjson"];

/// One log object, or what stands in its place.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The file, as the user named it.
    pub(super) file: Arc<str>,
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// Its number in the file, from 0.
    pub(super) index: u64,
    /// What it is.
    pub(super) content: Content,
}

/// What an item is.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// A log object, its text.
    Log(String),
    /// A message of a log group that is nothing of a conversation.
    Other,
    /// Nothing that can be sent, and why.
    Broken(String),
}

impl Content {
    /// What a splitter found; what is packed was opened before.
    pub(super) fn of(found: Found) -> Self {
        match found {
            Found::Log(text) => Content::Log(text),
            Found::Other => Content::Other,
            Found::Packed(_) => Content::Broken("a gzip in a gzip".to_owned()),
            Found::Broken(error) => Content::Broken(error.to_string()),
        }
    }
}

/// A file of the import.
#[derive(Clone, Debug)]
pub(super) struct InputFile {
    /// Where it is; `-` is the standard input.
    pub(super) path: PathBuf,
    /// Its size, 0 when unknown.
    pub(super) n_bytes: u64,
}

/// The files that the user named: files as they are, directories with what is below them.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            files.push(InputFile {
                path: path.clone(),
                n_bytes: 0,
            });
            continue;
        }
        let cannot = || format!("cannot read {}", path.display());
        let metadata = std::fs::metadata(path).with_context(cannot)?;
        if metadata.is_dir() {
            let n_before = files.len();
            directory(path, 0, &mut files)?;
            if files.len() == n_before {
                bail!(
                    "no .json, .jsonl or .ndjson file (or .gz of one, or .gz alone) in {}",
                    path.display()
                );
            }
        } else {
            files.push(InputFile {
                path: path.clone(),
                n_bytes: metadata.len(),
            });
        }
    }
    Ok(files)
}

fn directory(path: &Path, depth: usize, files: &mut Vec<InputFile>) -> Result<()> {
    let cannot = || format!("cannot read {}", path.display());
    if depth > DEPTH_MAX {
        bail!("{}: directories are nested too deeply", path.display());
    }
    let entries = std::fs::read_dir(path).with_context(cannot)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .with_context(cannot)?;
    paths.sort();
    for path in paths {
        let metadata =
            std::fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if metadata.is_dir() {
            directory(&path, depth + 1, files)?;
        } else if is_wanted(&path) {
            if files.len() >= FILES_MAX {
                bail!("more than {FILES_MAX} files: import them in parts");
            }
            files.push(InputFile {
                path,
                n_bytes: metadata.len(),
            });
        }
    }
    Ok(())
}

fn is_wanted(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let name = name.to_lowercase();
    let unpacked = name.strip_suffix(".gz");
    let ending = unpacked.unwrap_or(&name).rsplit_once('.');
    let is_wanted = match ending {
        Some((_, ending)) => ENDINGS.contains(&ending),
        // CloudWatch Logs exports 000000.gz to S3.
        None => unpacked.is_some(),
    };
    !name.starts_with('.') && is_wanted
}

/// Reads all files and hands every log object on. Ends early when nobody listens any more.
pub(super) fn read_all(
    files: &[InputFile],
    n_bytes_read: &Arc<AtomicU64>,
    items: &Sender<Result<Item>>,
) {
    for file in files {
        if items.is_closed() {
            return;
        }
        let name: Arc<str> = file.path.display().to_string().into();
        let result = open(&file.path, n_bytes_read)
            .and_then(|reader| split(reader, &name, items))
            .with_context(|| format!("cannot read {name}"));
        if let Err(error) = result {
            // Nobody listens any more: there is nobody to tell.
            drop(items.blocking_send(Err(error)));
            return;
        }
    }
}

fn open(path: &Path, n_bytes_read: &Arc<AtomicU64>) -> Result<Box<dyn Read>> {
    let raw: Box<dyn Read> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path)?),
    };
    let counted = Counting {
        inner: raw,
        n_bytes: Arc::clone(n_bytes_read),
    };
    let reader = BufReader::with_capacity(READ_BYTES, counted);
    // Firehose packs once more what subscriptions have packed.
    let mut reader: Box<dyn BufRead> = Box::new(reader);
    for _ in 0..PACKED_MAX {
        if !reader.fill_buf()?.starts_with(&[0x1F, 0x8B]) {
            break;
        }
        reader = Box::new(BufReader::new(MultiGzDecoder::new(reader)));
    }
    Ok(reader)
}

fn split(reader: Box<dyn Read>, name: &Arc<str>, items: &Sender<Result<Item>>) -> Result<()> {
    let mut handing = Handing {
        name: Arc::clone(name),
        items,
        index: 0,
    };
    handing.all(reader, None).map(|_| ())
}

/// Items on their way from one file.
struct Handing<'a> {
    name: Arc<str>,
    items: &'a Sender<Result<Item>>,
    index: u64,
}

impl Handing<'_> {
    /// Hands on what a reader holds; `packed_on` is the line of the file on which all of it was
    /// packed. Says whether somebody still listens.
    fn all(&mut self, mut reader: Box<dyn Read + '_>, packed_on: Option<u64>) -> Result<bool> {
        let mut splitter = Splitter::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let n_bytes = match reader.read(&mut buffer) {
                Ok(n_bytes) => n_bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            match buffer.get(..n_bytes) {
                Some(bytes) if !bytes.is_empty() => splitter.push(bytes),
                _ => splitter.finish(),
            }
            while let Some(item) = splitter.next_item() {
                let line = packed_on.unwrap_or(item.line);
                let is_heard = match item.found {
                    Found::Packed(bytes) if packed_on.is_none() => self.packed(&bytes, line),
                    found => self.one(line, Content::of(found)),
                };
                if !is_heard {
                    return Ok(false);
                }
            }
            if n_bytes == 0 {
                return Ok(true);
            }
        }
    }

    /// Hands on what a packed envelope holds. One that is broken is one bad line of its file.
    fn packed(&mut self, bytes: &[u8], line: u64) -> bool {
        let unpacked: Box<dyn Read + '_> = Box::new(MultiGzDecoder::new(bytes));
        match self.all(unpacked, Some(line)) {
            Ok(is_heard) => is_heard,
            Err(error) => self.one(line, Content::Broken(format!("awslogs.data: {error}"))),
        }
    }

    fn one(&mut self, line: u64, content: Content) -> bool {
        let item = Item {
            file: Arc::clone(&self.name),
            line,
            index: self.index,
            content,
        };
        self.index += 1;
        self.items.blocking_send(Ok(item)).is_ok()
    }
}

/// Counts what is read from disk, before decompression, for the progress bar.
struct Counting {
    inner: Box<dyn Read>,
    n_bytes: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.inner.read(buffer)?;
        let added = u64::try_from(n_bytes).unwrap_or_default();
        self.n_bytes.fetch_add(added, Ordering::Relaxed);
        Ok(n_bytes)
    }
}
