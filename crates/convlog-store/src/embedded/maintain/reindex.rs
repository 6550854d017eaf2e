//! After rows were overwritten in a log: its index is made anew without them. Terms, paths, columns
//! and filters of what is gone vanish with it; nothing is parsed again.

use std::path::Path;
use std::sync::Arc;

use convlog_model::store::StoreError;

use super::{Trouble, wipe_retired};
use crate::embedded::disk::Disk;
use crate::embedded::index::Parts;
use crate::embedded::index::merge::{Input, Rows, merge};
use crate::embedded::index::source::Damaged;
use crate::embedded::indexer::{Trouble as NotSealed, kept, put_in_place, seal};
use crate::embedded::own::OwnBits;
use crate::embedded::read::Stop;
use crate::embedded::rowset::RowSet;
use crate::embedded::shared::Shared;
use crate::embedded::view::{Part, Segment};

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Later(error.log_text().to_owned())
    }
}

/// Makes the index of a chunk without the rows that were overwritten, and wipes the old one.
pub(super) fn reindex(
    shared: &Shared,
    disk: &dyn Disk,
    dir: &Path,
    chunk: u64,
    is_over: &dyn Fn() -> bool,
) -> Result<(), Trouble> {
    let later = |error: &dyn std::fmt::Display| Trouble::Later(error.to_string());
    // One that was replaced before must have left its file.
    let wipe = || wipe_retired(shared, disk, dir, chunk, is_over);
    wipe()?;
    {
        let alone = shared.lock_indexes();
        let view = shared.view();
        let Some(segment) = view.segment(chunk) else {
            return Ok(());
        };
        let Some(forgotten) = segment.hidden.overwritten.clone() else {
            return Ok(());
        };
        let damaged = |bad: Damaged| Trouble::Index(chunk, bad);
        if !segment.is_full {
            return forget_in_memory(shared, segment, &forgotten).map_err(damaged);
        }
        if !segment.is_sealed {
            // Its file, should it have a damaged one, must not outlive the erasure.
            drop(alone);
            return seal(shared, disk, dir, chunk, is_over).map_err(|trouble| match trouble {
                NotSealed::Closing => Trouble::Closing,
                other => later(&other),
            });
        }
        let own = own_bits(shared, segment, &forgotten)?;
        let put = put_in_place(shared, disk, dir, segment, Some(&forgotten), &own);
        put.map_err(|trouble| match trouble {
            NotSealed::Index(bad) => damaged(bad),
            other => later(&other),
        })?;
    }
    wipe()
}

fn forget_in_memory(shared: &Shared, segment: &Segment, forgotten: &RowSet) -> Result<(), Damaged> {
    let mut replaced = Vec::new();
    for part in &segment.parts {
        let rows = kept(part, Some(forgotten));
        if rows.count() == rows.len() {
            continue;
        }
        let input = Input {
            index: &part.index,
            rows: Rows::Only(0, &rows),
        };
        let index = merge(&[input], part.index.rows(), false)?;
        let new = Arc::new(Part {
            base: part.base,
            index: Arc::new(Parts::in_memory(index)?),
            held: part.held.clone(),
        });
        replaced.push((Arc::clone(part), new));
    }
    shared.change_view(|view| {
        view.change(segment.chunk.number, |segment| {
            for part in &mut segment.parts {
                let new = replaced.iter().find(|(old, _)| Arc::ptr_eq(old, part));
                if let Some((_, new)) = new {
                    *part = Arc::clone(new);
                }
            }
            segment.hidden.forget(Some(forgotten));
        });
    });
    Ok(())
}

/// The bits of the own ids that stay.
pub(super) fn own_bits(
    shared: &Shared,
    segment: &Segment,
    forgotten: &RowSet,
) -> Result<OwnBits, Trouble> {
    let keys = shared.own_keys(segment, &|row| !forgotten.contains(row));
    let keys = keys.map_err(|stop| match stop {
        Stop::Index(chunk, damaged) => Trouble::Index(chunk, damaged),
        Stop::Error(error) => Trouble::from(error),
    })?;
    Ok(OwnBits::of(keys.iter()))
}
