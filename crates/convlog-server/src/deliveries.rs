//! Deliveries: what the aliases of Lex bots log outside of this server, text to CloudWatch Logs and
//! audio to S3. No answer waits for one.
//!
//! The queue is what is durable anyway. Text is derived from the records: a lane, one a
//! destination, walks the log behind its position and sends the turns that carry its label. Audio
//! is a blob with a document that says where it goes. See docs/lex.md for what is promised.

pub(crate) mod admin;
mod audio;
mod batch;
mod clients;
mod copies;
mod dead;
mod entry;
mod failure;
mod http;
mod keep;
mod lane;
mod load;
mod missed;
mod old;
mod resume;
mod retry;
mod text;
mod turn;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use convlog_dialects::cloudwatch::event::{GROUP, STREAM};
use convlog_model::ids::InstanceId;
use convlog_model::record::Record;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::audio::{Audios, Link};
use self::clients::Clients;
pub(crate) use self::copies::{Copy, Found, Outside, erase_audio, find, forget};
pub(crate) use self::keep::AudioOrder;
pub(crate) use self::lane::Destination;
use self::lane::Lanes;
pub(crate) use self::turn::Underway;
use crate::app::App;
use crate::auth::Caller;
use crate::events::{self, EventType, OwnEvent, SYSTEM};
use crate::hex::hex;

/// Pause after our own store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Label of the lane that delivers a turn.
const LANE: &str = "log_lane";
/// Label that proves that the turn was to be delivered; nobody else can write it.
const DELIVERY: &str = "delivery";
/// Label with the id of the turn's audio.
const AUDIO: &str = "log_audio";

/// Class of what is dropped beyond the bound of the queue.
const QUEUE_FULL: &str = "queue_full";

/// What this process knows of deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    clients: Clients,
    lanes: Lanes,
    audio: Audios,
    /// Taken for reading while text is taken up to be sent, for writing while an erasure looks at
    /// what was sent and hides it.
    looking: RwLock<()>,
}

/// Whose delivery it is, as metrics name it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Owner {
    pub(crate) bot: String,
    pub(crate) alias: String,
    pub(crate) version: String,
}

/// How long an alias waits to hear whether its role can be taken on.
const ROLE_WAIT: Duration = Duration::from_secs(10);

/// Whether a role is refused to us. One about which nobody answers is not: its deliveries will wait.
pub(crate) async fn is_role_refused(app: &App, arn: &str) -> bool {
    let taken = app.deliveries().clients.take_on(app, arn);
    let taken = tokio::time::timeout(ROLE_WAIT, taken).await;
    matches!(taken, Ok(Err(failure)) if failure.is_permanent)
}

/// Counts the delivery of one entry, wherever it went.
pub(crate) fn count_text(app: &App, instance: &InstanceId, owner: &Owner, is_ok: bool) {
    app.metrics()
        .count_delivery(instance, owner, ("Text", is_ok));
}

/// The text of a turn without the link to its audio, where that has not arrived.
pub(crate) fn without_link(app: &App, turn: &Record) -> Option<String> {
    match entry::link(app, turn) {
        Link::Holds => None,
        Link::Waits | Link::Broken => Some(entry::without_link(turn.draft.raw.as_str())),
    }
}

/// Removes audio that was kept long enough, and dead letters of records that are gone.
pub(crate) async fn forget_old(app: &App) {
    let old = old::forget(app).await;
    let gone = dead::forget_gone(app).await;
    if let Err(fault) = old.and(gone) {
        let status = fault.status().as_u16();
        tracing::warn!(status, "deliveries that nobody needs are still there");
    }
}

/// Counts the delivery of one object.
fn count_audio(app: &App, instance: &InstanceId, owner: &Owner, is_ok: bool) {
    app.metrics()
        .count_delivery(instance, owner, ("Audio", is_ok));
}

/// Goes on with what an earlier process has left.
pub(crate) async fn start(app: &App) {
    // Audio first: text asks whether it is there.
    let started = match resume::start_all(app).await {
        Ok(()) => lane::start_all(app).await,
        failed => failed,
    };
    if let Err(fault) = started {
        let status = fault.status().as_u16();
        tracing::warn!(status, "what waits for delivery is not known");
    }
}

impl Deliveries {
    /// Held by an erasure from before it looks for copies until the records are hidden: meanwhile no
    /// lane takes up text, so none is sent that the erasure has told as dropped.
    pub(crate) async fn hold_off(&self) -> RwLockWriteGuard<'_, ()> {
        self.looking.write().await
    }

    /// Held by a lane from before it reads records until it is noted that they are being sent.
    async fn take_up(&self) -> RwLockReadGuard<'_, ()> {
        self.looking.read().await
    }

    /// Bytes that wait.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let lanes = self.lanes.all();
        let text: u64 = lanes.iter().map(|lane| lane.waiting().bytes).sum();
        let ((_, audio), _) = self.audio.loads();
        text.saturating_add(audio)
    }

    /// Number of deliveries that were given up and may be tried again.
    pub(crate) fn n_dead(&self) -> u64 {
        let lanes = self.lanes.all();
        let text: u64 = lanes.iter().map(|lane| lane.n_dead()).sum();
        let (_, (audio, _)) = self.audio.loads();
        text.saturating_add(audio)
    }
}

/// A keyed hash that only this server can make.
fn keyed(app: &App, parts: &[&str]) -> [u8; 32] {
    let sealer = app.sealer().derive("deliveries");
    // No part holds the byte that stands between them.
    sealer.hash(parts.join("\u{0}").as_bytes())
}

/// Bytes of a hash that names something to people.
const KEY_BYTES: usize = 16;

/// The start of such a hash, as a name.
fn short_key(app: &App, parts: &[&str]) -> String {
    let hash = keyed(app, parts);
    hex(hash.get(..KEY_BYTES).unwrap_or_default())
}

/// What the label of a turn must say: an imported record cannot know it.
fn proof(app: &App, lane: &str, own_id: &str, stream: &str) -> String {
    hex(&keyed(app, &["text", lane, own_id, stream]))
}

/// Tells that a log group of this server's own, to which a bot logs, is not there.
pub(crate) async fn tell_missing(app: &App, instance: &InstanceId, owner: &Owner) {
    tell_lost(app, instance, owner, ("text", "group_missing")).await;
}

async fn tell_lost(app: &App, instance: &InstanceId, owner: &Owner, (kind, class): (&str, &str)) {
    let subject = format!("log_delivery/{instance}/{}/{class}", owner.bot);
    let event = OwnEvent::by(app, instance, SYSTEM, events::LOG_DELIVERY_DEAD)
        .about("botId", owner.bot.as_str())
        .with("kind", kind)
        .with("class", class)
        .with("attempts", "0")
        .with("entries", "1");
    events::record_failure(app, &subject, event).await;
}

/// An event of a destination; of failures at most one a minute, destination and class.
fn event(app: &App, instance: &InstanceId, kind: EventType, id: &str) -> OwnEvent {
    OwnEvent::by(app, instance, SYSTEM, kind).about("deliveryId", id)
}

/// The caller for what is done for an instance in the background.
fn system(instance: &InstanceId) -> Arc<Caller> {
    Arc::new(Caller::system(instance.clone()))
}

#[cfg(test)]
mod tests;
