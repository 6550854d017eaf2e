//! Dead letters: entries that a destination does not take. They stay until somebody asks for
//! another try, or the record goes.

use convlog_model::ids::RecordId;
use serde::{Deserialize, Serialize};

use super::lane::Lane;
use super::system;
use crate::app::App;
use crate::entity::{Change, Collection, Entity};
use crate::error::Fault;

/// The collection of their documents, `INSTANCE/LANE/RECORD`.
pub(super) const COLLECTION: &str = "dead_letters";
/// Most dead letters of a lane; further entries are dropped, which is counted like these.
pub(super) const DEAD_MAX: usize = 10_000;

/// What is kept of a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DeadDoc {
    pub(super) class: String,
    pub(super) attempts: u32,
    pub(super) at_us: i64,
}

pub(super) fn all(app: &App) -> Collection<'_, DeadDoc> {
    Collection::new(app, COLLECTION)
}

fn id_of(lane: &str, record: RecordId) -> String {
    format!("{lane}/{record}")
}

/// The record of a dead letter's id.
pub(super) fn record_of(letter: &Entity<DeadDoc>) -> Option<RecordId> {
    letter.id.rsplit('/').next()?.parse().ok()
}

/// The dead letters of a lane.
pub(super) async fn of_lane(app: &App, lane: &Lane) -> Result<Vec<Entity<DeadDoc>>, Fault> {
    all(app).list(&format!("{}/", lane.id)).await
}

/// Whether a record is a dead letter of a lane.
pub(super) async fn is_there(app: &App, lane: &Lane, record: RecordId) -> Result<bool, Fault> {
    let found = all(app).get(&id_of(&lane.id, record)).await?;
    Ok(found.is_some())
}

/// Keeps a dead letter; one that was there already was tried once more.
pub(super) async fn bury(
    app: &App,
    lane: &Lane,
    record: RecordId,
    (class, attempts): (&str, u32),
) -> Result<(), Fault> {
    let id = id_of(&lane.id, record);
    let is_known = all(app).get(&id).await?.is_some();
    if !is_known && lane.n_dead() >= u64::try_from(DEAD_MAX).unwrap_or(u64::MAX) {
        return Ok(());
    }
    let at_us = app.now().micros();
    let kept = all(app).change(&id, |old: Option<DeadDoc>| {
        let before = old.map_or(0, |old| old.attempts);
        Ok(Change::silent(DeadDoc {
            class: class.to_owned(),
            attempts: before.saturating_add(attempts),
            at_us,
        }))
    });
    kept.await?;
    if !is_known {
        lane.set_dead(|n_dead| n_dead.saturating_add(1));
    }
    Ok(())
}

/// Forgets a dead letter; whether there was one.
pub(super) async fn remove(app: &App, lane: &Lane, record: RecordId) -> Result<bool, Fault> {
    let id = id_of(&lane.id, record);
    if all(app).get(&id).await?.is_none() {
        return Ok(false);
    }
    let gone = all(app).change(&id, |_| Ok(Change::gone()));
    gone.await?;
    lane.set_dead(|n_dead| n_dead.saturating_sub(1));
    Ok(true)
}

/// Forgets the letters whose records are gone, as when they expire.
pub(super) async fn forget_gone(app: &App) -> Result<(), Fault> {
    for lane in app.deliveries().lanes.all() {
        let caller = system(&lane.instance);
        for letter in of_lane(app, &lane).await? {
            let Some(id) = record_of(&letter) else {
                continue;
            };
            if app.query().get(&caller, id).await?.is_none() {
                remove(app, &lane, id).await?;
            }
        }
    }
    Ok(())
}
