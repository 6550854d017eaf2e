//! A log of which a frame must grow, because what an erasure leaves of it does not fit where it was:
//! the log is copied with its other frames as they are, and takes the place of the old one.
//!
//! The order lets a start finish what a crash cut short, see [`finish`]: the copy is durable before
//! the index, which knows the old places, loses its name; only then the logs change names, and the
//! old one keeps a name of its own until the catalog knows the new end and its bytes are wiped.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use super::reindex::own_bits;
use super::{Maintenance, Trouble, broken, hold_off_backups, image, wipe_retired};
use crate::embedded::bytes::{to_u32, to_u64, to_usize};
use crate::embedded::catalog::{Catalog, ChunkRow};
use crate::embedded::disk::Disk;
use crate::embedded::error::OpenError;
use crate::embedded::frames::FrameRow;
use crate::embedded::index::file::{gone_path, index_path};
use crate::embedded::index::source::Damaged;
use crate::embedded::indexer::put_in_place;
use crate::embedded::log::{
    CHUNKS_DIR, Chunk, Place, gone_log_path, log_name, log_number, log_path,
};
use crate::embedded::recover::{KnownEnd, scan};
use crate::embedded::retired::wait_until;
use crate::embedded::view::{Part, Segment};
use crate::embedded::wipe::wipe;

/// Bytes that are written at once.
const STEP: usize = 4 << 20;

fn new_log(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{}.new", log_name(number)))
}

/// New frames by the places of the old ones, and the rows that they leave out.
type Grown = (BTreeMap<u64, Vec<u8>>, Vec<u32>);

impl Maintenance {
    /// Copies the log of a full chunk without the rows of the frames that do not fit.
    pub(super) fn copy_log(&mut self, number: u64) -> Result<(), Trouble> {
        let shared = Arc::clone(&self.shared);
        let _permit = hold_off_backups(&shared)?;
        let (disk, dir) = (Arc::clone(&self.disk), self.dir.clone());
        let is_over = || shared.maintenance.is_closed();
        // The index gets the name that an older one may have still.
        wipe_retired(&shared, disk.as_ref(), &dir, number, &is_over)?;
        let old = {
            let _alone = shared.lock_indexes();
            let old = self.exchange(number)?;
            self.renew_index(number)?;
            old
        };
        let is_free = || old.strong_count() == 0 && !shared.retired.is_held(number);
        if !wait_until(is_free, &is_over) {
            return Err(Trouble::Closing);
        }
        // Who read a row meanwhile has put it here.
        shared.cache.clear();
        let wiped = wipe(disk.as_ref(), &dir, &gone_log_path(&dir, number))
            .and_then(|()| shared.retired.wipe(disk.as_ref(), &dir, number, &is_over));
        wiped.map_err(|error| broken(number, &error))?;
        self.unfit.retain(|(chunk, _)| *chunk != number);
        tracing::info!(file = %log_name(number), "a log was copied to make room for a frame");
        Ok(())
    }

    /// Makes the copy, and shows it to readers in the place of the log, which is returned.
    fn exchange(&mut self, number: u64) -> Result<Weak<Chunk>, Trouble> {
        let view = self.shared.view();
        let full = view.segment(number).filter(|segment| segment.is_full);
        let not_full = || Trouble::Later(format!("{} is not full", log_name(number)));
        let segment = full.ok_or_else(not_full)?;
        let mut row = self.chunk_row(number)?;
        let (grown, rows) = self.grown(segment)?;
        let copied = copy(
            self.disk.as_ref(),
            &self.dir,
            &segment.chunk,
            row.end,
            &grown,
        );
        let places = match copied {
            Ok(places) => places,
            Err(error) => {
                // Nothing has changed, but what was written of the copy must not outlive it.
                let new = new_log(&self.dir, number);
                let wiped = wipe(self.disk.as_ref(), &self.dir, &new);
                wiped.map_err(|error| broken(number, &error))?;
                return Err(Trouble::Later(error));
            }
        };
        let parts = moved(segment, &places).map_err(|bad| Trouble::Index(number, bad))?;
        let names = rename(self.disk.as_ref(), &self.dir, number);
        names.map_err(|error| broken(number, &error))?;
        row.end = places
            .values()
            .map(|place| place.offset + u64::from(place.len))
            .max()
            .unwrap_or(row.end);
        let noted = self.shared.catalog.put_chunks(&[(number, row)]);
        noted.map_err(|error| Trouble::Broken(error.to_string()))?;
        let name = log_name(number);
        let file = self.disk.open(&log_path(&self.dir, number));
        let file = file.map_err(|error| broken(number, &error))?;
        let new = Chunk::open(&name, file).map_err(|error| Trouble::Broken(error.to_string()))?;
        let new = Arc::new(new);
        let old = Arc::downgrade(&segment.chunk);
        self.shared.change_view(|view| {
            view.change(number, |segment| {
                segment.chunk = new;
                segment.parts = parts;
            });
        });
        let bytes: usize = grown.values().map(Vec::len).sum();
        self.shared
            .job
            .note(|figures| figures.bytes_overwritten += to_u64(bytes));
        self.note_overwritten(number, rows);
        Ok(old)
    }

