//! Customers that were erased: which resends are refused.

use std::collections::BTreeMap;

use convlog_model::ids::Position;
use convlog_model::time::Timestamp;

/// Since when a customer is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErasedCustomer {
    pub(crate) before: Position,
    pub(crate) requested_at: Timestamp,
}

/// All of them, by keyed hash.
#[derive(Debug, Default)]
pub(crate) struct Erased(BTreeMap<[u8; 32], ErasedCustomer>);

impl Erased {
    /// Notes an erased customer; of several erasures the last counts.
    pub(crate) fn note(&mut self, customer: [u8; 32], erased: ErasedCustomer) {
        let known = self.0.entry(customer).or_insert(erased);
        known.before = known.before.max(erased.before);
        known.requested_at = known.requested_at.max(erased.requested_at);
    }

    /// When a customer was last erased.
    pub(crate) fn get(&self, customer: &[u8; 32]) -> Option<ErasedCustomer> {
        self.0.get(customer).copied()
    }

    /// Whether a record of these customers, made at this time, may not come back.
    pub(crate) fn refuses(&self, customers: &[[u8; 32]], request: Timestamp) -> bool {
        let mut erased = customers.iter().filter_map(|customer| self.get(customer));
        erased.any(|erased| request <= erased.requested_at)
    }
}
