//! Audio of a turn, as it comes in.

use bytes::Bytes;
use convlog_model::blobs::BLOB_BYTES_MAX;
use convlog_model::ids::{InstanceId, RecordId};

use super::audio::{self, AudioDoc, BYTES_MIN, State, customer_hash};
use super::{Owner, QUEUE_FULL, count_audio, tell_lost};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::entity::Change;
use crate::error::Fault;

/// Audio of a turn.
#[derive(Clone, Debug)]
pub(crate) struct AudioOrder<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) kms_key: Option<&'a str>,
    /// ARN of the role that writes there.
    pub(crate) role: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) bytes: Bytes,
    pub(crate) request_id: &'a str,
    pub(crate) customer: Option<&'a str>,
}

/// Keeps the audio of a turn, durable before this returns; `None` where the bot keeps nothing, and
/// beyond the bound of the queue, which is a failure that is counted. It goes on its way with
/// [`audio::send`].
///
/// # Errors
/// 507 without room; what blobs and control plane answer.
pub(super) async fn keep(
    app: &App,
    caller: &Caller,
    owner: &Owner,
    order: &AudioOrder<'_>,
) -> Result<Option<RecordId>, Fault> {
    let instance = &caller.instance;
    if !app.ingest().keeps(instance, &owner.bot).await? {
        return Ok(None);
    }
    let n_bytes = u64::try_from(order.bytes.len()).unwrap_or(u64::MAX);
    let waiting = app.deliveries().waiting_bytes();
    let is_full = waiting.saturating_add(n_bytes.max(BYTES_MIN)) > app.config().aws.queue_bytes;
    if is_full || order.bytes.len() > BLOB_BYTES_MAX {
        count_audio(app, instance, owner, false);
        tell_lost(app, instance, owner, ("audio", QUEUE_FULL)).await;
        return Ok(None);
    }
    let id = app.new_id();
    let audio = &app.deliveries().audio;
    // Before the blob is there, so that nobody takes it for one that was left behind.
    audio.hold(id, n_bytes, false);
    let kept = keep_both(app, instance, id, (owner, order)).await;
    if kept.is_err() {
        audio::drop_quietly(app, instance, id).await;
    }
    kept.map(|()| Some(id))
}

async fn keep_both(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    (owner, order): (&Owner, &AudioOrder<'_>),
) -> Result<(), Fault> {
    app.blobs().put(id, order.bytes.to_vec()).await?;
    let doc = AudioDoc {
        bucket: order.bucket.to_owned(),
        key: order.key.to_owned(),
        kms_key: order.kms_key.map(str::to_owned),
        role: order.role.to_owned(),
        content_type: order.content_type.to_owned(),
        n_bytes: u64::try_from(order.bytes.len()).unwrap_or(u64::MAX),
        owner: owner.clone(),
        request_id: order.request_id.to_owned(),
        customer: order
            .customer
            .map(|customer| customer_hash(app, instance, customer)),
        state: State::Waiting,
        class: None,
        attempts: 0,
        at_us: app.now().micros(),
        record: None,
        is_empty: false,
    };
    let document = scoped_id(instance, &id.to_string());
    let put = audio::all(app).change(&document, |_| Ok(Change::silent(doc.clone())));
    put.await.map(drop)
}
