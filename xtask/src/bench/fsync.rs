//! The disk's own times, with nothing of ours around them: what acknowledgements compare with.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::report::Latencies;

const WRITES: u64 = 500;

/// Writes blocks of 4 KiB into a file of full length and syncs each.
pub(super) fn measure(dir: &Path) -> Result<Latencies> {
    let path = dir.join("fsync-probe");
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    let block = [0x5A_u8; 4096];
    for n in 0..WRITES {
        file.write_all_at(&block, n * 4096)?;
    }
    file.sync_all()?;
    let mut latencies = Latencies::default();
    for n in 0..WRITES {
        let start = Instant::now();
        file.write_all_at(&block, n * 4096)?;
        file.sync_data()?;
        latencies.push(start.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(latencies)
}
