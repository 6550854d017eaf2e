//! Dialogue sessions: what a conversation carries from one turn to the next.
//!
//! The state lives in the store, written by the same append as the turn, so that a restart goes
//! on where the last answer left off and an erasure ends the session. Here are only the locks
//! that put the turns of one session in a row, while turns are under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convlog_dialects::watson::message::Session as Dialogue;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::store::StateWrite;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::bots::Bot;
use crate::error::Fault;

/// Most customers that one session may name.
pub(crate) const CUSTOMERS_MAX: usize = 32;

/// What is kept of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Its id.
    pub id: String,
    /// The bot that it talks to.
    pub bot: String,
    /// The environment it was opened in; `None` when it was opened at the assistant.
    pub environment: Option<String>,
    /// When it was opened, in microseconds.
    pub started_us: i64,
    /// Seconds without a message after which it ends.
    pub timeout_s: u32,
    /// Turns so far.
    pub turns: u64,
    /// The customers that it has named, at most [`CUSTOMERS_MAX`]. Each may have left traces in
    /// the context.
    pub customers: Vec<String>,
    /// The context after the last turn.
    pub context: Json,
    /// The session at the upstream server that this one stands for.
    pub upstream: Option<String>,
}

impl Session {
    /// A session with a bot that begins now.
    #[must_use]
    pub(crate) fn new(app: &App, id: String, bot: &Bot) -> Self {
        let configured = app.config().sessions.timeout.as_secs();
        let configured = u32::try_from(configured).unwrap_or(u32::MAX);
        Session {
            id,
            bot: bot.id.clone(),
            environment: None,
            started_us: app.now().micros(),
            timeout_s: bot.session_timeout_s.unwrap_or(configured),
            turns: 0,
            customers: Vec::new(),
            context: Json::object([]),
            upstream: None,
        }
    }

    /// The session as the dialect goes on with it.
    #[must_use]
    pub(crate) fn dialogue(&self) -> Dialogue {
        Dialogue {
            id: self.id.clone(),
            started: Timestamp::from_micros(self.started_us),
            turn_count: self.turns,
            context: self.context.clone(),
        }
    }

    /// Whether no further customer can be remembered.
    #[must_use]
    pub(crate) fn is_full_of_customers(&self) -> bool {
        self.customers.len() >= CUSTOMERS_MAX
    }

    /// Whether the customer of one more turn is or can be remembered.
    #[must_use]
    pub(crate) fn can_name(&self, customer: &str) -> bool {
        !self.is_full_of_customers() || self.customers.iter().any(|known| known == customer)
    }

    /// Remembers the customer of a turn.
    pub(crate) fn name(&mut self, customer: &str) {
        if !self.customers.iter().any(|known| known == customer) {
            self.customers.push(customer.to_owned());
        }
    }

    /// Takes over what a turn made of the dialogue.
    pub(crate) fn advance(&mut self, dialogue: Dialogue) {
        self.turns = dialogue.turn_count;
        self.context = dialogue.context;
    }

    /// The state to be written with a turn that ends at `now`.
    #[must_use]
    pub(crate) fn to_write(&self, instance: &InstanceId, now: Timestamp) -> StateWrite {
        StateWrite {
            instance: instance.clone(),
            session: self.id.clone(),
            // A struct of texts, numbers and JSON always serialises.
            state: serde_json::to_vec(self).unwrap_or_default(),
            customers: self.customers.clone(),
            expires_at: now.plus_micros(i64::from(self.timeout_s) * 1_000_000),
        }
    }

    /// The session of a stored state; `None` when it has expired at `now` or is not readable.
    #[must_use]
    pub(crate) fn from_write(write: &StateWrite, now: Timestamp) -> Option<Self> {
        if write.expires_at < now {
            return None;
        }
        serde_json::from_slice(&write.state).ok()
    }
}

/// Forgets a session.
///
/// # Errors
/// The store's.
pub(crate) async fn end(app: &App, instance: &InstanceId, id: &str) -> Result<(), Fault> {
    app.store().drop_state(instance, id).await?;
    app.sessions().has_ended(instance, id);
    Ok(())
}

type Key = (InstanceId, String);
type Gate = Arc<tokio::sync::Mutex<()>>;

/// Erasures that are remembered for the turns that were under way meanwhile.
const ERASURES_MAX: usize = 1024;

/// What this process knows of the sessions that are in use at this moment.
#[derive(Clone, Debug)]
pub(crate) struct Sessions {
    shared: Arc<Mutex<Shared>>,
    at_once: usize,
}

