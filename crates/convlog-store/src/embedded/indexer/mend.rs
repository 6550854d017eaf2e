//! A damaged index: its chunk gets one made of its log, first in memory, then in a new file.

use convlog_model::store::{ErrorKind, StoreError};

use super::rebuild;
use crate::embedded::catalog::ChunkState;
use crate::embedded::error::failed;
use crate::embedded::index::file::index_name;
use crate::embedded::index::source::Damaged;
use crate::embedded::recover::{KnownEnd, scan};
use crate::embedded::shared::Shared;

/// Threads that read the log.
const THREADS: usize = 2;

impl Shared {
    /// Makes the index of a chunk again, unless somebody else did meanwhile.
    pub(crate) fn mend(&self, chunk: u64, damaged: Damaged) -> Result<(), StoreError> {
        let _alone = self.lock_indexes();
        let view = self.view();
        let Some(segment) = view.segment(chunk).filter(|segment| segment.is_sealed) else {
            return Ok(());
        };
        tracing::error!(
            file = %index_name(chunk),
            offset = damaged.at,
            "an index is damaged, it is made again from its log"
        );
        let log = &segment.chunk;
        let whole = {
            let _held = log.hold();
            scan(log, self.end_of(chunk)?)
        };
        let rebuilt = whole.and_then(|whole| rebuild(log, &whole, &self.hasher, THREADS));
        let rebuilt = rebuilt.map_err(|error| {
            StoreError::new(ErrorKind::Corrupt, "stored bytes are damaged")
                .with_log(error.to_string())
        })?;
        for part in &segment.parts {
            self.retired.note(chunk, &part.index);
        }
        {
            let mut own = self.own();
            own.drop_chunk(chunk);
            for (key, stored) in rebuilt.own {
                own.put(chunk, key, stored);
            }
        }
        self.change_view(|view| {
            view.change(chunk, |segment| {
                segment.parts = rebuilt.part.into_iter().collect();
                segment.is_sealed = false;
            });
        });
        self.indexing.want();
        Ok(())
    }

    /// Up to where the log of a full chunk was synced: what is missing before is damage.
    fn end_of(&self, chunk: u64) -> Result<KnownEnd, StoreError> {
        let chunks = self.catalog.chunks();
        let chunks = chunks.map_err(|error| failed("catalog", &error))?;
        let row = chunks.iter().find(|(number, _)| *number == chunk);
        Ok(match row {
            Some((_, row)) if row.state != ChunkState::Open => KnownEnd::At(row.end),
            _ => KnownEnd::Unknown,
        })
    }
}
