//! Copies that were delivered outside: what an erasure cannot take back and therefore names.

use std::collections::BTreeSet;

use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, Position, RecordId};
use convlog_model::record::Record;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::audio::{self, State, customer_hash};
use super::{AUDIO, DELIVERY, GROUP, LANE, STREAM, dead, entry, proof};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::entity::{Change, Collection};
use crate::error::Fault;

/// The collection of objects by customer, `INSTANCE/HASH`.
const COLLECTION: &str = "audio_copies";
/// Most copies that are named one by one.
pub(crate) const COPIES_MAX: usize = 1000;
/// Kind of a copy that is an object.
const AUDIO_KIND: &str = "audio";
/// Records of one step of a walk.
const STEP: usize = 1000;

/// An object that was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) at_us: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Objects {
    /// The newest ones.
    newest: Vec<Object>,
    count: u64,
}

/// A copy outside of this server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Copy {
    /// `text` or `audio`.
    kind: String,
    /// The log group, or the bucket.
    place: String,
    /// The log stream, or the key of the object.
    name: String,
    /// Time of the event, or of the delivery.
    time: String,
}

impl From<Object> for Copy {
    fn from(object: Object) -> Self {
        Copy {
            kind: AUDIO_KIND.to_owned(),
            place: object.bucket,
            name: object.key,
            time: Timestamp::from_micros(object.at_us).to_millis_text(),
        }
    }
}

/// What an erasure has found outside, and what it has kept from going there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outside {
    /// The first [`COPIES_MAX`] of them.
    pub(crate) copies: Vec<Copy>,
    pub(crate) n_copies: u64,
    /// Deliveries that will not be made any more.
    pub(crate) n_dropped: u64,
}

impl Outside {
    /// Adds a copy; the same object, told of from two sides, is one copy.
    pub(crate) fn add(&mut self, copy: Copy) {
        let is_same = |known: &Copy| (&known.place, &known.name) == (&copy.place, &copy.name);
        if copy.kind == AUDIO_KIND && self.copies.iter().any(is_same) {
            return;
        }
        if self.copies.len() < COPIES_MAX {
            self.copies.push(copy);
        }
        self.n_copies = self.n_copies.saturating_add(1);
    }
}

/// What is found before the records of an erasure are hidden.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) outside: Outside,
    /// Audio of the records.
    audio: BTreeSet<RecordId>,
    /// Hash of the customer, for an erasure of one.
    customer: Option<String>,
}

/// Remembers an object of a customer.
pub(super) async fn note(
    app: &App,
    instance: &InstanceId,
    customer: &str,
    object: Object,
) -> Result<(), Fault> {
    let all = Collection::<Objects>::new(app, COLLECTION);
    let noted = all.change(&scoped_id(instance, customer), |old| {
        let mut objects = old.unwrap_or_default();
        // Told again after a crash, it is the same object.
        if objects.newest.iter().any(|known| known.key == object.key) {
            return Ok(Change::silent(objects));
        }
        if objects.newest.len() >= COPIES_MAX {
            objects.newest.remove(0);
        }
        objects.newest.push(object.clone());
        objects.count = objects.count.saturating_add(1);
        Ok(Change::silent(objects))
    });
    noted.await.map(drop)
}

/// Takes back what [`note`] has remembered: an erasure is told of the object itself.
pub(super) async fn take_back(
    app: &App,
    instance: &InstanceId,
    customer: &str,
    key: &str,
) -> Result<(), Fault> {
    subtract(app, instance, customer, (&BTreeSet::from([key]), 1)).await
}

/// Takes objects out of what is remembered of a customer: those of these keys, and as many of all.
async fn subtract(
    app: &App,
    instance: &InstanceId,
    customer: &str,
    (keys, count): (&BTreeSet<&str>, u64),
) -> Result<(), Fault> {
    let all = Collection::<Objects>::new(app, COLLECTION);
    let changed = all.change(&scoped_id(instance, customer), |old| {
        let doc = old.and_then(|mut objects: Objects| {
            let n_before = objects.newest.len();
            objects
                .newest
                .retain(|object| !keys.contains(object.key.as_str()));
            let n_left = u64::try_from(objects.newest.len()).unwrap_or(u64::MAX);
            if objects.newest.len() < n_before {
                // What came since is counted still.
                objects.count = objects.count.saturating_sub(count).max(n_left);
            }
            (objects.count > 0).then_some(objects)
        });
        Ok(Change {
            doc,
            events: Vec::new(),
        })
    });
    changed.await.map(drop)
}

