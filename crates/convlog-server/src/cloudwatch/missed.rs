//! Turns whose log group was not there when they were kept. They are records like others, and once
//! the group is there it can show them too. What is kept is where the first of them stands; the
//! rest follows from the records, up to the place from which the group shows events.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use convlog_dialects::cloudwatch::event;
use convlog_model::filter::{CompareOp, Filter};
use convlog_model::ids::{InstanceId, Position};
use convlog_model::store::Stored;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::documents::{Documents, LogGroup, place};
use super::metric_filters::count;
use super::view::at;
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::entity::{Change, Collection};
use crate::error::Fault;

/// Collection of the groups that turns have missed, by the groups' names.
const COLLECTION: &str = "log_groups_missed";
/// Most of those groups; of more, turns are counted alone.
const GROUPS_MAX: usize = 10_000;

/// A group that turns have missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MissedDoc {
    group: String,
    /// The first of the turns stands right behind this.
    #[serde(with = "place")]
    after: Position,
    /// When it came.
    since_us: i64,
}

/// The same, as those see it who list it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Missed {
    /// Name of the group.
    pub(crate) group: String,
    /// When the first of the turns came.
    pub(crate) since: Timestamp,
    /// Number of turns.
    pub(crate) count: u64,
    /// Whether the group is there by now.
    pub(crate) is_there: bool,
}

/// Turns that a group shows from now on: behind the one place, up to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) after: Position,
    pub(crate) upto: Position,
}

/// Up to where turns are noted already, by the documents' ids.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<BTreeMap<String, Position>>);

impl Noted {
    fn is_before(&self, id: &str, turn: Position) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(id).is_some_and(|after| *after < turn)
    }

    fn note(&self, id: &str, after: Position) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= GROUPS_MAX {
            noted.clear();
        }
        noted.insert(id.to_owned(), after);
    }

    fn forget(&self, id: &str) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.remove(id);
    }
}

fn all(app: &App) -> Collection<'_, MissedDoc> {
    Collection::new(app, COLLECTION)
}

/// Counts a turn that is kept, by the metric filters of its group; `entry` is its raw body. To be
/// called once a turn. Says whether the group shows it, and notes it where it does not.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn take_turn(
    app: &App,
    instance: &InstanceId,
    (group, entry): (&str, &str),
    turn: &Stored,
) -> Result<bool, Fault> {
    let documents = Documents::new(app, instance);
    let found = documents.groups().get(&documents.group_id(group)).await?;
    if let Some(found) = found.filter(|found| found.doc.since < turn.position) {
        count(app, instance, &found.doc, [entry]);
        return Ok(true);
    }
    note(app, instance, group, turn).await?;
    Ok(false)
}

async fn note(app: &App, instance: &InstanceId, group: &str, turn: &Stored) -> Result<(), Fault> {
    let id = scoped_id(instance, group);
    let noted = app.cloudwatch().missed();
    if noted.is_before(&id, turn.position) {
        return Ok(());
    }
    let is_known = all(app).get(&id).await?.is_some();
    if !is_known && all(app).list(&scoped_id(instance, "")).await?.len() >= GROUPS_MAX {
        return Ok(());
    }
    let new = MissedDoc {
        group: group.to_owned(),
        after: Position(turn.position.0.saturating_sub(1)),
        since_us: turn.received.micros(),
    };
    let kept = all(app).change(&id, |old: Option<MissedDoc>| {
        let first = old.filter(|old| old.after <= new.after);
        Ok(Change::silent(first.unwrap_or_else(|| new.clone())))
    });
    if let Some(kept) = kept.await? {
        noted.note(&id, kept.doc.after);
    }
    Ok(())
}

/// A group that goes takes with it what it has missed.
pub(super) async fn forget(app: &App, instance: &InstanceId, group: &str) -> Result<(), Fault> {
    let id = scoped_id(instance, group);
    if all(app).get(&id).await?.is_some() {
        let gone = all(app).change(&id, |_| Ok(Change::gone()));
        gone.await?;
    }
    app.cloudwatch().missed().forget(&id);
    Ok(())
}

/// The groups of an instance that turns have missed.
///
/// # Errors
/// What store and control plane answer.
pub(crate) async fn missed(app: &App, instance: &InstanceId) -> Result<Vec<Missed>, Fault> {
    let mut found = Vec::new();
    for missed in all(app).list(&scoped_id(instance, "")).await? {
        found.push(look_at(app, instance, missed.doc).await?);
    }
    Ok(found)
}

/// Their names alone, for which no turn is counted.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn missed_names(app: &App, instance: &InstanceId) -> Result<Vec<String>, Fault> {
    let found = all(app).list(&scoped_id(instance, "")).await?;
    Ok(found.into_iter().map(|missed| missed.doc.group).collect())
}

/// Number of the turns that a group has missed.
///
/// # Errors
/// What store and control plane answer.
pub(crate) async fn n_missed(app: &App, instance: &InstanceId, group: &str) -> Result<u64, Fault> {
    match all(app).get(&scoped_id(instance, group)).await? {
        Some(missed) => Ok(look_at(app, instance, missed.doc).await?.count),
        None => Ok(0),
    }
}

async fn look_at(app: &App, instance: &InstanceId, missed: MissedDoc) -> Result<Missed, Fault> {
    let documents = Documents::new(app, instance);
    let caller = Caller::system(instance.clone());
    let id = documents.group_id(&missed.group);
    let group = documents.groups().get(&id).await?.map(|group| group.doc);
    let turns = turns(&missed, group.as_ref());
    Ok(Missed {
        since: Timestamp::from_micros(missed.since_us),
        count: app.query().count(&caller, turns).await?,
        is_there: group.is_some(),
        group: missed.group,
    })
}

/// The turns that a group has missed; by time, which grows along the log.
fn turns(missed: &MissedDoc, group: Option<&LogGroup>) -> Filter {
    let since = Timestamp::from_micros(missed.since_us);
    let turns = turns_of(&missed.group).and(at("time.received", CompareOp::Ge, since));
    match group {
        Some(group) => {
            let upto = Timestamp::from_micros(group.since_us);
            turns.and(at("time.received", CompareOp::Le, upto))
        }
        None => turns,
    }
}

/// The turns that name a group.
pub(crate) fn turns_of(group: &str) -> Filter {
    Filter::equals(event::GROUP_FIELD, group).and(event::turns())
}

/// Has a group show the turns that have missed it; `None` where there are none, or no group.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn show(
    app: &App,
    instance: &InstanceId,
    group: &str,
) -> Result<Option<Range>, Fault> {
    let id = scoped_id(instance, group);
    let Some(missed) = all(app).get(&id).await?.map(|missed| missed.doc) else {
        return Ok(None);
    };
    let documents = Documents::new(app, instance);
    let mut upto = None;
    let shown = documents
        .groups()
        .change(&documents.group_id(group), |old: Option<LogGroup>| {
            let mut group = old.ok_or_else(|| Fault::conflict("the log group is not there"))?;
            upto = Some(group.since);
            group.since = group.since.min(missed.after);
            group.since_us = group.since_us.min(missed.since_us);
            Ok(Change::silent(group))
        });
    shown.await?;
    forget(app, instance, group).await?;
    Ok(upto.map(|upto| Range {
        after: missed.after,
        upto,
    }))
}
