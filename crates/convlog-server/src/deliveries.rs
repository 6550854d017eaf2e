//! Deliveries: what the aliases of Lex bots log outside of this server, text to CloudWatch Logs and
//! audio to S3. No answer waits for one.
//!
//! The queue is what is durable anyway. Text is derived from the records: a lane, one a
//! destination, walks the log behind its position and sends the turns that carry its label. Audio
//! is a blob with a document that says where it goes. See docs/lex.md for what is promised.

mod batch;
mod clients;
mod dead;
mod failure;
mod http;
mod lane;
mod text;

use std::sync::Arc;

use convlog_model::ids::InstanceId;
use convlog_model::record::Draft;

use self::clients::Clients;
pub(crate) use self::lane::Destination;
use self::lane::{Hold, Lanes};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::events::{self, EventType, OwnEvent, SYSTEM};

/// Label of the lane that delivers a turn.
const LANE: &str = "log_lane";
/// Label that proves that the turn was to be delivered; nobody else can write it.
const DELIVERY: &str = "delivery";
/// Label of the stream; the Lex side writes it.
const STREAM: &str = "log_stream";

/// What this process knows of deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    clients: Clients,
    lanes: Lanes,
}

/// Whose delivery it is, as metrics name it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Owner {
    pub(crate) bot: String,
    pub(crate) alias: String,
    pub(crate) version: String,
}

/// Held while a turn is kept of which something is to be delivered.
#[derive(Debug)]
#[must_use]
pub(crate) struct Underway {
    _text: Option<Hold>,
}

/// Marks a turn for the delivery of its text, where the log group is not this server's. Beyond the
/// bound of the queue the turn is kept all the same, and not delivered: a failure that is counted.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn prepare(
    app: &App,
    caller: &Caller,
    to: &Destination<'_>,
    (owner, draft): (&Owner, &mut Draft),
) -> Result<Underway, Fault> {
    let nothing = Underway { _text: None };
    if app.config().aws.builtin_logs {
        return Ok(nothing);
    }
    let (Some(own_id), Some(stream)) = (&draft.own_id, draft.labels.get(STREAM)) else {
        return Ok(nothing);
    };
    let lane = lane::of(app, &caller.instance, to).await?;
    let proof = proof(app, &lane.id, own_id, stream);
    let n_bytes = u64::try_from(draft.raw.as_str().len()).unwrap_or(u64::MAX);
    if app.deliveries().waiting_bytes().saturating_add(n_bytes) > app.config().aws.queue_bytes {
        count_text(app, &caller.instance, owner, false);
        tell_dropped(app, &caller.instance, owner, "text").await;
        return Ok(nothing);
    }
    draft.labels.insert(LANE.to_owned(), lane.key().to_owned());
    draft.labels.insert(DELIVERY.to_owned(), proof);
    Ok(Underway {
        _text: Some(Hold::new(lane, n_bytes)),
    })
}

/// Counts the delivery of one entry, wherever it went.
pub(crate) fn count_text(app: &App, instance: &InstanceId, owner: &Owner, is_ok: bool) {
    app.metrics()
        .count_delivery(instance, owner, ("Text", is_ok));
}

/// Goes on with what an earlier process has left.
pub(crate) async fn start(app: &App) {
    if let Err(fault) = lane::start_all(app).await {
        let status = fault.status().as_u16();
        tracing::warn!(status, "what waits for delivery is not known");
    }
}

impl Deliveries {
    /// Bytes that wait.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let lanes = self.lanes.all();
        lanes.iter().map(|lane| lane.waiting().bytes).sum()
    }

    /// Number of deliveries that were given up and may be tried again.
    pub(crate) fn n_dead(&self) -> u64 {
        let lanes = self.lanes.all();
        lanes.iter().map(|lane| lane.n_dead()).sum()
    }
}

/// A keyed hash that only this server can make.
fn keyed(app: &App, parts: &[&str]) -> [u8; 32] {
    let sealer = app.sealer().derive("deliveries");
    // No part holds the byte that stands between them.
    sealer.hash(parts.join("\u{0}").as_bytes())
}

/// What the label of a turn must say: an imported record cannot know it.
fn proof(app: &App, lane: &str, own_id: &str, stream: &str) -> String {
    hex(&keyed(app, &["text", lane, own_id, stream]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn tell_dropped(app: &App, instance: &InstanceId, owner: &Owner, kind: &str) {
    let subject = format!("log_delivery/{instance}/{}/full", owner.bot);
    let event = OwnEvent::by(app, instance, SYSTEM, events::LOG_DELIVERY_DEAD)
        .about("botId", owner.bot.as_str())
        .with("kind", kind)
        .with("class", "queue_full")
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
