//! Lanes: one for each destination of text, with the place in the log up to which it has sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convlog_dialects::aws::arn::LogGroupArn;
use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, Position, RecordId};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::load::Load;
use super::{DELIVERY, LANE, dead, short_key, text};
use crate::app::{App, scoped_id, unscoped};
use crate::entity::{Change, Collection, Entity};
use crate::error::Fault;

/// The collection of their documents.
pub(super) const COLLECTION: &str = "deliveries";
/// Most lanes of a process: each is a destination that somebody gave an alias.
const LANES_MAX: usize = 10_000;

/// Where the text of a turn goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Destination<'a> {
    /// ARN of the log group.
    pub(crate) group: &'a str,
    /// ARN of the role that writes there.
    pub(crate) role: &'a str,
    /// Whether it was spoken: such entries wait for their audio, and others not for them.
    pub(crate) is_speech: bool,
}

/// What is kept of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LaneDoc {
    group: String,
    role: String,
    is_speech: bool,
    /// Everything up to here has been sent, or given up.
    position: String,
}

/// What a lane has had to do since the process began. Erasures take entries away unseen, and rules
/// of redaction change their length, so what is handled is put right whenever nothing waits.
#[derive(Debug, Default)]
struct Figures {
    /// Of all turns that were marked.
    charged: Load,
    /// Of those whose append has ended: they are in the log, or never will be.
    ended: Load,
    handled: Load,
    /// Everything up to here has been sent, given up, or is being sent.
    sending: Position,
    n_dead: u64,
}

/// One destination.
#[derive(Debug)]
pub(super) struct Lane {
    /// `INSTANCE/KEY`
    pub(super) id: String,
    pub(super) instance: InstanceId,
    pub(super) group: String,
    pub(super) role: String,
    pub(super) is_speech: bool,
    /// Where its worker begins.
    pub(super) begin: Position,
    /// Where the log ended then: what stands before it was left by an earlier process, and what comes
    /// behind is charged as it comes.
    pub(super) left_upto: Position,
    /// There is something new to be sent.
    pub(super) wake: Notify,
    /// Somebody asks for another try, also while it pauses after a failure.
    pub(super) asked: Notify,
    figures: Mutex<Figures>,
    retries: Mutex<Retries>,
}

/// Dead letters that are to be tried again.
#[derive(Debug, Default)]
struct Retries {
    waiting: VecDeque<RecordId>,
    /// Tried at this moment.
    begun: Vec<RecordId>,
}

/// The lanes that this process works on.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<BTreeMap<String, Arc<Lane>>>);

impl Lanes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Lane>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Lane>> {
        self.lock().get(id).cloned()
    }

    /// As many destinations as there may be, all of them this one.
    #[cfg(test)]
    pub(super) fn fill(&self, lane: &Arc<Lane>) {
        let ids = (0..LANES_MAX).map(|i| (i.to_string(), Arc::clone(lane)));
        self.lock().extend(ids);
    }

    pub(super) fn all(&self) -> Vec<Arc<Lane>> {
        self.lock().values().cloned().collect()
    }
}

impl Lane {
    /// The part of its id that labels name.
    pub(super) fn key(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }

    /// Name of the log group.
    pub(super) fn group_name(&self) -> &str {
        LogGroupArn::name_in(&self.group).unwrap_or_default()
    }

