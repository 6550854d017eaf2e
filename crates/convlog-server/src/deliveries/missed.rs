//! Entries that a log group of this server's own has missed, since it was not there: listed and
//! tried again as dead letters are. They are no letters of a lane, since nothing is sent.

use convlog_model::ids::InstanceId;
use convlog_model::record::Record;
use convlog_model::store::Stored;
use serde::Serialize;

use super::{count_text, entry, short_key, system};
use crate::app::App;
use crate::cloudwatch;
use crate::error::Fault;

/// Records of one step of the walk.
const STEP: usize = 1000;

/// A log group of convlog's own that was not there when turns were to be logged to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct GroupView {
    /// Its id.
    id: String,
    /// The log group.
    group: String,
    /// Whether it is there by now, so that a retry has it show the entries.
    exists: bool,
    /// When the first entry missed it.
    since: String,
    /// The number of entries that it has missed and would show.
    dead_count: u64,
}

fn id_of(app: &App, instance: &InstanceId, group: &str) -> String {
    short_key(app, &["group", instance.as_str(), group])
}

/// The groups of an instance that entries have missed.
pub(super) async fn list(app: &App, instance: &InstanceId) -> Result<Vec<GroupView>, Fault> {
    let missed = cloudwatch::missed(app, instance).await?;
    let view = |missed: cloudwatch::Missed| GroupView {
        id: id_of(app, instance, &missed.group),
        exists: missed.is_there,
        since: missed.since.to_micros_text(),
        dead_count: missed.count,
        group: missed.group,
    };
    Ok(missed.into_iter().map(view).collect())
}

/// Has the group of an id show what it has missed, and counts that; the number of entries, `None`
/// for an id of none.
///
/// # Errors
/// 409 for a group that is still not there.
pub(super) async fn retry(
    app: &App,
    instance: &InstanceId,
    id: &str,
) -> Result<Option<u64>, Fault> {
    let names = cloudwatch::missed_names(app, instance).await?;
    let mut names = names.into_iter();
    let Some(group) = names.find(|group| id_of(app, instance, group) == id) else {
        return Ok(None);
    };
    let n_missed = cloudwatch::n_missed(app, instance, &group).await?;
    let Some(range) = cloudwatch::show(app, instance, &group).await? else {
        return Ok(None);
    };
    let (owned, instance) = (app.clone(), instance.clone());
    app.jobs().spawn(async move {
        if let Err(fault) = count(&owned, &instance, &group, range).await {
            let status = fault.status().as_u16();
            tracing::warn!(
                status,
                "entries that a log group shows were not all counted"
            );
        }
    });
    Ok(Some(n_missed))
}

/// Counts the entries as delivered, and by the metric filters of their group.
async fn count(
    app: &App,
    instance: &InstanceId,
    group: &str,
    range: cloudwatch::Range,
) -> Result<(), Fault> {
    let caller = system(instance);
    let mut after = range.after;
    loop {
        let turns = cloudwatch::turns_of(group);
        let scan = app
            .query()
            .scan(&caller, turns, after, Some(range.upto), STEP);
        let step = scan.await?;
        for record in &step.records {
            count_one(app, instance, group, record).await?;
        }
        after = step.reached;
        if step.done {
            return Ok(());
        }
    }
}

async fn count_one(
    app: &App,
    instance: &InstanceId,
    group: &str,
    record: &Record,
) -> Result<(), Fault> {
    let turn = Stored {
        id: record.id,
        position: record.position,
        received: record.received,
    };
    let entry = (group, record.draft.raw.as_str());
    let is_shown = cloudwatch::take_turn(app, instance, entry, &turn).await?;
    count_text(app, instance, &entry::owner(&record.draft), is_shown);
    Ok(())
}
