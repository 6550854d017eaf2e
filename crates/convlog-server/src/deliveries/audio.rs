//! Audio on its way to a bucket: a blob, and a document that says where it goes. Together they are
//! the queue.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use convlog_model::ids::{InstanceId, RecordId};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};

use super::upload::Progress;
use super::{Owner, hex, keyed, upload};
use crate::app::{App, scoped_id, unscoped};
use crate::entity::{Change, Collection};
use crate::error::Fault;

/// The collection of their documents, `INSTANCE/ID`.
pub(super) const COLLECTION: &str = "audio";
/// Uploads at once.
const UPLOADS_MAX: usize = 8;
/// What a blob takes at least, as the queue counts it: a file and a document.
pub(super) const BYTES_MIN: u64 = 4096;
/// The part of the queue that objects may take that were given up.
const DEAD_SHARE: u64 = 4;
/// Most objects that were given up and are kept.
const DEAD_MAX: usize = 10_000;

/// Most lines that are empty and whose failures are remembered.
const PROGRESS_MAX: usize = 10_000;

/// How far an object has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Waiting,
    /// It was given up.
    Dead,
    /// It was delivered, and stays here until then.
    Kept {
        until_us: i64,
    },
    /// It was erased while it was sent; if it arrives, the erasure says so.
    Erased {
        order: String,
    },
}

/// What is kept of an object beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AudioDoc {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) kms_key: Option<String>,
    pub(super) role: String,
    pub(super) content_type: String,
    pub(super) n_bytes: u64,
    pub(super) owner: Owner,
    pub(super) request_id: String,
    /// Keyed hash of the customer.
    pub(super) customer: Option<String>,
    pub(super) state: State,
    pub(super) class: Option<String>,
    pub(super) attempts: u32,
    pub(super) at_us: i64,
    /// Id of the record of its turn, where it was given up and there is one.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// Whether it was given up and its bytes are gone.
    #[serde(default)]
    pub(super) is_empty: bool,
}

/// What holds for an object that has not arrived.
#[derive(Clone, Copy, Debug)]
struct Held {
    bytes: u64,
    is_dead: bool,
}

/// Objects of one alias go one after the other.
type Line = (InstanceId, String, String);

#[derive(Debug, Default)]
struct Inner {
    held: BTreeMap<RecordId, Held>,
    lines: BTreeMap<Line, VecDeque<RecordId>>,
    /// Sent at this moment.
    sending: BTreeSet<RecordId>,
    /// How the last objects of lines have failed that are empty.
    progress: BTreeMap<Line, Progress>,
}

/// What this process knows of audio.
#[derive(Debug)]
pub(super) struct Audios {
    inner: Mutex<Inner>,
    pub(super) slots: Semaphore,
    /// Grows whenever an object needs no waiting for any more.
    changed: watch::Sender<u64>,
}

impl Default for Audios {
    fn default() -> Self {
        Audios {
            inner: Mutex::default(),
            slots: Semaphore::new(UPLOADS_MAX),
            changed: watch::Sender::new(0),
        }
    }
}

/// Whether the text of a turn may go, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The object is there.
    Holds,
    /// It is still to come.
    Waits,
    /// It was given up.
    Broken,
}

impl Audios {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn link(&self, id: RecordId) -> Link {
        match self.lock().held.get(&id) {
            None => Link::Holds,
            Some(held) if held.is_dead => Link::Broken,
            Some(_) => Link::Waits,
        }
    }

    /// Number and bytes of what waits, and of what was given up.
    pub(super) fn loads(&self) -> ((u64, u64), (u64, u64)) {
        let mut loads = ((0, 0), (0, 0));
        for held in self.lock().held.values() {
            let load = if held.is_dead {
                &mut loads.1
            } else {
                &mut loads.0
            };
            load.0 += 1;
            load.1 += held.bytes;
        }
        loads
    }

    pub(super) fn is_held(&self, id: RecordId) -> bool {
        self.lock().held.contains_key(&id)
    }

    pub(super) fn hold(&self, id: RecordId, n_bytes: u64, is_dead: bool) {
        let bytes = n_bytes.max(BYTES_MIN);
        self.lock().held.insert(id, Held { bytes, is_dead });
        self.changed.send_modify(|n| *n += 1);
    }

    pub(super) fn release(&self, id: RecordId) {
        self.lock().held.remove(&id);
        self.changed.send_modify(|n| *n += 1);
    }

    /// Whether there is room to keep another object that was given up.
    pub(super) fn has_room_for_dead(&self, app: &App, n_bytes: u64) -> bool {
        let (_, (n_dead, bytes)) = self.loads();
        let bytes = bytes.saturating_add(n_bytes.max(BYTES_MIN));
        let n_max = u64::try_from(DEAD_MAX).unwrap_or(u64::MAX);
        n_dead < n_max && bytes <= app.config().aws.queue_bytes / DEAD_SHARE
    }

