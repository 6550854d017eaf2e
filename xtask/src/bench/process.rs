//! What the kernel says of a process and its children: memory over time and processor time.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::shell;

const SAMPLE_EVERY: Duration = Duration::from_millis(20);

/// Samples memory until it is dropped or asked for the peak.
#[derive(Debug)]
pub(super) struct Sampler {
    is_over: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Begins to watch the process and its children.
    pub(super) fn start(id: u32) -> Self {
        let (is_over, peak) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let (seen_over, seen_peak) = (Arc::clone(&is_over), Arc::clone(&peak));
        let thread = std::thread::spawn(move || {
            while !seen_over.load(Ordering::Relaxed) {
                seen_peak.fetch_max(memory(id), Ordering::Relaxed);
                std::thread::sleep(SAMPLE_EVERY);
            }
        });
        Self {
            is_over,
            peak,
            thread: Some(thread),
        }
    }

    /// Most bytes so far.
    pub(super) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has no way to fail; a panic there has been printed.
            drop(thread.join());
        }
    }
}

/// Anonymous bytes of a process and its children, and the shared ones of that which has most: the
/// processes of PostgreSQL share their buffers.
fn memory(id: u32) -> u64 {
    let (mut anonymous, mut shared) = (0, 0_u64);
    for id in std::iter::once(id).chain(children(id)) {
        // A child may have ended meanwhile.
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        anonymous += status_bytes(&status, "RssAnon:");
        shared = shared.max(status_bytes(&status, "RssShmem:"));
    }
    anonymous + shared
}

fn children(id: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let text = text.unwrap_or_default();
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn status_bytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or_default()
        * 1024
}

/// Processor seconds of one process.
#[derive(Debug)]
pub(super) struct Cpu {
    id: u32,
    ticks_per_second: f64,
}

impl Cpu {
    pub(super) fn of(id: u32) -> Result<Self> {
        let text = shell::read(shell::command("getconf").arg("CLK_TCK"))?;
        Ok(Self {
            id,
            ticks_per_second: text.trim().parse().context("getconf gives no number")?,
        })
    }

    /// What it has used since its start, for itself and in the kernel.
    pub(super) fn seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        let ticks = ticks(&stat).context("the process statistics have another form")?;
        Ok(ticks as f64 / self.ticks_per_second)
    }
}

/// Fields 14 and 15; the name in field 2 may hold spaces and ends at the last bracket.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_a_name_with_brackets() {
        let stat = "17 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 120 30 1 1 20 0";
        assert_eq!(ticks(stat), Some(150));
        assert_eq!(ticks("17 (a) S 1"), None);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "VmRSS:\t  900 kB\nRssAnon:\t     640 kB\n";
        assert_eq!(status_bytes(status, "RssAnon:"), 640 * 1024);
        assert_eq!(status_bytes(status, "RssShmem:"), 0);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(memory(std::process::id()) > 0);
    }
}
