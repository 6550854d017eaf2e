//! Documents of the control plane with a type: read, put if unchanged, delete, list. Audit events
//! that a change brings ride on the document, written by the same put, and are taken off once they
//! are records; so no change is without its event, whenever the process ends.

mod change;

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use convlog_model::control::{Document, Expect};
use convlog_model::json::Json as Tree;
use convlog_model::store::ErrorKind;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use self::change::Change;
use crate::app::App;
use crate::error::Fault;
use crate::events::OwnEvent;

/// Puts that lose against others before a change gives up.
const ATTEMPTS_MAX: usize = 16;
/// Documents of one step of a list.
const LIST_STEP: usize = 1000;
/// Most documents of a list.
const LIST_MAX: usize = 100_000;

/// A document with its version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entity<T> {
    /// Name within its collection.
    pub id: String,
    /// Grows with every change.
    pub version: u64,
    /// The document.
    pub doc: T,
}

/// What stands in the control plane.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<T> {
    /// `None` once it is deleted and its last events are still to be written.
    doc: Option<T>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pending: Vec<OwnEvent>,
}

/// Documents whose events are not records yet.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<BTreeSet<(String, String)>>);

impl Pending {
    fn add(&self, collection: &str, id: &str) {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert((collection.to_owned(), id.to_owned()));
    }

    fn remove(&self, collection: &str, id: &str) {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        set.remove(&(collection.to_owned(), id.to_owned()));
    }

    pub(crate) fn all(&self) -> Vec<(String, String)> {
        let set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        set.iter().cloned().collect()
    }
}

/// Every collection whose documents may wait for something: to have their events written, or to be
/// taken away once they are deleted.
pub(crate) const COLLECTIONS: &[&str] = &[
    "instances",
    "keys",
    "bots",
    "settings",
    "hooks",
    "definitions",
    "idempotency",
    "erasures",
    "server",
    "redaction",
    "bot_redaction",
    "lex",
    "lex_versions",
    "lex_imports",
    "lex_unheard",
    "log_groups",
    "log_groups_missed",
    "log_streams",
    "log_subscriptions",
    "deliveries",
    "dead_letters",
    "audio",
    "audio_copies",
];

/// Collections whose documents neither carry events nor are deleted; a start does not walk them.
const LASTING: &[&str] = &["seen"];

