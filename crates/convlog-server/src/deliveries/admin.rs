//! `GET /convlog/v1/deliveries`, `POST /convlog/v1/deliveries/{id}/retry`, and the audio of a record.

use axum::extract::{Path, State as Held};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use convlog_model::ids::{InstanceId, RecordId};
use convlog_model::time::Timestamp;
use serde::Serialize;

use super::audio::{self, AudioDoc, State};
use super::missed::{self, GroupView};
use super::{AUDIO, dead, lane};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::entity::Entity;
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};

/// Most dead letters that a lane, or audio, is shown with.
const SHOWN_MAX: usize = 1000;

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Waiting {
    /// Number of entries or objects.
    count: u64,
    /// Their bytes.
    bytes: u64,
}

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct DeadView {
    /// Its id: that of the record, or of the audio.
    id: String,
    /// Why it was given up.
    class: String,
    /// How often it was tried.
    attempts: u32,
    /// When it was tried last.
    time: String,
}

/// One destination of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct LaneView {
    /// Its id.
    id: String,
    /// The log group.
    group: String,
    /// The role by which it is written.
    role: String,
    /// Whether it takes spoken turns, whose entries wait for their audio.
    speech: bool,
    /// The place in the log up to which everything has been sent or given up.
    position: String,
    /// What waits.
    waiting: Waiting,
    /// What was given up and can be tried again, at most 1,000 of them.
    dead: Vec<DeadView>,
    /// The number of those.
    dead_count: u64,
}

/// What goes to buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct AudioView {
    /// What waits.
    waiting: Waiting,
    /// What was given up and can be tried again, at most 1,000 of them.
    dead: Vec<DeadView>,
    /// The number of those.
    dead_count: u64,
}

/// The deliveries of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct DeliveriesView {
    /// Destinations of text.
    lanes: Vec<LaneView>,
    /// Audio.
    audio: AudioView,
    /// Log groups of convlog's own that entries have missed.
    groups: Vec<GroupView>,
}

/// What is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Retried {
    /// Number of deliveries that will be tried once more.
    retried: u64,
}

/// What waits for delivery to CloudWatch Logs and S3, and what was given up.
#[utoipa::path(get, path = "/convlog/v1/deliveries", tag = "deliveries", responses(
    (status = 200, body = DeliveriesView),
))]
pub(crate) async fn list(
    Held(app): Held<App>,
    caller: Caller,
) -> Result<axum::Json<DeliveriesView>, Fault> {
    let mut lanes = Vec::new();
    for lane in app.deliveries().lanes.all() {
        if lane.instance != caller.instance {
            continue;
        }
        let letters = dead::of_lane(&app, &lane).await?;
        let load = lane.waiting();
        lanes.push(LaneView {
            id: lane.key().to_owned(),
            group: lane.group.clone(),
            role: lane.role.clone(),
            speech: lane.is_speech,
            position: lane::position(&app, &lane).await?,
            waiting: Waiting {
                count: load.entries,
                bytes: load.bytes,
            },
            dead_count: u64::try_from(letters.len()).unwrap_or(u64::MAX),
            dead: letters
                .iter()
                .take(SHOWN_MAX)
                .filter_map(dead_view)
                .collect(),
        });
    }
    let mut view = AudioView::default();
    for_audio(&app, &caller.instance, |id, doc| match doc.state {
        State::Waiting => {
            view.waiting.count += 1;
            view.waiting.bytes += doc.n_bytes;
        }
        State::Dead => {
            view.dead_count += 1;
            if view.dead.len() < SHOWN_MAX {
                view.dead.push(audio_view(id, doc));
            }
        }
        State::Kept { .. } | State::Erased { .. } => {}
    })
    .await?;
    Ok(axum::Json(DeliveriesView {
        lanes,
        audio: view,
        groups: missed::list(&app, &caller.instance).await?,
    }))
}

