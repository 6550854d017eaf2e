//! Figures of a run: latencies, bytes on disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::out;

/// Times of single operations.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(super) fn append(&mut self, mut other: Latencies) {
        self.0.append(&mut other.0);
    }

    /// From what a peer reports.
    pub(super) fn from_millis(times: &[f64]) -> Self {
        let time = |millis: &f64| Duration::from_secs_f64(millis.max(0.0) / 1e3);
        Self(times.iter().map(time).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
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

    /// Median in milliseconds; none of no times.
    pub(super) fn p50(&self) -> Option<f64> {
        self.millis(50)
    }

    /// 99th percentile in milliseconds.
    pub(super) fn p99(&self) -> Option<f64> {
        self.millis(99)
    }

    /// The longest in milliseconds.
    pub(super) fn max(&self) -> Option<f64> {
        self.millis(100)
    }

    fn millis(&self, percent: usize) -> Option<f64> {
        (!self.is_empty()).then(|| self.percentile(percent).as_secs_f64() * 1e3)
    }

    /// One line: median, 99th percentile and maximum in milliseconds.
    pub(super) fn print(&self, name: &str) {
        out::line(&format!(
            "{name}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({} times)",
            self.p50().unwrap_or_default(),
            self.p99().unwrap_or_default(),
            self.max().unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times = Latencies((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(times.percentile(50), Duration::from_millis(100));
        assert_eq!(times.percentile(99), Duration::from_millis(198));
        assert_eq!(times.percentile(100), Duration::from_millis(200));
        assert_eq!(times.p99(), Some(198.0));
        assert_eq!(Latencies::default().p99(), None);
    }
}