/// A collection whose documents are of one type.
#[derive(Debug)]
pub(crate) struct Collection<'a, T> {
    app: &'a App,
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<'a, T: Serialize + DeserializeOwned + Send + Sync> Collection<'a, T> {
    /// The collection of that name.
    #[must_use]
    pub(crate) fn new(app: &'a App, name: &'static str) -> Self {
        let is_listed = COLLECTIONS.contains(&name) || LASTING.contains(&name);
        debug_assert!(is_listed, "the collection {name} is in no list");
        Collection {
            app,
            name,
            of: PhantomData,
        }
    }

    /// The document, `None` when there is none.
    ///
    /// # Errors
    /// What the control plane answers; 500 for a document that cannot be read.
    pub(crate) async fn get(&self, id: &str) -> Result<Option<Entity<T>>, Fault> {
        match self.app.control().get(self.name, id).await? {
            Some(document) => self.entity(document),
            None => Ok(None),
        }
    }

    /// Every document whose id starts with `prefix`, in order of id.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<Entity<T>>, Fault> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let control = self.app.control();
            let step = control.list(self.name, prefix, &after, LIST_STEP).await?;
            let is_last = step.len() < LIST_STEP;
            if let Some(last) = step.last() {
                after.clone_from(&last.id);
            }
            for document in step {
                found.extend(self.entity(document)?);
            }
            if is_last || found.len() >= LIST_MAX {
                return Ok(found);
            }
        }
    }

    /// A step of the list behind the id `after`, and the id behind which the next step begins.
    ///
    /// # Errors
    /// As [`Collection::get`].
    pub(crate) async fn step(
        &self,
        prefix: &str,
        after: &str,
    ) -> Result<(Vec<Entity<T>>, Option<String>), Fault> {
        let control = self.app.control();
        let step = control.list(self.name, prefix, after, LIST_STEP).await?;
        let last = step.last().map(|document| document.id.clone());
        let next = last.filter(|_| step.len() >= LIST_STEP);
        let mut found = Vec::new();
        for document in step {
            found.extend(self.entity(document)?);
        }
        Ok((found, next))
    }

    /// Changes one document: `decide` sees the present one and says what it becomes. It is asked
    /// again when somebody else was faster. A document that stays as it is is not written, so that
    /// many who want the same of one do not get into each other's way. Returns the new document,
    /// `None` once deleted; the events are records when this returns, or will be (see
    /// [`crate::jobs`]).
    ///
    /// # Errors
    /// What `decide` answers; 409 when it loses again and again; what the control plane answers.
    pub(crate) fn change<F>(
        &self,
        id: &str,
        decide: F,
    ) -> impl Future<Output = Result<Option<Entity<T>>, Fault>> + Send + use<'a, T, F>
    where
        F: FnMut(Option<T>) -> Result<Change<T>, Fault> + Send,
    {
        // The future keeps what it needs, so that callers may hand over temporary values.
        let this = Collection::<T>::new(self.app, self.name);
        let id = id.to_owned();
        async move { this.change_now(&id, decide).await }
    }

    async fn change_now(
        &self,
        id: &str,
        mut decide: impl FnMut(Option<T>) -> Result<Change<T>, Fault> + Send,
    ) -> Result<Option<Entity<T>>, Fault> {
        for _ in 0..ATTEMPTS_MAX {
            let found = self.app.control().get(self.name, id).await?;
            let expect = match &found {
                Some(document) => Expect::Version(document.version),
                None => Expect::Absent,
            };
            let mut stored = match &found {
                Some(document) => self.parse(document)?,
                None => Stored {
                    doc: None,
                    pending: Vec::new(),
                },
            };
            let change = decide(stored.doc.take())?;
            if change.doc.is_none() && found.is_none() {
                return Ok(None);
            }
            stored.doc = change.doc;
            stored.pending.extend(change.events);
            let body = body_of(&stored)?;
            let unchanged = found.filter(|document| document.body == body);
            let version = match unchanged {
                Some(document) => Some(document.version),
                None => self.try_put(id, &body, expect).await?,
            };
            if let Some(version) = version {
                return self.finish(id, version, stored).await;
            }
        }
        Err(Fault::conflict("somebody else changed it at the same time"))
    }

    /// Writes the events of a document that are not records yet, and takes them off.
    ///
    /// # Errors
    /// What the store and the control plane answer; the events stay then.
    pub(crate) async fn flush(&self, id: &str) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(document) = self.app.control().get(self.name, id).await? else {
                self.app.pending().remove(self.name, id);
                return Ok(());
            };
            let mut stored = self.parse(&document)?;
            self.app.ingest().own(&stored.pending).await?;
            stored.pending.clear();
            let version = document.version;
            let is_done = match stored.doc {
                Some(_) => {
                    let body = body_of(&stored)?;
                    let put = self.try_put(id, &body, Expect::Version(version)).await?;
                    put.is_some()
                }
                None => self.try_delete(id, version).await?,
            };
            if is_done {
                self.app.pending().remove(self.name, id);
                return Ok(());
            }
        }
        Err(Fault::conflict("somebody else changed it at the same time"))
    }

    /// Notes every document that still carries events, as a start has to.
    ///
    /// # Errors
    /// What the control plane answers.
    pub(crate) async fn note_pending(&self) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let control = self.app.control();
            let step = control.list(self.name, "", &after, LIST_STEP).await?;
            for document in &step {
                let stored = self.parse(document)?;
                if !stored.pending.is_empty() || stored.doc.is_none() {
                    self.app.pending().add(self.name, &document.id);
                }
            }
            match step.last() {
                Some(last) if step.len() == LIST_STEP => after.clone_from(&last.id),
                _ => return Ok(()),
            }
        }
    }

    /// After the put: events become records. When that fails they stay on the document.
    async fn finish(
        &self,
        id: &str,
        version: u64,
        stored: Stored<T>,
    ) -> Result<Option<Entity<T>>, Fault> {
        if !stored.pending.is_empty() || stored.doc.is_none() {
            let is_looked_at = COLLECTIONS.contains(&self.name);
            debug_assert!(is_looked_at, "documents of {} may wait", self.name);
            self.app.pending().add(self.name, id);
            if let Err(fault) = self.flush(id).await {
                tracing::warn!(
                    collection = self.name,
                    status = fault.status().as_u16(),
                    "audit events wait"
                );
            }
        }
        Ok(stored.doc.map(|doc| Entity {
            id: id.to_owned(),
            version,
            doc,
        }))
    }

    async fn try_put(&self, id: &str, body: &[u8], expect: Expect) -> Result<Option<u64>, Fault> {
        match self.app.control().put(self.name, id, body, expect).await {
            Ok(version) => Ok(Some(version)),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn try_delete(&self, id: &str, version: u64) -> Result<bool, Fault> {
        match self.app.control().delete(self.name, id, version).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn parse(&self, document: &Document) -> Result<Stored<T>, Fault> {
        serde_json::from_slice(&document.body).map_err(|error| {
            let position = format!("line {} column {}", error.line(), error.column());
            Fault::internal(format!("a document of {} at {position}", self.name))
        })
    }

    fn entity(&self, document: Document) -> Result<Option<Entity<T>>, Fault> {
        let stored = self.parse(&document)?;
        Ok(stored.doc.map(|doc| Entity {
            id: document.id,
            version: document.version,
            doc,
        }))
    }
}

fn body_of<T: Serialize>(stored: &Stored<T>) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(stored)
        .map_err(|error| Fault::internal(format!("a document cannot be written: {error}")))
}

/// A collection whose documents are taken as they are.
pub(crate) fn untyped<'a>(app: &'a App, name: &'static str) -> Collection<'a, Tree> {
    Collection::new(app, name)
}

/// Writes every event that waits on a document.
pub(crate) async fn flush_all(app: &App) {
    for (collection, id) in app.pending().all() {
        let known = COLLECTIONS.iter().find(|name| **name == collection);
        let Some(name) = known else { continue };
        if let Err(fault) = untyped(app, name).flush(&id).await {
            let status = fault.status().as_u16();
            tracing::warn!(collection, status, "audit events still wait");
        }
    }
}

#[cfg(test)]
mod tests;
