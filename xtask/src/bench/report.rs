//! Figures of a run: latencies, bytes on disk, memory of the server.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::out;
use crate::server::Server;

/// Times of single operations.
#[derive(Debug, Default)]
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(super) fn append(&mut self, mut other: Latencies) {
        self.0.append(&mut other.0);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of the operations did not exceed (nearest rank).
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }

    /// One line: median, 99th percentile and maximum in milliseconds.
    pub(super) fn print(&self, name: &str) {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        out::line(&format!(
            "{name}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({} times)",
            millis(self.percentile(50)),
            millis(self.percentile(99)),
            millis(self.percentile(100)),
            self.len()
        ));
    }
}

/// Bytes that the files of a directory occupy.
pub(super) fn used_bytes(dir: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += if metadata.is_dir() {
            used_bytes(&entry.path())?
        } else {
            // Blocks are of 512 bytes, whatever the file system's own block size is.
            metadata.blocks() * 512
        };
    }
    Ok(total)
}

/// Prints what the server's process holds in memory, and its peak.
pub(super) fn memory(server: &Server) -> Result<()> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let field = |name: &str| -> Result<String> {
        let line = status.lines().find(|line| line.starts_with(name));
        let line = line.with_context(|| format!("the process status has no {name}"))?;
        Ok(line
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" "))
    };
    out::line(&format!(
        "memory: resident {}, of it anonymous {}, peak {}",
        field("VmRSS:")?,
        field("RssAnon:")?,
        field("VmHWM:")?
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times = Latencies((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(times.percentile(50), Duration::from_millis(100));
        assert_eq!(times.percentile(99), Duration::from_millis(198));
        assert_eq!(times.percentile(100), Duration::from_millis(200));
    }
}
