//! Erasures: first durable in the ledger, then gone from every read.

use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::store::{Erasure, ErasureState, StoreError};
use convlog_model::time::Timestamp;

use super::Writer;
use crate::embedded::catalog::{Hidden, LedgerEntry};
use crate::embedded::error::failed;
use crate::embedded::tail::ErasedCustomer;

/// An erasure, its filter resolved to rows already.
#[derive(Debug)]
pub(crate) struct EraseJob {
    pub(crate) id: RecordId,
    pub(crate) instance: InstanceId,
    pub(crate) hidden: Hidden,
    pub(crate) requested_at: Timestamp,
}

impl Writer {
    /// Everything accepted before lies below the position that the ledger notes.
    pub(crate) fn erase(&mut self, job: EraseJob) -> Result<Erasure, StoreError> {
        let known = {
            let erasures = self.shared.erasures();
            let same = |e: &&Erasure| e.id == job.id && e.instance == job.instance;
            erasures.iter().find(same).cloned()
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let rows = self.rows_to_hide(&job.hidden);
        let records = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let hidden_at = self.shared.clock.now();
        let erasure = Erasure {
            id: job.id,
            instance: job.instance,
            state: ErasureState::Hidden,
            records,
            requested_at: job.requested_at,
            hidden_at,
            rows_overwritten_at: None,
            done_at: None,
        };
        let entry = LedgerEntry {
            erasure: erasure.clone(),
            before: self.next_position(),
            hidden: job.hidden,
        };
        let noted = self.shared.catalog.add_to_ledger(&entry);
        noted.map_err(|error| failed("catalog", &error))?;
        {
            let mut tail = self.shared.tail_mut();
            if let Hidden::Customer(customer) = &entry.hidden {
                let erased = ErasedCustomer {
                    before: entry.before,
                    requested_at: entry.erasure.requested_at,
                };
                tail.note_erased(*customer, erased);
            }
            tail.hide(&rows);
        }
        self.shared.cache.clear();
        self.shared.erasures().push(erasure.clone());
        if let Hidden::Customer(customer) = &entry.hidden {
            let dropped = self.shared.sessions.drop_customer(customer);
            dropped.map_err(|error| failed("sessions", &error))?;
        }
        Ok(erasure)
    }

    fn rows_to_hide(&self, hidden: &Hidden) -> Vec<Position> {
        let tail = self.shared.tail();
        match hidden {
            Hidden::Customer(customer) => tail.rows_of(customer),
            Hidden::Rows(rows) => {
                let visible = |at: &&Position| tail.at(**at).is_some_and(|(_, m)| m.is_visible());
                rows.iter().filter(visible).copied().collect()
            }
        }
    }
}