    fn chunk_row(&self, number: u64) -> Result<ChunkRow, Trouble> {
        let rows = self.shared.catalog.chunks();
        let rows = rows.map_err(|error| Trouble::Later(error.to_string()))?;
        let found = rows.into_iter().find(|(known, _)| *known == number);
        let missing = || Trouble::Later(format!("{} is not in the catalog", log_name(number)));
        found.map(|(_, row)| row).ok_or_else(missing)
    }

    fn grown(&self, segment: &Segment) -> Result<Grown, Trouble> {
        let number = segment.chunk.number;
        let mut grown = BTreeMap::new();
        let mut rows = Vec::new();
        for frame in self.doomed(segment)? {
            if !self.unfit.contains(&(number, frame.place.offset)) {
                continue;
            }
            let image = image::grown(&segment.chunk, &frame);
            let image = image.map_err(|error| Trouble::Later(error.log_text().to_owned()))?;
            grown.insert(frame.place.offset, image.bytes);
            rows.extend(frame.rows.iter().map(|(row, _)| *row));
        }
        Ok((grown, rows))
    }

    /// Writes the index file anew, with the new places and without the rows that are gone; one that
    /// has no file yet gets it as always.
    fn renew_index(&self, number: u64) -> Result<(), Trouble> {
        let view = self.shared.view();
        let Some(segment) = view.segment(number).filter(|segment| segment.is_sealed) else {
            return Ok(());
        };
        let Some(forgotten) = segment.hidden.overwritten.clone() else {
            return Ok(());
        };
        let own = own_bits(&self.shared, segment, &forgotten)?;
        let (disk, dir) = (self.disk.as_ref(), self.dir.as_path());
        let put = put_in_place(&self.shared, disk, dir, segment, Some(&forgotten), &own);
        put.map(drop)
            .map_err(|trouble| Trouble::Broken(trouble.to_string()))
    }
}

/// Writes the copy; the new place of each frame by the place where it was.
fn copy(
    disk: &dyn Disk,
    dir: &Path,
    chunk: &Chunk,
    end: u64,
    grown: &BTreeMap<u64, Vec<u8>>,
) -> Result<BTreeMap<u64, Place>, String> {
    let whole = scan(chunk, KnownEnd::At(end)).map_err(|error| error.to_string())?;
    let io_error = |error: io::Error| format!("{}: {error}", chunk.name);
    let new = new_log(dir, chunk.number);
    wipe(disk, dir, &new).map_err(io_error)?;
    let file = disk.create(&new).map_err(io_error)?;
    // The name first: bytes of which a crash left no name could not be wiped.
    disk.sync_dir(&dir.join(CHUNKS_DIR)).map_err(io_error)?;
    let mut places = BTreeMap::new();
    let mut at = 0;
    let mut buffer = vec![0; to_usize(chunk.header.len())];
    chunk.file.read_at(0, &mut buffer).map_err(io_error)?;
    let mut write = |buffer: &mut Vec<u8>| -> io::Result<()> {
        file.allocate(at, to_u64(buffer.len()))?;
        file.write_at(at, buffer)?;
        at += to_u64(buffer.len());
        buffer.clear();
        Ok(())
    };
    let mut offset = chunk.header.len();
    for (place, _) in &whole.frames {
        let start = buffer.len();
        match grown.get(&place.offset) {
            Some(bytes) => buffer.extend_from_slice(bytes),
            None => {
                buffer.resize(start + to_usize(place.len.into()), 0);
                let into = buffer.get_mut(start..).unwrap_or_default();
                chunk.file.read_at(place.offset, into).map_err(io_error)?;
            }
        }
        let len = to_u32(buffer.len() - start);
        places.insert(place.offset, Place { offset, len });
        offset += u64::from(len);
        if buffer.len() >= STEP {
            write(&mut buffer).map_err(io_error)?;
        }
    }
    write(&mut buffer).map_err(io_error)?;
    file.sync_data().map_err(io_error)?;
    Ok(places)
}

