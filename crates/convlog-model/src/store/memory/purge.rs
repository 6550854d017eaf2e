//! What retention took away, until it is forgotten.

use super::State;
use crate::clock::IdSource;
use crate::ids::{Position, RecordId};
use crate::store::Purge;
use crate::time::Timestamp;

/// Records that have gone: how many, and the bounds of their times of receipt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purged {
    records: u64,
    oldest: Timestamp,
    newest: Timestamp,
}

impl State {
    /// Counts rows that are about to go because they have expired.
    pub(super) fn note_purged(&mut self, gone: &[Position]) {
        for row in gone.iter().filter_map(|position| self.rows.get(position)) {
            let received = row.record.received;
            let instance = row.record.draft.instance.clone();
            let purged = self.purged.entry(instance).or_insert(Purged {
                records: 0,
                oldest: received,
                newest: received,
            });
            purged.records += 1;
            purged.oldest = purged.oldest.min(received);
            purged.newest = purged.newest.max(received);
        }
    }

    /// A pass has ended.
    pub(super) fn end_purges(&mut self, at: Timestamp, ids: &dyn IdSource) {
        let millis = u64::try_from(at.millis()).unwrap_or(0);
        for (instance, purged) in std::mem::take(&mut self.purged) {
            self.purges.push(Purge {
                id: RecordId::from_parts(millis, ids.random_u128()),
                instance,
                records: purged.records,
                oldest: purged.oldest,
                newest: purged.newest,
                at,
            });
        }
    }
}
