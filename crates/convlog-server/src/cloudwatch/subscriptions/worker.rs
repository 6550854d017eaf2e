//! The worker of one subscription filter: walks the group in commit order and posts what the
//! pattern takes, each event at least once, in order. Where it has come to is a document, so that a
//! restart goes on from there.

use std::time::Duration;

use async_compression::tokio::write::GzipEncoder;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_dialects::cloudwatch::envelope;
use convlog_dialects::cloudwatch::event::Shown;
use convlog_dialects::cloudwatch::pattern::Pattern;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;

use super::Subscription;
use crate::app::{App, scoped_id, unscoped};
use crate::auth::Caller;
use crate::cloudwatch::documents::{Documents, LogGroup, every_group, place};
use crate::cloudwatch::metric_filters::checked;
use crate::cloudwatch::view::{View, narrowed, shown};
use crate::entity::{Change, Collection};
use crate::error::Fault;
use crate::events::{self, EventType, OwnEvent};

/// Collection of the places that workers have come to.
const PLACES: &str = "log_subscriptions";
/// Records of a step.
const STEP: usize = 200;
/// Most bytes of messages in an envelope, but for its first event.
const ENVELOPE_BYTES: usize = 512 << 10;
/// How long a destination may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// How often a worker looks whether its filter is still there while nothing comes.
const LOOK: Duration = Duration::from_secs(10);

/// Where a worker has come to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    /// The id of its filter.
    of: String,
    #[serde(with = "place")]
    at: Position,
}

/// Starts the workers of every filter.
pub(crate) async fn start(app: &App) {
    let groups = match every_group(app).await {
        Ok(groups) => groups,
        Err(fault) => {
            let status = fault.status().as_u16();
            tracing::warn!(status, "subscription filters are not known");
            return;
        }
    };
    for group in groups {
        let Some((instance, _)) = unscoped(&group.id) else {
            continue;
        };
        for name in group.doc.subscription_filters.keys() {
            begin(app, &instance, &group.doc.name, name);
        }
    }
}

/// Starts the worker of a filter, unless it has one.
pub(super) fn begin(app: &App, instance: &InstanceId, group: &str, name: &str) {
    let worker = Worker {
        app: app.clone(),
        instance: instance.clone(),
        group: group.to_owned(),
        name: name.to_owned(),
    };
    let id = worker.id();
    if app.cloudwatch().begin_worker(&id) {
        app.jobs().spawn(async move { worker.run().await });
    }
}

/// What happened in one round.
enum Round {
    /// The filter is gone.
    Gone,
    /// Everything up to here is done.
    Reached(Position),
}

#[derive(Clone, Debug)]
struct Worker {
    app: App,
    instance: InstanceId,
    group: String,
    name: String,
}

impl Worker {
    fn id(&self) -> String {
        scoped_id(&self.instance, &format!("{}:{}", self.group, self.name))
    }

    async fn run(self) {
        let stopping = self.app.jobs().stopping();
        tokio::select! {
            () = stopping => {}
            () = self.work() => {}
        }
        self.app.cloudwatch().end_worker(&self.id());
    }

