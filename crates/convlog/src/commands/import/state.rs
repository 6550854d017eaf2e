//! How far an import came, in a file that the user names. It saves time and decides nothing: the
//! server is asked whether it still has what the file says it has.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::sender::Counts;

const FILE_BYTES_MAX: u64 = 16 << 20;

/// How far an import came.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Items from the beginning that are done.
    pub(super) n_items: u64,
    /// Number of one that was stored, to ask the server for.
    pub(super) probe: Option<u64>,
    /// Time of request of the last one.
    pub(super) time: Option<String>,
    /// What became of them.
    pub(super) counts: Counts,
}

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// The server.
    url: String,
    /// The source.
    source: String,
    mark: Mark,
}

/// The file, if the user named one.
#[derive(Debug)]
pub(super) struct StateFile {
    path: Option<PathBuf>,
    url: String,
    content: Option<Content>,
}

impl StateFile {
    pub(super) fn open(path: Option<PathBuf>, url: &str) -> Result<Self> {
        let content = match &path {
            Some(path) if path.exists() => Some(read(path)?),
            _ => None,
        };
        Ok(StateFile {
            path,
            url: url.to_owned(),
            content,
        })
    }

    /// How far a former run of the same import came.
    pub(super) fn mark(&self, source: &str) -> Option<Mark> {
        let content = self.content.as_ref()?;
        (content.url == self.url && content.source == source).then(|| content.mark.clone())
    }

    /// Replaces the file as a whole, so that a kill leaves the old one or the new one.
    pub(super) fn save(&mut self, source: &str, mark: &Mark) -> Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let content = Content {
            url: self.url.clone(),
            source: source.to_owned(),
            mark: mark.clone(),
        };
        let cannot = || format!("cannot write the state file {}", path.display());
        let new = path.with_extension("new");
        let text = serde_json::to_vec(&content).with_context(cannot)?;
        std::fs::write(&new, text).with_context(cannot)?;
        std::fs::rename(&new, path).with_context(cannot)
    }

    /// The import is complete: there is nothing to go on with.
    pub(super) fn remove(&self) -> Result<()> {
        match &self.path {
            Some(path) if path.exists() => std::fs::remove_file(path)
                .with_context(|| format!("cannot remove the state file {}", path.display())),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> Result<Content> {
    let cannot = || format!("cannot read the state file {}", path.display());
    let n_bytes = std::fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(n_bytes <= FILE_BYTES_MAX, "{}: it is too large", cannot());
    let bytes = std::fs::read(path).with_context(cannot)?;
    serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is no state file of an import", path.display()))
}
