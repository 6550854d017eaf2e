//! Erasures as answers show them.

use convlog_model::store::{Erasure, ErasureState};
use serde::Serialize;

use super::order::{Holder, Order};
use crate::app::App;
use crate::deliveries::{Copy, Outside};

/// An erasure as answers show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct ErasureView {
    /// Its id.
    id: String,
    /// `hidden`, `overwriting`, `reindexing` or `done`: gone from every file of this server.
    state: &'static str,
    /// The state in which this server's engine leaves it: `done`, or `hidden` where the engine
    /// does not overwrite.
    last_state: &'static str,
    /// Number of records that it hid.
    records: u64,
    /// When it was asked for.
    requested_at: String,
    /// When the last record was hidden.
    hidden_at: String,
    /// When the last row was overwritten.
    rows_overwritten_at: Option<String>,
    /// When the last trace was gone.
    done_at: Option<String>,
    /// `customer` or `filter`.
    selector: Option<String>,
    /// Id of the key that asked for it.
    requested_by: Option<String>,
    /// Connectors that have got data which it is about: those that still hold it, and those where
    /// it is repeated.
    connectors: Vec<Holder>,
    /// Copies of conversation logs that were delivered to places outside of this server, which
    /// cannot take them back; at most 1,000 of them.
    copies: Vec<Copy>,
    /// The number of copies.
    copies_count: u64,
    /// Deliveries of conversation logs that will not be made any more.
    deliveries_dropped: u64,
}

/// The number of records that an erasure would hide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct DryRun {
    /// Always true.
    dry_run: bool,
    /// How many it would hide.
    records: u64,
}

impl ErasureView {
    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

impl DryRun {
    pub(super) fn of(records: u64) -> Self {
        DryRun {
            dry_run: true,
            records,
        }
    }
}

/// An erasure with what was ordered, where that is known.
pub(super) fn view(app: &App, erasure: &Erasure, order: Option<Order>) -> ErasureView {
    let (selector, requested_by, connectors, outside) = match order {
        Some(Order {
            selector,
            actor,
            holders,
            outside,
            ..
        }) => (Some(selector), Some(actor), holders, outside),
        None => (None, None, Vec::new(), Outside::default()),
    };
    ErasureView {
        id: erasure.id.to_string(),
        state: erasure.state.as_str(),
        last_state: match app.store().capability().physical_erasure {
            true => ErasureState::Done.as_str(),
            false => ErasureState::Hidden.as_str(),
        },
        records: erasure.records,
        requested_at: erasure.requested_at.to_micros_text(),
        hidden_at: erasure.hidden_at.to_micros_text(),
        rows_overwritten_at: erasure.rows_overwritten_at.map(|t| t.to_micros_text()),
        done_at: erasure.done_at.map(|t| t.to_micros_text()),
        selector,
        requested_by,
        connectors,
        copies: outside.copies,
        copies_count: outside.n_copies,
        deliveries_dropped: outside.n_dropped,
    }
}