/// Looks at the records that an erasure is about to hide: what of them was delivered, and what no
/// longer will be.
pub(crate) async fn find(
    app: &App,
    caller: &Caller,
    filter: Filter,
    customer: Option<&str>,
) -> Result<Found, Fault> {
    let mut found = Found {
        customer: customer.map(|customer| customer_hash(app, &caller.instance, customer)),
        ..Found::default()
    };
    let labelled = |label: &str| Filter::exists(&format!("labels.{label}"));
    let filter = filter.and(Filter::Or(vec![labelled(DELIVERY), labelled(AUDIO)]));
    let mut after = Position::START;
    let mut upto = None;
    loop {
        let step = app.query().scan(caller, filter.clone(), after, upto, STEP);
        let step = step.await?;
        for record in &step.records {
            look_at(app, record, &mut found).await?;
        }
        if step.done {
            return Ok(found);
        }
        after = step.reached;
        upto = Some(step.upto);
    }
}

async fn look_at(app: &App, record: &Record, found: &mut Found) -> Result<(), Fault> {
    let draft = &record.draft;
    let label = |name: &str| draft.labels.get(name).map(String::as_str);
    if let Some(id) = label(AUDIO).and_then(|id| id.parse().ok()) {
        found.audio.insert(id);
    }
    let (Some(key), Some(own_id), Some(stream)) = (label(LANE), &draft.own_id, label(STREAM))
    else {
        return Ok(());
    };
    let id = scoped_id(&draft.instance, key);
    if label(DELIVERY) != Some(proof(app, &id, own_id, stream).as_str()) {
        return Ok(());
    }
    let Some(lane) = app.deliveries().lanes.get(&id) else {
        return Ok(());
    };
    let is_letter = dead::remove(app, &lane, record.id).await?;
    let is_left = is_letter && !lane.is_retrying(record.id);
    if record.position > lane.sending() || is_left {
        found.outside.n_dropped = found.outside.n_dropped.saturating_add(1);
        return Ok(());
    }
    found.outside.add(Copy {
        kind: "text".to_owned(),
        place: label(GROUP).unwrap_or_default().to_owned(),
        name: stream.to_owned(),
        time: entry::time(record).to_millis_text(),
    });
    Ok(())
}

/// Takes the audio of an erasure away, which has a document by now. Returns what is to be told of
/// it beside what [`find`] found.
pub(crate) async fn erase_audio(
    app: &App,
    instance: &InstanceId,
    order: &str,
    found: &Found,
) -> Result<Outside, Fault> {
    let mut outside = Outside::default();
    let prefix = scoped_id(instance, "");
    let mut after = String::new();
    loop {
        let (step, next) = audio::all(app).step(&prefix, &after).await?;
        for one in step {
            let Some((_, id)) = audio::parse_id(&one.id) else {
                continue;
            };
            let is_customers = found.customer.is_some() && one.doc.customer == found.customer;
            if !is_customers && !found.audio.contains(&id) {
                continue;
            }
            if erase_one(app, instance, id, order).await? {
                outside.n_dropped = outside.n_dropped.saturating_add(1);
            }
        }
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    if let Some(customer) = &found.customer {
        let all = Collection::<Objects>::new(app, COLLECTION);
        let id = scoped_id(instance, customer);
        if let Some(objects) = all.get(&id).await? {
            outside.n_copies = objects.doc.count;
            outside.copies = objects.doc.newest.into_iter().map(Copy::from).collect();
        }
    }
    Ok(outside)
}

/// Erases one object; whether it was kept from going out. First it is marked: from then on nobody
/// begins to send it, and whoever is sending it tells the erasure what has come of it.
async fn erase_one(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    order: &str,
) -> Result<bool, Fault> {
    let document = scoped_id(instance, &id.to_string());
    let at_us = app.now().micros();
    let found = audio::change(app, &document, |mut doc| {
        if !matches!(doc.state, State::Erased { .. }) {
            let order = order.to_owned();
            doc.state = State::Erased { order };
            doc.at_us = at_us;
        }
        Some(doc)
    });
    let found = found.await?;
    if app.deliveries().audio.is_sending(id) {
        app.blobs().remove(id).await?;
        return Ok(false);
    }
    let is_taken = audio::take_erased(app, instance, id).await?.is_some();
    Ok(is_taken && !matches!(found, Some(State::Kept { .. })))
}

/// Forgets what was known of a customer's objects, now that the erasure names them.
pub(crate) async fn forget(
    app: &App,
    instance: &InstanceId,
    found: &Found,
    named: &Outside,
) -> Result<(), Fault> {
    let Some(customer) = &found.customer else {
        return Ok(());
    };
    let keys = named.copies.iter().map(|copy| copy.name.as_str()).collect();
    subtract(app, instance, customer, (&keys, named.n_copies)).await
}