    async fn work(&self) {
        let mut reached = None;
        let mut pause = PAUSE;
        let mut failed = None;
        loop {
            match self.round(reached).await {
                Ok(Round::Gone) => {
                    self.forget().await;
                    // Meanwhile it may have been put again, and found that it had a worker.
                    if !matches!(self.filter().await, Ok(Some(_))) {
                        return;
                    }
                    reached = None;
                }
                Ok(Round::Reached(at)) => {
                    pause = PAUSE;
                    if let Some(why) = failed.take() {
                        self.tell(events::LOG_DELIVERY_SENT, why).await;
                    }
                    reached = Some(at);
                    let more = self.app.query().watch(at);
                    // Either way it looks again; a failure of the store shows there.
                    let _more = tokio::time::timeout(LOOK, more).await;
                }
                Err(why) => {
                    self.tell(events::LOG_DELIVERY_FAILED, why).await;
                    failed = Some(why);
                    reached = None;
                    tokio::time::sleep(self.jittered(pause)).await;
                    pause = pause.saturating_mul(2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Tells that deliveries fail, at most once a minute and reason, or go on again.
    async fn tell(&self, kind: EventType, why: &str) {
        let event = OwnEvent::by(&self.app, &self.instance, events::SYSTEM, kind)
            .with("kind", "subscription")
            .with("log_group", self.group.as_str())
            .with("filter", self.name.as_str())
            .with("class", why);
        let subject = format!("{}/{}/{why}", kind.name, self.id());
        events::record_failure(&self.app, &subject, event).await;
    }

    /// Half of the pause and a drawn part of the other half.
    fn jittered(&self, pause: Duration) -> Duration {
        let drawn = u32::try_from(self.app.ids().random_u128() % 1000).unwrap_or_default();
        pause / 2 + pause / 2 * drawn / 1000
    }

    async fn filter(&self) -> Result<Option<(LogGroup, Subscription)>, Fault> {
        let documents = Documents::new(&self.app, &self.instance);
        let id = documents.group_id(&self.group);
        let found = documents.groups().get(&id).await?;
        let group = found.map(|entity| entity.doc);
        Ok(group.and_then(|group| {
            let filter = group.subscription_filters.get(&self.name)?.clone();
            Some((group, filter))
        }))
    }

    /// Delivers what has come up to now; begins behind `reached`, else where the document says.
    async fn round(&self, reached: Option<Position>) -> Result<Round, &'static str> {
        let Some((group, filter)) = self.filter().await.map_err(|_| "store")? else {
            return Ok(Round::Gone);
        };
        let mut targets = self.app.config().aws.destinations.iter();
        let target = targets.find(|target| target.arn == filter.destination);
        let url = target.ok_or("not configured")?.url.as_str();
        let pattern = checked(&filter.pattern).ok_or("pattern")?;
        let mut at = match reached {
            Some(at) => at,
            None => self.place(&filter).await.map_err(|_| "store")?,
        };
        // After a restore the log may end before.
        at = at.min(self.app.store().newest());
        let caller = Caller::system(self.instance.clone());
        let mut view = View::of(&self.app, &caller, group);
        let records = view.filter().and(narrowed(pattern.narrow()));
        loop {
            let scanned = self
                .app
                .query()
                .scan(&caller, records.clone(), at, None, STEP);
            let scanned = scanned.await.map_err(|_| "store")?;
            let mut batch = Batch::default();
            for record in &scanned.records {
                let event = shown(&self.app, record);
                let is_shown = view.shows(record, &event).await.map_err(|_| "store")?;
                if !is_shown || !takes(&pattern, &event) {
                    continue;
                }
                if !batch.fits(&event) {
                    self.deliver(url, &filter, &mut batch).await?;
                }
                batch.add(event, record.position);
            }
            self.deliver(url, &filter, &mut batch).await?;
            at = scanned.reached;
            if scanned.done {
                return Ok(Round::Reached(at));
            }
        }
    }

    /// Posts a batch and notes that it is done.
    async fn deliver(
        &self,
        url: &str,
        filter: &Subscription,
        batch: &mut Batch,
    ) -> Result<(), &'static str> {
        let batch = std::mem::take(batch);
        let Some(first) = batch.events.first() else {
            return Ok(());
        };
        let account = &self.app.config().aws.account;
        let of = (self.group.as_str(), first.stream.as_str());
        let envelope = envelope::data_message(account, of, &self.name, &batch.events);
        let data = gzipped(envelope.to_string().as_bytes()).await;
        let data = STANDARD.encode(data.map_err(|_| "compression")?);
        let data = Json::object([("data", Json::string(data))]);
        let body = Json::object([("awslogs", data)]).to_string();
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        // The URL is the operator's own choice, as is that of a function.
        let outbound = self.app.connectors().configured();
        let outbound = outbound.map_err(|_| "outbound")?;
        let body = Some(body.into_bytes());
        let post = reqwest::Method::POST;
        let answered = outbound.call(post, url, headers, body, TIMEOUT).await;
        let answered = match answered {
            Ok(answered) if (200..300).contains(&answered.status) => Ok(()),
            Ok(_) => Err("status"),
            Err(error) => Err(error.class()),
        };
        let of = (self.group.as_str(), self.name.as_str());
        let metrics = self.app.metrics();
        metrics.count_subscription(&self.instance, of, answered.is_ok());
        answered?;
        let place = Place {
            of: filter.id.clone(),
            at: batch.last,
        };
        let noted = Collection::<Place>::new(&self.app, PLACES);
        let noted = noted.change(&self.id(), move |_| Ok(Change::silent(place.clone())));
        noted.await.map_err(|_| "store")?;
        Ok(())
    }

    async fn place(&self, filter: &Subscription) -> Result<Position, Fault> {
        let places = Collection::<Place>::new(&self.app, PLACES);
        let found = places.get(&self.id()).await?.map(|entity| entity.doc);
        let found = found.filter(|place| place.of == filter.id);
        Ok(found.map_or(filter.since, |place| place.at.max(filter.since)))
    }

    async fn forget(&self) {
        let places = Collection::<Place>::new(&self.app, PLACES);
        let gone = places.change(&self.id(), |_| Ok(Change::gone()));
        if gone.await.is_err() {
            // It means nothing to a later filter of that name, whose id is another.
            tracing::debug!("the place of a subscription filter stays");
        }
    }
}

/// Events of one stream that are posted together.
#[derive(Debug, Default)]
struct Batch {
    events: Vec<Shown>,
    bytes: usize,
    last: Position,
}

impl Batch {
    fn fits(&self, event: &Shown) -> bool {
        let is_of = |first: &Shown| first.stream == event.stream;
        self.events.first().is_none_or(is_of) && self.bytes + event.message.len() <= ENVELOPE_BYTES
    }

    fn add(&mut self, event: Shown, at: Position) {
        self.bytes += event.message.len();
        self.last = at;
        self.events.push(event);
    }
}

fn takes(pattern: &Pattern, event: &Shown) -> bool {
    pattern.matches(&event.message)
}

async fn gzipped(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(bytes).await?;
    encoder.shutdown().await?;
    Ok(encoder.into_inner())
}
