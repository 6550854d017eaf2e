//! The end of an erasure, told of once: told again, it is the same event, of which one is kept. That
//! it was told of stands on the order's document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::store::{Erasure, ErasureState};

use super::order::Order;
use super::orders;
use crate::app::{App, scoped_id, unscoped};
use crate::entity::{Change, Entity};
use crate::error::Fault;
use crate::events::{self, OwnEvent, SYSTEM};

/// Ends that are told of by one append.
const TOLD_AT_ONCE: usize = 1000;

/// Documents of the orders whose end is still to be told of.
#[derive(Debug, Default)]
pub(crate) struct Unfinished(Mutex<BTreeSet<String>>);

impl Unfinished {
    pub(super) fn add(&self, document: &str) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(document.to_owned());
    }

    fn remove(&self, document: &str) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(document);
    }

    /// Id of each erasure, by instance.
    fn all(&self) -> BTreeMap<InstanceId, BTreeSet<String>> {
        let mut all: BTreeMap<InstanceId, BTreeSet<String>> = BTreeMap::new();
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for document in waiting.iter() {
            if let Some((instance, id)) = unscoped(document) {
                all.entry(instance).or_default().insert(id.to_owned());
            }
        }
        all
    }
}

/// Remembers an order whose end is still to be told of.
pub(super) fn note(app: &App, order: &Entity<Order>) {
    if !order.doc.is_told {
        app.unfinished().add(&order.id);
    }
}

/// Tells of every erasure that has ended since.
pub(super) async fn look(app: &App) {
    for (instance, ids) in app.unfinished().all() {
        if let Err(fault) = look_at(app, &instance, &ids).await {
            let status = fault.status().as_u16();
            tracing::warn!(status, "the end of an erasure is still to be told of");
        }
    }
}

async fn look_at(app: &App, instance: &InstanceId, ids: &BTreeSet<String>) -> Result<(), Fault> {
    let mut done = app.store().erasures(instance).await?;
    done.retain(|one| one.state == ErasureState::Done && ids.contains(&one.id.to_string()));
    for some in done.chunks(TOLD_AT_ONCE) {
        let events: Vec<OwnEvent> = some.iter().map(|erasure| event(app, erasure)).collect();
        app.ingest().own(&events).await?;
        for erasure in some {
            let document = scoped_id(instance, &erasure.id.to_string());
            note_told(app, &document).await?;
            app.unfinished().remove(&document);
        }
    }
    Ok(())
}

async fn note_told(app: &App, document: &str) -> Result<(), Fault> {
    let noted = orders(app).change(document, |order: Option<Order>| {
        let mut order = order.ok_or_else(|| Fault::not_found("Resource not found"))?;
        order.is_told = true;
        Ok(Change::silent(order))
    });
    noted.await.map(drop)
}

fn event(app: &App, erasure: &Erasure) -> OwnEvent {
    let done_at = erasure.done_at.unwrap_or(erasure.hidden_at);
    let millis = u64::try_from(done_at.millis()).unwrap_or_default();
    let id = RecordId::from_parts(millis, u128::from_be_bytes(erasure.id.to_bytes()));
    let event = OwnEvent::by(app, &erasure.instance, SYSTEM, events::ERASURE_DONE)
        .again(&id.to_string(), done_at)
        .about("erasureId", erasure.id.to_string())
        .with("records", erasure.records.to_string());
    let times = [
        ("requested_at", Some(erasure.requested_at)),
        ("hidden_at", Some(erasure.hidden_at)),
        ("rows_overwritten_at", erasure.rows_overwritten_at),
        ("done_at", erasure.done_at),
    ];
    times
        .into_iter()
        .fold(event, |event, (name, time)| match time {
            Some(time) => event.with(name, time.to_micros_text()),
            None => event,
        })
}

#[cfg(test)]
mod tests;
