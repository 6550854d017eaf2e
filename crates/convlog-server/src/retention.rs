//! Retention: gathers the rules of configuration, instances and bots, and hands them to the store.

use std::collections::BTreeMap;

use convlog_model::ids::InstanceId;
use convlog_model::store::Retention;
use convlog_model::store::retention::InstanceRetention;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::entity::Collection;
use crate::error::Fault;

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
        let Some((instance, name)) = bot.id.split_once('/') else {
            continue;
        };
        if let (Ok(instance), Some(days)) = (InstanceId::new(instance), bot.doc.retention_days) {
            let rules = instances.entry(instance).or_default();
            rules.bots.insert(name.to_owned(), days);
        }
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

#[cfg(test)]
mod tests;
