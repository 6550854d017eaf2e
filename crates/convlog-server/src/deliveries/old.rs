//! Audio that nobody needs any more, and that goes by itself.

use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::record::Record;

use super::audio::{self, AudioDoc, State};
use super::{AUDIO, LANE, dead, lane, system};
use crate::app::{App, scoped_id};
use crate::error::Fault;

/// How long audio stays that was given up and belongs to no record.
const DEAD_US: i64 = 30 * 24 * 3600 * 1_000_000;

/// Removes what was kept long enough, and what was given up and nobody can need: its record is gone,
/// or it has neither bytes nor a text that links to it.
pub(super) async fn forget(app: &App) -> Result<(), Fault> {
    let mut after = String::new();
    loop {
        let (step, next) = audio::all(app).step("", &after).await?;
        for one in step {
            let Some((instance, id)) = audio::parse_id(&one.id) else {
                continue;
            };
            if is_over(app, &instance, &one.doc).await? {
                let is_same = |state: &State| *state == one.doc.state;
                audio::remove_if(app, &instance, id, is_same).await?;
            }
        }
        match next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

async fn is_over(app: &App, instance: &InstanceId, doc: &AudioDoc) -> Result<bool, Fault> {
    let now_us = app.now().micros();
    match doc.state {
        State::Kept { until_us } => return Ok(until_us <= now_us),
        State::Dead => {}
        State::Waiting | State::Erased { .. } => return Ok(false),
    }
    let id: Option<RecordId> = doc.record.as_deref().and_then(|id| id.parse().ok());
    let Some(id) = id else {
        return Ok(doc.is_empty || doc.at_us.saturating_add(DEAD_US) <= now_us);
    };
    match app.query().get(&system(instance), id).await? {
        None => Ok(true),
        Some(_) if !doc.is_empty => Ok(false),
        Some(record) => may_be_sent(app, instance, &record)
            .await
            .map(|may_be| !may_be),
    }
}

/// Whether the text of a record may still be sent, and asks then for its audio.
async fn may_be_sent(app: &App, instance: &InstanceId, record: &Record) -> Result<bool, Fault> {
    let Some(key) = record.draft.labels.get(LANE) else {
        return Ok(false);
    };
    let lane = app.deliveries().lanes.get(&scoped_id(instance, key));
    let Some(lane) = lane else {
        return Ok(false);
    };
    let position = lane::position(app, &lane).await?;
    let is_sent =
        u128::from_str_radix(&position, 16).is_ok_and(|position| record.position.0 <= position);
    Ok(!is_sent || dead::is_there(app, &lane, record.id).await?)
}

/// Id of the record of the turn that audio is of; where text is not logged there is none.
pub(super) async fn record_of(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    doc: &AudioDoc,
) -> Result<Option<String>, Fault> {
    let label = Filter::equals(&format!("labels.{AUDIO}"), &id.to_string());
    // An imported record may name the audio of another one.
    let own = label.and(Filter::equals("own_id", &doc.request_id));
    let record = app.query().first(&system(instance), own).await?;
    Ok(record.map(|record| record.id.to_string()))
}
