//! The work of one line of audio: one object after the other, until the line is empty.

use std::time::Duration;

use convlog_model::ids::{InstanceId, RecordId};

use super::audio::{self, AudioDoc, State};
use super::clients::Object;
use super::copies;
use super::failure::{Failure, Failures};
use super::{count_audio, event};
use crate::app::{App, scoped_id};
use crate::entity::Change;
use crate::error::Fault;
use crate::events::{self, EventType};

/// Pause after our own store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
const DAY_US: i64 = 24 * 3600 * 1_000_000;

type Line = (InstanceId, String, String);

#[derive(Debug, Default)]
struct Progress {
    failures: Failures,
    /// Whether an event has told of a failure since the last success.
    is_told: bool,
}

/// Works until the line is empty or the server stops.
pub(super) async fn run(app: App, line: Line) {
    let mut stopping = std::pin::pin!(app.jobs().stopping());
    let mut progress = Progress::default();
    while let Some(id) = app.deliveries().audio.next(&line) {
        let tried = tokio::select! {
            () = &mut stopping => return,
            tried = one(&app, &line.0, id, &mut progress) => tried,
        };
        let pause = tried.unwrap_or_else(|fault| {
            let status = fault.status().as_u16();
            tracing::warn!(status, "a delivery of audio waits for the store");
            Some(STORE_PAUSE)
        });
        let Some(pause) = pause else {
            app.deliveries().audio.advance(&line);
            continue;
        };
        tokio::select! {
            () = &mut stopping => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Tries one object; how long to wait when it is to be tried again.
async fn one(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    progress: &mut Progress,
) -> Result<Option<Duration>, Fault> {
    let document = scoped_id(instance, &id.to_string());
    let found = audio::all(app).get(&document).await?;
    let Some(doc) = found.map(|found| found.doc) else {
        return Ok(None);
    };
    match doc.state {
        State::Waiting => {}
        State::Erased { .. } => {
            audio::remove(app, instance, id).await?;
            return Ok(None);
        }
        State::Dead | State::Kept { .. } => return Ok(None),
    }
    match send(app, id, &doc).await? {
        Ok(()) => {
            arrived(app, instance, id, &doc).await?;
            count_audio(app, instance, &doc.owner, true);
            if progress.is_told {
                let event = about(app, instance, (events::LOG_DELIVERY_SENT, &doc), progress);
                events::record_or_warn(app, event).await;
            }
            *progress = Progress::default();
            Ok(None)
        }
        Err(failure) => {
            if failure.class == LOST && audio::all(app).get(&document).await?.is_none() {
                // Erased while it waited for its turn.
                return Ok(None);
            }
            let is_last = progress.failures.note(&failure) || failure.class == LOST;
            let kind = match is_last {
                true => events::LOG_DELIVERY_DEAD,
                false => events::LOG_DELIVERY_FAILED,
            };
            let told = format!("{}/{instance}/{}/{}", kind.name, doc.bucket, failure.class);
            let event = about(app, instance, (kind, &doc), progress);
            let event = event.with("class", failure.class.as_str());
            events::record_failure(app, &told, event).await;
            if !is_last {
                progress.is_told = true;
                return Ok(Some(progress.failures.pause(app)));
            }
            let n_tries = std::mem::take(&mut progress.failures.n_tries);
            give_up(app, instance, id, (&failure, n_tries)).await?;
            count_audio(app, instance, &doc.owner, false);
            Ok(None)
        }
    }
}

/// The class of a failure without bytes to be sent, as after a restore.
const LOST: &str = "lost";

async fn send(app: &App, id: RecordId, doc: &AudioDoc) -> Result<Result<(), Failure>, Fault> {
    let deliveries = app.deliveries();
    let slot = deliveries.audio.slots.acquire().await;
    let _slot = slot.map_err(|_| Fault::internal("the slots of uploads are closed"))?;
    let sending = Sending::begin(app, id);
    let Some(bytes) = app.blobs().get(id).await? else {
        return Ok(Err(Failure::permanent(LOST)));
    };
    let object = Object {
        bucket: doc.bucket.clone(),
        key: doc.key.clone(),
        kms_key: doc.kms_key.clone(),
        content_type: doc.content_type.clone(),
        bytes,
    };
    let sent = deliveries.clients.put_object(app, &doc.role, object).await;
    drop(sending);
    Ok(sent)
}

/// Marks an object as being sent, also when the work is cut off.
struct Sending<'a>(&'a App, RecordId);

impl<'a> Sending<'a> {
    fn begin(app: &'a App, id: RecordId) -> Self {
        app.deliveries().audio.begin_sending(id);
        Sending(app, id)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.deliveries().audio.end_sending(self.1);
    }
}

/// The object is in its bucket.
async fn arrived(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    doc: &AudioDoc,
) -> Result<(), Fault> {
    let document = scoped_id(instance, &id.to_string());
    let copy = copies::Object {
        bucket: doc.bucket.clone(),
        key: doc.key.clone(),
        at_us: app.now().micros(),
    };
    let present = audio::all(app).get(&document).await?;
    if let Some(State::Erased { order }) = present.map(|present| present.doc.state) {
        crate::erasures::add_copy(app, &order, copy.into()).await?;
        return audio::remove(app, instance, id).await;
    }
    if let Some(customer) = &doc.customer {
        copies::note(app, instance, customer, copy).await?;
    }
    let keep_days = i64::from(app.config().lex.keep_audio_days);
    if keep_days == 0 {
        return audio::remove(app, instance, id).await;
    }
    let until_us = app.now().micros().saturating_add(keep_days * DAY_US);
    set_state(app, &document, State::Kept { until_us }, None).await?;
    app.deliveries().audio.release(id);
    Ok(())
}

async fn give_up(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    (failure, n_tries): (&Failure, u32),
) -> Result<(), Fault> {
    let document = scoped_id(instance, &id.to_string());
    let found = audio::all(app).get(&document).await?;
    let Some(doc) = found.map(|found| found.doc) else {
        return Ok(());
    };
    if doc.state != State::Waiting {
        return audio::remove(app, instance, id).await;
    }
    let audio = &app.deliveries().audio;
    let has_room = audio.has_room_for_dead(app, doc.n_bytes);
    let class = (failure.class.as_str(), n_tries);
    set_state(app, &document, State::Dead, Some(class)).await?;
    audio.hold(id, doc.n_bytes, true);
    if !has_room {
        // The document stays for the text that still links to it; trying again is no use.
        app.blobs().remove(id).await?;
        audio.hold(id, 0, true);
    }
    Ok(())
}

pub(super) async fn set_state(
    app: &App,
    document: &str,
    state: State,
    failure: Option<(&str, u32)>,
) -> Result<(), Fault> {
    let at_us = app.now().micros();
    let changed = audio::all(app).change(document, |doc: Option<AudioDoc>| {
        let mut doc = doc.ok_or_else(|| Fault::not_found("Resource not found"))?;
        doc.state = state.clone();
        doc.at_us = at_us;
        if let Some((class, n_tries)) = failure {
            doc.class = Some(class.to_owned());
            doc.attempts = doc.attempts.saturating_add(n_tries);
        }
        Ok(Change::silent(doc))
    });
    changed.await.map(drop)
}

fn about(
    app: &App,
    instance: &InstanceId,
    (kind, doc): (EventType, &AudioDoc),
    progress: &Progress,
) -> events::OwnEvent {
    event(app, instance, kind, &doc.request_id)
        .about("botId", doc.owner.bot.as_str())
        .with("kind", "audio")
        .with("attempts", progress.failures.n_tries.to_string())
        .with("entries", "1")
}
