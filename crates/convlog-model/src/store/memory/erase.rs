//! What leaves: erasures, and what has expired.

use super::State;
use super::append::own_key;
use crate::filter::eval::matches;
use crate::flatten::Flat;
use crate::ids::{InstanceId, Position};
use crate::store::{Erase, Erasure, ErasureState, Selector};
use crate::time::Timestamp;

/// The customers that a record names.
pub(super) fn customers(flat: &Flat) -> impl Iterator<Item = &str> {
    flat.texts("customer")
}

impl State {
    pub(super) fn erase(&mut self, request: &Erase, now: Timestamp) -> Erasure {
        let key = (request.instance.clone(), request.id);
        if let Some(known) = self.erasures.get(&key) {
            return known.clone();
        }
        let n_records = match &request.selector {
            Selector::Customer(customer) => {
                let session_of = |state: &crate::store::StateWrite| {
                    state.instance == request.instance && state.customers.contains(customer)
                };
                self.sessions.retain(|_, state| !session_of(state));
                let erased = (request.instance.clone(), customer.clone());
                let erased_at = self.erased.entry(erased).or_insert(now);
                *erased_at = (*erased_at).max(now);
                self.drop_rows(&request.instance, |flat| {
                    customers(flat).any(|named| named == customer)
                })
            }
            Selector::Filter(filter) => {
                let rows = self.rows.values().filter(|row| {
                    row.record.draft.instance == request.instance && matches(filter, &row.flat)
                });
                let keys: Vec<_> = rows.filter_map(|row| own_key(&row.record.draft)).collect();
                for key in keys {
                    let erased_at = self.erased_own_ids.entry(key).or_insert(now);
                    *erased_at = (*erased_at).max(now);
                }
                self.drop_rows(&request.instance, |flat| matches(filter, flat))
            }
        };
        let erasure = Erasure {
            id: request.id,
            instance: request.instance.clone(),
            state: ErasureState::Done,
            records: n_records,
            requested_at: now,
            hidden_at: now,
            rows_overwritten_at: Some(now),
            done_at: Some(now),
        };
        self.erasures.insert(key, erasure.clone());
        erasure
    }

    pub(super) fn erasures_of(&self, instance: &InstanceId) -> Vec<Erasure> {
        let all = self.erasures.values();
        let mut mine: Vec<Erasure> = all.filter(|e| e.instance == *instance).cloned().collect();
        mine.sort_by_key(|erasure| (erasure.requested_at, erasure.id));
        mine
    }

    pub(super) fn drop_expired(&mut self, now: Timestamp) {
        self.sessions.retain(|_, state| now <= state.expires_at);
        if self.retention.keeps_everything() {
            return;
        }
        let has_expired =
            |row: &super::Row| self.retention.has_expired(&row.record, &row.flat, now);
        let gone: Vec<Position> = self
            .rows
            .iter()
            .filter(|(_, row)| has_expired(row))
            .map(|(position, _)| *position)
            .collect();
        self.note_purged(&gone);
        self.n_expired += self.drop_positions(&gone);
    }

    fn drop_rows(&mut self, instance: &InstanceId, selects: impl Fn(&Flat) -> bool) -> u64 {
        let rows = self.rows.iter();
        let gone: Vec<Position> = rows
            .filter(|(_, row)| row.record.draft.instance == *instance && selects(&row.flat))
            .map(|(position, _)| *position)
            .collect();
        self.drop_positions(&gone)
    }

    fn drop_positions(&mut self, gone: &[Position]) -> u64 {
        for position in gone {
            self.rows.remove(position);
        }
        let is_there = |position: &Position| gone.binary_search(position).is_err();
        self.own_ids.retain(|_, own| is_there(&own.first.position));
        u64::try_from(gone.len()).unwrap_or(u64::MAX)
    }
}
