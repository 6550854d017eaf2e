//! From files and directories to log objects, read by a thread of its own while others are sent.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use convlog_dialects::watson::import::Splitter;
use flate2::bufread::MultiGzDecoder;
use tokio::sync::mpsc::Sender;

const READ_BYTES: usize = 64 << 10;
/// Files of one import.
const FILES_MAX: usize = 1_000_000;
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
    /// Its text, or why it is none.
    pub(super) text: Result<String, String>,
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
                    "no .json, .jsonl or .ndjson file (or .gz of one) in {}",
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
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !name.starts_with('.') && ending.is_some_and(|ending| ENDINGS.contains(&ending))
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
    let mut reader = BufReader::with_capacity(READ_BYTES, counted);
    let is_gzip = reader.fill_buf()?.starts_with(&[0x1F, 0x8B]);
    Ok(match is_gzip {
        true => Box::new(MultiGzDecoder::new(reader)),
        false => Box::new(reader),
    })
}

fn split(mut reader: Box<dyn Read>, name: &Arc<str>, items: &Sender<Result<Item>>) -> Result<()> {
    let mut splitter = Splitter::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut index = 0;
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
        for item in std::iter::from_fn(|| splitter.next_item()) {
            let item = Item {
                file: Arc::clone(name),
                line: item.line,
                index,
                text: item.text.map_err(|error| error.to_string()),
            };
            index += 1;
            if items.blocking_send(Ok(item)).is_err() {
                return Ok(());
            }
        }
        if n_bytes == 0 {
            return Ok(());
        }
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
