//! Appends: what a batch must be, and what becomes of each of its records.

use std::sync::Arc;

use super::{Own, OwnKey, Row, State, invalid};
use crate::clock::IdSource;
use crate::fields;
use crate::flatten::Flat;
use crate::ids::{Position, RecordId};
use crate::record::{Body, Draft, Record};
use crate::store::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Batch, ErrorKind, Outcome, Receipt, StoreError, Stored,
};
use crate::time::Timestamp;

/// Canonical fields that are not the caller's to set.
const GIVEN: &[&str] = &["id", "kind", "dialect", "own_id", "time.received"];

/// What every engine refuses, and what no dialect may bring: the latter is a bug of the caller,
/// which real engines need not notice.
pub(super) fn check(batch: &Batch) -> Result<(), StoreError> {
    let n_records = batch.records.len();
    if n_records > BATCH_RECORDS_MAX {
        let text = format!("a batch of {n_records} records, at most {BATCH_RECORDS_MAX}");
        return Err(invalid(text));
    }
    let bodies = batch.records.iter().map(|draft| draft.raw.len());
    let states = batch.states.iter().map(|state| state.state.len());
    let n_bytes: usize = bodies.chain(states).sum();
    if n_bytes > BATCH_BYTES_MAX {
        let text = format!("a batch of {n_bytes} bytes, at most {BATCH_BYTES_MAX}");
        return Err(invalid(text));
    }
    for draft in &batch.records {
        check_draft(draft)?;
    }
    Ok(())
}

fn check_draft(draft: &Draft) -> Result<(), StoreError> {
    let bug = |text: String| Err(StoreError::new(ErrorKind::Internal, text));
    if draft.raw.read().is_none() {
        return bug("the raw body of a draft is no JSON".to_owned());
    }
    for path in draft.canonical.keys() {
        if GIVEN.contains(&path.as_str()) || path.starts_with("labels.") {
            return bug(format!("the canonical field {path} is not set by callers"));
        }
        if !fields::is_canonical(path) {
            return bug("a canonical field that the table does not know".to_owned());
        }
    }
    Ok(())
}

impl State {
    pub(super) fn append(&mut self, batch: Batch, now: Timestamp, ids: &dyn IdSource) -> Receipt {
        let now = self.last_id.map_or(now, |last| now.max(last.time()));
        let mut outcomes = Vec::with_capacity(batch.records.len());
        for draft in batch.records {
            outcomes.push(self.append_one(draft, now, ids));
        }
        for state in batch.states {
            let key = (state.instance.clone(), state.session.clone());
            self.sessions.insert(key, state);
        }
        Receipt { outcomes }
    }

    fn append_one(&mut self, draft: Draft, now: Timestamp, ids: &dyn IdSource) -> Outcome {
        let key = own_key(&draft);
        if self.is_erased(&draft, key.as_ref()) {
            return Outcome::Erased;
        }
        let body = sorted_body(&draft.raw);
        if let Some(own) = key.as_ref().and_then(|key| self.own_ids.get(key)) {
            return if own.body == body {
                Outcome::Duplicate(own.first)
            } else {
                Outcome::Conflict
            };
        }
        let stored = Stored {
            id: self.next_id(now, ids),
            position: Position(self.newest.0 + 1),
            received: now,
        };
        self.newest = stored.position;
        if let Some(key) = key {
            let first = stored;
            self.own_ids.insert(key, Own { first, body });
        }
        let mut record = Record {
            id: stored.id,
            position: stored.position,
            received: now,
            draft,
        };
        let flat = record.flat();
        record.draft.raw.forget_marks();
        let record = Arc::new(record);
        self.rows.insert(stored.position, Row { record, flat });
        Outcome::Stored(stored)
    }

    fn next_id(&mut self, now: Timestamp, ids: &dyn IdSource) -> RecordId {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let fresh = RecordId::from_parts(millis, ids.random_u128());
        let id = match self.last_id {
            // The clock stands or has stepped back.
            Some(last) if fresh <= last => last.next(),
            _ => fresh,
        };
        self.last_id = Some(id);
        id
    }

    /// Whether the customer, or what had the own id, was erased at or after the time of the
    /// request. A record that names no time comes after every erasure before it.
    fn is_erased(&self, draft: &Draft, key: Option<&OwnKey>) -> bool {
        if self.erased.is_empty() && self.erased_own_ids.is_empty() {
            return false;
        }
        let flat = Flat::of(draft);
        let Some(requested) = flat.time("time.request") else {
            return false;
        };
        let of_customers = super::erase::customers(&flat).filter_map(|customer| {
            self.erased
                .get(&(draft.instance.clone(), customer.to_owned()))
        });
        let of_own_id = key.and_then(|key| self.erased_own_ids.get(key));
        let mut erasures = of_customers.chain(of_own_id);
        erasures.any(|erased_at| requested <= *erased_at)
    }
}

/// By what a resend is recognised.
pub(super) fn own_key(draft: &Draft) -> Option<OwnKey> {
    let own_id = draft.own_id.clone()?;
    Some((draft.instance.clone(), draft.dialect, own_id))
}

/// The body as a resend is recognised by: equal for JSON values whose members come in any order.
fn sorted_body(raw: &Body) -> String {
    match raw.read() {
        Some(held) => held.value().key_sorted_text(),
        None => raw.to_string(),
    }
}
