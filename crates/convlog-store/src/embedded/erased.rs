//! What was erased: which resends are refused.

use std::collections::BTreeMap;

use convlog_model::ids::Position;
use convlog_model::time::Timestamp;

use super::catalog::{Hidden, LedgerEntry};
use super::facts::Facts;
use super::row::Hash16;

/// Since when a customer is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErasedCustomer {
    pub(crate) before: Position,
    pub(crate) requested_at: Timestamp,
}

/// All that was erased, by keyed hash.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    customers: BTreeMap<[u8; 32], ErasedCustomer>,
    /// Own ids of what was erased by a filter, and when.
    own_ids: BTreeMap<Hash16, Timestamp>,
}

impl Erased {
    /// What a ledger says.
    pub(crate) fn of<'a>(ledger: impl Iterator<Item = &'a LedgerEntry>) -> Self {
        let mut out = Erased::default();
        ledger.for_each(|entry| out.note(entry));
        out
    }

    /// Notes an erasure; of several of one customer or own id the last counts.
    pub(crate) fn note(&mut self, entry: &LedgerEntry) {
        let requested_at = entry.erasure.requested_at;
        match &entry.hidden {
            Hidden::Customer(customer) => {
                let erased = ErasedCustomer {
                    before: entry.before,
                    requested_at,
                };
                let known = self.customers.entry(*customer).or_insert(erased);
                known.before = known.before.max(erased.before);
                known.requested_at = known.requested_at.max(requested_at);
            }
            Hidden::Rows { own, .. } => {
                for key in own {
                    let known = self.own_ids.entry(*key).or_insert(requested_at);
                    *known = (*known).max(requested_at);
                }
            }
        }
    }

    /// When a customer was last erased.
    pub(crate) fn get(&self, customer: &[u8; 32]) -> Option<ErasedCustomer> {
        self.customers.get(customer).copied()
    }

    /// Whether a record may not come back: one that names no time is later than any erasure.
    pub(crate) fn refuses(&self, facts: &Facts) -> bool {
        let Some(request) = facts.row.request else {
            return false;
        };
        let customers = facts.row.customers.iter();
        let mut erased = customers.filter_map(|customer| self.get(customer));
        let own_key = facts.own_key.as_ref();
        let own = own_key.and_then(|own_key| self.own_ids.get(own_key));
        erased.any(|erased| request <= erased.requested_at)
            || own.is_some_and(|requested_at| request <= *requested_at)
    }
}
