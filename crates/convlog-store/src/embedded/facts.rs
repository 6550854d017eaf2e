//! What the engine takes from a record when it comes in: its leaves, times and hashes.

#[cfg(test)]
mod tests;

use convlog_model::flatten::Leaves;
use convlog_model::ids::InstanceId;
use convlog_model::json::{Json, Value};
use convlog_model::record::{Dialect, Draft};
use convlog_model::seal::Sealer;

use super::bytes::put_bytes;
use super::index::build::RowFacts;
use super::row::Hash16;

/// What is known of a record without reading it.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) instance: InstanceId,
    pub(crate) dialect: Dialect,
    pub(crate) own_id: Option<String>,
    /// Keyed hash of (instance, dialect, own id).
    pub(crate) own_key: Option<Hash16>,
    pub(crate) body_hash: Hash16,
    pub(crate) row: RowFacts,
    pub(crate) raw_len: usize,
}

/// Keyed hashes of what may not stand in files in the clear, each with a key of its own purpose.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    own: Sealer,
    body: Sealer,
    customer: Sealer,
    session: Sealer,
}

fn half(hash: [u8; 32]) -> Hash16 {
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(hash) {
        *to = from;
    }
    out
}

impl Hasher {
    /// The hashes of a data directory with this key.
    pub(crate) fn new(sealer: &Sealer) -> Self {
        Hasher {
            own: sealer.derive("own id"),
            body: sealer.derive("body"),
            customer: sealer.derive("customer"),
            session: sealer.derive("session"),
        }
    }

    fn pair(sealer: &Sealer, instance: &InstanceId, text: &str) -> [u8; 32] {
        let mut name = Vec::with_capacity(text.len() + 32);
        put_bytes(&mut name, instance.as_str().as_bytes());
        name.extend_from_slice(text.as_bytes());
        sealer.hash(&name)
    }

    /// Of a customer id.
    pub(crate) fn customer(&self, instance: &InstanceId, customer: &str) -> [u8; 32] {
        Self::pair(&self.customer, instance, customer)
    }

    /// Of several customer ids.
    pub(crate) fn customers(&self, instance: &InstanceId, customers: &[String]) -> Vec<[u8; 32]> {
        let hashes = customers.iter().map(|c| self.customer(instance, c));
        hashes.collect()
    }

    /// Of a session id.
    pub(crate) fn session(&self, instance: &InstanceId, session: &str) -> Hash16 {
        half(Self::pair(&self.session, instance, session))
    }

    /// Of the key under which a resend is recognised.
    pub(crate) fn own(&self, instance: &InstanceId, dialect: Dialect, own_id: &str) -> Hash16 {
        let mut name = Vec::with_capacity(own_id.len() + 48);
        put_bytes(&mut name, instance.as_str().as_bytes());
        put_bytes(&mut name, dialect.as_str().as_bytes());
        name.extend_from_slice(own_id.as_bytes());
        half(self.own.hash(&name))
    }

    /// Of a body: the same for JSON values whose members come in any order.
    pub(crate) fn body(&self, raw: &str) -> Hash16 {
        let tree = Json::of_body(raw);
        self.parsed_body(raw, tree.as_ref().map(Value::from))
    }

    fn parsed_body(&self, raw: &str, body: Option<Value<'_>>) -> Hash16 {
        let sorted = body.map(Value::key_sorted_text);
        half(self.body.hash(sorted.as_deref().unwrap_or(raw).as_bytes()))
    }

    /// The facts of a draft that comes in, with its leaves and what its body holds.
    pub(crate) fn facts(
        &self,
        draft: &Draft,
        leaves: &Leaves<'_>,
        body: Option<Value<'_>>,
    ) -> Facts {
        let hash = self.parsed_body(&draft.raw, body);
        self.known_facts(draft, leaves, hash)
    }

    /// The facts of a draft whose body has this hash.
    pub(crate) fn known_facts(
        &self,
        draft: &Draft,
        leaves: &Leaves<'_>,
        body_hash: Hash16,
    ) -> Facts {
        let instance = &draft.instance;
        let own_id = draft.own_id.as_deref();
        let customers = leaves.texts("customer");
        let times = ["time.request", "time.response"];
        Facts {
            instance: instance.clone(),
            dialect: draft.dialect,
            own_id: draft.own_id.clone(),
            own_key: own_id.map(|own_id| self.own(instance, draft.dialect, own_id)),
            body_hash,
            row: RowFacts {
                request: leaves.time("time.request"),
                response: leaves.time("time.response"),
                has_odd_times: times.iter().any(|path| leaves.texts(path).nth(1).is_some()),
                customers: customers.map(|c| self.customer(instance, c)).collect(),
            },
            raw_len: draft.raw.len(),
        }
    }
}
