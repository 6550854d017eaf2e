//! Queries that run or have run: bounded in number and in time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use convlog_dialects::cloudwatch::insights::Results;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use tokio::sync::Semaphore;

use crate::aws::AwsError;
use crate::cloudwatch::asked::{Asked as Request, limit, missing};

/// Most queries that are remembered of an instance.
const QUERIES_MAX: usize = 64;
/// How long they are.
const KEPT_US: i64 = 15 * 60 * 1_000_000;
/// Queries that run at once, over all instances.
const AT_ONCE: usize = 4;

/// What was asked, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) instance: InstanceId,
    /// The bots that the key is limited to.
    pub(super) bots: Option<BTreeSet<String>>,
    pub(super) groups: Vec<String>,
    pub(super) text: String,
    pub(super) created_us: i64,
}

/// How far a query has come.
#[derive(Debug)]
pub(super) enum State {
    /// It waits for its turn.
    Scheduled,
    /// It has looked at so many events, of so many bytes.
    Running(u64, u64),
    Complete(Results),
    Failed,
    Cancelled,
    Timeout,
}

impl State {
    pub(super) fn name(&self) -> &'static str {
        match self {
            State::Scheduled => "Scheduled",
            State::Running(..) => "Running",
            State::Complete(_) => "Complete",
            State::Failed => "Failed",
            State::Cancelled => "Cancelled",
            State::Timeout => "Timeout",
        }
    }

    fn has_ended(&self) -> bool {
        !matches!(self, State::Scheduled | State::Running(..))
    }

    pub(super) fn statistics(&self) -> Json {
        let (matched, scanned, bytes) = match self {
            State::Complete(results) => (
                results.records_matched,
                results.records_scanned,
                results.bytes_scanned,
            ),
            State::Running(scanned, bytes) => (0, *scanned, *bytes),
            _ => (0, 0, 0),
        };
        let number = |n: u64| Json::Number(format!("{n}.0").into());
        Json::object([
            ("recordsMatched", number(matched)),
            ("recordsScanned", number(scanned)),
            ("bytesScanned", number(bytes)),
        ])
    }
}

/// A query.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) asked: Asked,
    state: Mutex<State>,
}

impl Entry {
    /// Looks at its state.
    pub(super) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on to a state; `false` once it has ended.
    pub(super) fn become_state(&self, new: State) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = !state.has_ended();
        if goes_on {
            *state = new;
        }
        goes_on
    }

    /// Stops it; `false` once it has ended.
    pub(super) fn cancel(&self) -> bool {
        self.become_state(State::Cancelled)
    }

    fn is_seen_by(&self, request: &Request) -> bool {
        let caller = &request.caller;
        self.asked.instance == caller.instance && self.asked.bots == caller.bots
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Queries {
    entries: Mutex<BTreeMap<String, Arc<Entry>>>,
    turns: Arc<Semaphore>,
}

impl Default for Queries {
    fn default() -> Self {
        Queries {
            entries: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Queries {
    /// Remembers a new query, and forgets old ones for it.
    ///
    /// # Errors
    /// When as many as are remembered all run.
    pub(super) fn add(&self, asked: Asked) -> Result<Arc<Entry>, AwsError> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = asked.created_us;
        let has_ended = |entry: &Entry| entry.with(State::has_ended);
        entries.retain(|_, entry| {
            !has_ended(entry) || now_us.saturating_sub(entry.asked.created_us) < KEPT_US
        });
        let of_instance = entries
            .values()
            .filter(|e| e.asked.instance == asked.instance);
        let of_instance: Vec<&Arc<Entry>> = of_instance.collect();
        if of_instance.len() >= QUERIES_MAX {
            let oldest = of_instance.iter().find(|entry| has_ended(entry));
            let Some(oldest) = oldest.map(|entry| entry.asked.id.clone()) else {
                return Err(limit("Too many queries run at once."));
            };
            entries.remove(&oldest);
        }
        let entry = Arc::new(Entry {
            state: Mutex::new(State::Scheduled),
            asked,
        });
        entries.insert(entry.asked.id.clone(), Arc::clone(&entry));
        Ok(entry)
    }

    /// The query that a request names.
    ///
    /// # Errors
    /// When the caller has none of that id.
    pub(super) fn get(&self, request: &Request) -> Result<Arc<Entry>, AwsError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.get(request.required("queryId"));
        let found = found.filter(|entry| entry.is_seen_by(request));
        found.cloned().ok_or_else(|| missing("query"))
    }

    /// The caller's queries, newest first.
    pub(super) fn all(&self, request: &Request) -> Vec<Arc<Entry>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let own = entries.values().filter(|entry| entry.is_seen_by(request));
        own.rev().cloned().collect()
    }

    /// The turns of those that run.
    pub(super) fn turns(&self) -> &Arc<Semaphore> {
        &self.turns
    }
}