    /// Puts an object at the end of its line; whether nobody works on the line.
    fn line_up(&self, line: &Line, id: RecordId) -> bool {
        let mut inner = self.lock();
        let is_new = !inner.lines.contains_key(line);
        inner.lines.entry(line.clone()).or_default().push_back(id);
        is_new
    }

    /// How the last objects of a line have failed, for who begins to work on it.
    pub(super) fn take_progress(&self, line: &Line) -> Progress {
        self.lock().progress.remove(line).unwrap_or_default()
    }

    /// The next of a line, which ends when there is none, and leaves behind how it has failed.
    pub(super) fn next(&self, line: &Line, progress: &mut Progress) -> Option<RecordId> {
        let mut inner = self.lock();
        let next = inner.lines.get(line).and_then(|ids| ids.front().copied());
        if next.is_none() {
            inner.lines.remove(line);
            let progress = std::mem::take(progress);
            if progress.has_failed() && inner.progress.len() < PROGRESS_MAX {
                inner.progress.insert(line.clone(), progress);
            }
        }
        next
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.lock().lines.is_empty()
    }

    /// Takes the first of a line off.
    pub(super) fn advance(&self, line: &Line) {
        if let Some(ids) = self.lock().lines.get_mut(line) {
            ids.pop_front();
        }
    }

    pub(super) fn begin_sending(&self, id: RecordId) {
        self.lock().sending.insert(id);
    }

    pub(super) fn end_sending(&self, id: RecordId) {
        self.lock().sending.remove(&id);
    }

    pub(super) fn is_sending(&self, id: RecordId) -> bool {
        self.lock().sending.contains(&id)
    }
}

pub(super) fn all(app: &App) -> Collection<'_, AudioDoc> {
    Collection::new(app, COLLECTION)
}

/// The keyed hash that stands for a customer.
pub(super) fn customer_hash(app: &App, instance: &InstanceId, customer: &str) -> String {
    hex(&keyed(app, &["customer", instance.as_str(), customer]))
}

/// Sends what waits under this id, in the line of its alias.
pub(super) fn send(app: &App, instance: &InstanceId, owner: &Owner, id: RecordId) {
    let line = (instance.clone(), owner.bot.clone(), owner.alias.clone());
    if app.deliveries().audio.line_up(&line, id) {
        let work = upload::run(app.clone(), line);
        app.jobs().spawn(work);
    }
}

/// Changes a document in one step, which `decide` does not see where it is gone; the state in which it
/// was found.
pub(super) async fn change(
    app: &App,
    document: &str,
    mut decide: impl FnMut(AudioDoc) -> Option<AudioDoc> + Send,
) -> Result<Option<State>, Fault> {
    let mut found = None;
    let changed = all(app).change(document, |doc: Option<AudioDoc>| {
        found = doc.as_ref().map(|doc| doc.state.clone());
        Ok(Change {
            doc: doc.and_then(&mut decide),
            events: Vec::new(),
        })
    });
    changed.await?;
    Ok(found)
}

/// Removes an object if it is in such a state still; that state.
pub(super) async fn remove_if(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
    is_such: impl Fn(&State) -> bool + Send + Sync,
) -> Result<Option<State>, Fault> {
    let document = scoped_id(instance, &id.to_string());
    let found = all(app).get(&document).await?;
    if !found.is_some_and(|found| is_such(&found.doc.state)) {
        return Ok(None);
    }
    let found = change(app, &document, |doc| (!is_such(&doc.state)).then_some(doc)).await?;
    let Some(state) = found.filter(&is_such) else {
        return Ok(None);
    };
    app.blobs().remove(id).await?;
    app.deliveries().audio.release(id);
    Ok(Some(state))
}

/// Removes an object that was erased; the erasure, which hears of it from whoever has removed it.
pub(super) async fn take_erased(
    app: &App,
    instance: &InstanceId,
    id: RecordId,
) -> Result<Option<String>, Fault> {
    let is_erased = |state: &State| matches!(state, State::Erased { .. });
    match remove_if(app, instance, id, is_erased).await? {
        Some(State::Erased { order }) => Ok(Some(order)),
        _ => Ok(None),
    }
}

/// Removes an object: first its document, so that a blob alone is known to be left over.
pub(super) async fn remove(app: &App, instance: &InstanceId, id: RecordId) -> Result<(), Fault> {
    let document = scoped_id(instance, &id.to_string());
    let gone = all(app).change(&document, |_| Ok(Change::gone()));
    gone.await?;
    app.blobs().remove(id).await?;
    app.deliveries().audio.release(id);
    Ok(())
}

/// The same where a failure can wait for the next start.
pub(super) async fn drop_quietly(app: &App, instance: &InstanceId, id: RecordId) {
    if let Err(fault) = remove(app, instance, id).await {
        let status = fault.status().as_u16();
        tracing::warn!(status, "audio that nobody needs is still to be removed");
    }
}

/// Instance and id of a document.
pub(super) fn parse_id(document: &str) -> Option<(InstanceId, RecordId)> {
    let (instance, id) = unscoped(document)?;
    Some((instance, id.parse().ok()?))
}