    /// The turns that are its own, as far as a filter can tell.
    pub(super) fn filter(&self) -> Filter {
        Filter::equals(&format!("labels.{LANE}"), self.key())
            .and(Filter::exists(&format!("labels.{DELIVERY}")))
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits.
    pub(super) fn waiting(&self) -> Load {
        let figures = self.figures();
        figures.charged.minus(figures.handled)
    }

    /// What is in the log by now, or never will be.
    pub(super) fn ended(&self) -> Load {
        self.figures().ended
    }

    /// Counts what an earlier process has left.
    pub(super) fn found(&self, load: Load) {
        let mut figures = self.figures();
        figures.charged = figures.charged.plus(load);
        figures.ended = figures.ended.plus(load);
    }

    /// These have been sent, or given up.
    pub(super) fn handled(&self, load: Load) {
        let mut figures = self.figures();
        figures.handled = figures.handled.plus(load).least(figures.ended);
    }

    /// Nothing is left of what had ended when the walk began.
    pub(super) fn settle(&self, ended: Load) {
        let mut figures = self.figures();
        figures.handled = figures.handled.most(ended).least(figures.ended);
    }

    /// Everything up to here may reach the destination from now on; up to where it was so before.
    pub(super) fn note_sending(&self, upto: Position) -> Position {
        let mut figures = self.figures();
        let before = figures.sending;
        figures.sending = before.max(upto);
        before
    }

    /// Nothing behind this place has been tried.
    pub(super) fn end_sending(&self, tried: Position) {
        self.figures().sending = tried;
    }

    /// Up to where entries may have reached the destination.
    pub(super) fn sending(&self) -> Position {
        self.figures().sending
    }

    pub(super) fn n_dead(&self) -> u64 {
        self.figures().n_dead
    }

    pub(super) fn set_dead(&self, change: impl FnOnce(u64) -> u64) {
        let mut figures = self.figures();
        figures.n_dead = change(figures.n_dead);
    }

    fn retries(&self) -> MutexGuard<'_, Retries> {
        self.retries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for another try of dead letters.
    pub(super) fn retry(&self, ids: impl IntoIterator<Item = RecordId>) {
        let mut retries = self.retries();
        for id in ids {
            if retries.waiting.len() < dead::DEAD_MAX && !retries.waiting.contains(&id) {
                retries.waiting.push_back(id);
            }
        }
        drop(retries);
        self.asked.notify_one();
    }

    /// The next dead letter that is to be tried again, which stays the next.
    pub(super) fn next_retry(&self) -> Option<RecordId> {
        self.retries().waiting.front().copied()
    }

    /// A letter is on its way.
    pub(super) fn begin_retry(&self, id: RecordId) {
        let mut retries = self.retries();
        retries.waiting.retain(|waiting| *waiting != id);
        retries.begun.push(id);
    }

    pub(super) fn end_retry(&self, id: RecordId) {
        let mut retries = self.retries();
        match retries.begun.iter().position(|begun| *begun == id) {
            Some(place) => drop(retries.begun.swap_remove(place)),
            None => retries.waiting.retain(|waiting| *waiting != id),
        }
    }

    /// What has begun and not ended is to be tried again.
    pub(super) fn put_back_retries(&self) {
        let mut retries = self.retries();
        for id in std::mem::take(&mut retries.begun) {
            if !retries.waiting.contains(&id) {
                retries.waiting.push_back(id);
            }
        }
    }

    pub(super) fn has_retries(&self) -> bool {
        !self.retries().waiting.is_empty()
    }

    /// Whether a letter is on its way.
    pub(super) fn is_retrying(&self, id: RecordId) -> bool {
        self.retries().begun.contains(&id)
    }

    /// Keeps the place up to which it has sent.
    pub(super) async fn keep(&self, app: &App, position: Position) -> Result<(), Fault> {
        let lanes = Collection::<LaneDoc>::new(app, COLLECTION);
        let kept = lanes.change(&self.id, |doc| {
            let mut doc = doc.ok_or_else(|| Fault::not_found("Resource not found"))?;
            doc.position = position.to_string();
            Ok(Change::silent(doc))
        });
        kept.await.map(drop)
    }
}

/// Held while a turn of a lane is appended: what is counted as waiting, and the lane's call.
#[derive(Debug)]
pub(super) struct Hold {
    lane: Arc<Lane>,
    load: Load,
}

impl Hold {
    pub(super) fn new(lane: Arc<Lane>, bytes: u64) -> Self {
        let load = Load { entries: 1, bytes };
        let mut figures = lane.figures();
        figures.charged = figures.charged.plus(load);
        drop(figures);
        Hold { lane, load }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut figures = self.lane.figures();
        figures.ended = figures.ended.plus(self.load);
        drop(figures);
        self.lane.wake.notify_one();
    }
}

/// The lane of a destination, durable before this returns: so what is appended behind is found by it.
/// `None` beyond the bound of destinations.
///
/// # Errors
/// What the control plane answers.
pub(super) async fn of(
    app: &App,
    instance: &InstanceId,
    to: &Destination<'_>,
) -> Result<Option<Arc<Lane>>, Fault> {
    let speech = if to.is_speech { "speech" } else { "text" };
    let key = short_key(app, &["lane", instance.as_str(), to.group, to.role, speech]);
    let id = scoped_id(instance, &key);
    if let Some(lane) = app.deliveries().lanes.get(&id) {
        return Ok(Some(lane));
    }
    if app.deliveries().lanes.lock().len() >= LANES_MAX {
        return Ok(None);
    }
    let newest = app.store().newest();
    let lanes = Collection::<LaneDoc>::new(app, COLLECTION);
    let kept = lanes.change(&id, |old| {
        Ok(Change::silent(old.unwrap_or_else(|| LaneDoc {
            group: to.group.to_owned(),
            role: to.role.to_owned(),
            is_speech: to.is_speech,
            position: newest.to_string(),
        })))
    });
    let kept = kept.await?;
    let kept = kept.ok_or_else(|| Fault::internal("a lane was deleted while it was made"))?;
    begin(app, kept).map(Some)
}

/// Begins to work on every lane that there is.
pub(super) async fn start_all(app: &App) -> Result<(), Fault> {
    for lane in Collection::<LaneDoc>::new(app, COLLECTION).list("").await? {
        begin(app, lane)?;
    }
    Ok(())
}

fn begin(app: &App, kept: Entity<LaneDoc>) -> Result<Arc<Lane>, Fault> {
    let broken = || Fault::internal("a lane without a position or an instance");
    let position = u128::from_str_radix(&kept.doc.position, 16).map_err(|_| broken())?;
    let (instance, _) = unscoped(&kept.id).ok_or_else(broken)?;
    let lane = Arc::new(Lane {
        id: kept.id,
        instance,
        group: kept.doc.group,
        role: kept.doc.role,
        is_speech: kept.doc.is_speech,
        begin: Position(position),
        left_upto: app.store().newest(),
        wake: Notify::new(),
        asked: Notify::new(),
        figures: Mutex::new(Figures {
            sending: Position(position),
            ..Figures::default()
        }),
        retries: Mutex::default(),
    });
    let mut lanes = app.deliveries().lanes.lock();
    if let Some(known) = lanes.get(&lane.id) {
        return Ok(Arc::clone(known));
    }
    lanes.insert(lane.id.clone(), Arc::clone(&lane));
    drop(lanes);
    let worker = text::run(app.clone(), Arc::clone(&lane));
    app.jobs().spawn(worker);
    Ok(lane)
}

/// The place up to which a lane has sent, as it is kept.
pub(super) async fn position(app: &App, lane: &Lane) -> Result<String, Fault> {
    let lanes = Collection::<LaneDoc>::new(app, COLLECTION);
    let kept = lanes.get(&lane.id).await?;
    Ok(kept.map(|kept| kept.doc.position).unwrap_or_default())
}