#[derive(Debug, Default)]
struct Shared {
    /// The sessions that this process has seen alive, and when they end.
    ends: BTreeMap<Key, Timestamp>,
    by_end: BTreeSet<(Timestamp, Key)>,
    gates: BTreeMap<Key, Gate>,
    erasures: VecDeque<(InstanceId, String)>,
    erasures_before: u64,
}

impl Shared {
    fn n_erasures(&self) -> u64 {
        self.erasures_before + self.erasures.len() as u64
    }
}

impl Sessions {
    /// At most `at_once` of them.
    #[must_use]
    pub(crate) fn new(at_once: usize) -> Self {
        Sessions {
            shared: Arc::default(),
            at_once,
        }
    }

    /// Refuses one more session at `now` when there is no room for it.
    ///
    /// # Errors
    /// 503, to be tried again.
    pub(crate) fn require_room(&self, now: Timestamp) -> Result<(), Fault> {
        match self.has_room(now) {
            true => Ok(()),
            false => Err(Fault::Unavailable {
                message: "too many dialogue sessions are alive".to_owned(),
                retry_after_s: Some(60),
            }),
        }
    }

    fn has_room(&self, now: Timestamp) -> bool {
        let mut shared = self.lock();
        while let Some((end, _)) = shared.by_end.first()
            && *end < now
        {
            if let Some((_, key)) = shared.by_end.pop_first() {
                shared.ends.remove(&key);
            }
        }
        shared.ends.len() < self.at_once
    }

    /// Notes when a session ends, unless it goes on.
    pub(crate) fn lives_until(&self, write: &StateWrite) {
        let key = (write.instance.clone(), write.session.clone());
        let mut shared = self.lock();
        if let Some(before) = shared.ends.insert(key.clone(), write.expires_at) {
            shared.by_end.remove(&(before, key.clone()));
        }
        shared.by_end.insert((write.expires_at, key));
    }

    /// Notes that a session has ended.
    pub(crate) fn has_ended(&self, instance: &InstanceId, session: &str) {
        let key = (instance.clone(), session.to_owned());
        let mut shared = self.lock();
        if let Some(end) = shared.ends.remove(&key) {
            shared.by_end.remove(&(end, key));
        }
    }

    /// Waits until no other message of the session is under way, and keeps others out until the
    /// turn is dropped. The table is as large as the number of requests under way, which the
    /// limit on concurrency bounds.
    pub(crate) async fn turn(&self, instance: &InstanceId, session: &str) -> Turn {
        let key = (instance.clone(), session.to_owned());
        let gate = self.lock().gates.entry(key.clone()).or_default().clone();
        // Made before the wait, so that a caller who gives up waiting is forgotten too.
        let mut turn = Turn {
            sessions: self.clone(),
            key,
            gate: gate.clone(),
            held: None,
            n_erasures: 0,
        };
        turn.held = Some(gate.lock_owned().await);
        turn.n_erasures = self.lock().n_erasures();
        turn
    }

    /// To be called before the store is asked to erase a customer: a turn that is under way would
    /// otherwise write the session's state anew behind the erasure.
    pub(crate) fn note_erasure(&self, instance: &InstanceId, customer: &str) {
        let mut shared = self.lock();
        if shared.erasures.len() == ERASURES_MAX {
            shared.erasures.pop_front();
            shared.erasures_before += 1;
        }
        let erased = (instance.clone(), customer.to_owned());
        shared.erasures.push_back(erased);
    }

    /// Number of sessions in use.
    #[cfg(test)]
    pub(crate) fn in_use(&self) -> usize {
        self.lock().gates.len()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to be the one message of a session that is under way.
#[derive(Debug)]
pub(crate) struct Turn {
    sessions: Sessions,
    key: Key,
    gate: Gate,
    held: Option<tokio::sync::OwnedMutexGuard<()>>,
    n_erasures: u64,
}

impl Turn {
    /// Whether an erasure of the customer was asked for since the turn began. To be asked after
    /// the state was written: then it is either gone by the erasure, or has to be dropped.
    #[must_use]
    pub(crate) fn was_erased(&self, customer: &str) -> bool {
        let shared = self.sessions.lock();
        let Some(seen) = self.n_erasures.checked_sub(shared.erasures_before) else {
            return true;
        };
        let seen = usize::try_from(seen).unwrap_or(usize::MAX);
        let mut since = shared.erasures.iter().skip(seen);
        since.any(|(instance, erased)| *instance == self.key.0 && erased == customer)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.held = None;
        let mut shared = self.sessions.lock();
        // The table's, this turn's: nobody else waits.
        if Arc::strong_count(&self.gate) <= 2 {
            shared.gates.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
