//! Retention: gathers the rules of configuration, instances and bots, and hands them to the store.

use std::collections::BTreeMap;

use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::store::retention::InstanceRetention;
use convlog_model::store::{Purge, Retention};
use serde::{Deserialize, Serialize};

use crate::app::{App, unscoped};
use crate::entity::Collection;
use crate::error::Fault;
use crate::events::{self, OwnEvent, SYSTEM};

/// Purges that are told of by one append.
const TOLD_AT_ONCE: usize = 1000;

/// The part of a bot's document, and of the instance's settings, that retention reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Days {
    #[serde(default)]
    retention_days: Option<u32>,
    /// By prefix of the event type.
    #[serde(default)]
    retention_types: BTreeMap<String, u32>,
}

/// The rules that hold now.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn rules(app: &App) -> Result<Retention, Fault> {
    let config = &app.config().retention;
    let mut instances: BTreeMap<InstanceId, InstanceRetention> = BTreeMap::new();
    for settings in Collection::<Days>::new(app, "settings").list("").await? {
        if let Ok(instance) = InstanceId::new(&settings.id) {
            let rules = instances.entry(instance).or_default();
            rules.days = settings.doc.retention_days;
            rules.type_prefixes = settings.doc.retention_types;
        }
    }
    for bot in Collection::<Days>::new(app, "bots").list("").await? {
        if let (Some((instance, name)), Some(days)) = (unscoped(&bot.id), bot.doc.retention_days) {
            let rules = instances.entry(instance).or_default();
            rules.bots.insert(name.to_owned(), days);
        }
    }
    for (instance, group, days) in crate::cloudwatch::retention_rules(app).await? {
        let rules = instances.entry(instance).or_default();
        rules.log_groups.insert(group, days);
    }
    Ok(Retention {
        default_days: config.default_days,
        events_days: config.events_days,
        instances,
    })
}

/// Tells the store the rules that hold now; also called when a setting changes, so that it holds
/// at once.
///
/// # Errors
/// What the store and the control plane answer.
pub(crate) async fn apply(app: &App) -> Result<u64, Fault> {
    let _turn = app.retention().lock().await;
    Ok(app.store().expire(&rules(app).await?).await?)
}

/// One pass in the background.
pub(crate) async fn pass(app: &App) {
    match apply(app).await {
        Ok(0) => {}
        Ok(n_hidden) => tracing::info!(n_hidden, "retention has hidden records"),
        Err(fault) => tracing::warn!(error = ?fault, "retention did not run"),
    }
}

/// Tells of what retention has taken out of every file. Told again after a failure, it is the same
/// event, of which one is kept.
pub(crate) async fn tell_purges(app: &App) {
    if let Err(fault) = try_tell(app).await {
        let status = fault.status().as_u16();
        tracing::warn!(status, "what retention removed is still to be told of");
    }
}

async fn try_tell(app: &App) -> Result<(), Fault> {
    let purges = app.store().purges().await?;
    for some in purges.chunks(TOLD_AT_ONCE) {
        let events: Vec<OwnEvent> = some.iter().map(|purge| event(app, purge)).collect();
        app.ingest().own(&events).await?;
        let told: Vec<RecordId> = some.iter().map(|purge| purge.id).collect();
        app.store().forget_purges(&told).await?;
    }
    Ok(())
}

fn event(app: &App, purge: &Purge) -> OwnEvent {
    OwnEvent::by(app, &purge.instance, SYSTEM, events::RETENTION_PURGE)
        .again(&purge.id.to_string(), purge.at)
        .with("records", purge.records.to_string())
        .with("from", purge.oldest.to_micros_text())
        .with("to", purge.newest.to_micros_text())
}

#[cfg(test)]
mod tests;