/// The index first, then the logs.
fn rename(disk: &dyn Disk, dir: &Path, number: u64) -> io::Result<()> {
    match disk.rename(&index_path(dir, number), &gone_path(dir, number)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => disk.sync_dir(&dir.join(CHUNKS_DIR))?,
    }
    disk.rename(&log_path(dir, number), &gone_log_path(dir, number))?;
    disk.rename(&new_log(dir, number), &log_path(dir, number))?;
    disk.sync_dir(&dir.join(CHUNKS_DIR))
}

/// The parts of a chunk with their frames in new places.
fn moved(segment: &Segment, places: &BTreeMap<u64, Place>) -> Result<Vec<Arc<Part>>, Damaged> {
    let move_part = |part: &Arc<Part>| {
        let frames = part.frames()?;
        let frames = (0..frames.len()).filter_map(|number| frames.get(number));
        let held = frames.map(|frame| FrameRow {
            place: places
                .get(&frame.place.offset)
                .copied()
                .unwrap_or(frame.place),
            ..frame
        });
        Ok(Arc::new(Part {
            base: part.base,
            index: Arc::clone(&part.index),
            held: Some(held.collect()),
        }))
    };
    segment.parts.iter().map(move_part).collect()
}

/// Ends at the start what was begun with a log: one that has its name is wiped under its other one,
/// one that has none gets it back.
pub(crate) fn finish(
    disk: &dyn Disk,
    dir: &Path,
    catalog: &Catalog,
    chunks: &mut [(u64, ChunkRow)],
) -> Result<(), OpenError> {
    let io_error = |error| OpenError::io(CHUNKS_DIR, error);
    let folder = dir.join(CHUNKS_DIR);
    let names = disk.list(&folder).map_err(io_error)?;
    let numbers = |suffix: &str| {
        let stems = names.iter().filter_map(|name| name.strip_suffix(suffix));
        stems.filter_map(log_number).collect::<Vec<u64>>()
    };
    for number in numbers(".gone") {
        let name = log_name(number);
        tracing::warn!(file = %name, "finishing the copy of a log that was cut short");
        let (path, gone) = (log_path(dir, number), gone_log_path(dir, number));
        if !names.iter().any(|known| log_number(known) == Some(number)) {
            let from = match numbers(".new").contains(&number) {
                true => new_log(dir, number),
                false => gone.clone(),
            };
            disk.rename(&from, &path).map_err(io_error)?;
            disk.sync_dir(&folder).map_err(io_error)?;
        }
        if let Some((_, row)) = chunks.iter_mut().find(|(known, _)| *known == number) {
            let file = disk.open(&path).map_err(io_error)?;
            row.end = scan(&Chunk::open(&name, file)?, KnownEnd::Unknown)?.end;
            let noted = catalog.put_chunks(&[(number, *row)]);
            noted.map_err(|error| error.unusable())?;
        }
        wipe(disk, dir, &gone).map_err(io_error)?;
    }
    for number in numbers(".new") {
        wipe(disk, dir, &new_log(dir, number)).map_err(io_error)?;
    }
    Ok(())
}
