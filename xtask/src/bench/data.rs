//! The records of a run as files of one batch each, made before anything is measured: every loader
//! reads the same bytes from the page cache and spends nothing on making them.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::generate::Generator;
use crate::out;

/// Batches that a server gets before it is killed.
const N_CRASH: usize = 5;
/// The part of the records that comes on top for each phase in which convlog is busy.
const BUSY_PARTS: usize = 5;
const BUSY_BATCHES_MIN: usize = 20;
const BUSY_BATCHES_MAX: usize = 250;
const N_WRITERS: usize = 2;

/// Files of batches: those that every engine gets, then those for convlog's busy phases.
#[derive(Debug)]
pub(super) struct Batches {
    pub(super) dir: PathBuf,
    pub(super) batch: usize,
    /// What every engine gets.
    pub(super) base: Range<usize>,
    /// Goes in while lists are asked.
    pub(super) asked: Range<usize>,
    /// Goes in while customers are erased.
    pub(super) erased: Range<usize>,
    /// Goes in before a kill.
    pub(super) crash: Range<usize>,
    /// Bytes of the base.
    pub(super) n_raw: u64,
}

impl Batches {
    /// Writes the files, or finds them as an earlier run of the same shape has left them.
    pub(super) fn write(
        dir: &Path,
        generator: &Generator,
        n_records: usize,
        batch: usize,
    ) -> Result<Self> {
        let (base, asked, erased, crash) = shape(n_records, batch);
        let last = generator.record(crash.end * batch - 1).log;
        let stamp = format!("{n_records} {batch} {last}");
        let stamp_file = dir.join("made-from.txt");
        let is_made = fs::read_to_string(&stamp_file).is_ok_and(|text| text == stamp);
        if !is_made {
            out::line(&format!("writing {} batches", crash.end));
            if dir.exists() {
                fs::remove_dir_all(dir)?;
            }
            fs::create_dir_all(dir)?;
            write_all(dir, generator, crash.end, batch)?;
            fs::write(stamp_file, stamp)?;
        }
        let sizes = base.clone().map(|n| fs::metadata(file(dir, n)));
        let n_raw = sizes.map(|size| Ok(size?.len())).sum::<Result<u64>>()?;
        Ok(Self {
            dir: dir.to_owned(),
            batch,
            base,
            asked,
            erased,
            crash,
            n_raw,
        })
    }

    /// Records of the base.
    pub(super) fn n_records(&self) -> usize {
        self.base.len() * self.batch
    }

    /// The bytes of one batch.
    pub(super) fn read(&self, n: usize) -> Result<Vec<u8>> {
        let path = file(&self.dir, n);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

type Shape = (Range<usize>, Range<usize>, Range<usize>, Range<usize>);

fn shape(n_records: usize, batch: usize) -> Shape {
    let n_base = n_records.div_ceil(batch).max(1);
    let n_busy = (n_base / BUSY_PARTS).clamp(BUSY_BATCHES_MIN, BUSY_BATCHES_MAX);
    let asked = n_base..n_base + n_busy;
    let erased = asked.end..asked.end + n_busy;
    let crash = erased.end..erased.end + N_CRASH;
    (0..n_base, asked, erased, crash)
}

fn file(dir: &Path, n: usize) -> PathBuf {
    dir.join(format!("{n:06}.ndjson"))
}

fn write_all(dir: &Path, generator: &Generator, n_batches: usize, batch: usize) -> Result<()> {
    let share = |first: usize| -> Result<()> {
        for n in (first..n_batches).step_by(N_WRITERS) {
            fs::write(file(dir, n), generator.lines(n * batch..(n + 1) * batch))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..N_WRITERS)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        writers
            .into_iter()
            .try_for_each(|writer| match writer.join() {
                Ok(written) => written,
                Err(_) => anyhow::bail!("a writer of batches panicked"),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_follow_each_other_without_overlap() {
        for n_records in [1, 50_000, 1_000_000, 10_000_000] {
            let (base, asked, erased, crash) = shape(n_records, 1_000);
            assert_eq!(base.len() * 1_000, n_records.max(1_000));
            assert_eq!(
                (base.end, asked.end, erased.end),
                (asked.start, erased.start, crash.start)
            );
            assert!((20..=250).contains(&asked.len()) && asked.len() == erased.len());
        }
    }
}
