//! The work of one line of audio: one object after the other, until the line is empty.

use std::time::Duration;

use convlog_model::ids::{InstanceId, RecordId};

use super::audio::{self, AudioDoc, State};
use super::clients::Object;
use super::copies;
use super::failure::{Failure, Failures};
use super::{STORE_PAUSE, count_audio, event, old};
use crate::app::{App, scoped_id};
use crate::error::Fault;
use crate::events::{self, EventType};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

type Line = (InstanceId, String, String);

/// How the objects of a line have failed.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The bucket where they have.
    bucket: String,
    failures: Failures,
    /// Whether an event has told of a failure since the last success.
    is_told: bool,
}

impl Progress {
    pub(super) fn has_failed(&self) -> bool {
        self.is_told || self.failures != Failures::default()
    }
}

/// Works until the line is empty or the server stops.
pub(super) async fn run(app: App, line: Line) {
    let mut stopping = std::pin::pin!(app.jobs().stopping());
    let mut progress = app.deliveries().audio.take_progress(&line);
    while let Some(id) = app.deliveries().audio.next(&line, &mut progress) {
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
    let slot = app.deliveries().audio.slots.acquire().await;
    let _slot = slot.map_err(|_| Fault::internal("the slots of uploads are closed"))?;
    // Before the document is read, and until it is noted what came of it: an erasure marks the
    // document and then leaves to us what is being sent.
    let _sending = Sending::begin(app, id);
    let document = scoped_id(instance, &id.to_string());
    let found = audio::all(app).get(&document).await?;
    let Some(doc) = found.map(|found| found.doc) else {
        audio::remove(app, instance, id).await?;
        return Ok(None);
    };
    match doc.state {
        State::Waiting => {}
        State::Erased { .. } => {
            drop_erased(app, instance, id).await?;
            return Ok(None);
        }
        State::Dead | State::Kept { .. } => return Ok(None),
    }
    if progress.bucket != doc.bucket {
        let bucket = doc.bucket.clone();
        *progress = Progress {
            bucket,
            ..Progress::default()
        };
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
            if drop_erased(app, instance, id).await? {
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
            give_up(app, instance, (id, &doc), (&failure, n_tries)).await?;
            count_audio(app, instance, &doc.owner, false);
            Ok(None)
        }
    }
}

/// The class of a failure without bytes to be sent, as after a restore.
const LOST: &str = "lost";

async fn send(app: &App, id: RecordId, doc: &AudioDoc) -> Result<Result<(), Failure>, Fault> {
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
    let clients = &app.deliveries().clients;
    Ok(clients.put_object(app, &doc.role, object).await)
}

/// Removes an object that does not go any more since it was erased, and tells the erasure; whether
/// that was so.
async fn drop_erased(app: &App, instance: &InstanceId, id: RecordId) -> Result<bool, Fault> {
    let Some(order) = audio::take_erased(app, instance, id).await? else {
        return Ok(false);
    };
    crate::erasures::add_dropped(app, &order).await?;
    Ok(true)
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
    let now_us = app.now().micros();
    let copy = copies::Object {
        bucket: doc.bucket.clone(),
        key: doc.key.clone(),
        at_us: now_us,
    };
    // First, so that an erasure that finds the document no longer finds the copy.
    if let Some(customer) = &doc.customer {
        copies::note(app, instance, customer, copy.clone()).await?;
    }
    let keep_days = i64::from(app.config().lex.keep_audio_days);
    let until_us = now_us.saturating_add(keep_days * DAY_US);
    let found = audio::change(app, &document, |doc| match doc.state {
        State::Waiting if keep_days == 0 => None,
        State::Waiting => Some(AudioDoc {
            state: State::Kept { until_us },
            at_us: now_us,
            ..doc
        }),
        _ => Some(doc),
    });
    match found.await? {
        Some(State::Erased { order }) => {
            crate::erasures::add_copy(app, &order, copy.clone().into()).await?;
            if let Some(customer) = &doc.customer {
                copies::take_back(app, instance, customer, &copy.key).await?;
            }
            audio::remove(app, instance, id).await
        }
        Some(State::Waiting) if keep_days == 0 => audio::remove(app, instance, id).await,
        _ => {
            app.deliveries().audio.release(id);
            Ok(())
        }
    }
}

async fn give_up(
    app: &App,
    instance: &InstanceId,
    (id, doc): (RecordId, &AudioDoc),
    (failure, n_tries): (&Failure, u32),
) -> Result<(), Fault> {
    let document = scoped_id(instance, &id.to_string());
    let now_us = app.now().micros();
    let record = old::record_of(app, instance, id, doc).await?;
    let audio = &app.deliveries().audio;
    let has_room = audio.has_room_for_dead(app, doc.n_bytes);
    let is_empty = !has_room || failure.class == LOST;
    let found = audio::change(app, &document, |mut doc| {
        if doc.state == State::Waiting {
            doc.state = State::Dead;
            doc.at_us = now_us;
            doc.class = Some(failure.class.clone());
            doc.attempts = doc.attempts.saturating_add(n_tries);
            doc.record = record.clone().or(doc.record);
            doc.is_empty = is_empty;
        }
        Some(doc)
    });
    match found.await? {
        Some(State::Waiting) => {}
        Some(State::Erased { .. }) => return drop_erased(app, instance, id).await.map(drop),
        Some(State::Dead | State::Kept { .. }) => return Ok(()),
        None => return audio::remove(app, instance, id).await,
    }
    audio.hold(id, if is_empty { 0 } else { doc.n_bytes }, true);
    if is_empty {
        // The document stays for the text that still links to it; trying again is no use.
        app.blobs().remove(id).await?;
    }
    Ok(())
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