/// Tries once more what was given up: all of a destination, one record or audio, or what a log group
/// of convlog's own has missed.
#[utoipa::path(post, path = "/convlog/v1/deliveries/{id}/retry", tag = "deliveries",
    params(("id" = String, Path, description = "id of a destination, a log group, a record or of audio")),
    responses(
        (status = 202, body = Retried),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn retry(
    Held(app): Held<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let lanes = app.deliveries().lanes.all();
    let mut own = lanes.iter().filter(|lane| lane.instance == caller.instance);
    // The id of a destination reads as one of a record too.
    let n_retried = match own.find(|lane| lane.key() == id) {
        Some(lane) => {
            let letters = dead::of_lane(&app, lane).await?;
            let ids: Vec<RecordId> = letters.iter().filter_map(dead::record_of).collect();
            let n_letters = ids.len();
            lane.retry(ids);
            u64::try_from(n_letters).unwrap_or(u64::MAX)
        }
        None => match missed::retry(&app, &caller.instance, &id).await? {
            Some(n_retried) => n_retried,
            None => retry_one(&app, &caller.instance, &id).await?,
        },
    };
    let event = OwnEvent::new(&app, &caller, events::LOG_DELIVERY_RETRY)
        .about("deliveryId", id.as_str())
        .with("entries", n_retried.to_string());
    events::record(&app, event).await?;
    let retried = axum::Json(Retried { retried: n_retried });
    Ok((StatusCode::ACCEPTED, retried).into_response())
}

async fn retry_one(app: &App, instance: &InstanceId, id: &str) -> Result<u64, Fault> {
    let id: RecordId = id
        .parse()
        .map_err(|_| Fault::not_found("Resource not found"))?;
    for lane in app.deliveries().lanes.all() {
        if lane.instance == *instance && dead::is_there(app, &lane, id).await? {
            lane.retry([id]);
            return Ok(1);
        }
    }
    let document = scoped_id(instance, &id.to_string());
    let mut dead = None;
    let at_us = app.now().micros();
    let changed = audio::change(app, &document, |mut doc| {
        dead = (doc.state == State::Dead).then(|| doc.clone());
        if dead.is_some() {
            doc.state = State::Waiting;
            doc.at_us = at_us;
        }
        Some(doc)
    });
    changed.await?;
    let dead = dead.ok_or_else(|| Fault::not_found("Resource not found"))?;
    app.deliveries().audio.hold(id, dead.n_bytes, false);
    audio::send(app, instance, &dead.owner, id);
    Ok(1)
}

/// The audio of a turn, where it is kept after its delivery.
#[utoipa::path(get, path = "/convlog/v1/records/{id}/audio", tag = "records",
    params(("id" = String, Path, description = "id of the record")),
    responses(
        (status = 200, content_type = "application/octet-stream", body = String),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn of_record(
    Held(app): Held<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let missing = || Fault::not_found("Resource not found");
    let id: RecordId = id.parse().map_err(|_| missing())?;
    let record = app.query().get(&caller, id).await?.ok_or_else(missing)?;
    let audio = record.draft.labels.get(AUDIO).ok_or_else(missing)?;
    let audio: RecordId = audio.parse().map_err(|_| missing())?;
    let document = scoped_id(&caller.instance, &audio.to_string());
    let found = audio::all(&app).get(&document).await?.ok_or_else(missing)?;
    // An imported record may name the audio of another one.
    let is_own = record.draft.own_id.as_deref() == Some(found.doc.request_id.as_str());
    let is_kept =
        matches!(found.doc.state, State::Kept { until_us } if until_us > app.now().micros());
    if !is_own || !is_kept || !caller.sees_bot(&found.doc.owner.bot) {
        return Err(missing());
    }
    let bytes = app.blobs().get(audio).await?.ok_or_else(missing)?;
    let kind = HeaderValue::try_from(found.doc.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

async fn for_audio(
    app: &App,
    instance: &InstanceId,
    mut each: impl FnMut(RecordId, &AudioDoc),
) -> Result<(), Fault> {
    let prefix = scoped_id(instance, "");
    let mut after = String::new();
    loop {
        let (step, next) = audio::all(app).step(&prefix, &after).await?;
        for one in &step {
            if let Some((_, id)) = audio::parse_id(&one.id) {
                each(id, &one.doc);
            }
        }
        match next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

fn dead_view(letter: &Entity<dead::DeadDoc>) -> Option<DeadView> {
    Some(DeadView {
        id: dead::record_of(letter)?.to_string(),
        class: letter.doc.class.clone(),
        attempts: letter.doc.attempts,
        time: Timestamp::from_micros(letter.doc.at_us).to_micros_text(),
    })
}

fn audio_view(id: RecordId, doc: &AudioDoc) -> DeadView {
    DeadView {
        id: id.to_string(),
        class: doc.class.clone().unwrap_or_default(),
        attempts: doc.attempts,
        time: Timestamp::from_micros(doc.at_us).to_micros_text(),
    }
}
