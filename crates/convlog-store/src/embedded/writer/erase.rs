//! Erasures: first durable in the ledger, then gone from every read.

use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::store::{Erasure, ErasureState, StoreError};
use convlog_model::time::Timestamp;

use super::{WriteError, Writer};
use crate::embedded::bytes::to_u64;
use crate::embedded::catalog::{Hidden, LedgerEntry};
use crate::embedded::error::failed;

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
        let (rows, visible) = self.rows_to_hide(&job.hidden)?;
        let records = to_u64(visible);
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
        self.shared.erased().note(&entry);
        self.shared.hide(&rows);
        self.shared.cache.clear();
        let dropped = match &entry.hidden {
            Hidden::Customer(customer) => self.shared.sessions.drop_customer(customer),
            Hidden::Rows { .. } => Ok(()),
        };
        if let Err(error) = &dropped {
            // A restart wipes the slots. Until then the erasure may not be called done.
            self.note(&WriteError::Broken(format!("sessions.keys: {error}")));
        }
        self.shared.erasures().push(erasure.clone());
        self.shared.maintenance.want();
        dropped.map_err(|error| failed("sessions", &error))?;
        Ok(erasure)
    }

    /// The rows, and how many of them reads can show.
    fn rows_to_hide(&self, hidden: &Hidden) -> Result<(Vec<Position>, usize), StoreError> {
        let rows = match hidden {
            Hidden::Customer(customer) => self.shared.rows_of_customer(customer, Position::END)?,
            Hidden::Rows { at, .. } => at.clone(),
        };
        let visible = self.shared.count_visible(&rows)?;
        Ok((rows, visible))
    }
}
