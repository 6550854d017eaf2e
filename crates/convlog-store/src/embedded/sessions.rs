//! Dialogue sessions: which are alive, and `sessions.keys`, where each has the key of its states.
//!
//! A state row can be read as long as the slot with its key stands; the slot is overwritten when
//! the session ends. docs/format.md has the bytes.

mod slots;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use convlog_model::clock::IdSource;
use convlog_model::ids::Position;
use convlog_model::seal::Sealer;
use convlog_model::store::{ErrorKind, StoreError};
use convlog_model::time::Timestamp;

pub(crate) use self::slots::{SESSIONS, Slot, Slots, check_header};
use super::row::{Hash16, SealedState, StateRow};
use super::view::split;

/// What the sealed bytes are for, bound into them.
const PURPOSE: &str = "state";
/// Most sessions alive at once.
const SESSIONS_MAX: usize = 1_000_000;

/// One session that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) slot: u32,
    pub(crate) key: Slot,
    /// Row of its newest state.
    pub(crate) at: Position,
    pub(crate) customers: Vec<[u8; 32]>,
    pub(crate) expires_at: Timestamp,
}

#[derive(Debug, Default)]
struct Alive {
    by_hash: BTreeMap<Hash16, Session>,
    by_end: BTreeSet<(Timestamp, Hash16)>,
}

/// The sessions of a data directory.
#[derive(Debug)]
pub(crate) struct Sessions {
    slots: Mutex<Slots>,
    alive: Mutex<Alive>,
    ids: Arc<dyn IdSource>,
}

/// A key taken for a state that is about to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) slot: u32,
    pub(crate) key: Slot,
    /// Whether the slot was taken for this state.
    pub(crate) is_new: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    pub(crate) fn new(slots: Slots, ids: Arc<dyn IdSource>) -> Self {
        Sessions {
            slots: Mutex::new(slots),
            alive: Mutex::default(),
            ids,
        }
    }

    /// The session with this hash, unless it has ended.
    pub(crate) fn get(&self, hash: &Hash16, now: Timestamp) -> Option<Session> {
        let found = lock(&self.alive).by_hash.get(hash).cloned();
        found.filter(|session| now <= session.expires_at)
    }

    /// The key for the next state of a session: its own, or one in a slot taken for it.
    /// [`Sessions::sync`] must follow before the state is written.
    pub(crate) fn take(&self, hash: &Hash16, now: Timestamp) -> Result<Taken, StoreError> {
        if let Some(session) = self.get(hash, now) {
            return Ok(Taken {
                slot: session.slot,
                key: session.key,
                is_new: false,
            });
        }
        if lock(&self.alive).by_hash.len() >= SESSIONS_MAX {
            let busy = StoreError::new(ErrorKind::Busy, "too many dialogue sessions are alive");
            return Err(busy.with_retry(60_000));
        }
        let mut key = Slot {
            number: 0,
            session_hash: *hash,
            key: [0; 32],
        };
        let mut number = [0; 8];
        self.ids.fill(&mut number);
        self.ids.fill(&mut key.key);
        key.number = u64::from_le_bytes(number);
        let slot = lock(&self.slots).take(&key)?;
        Ok(Taken {
            slot,
            key,
            is_new: true,
        })
    }

    /// Makes slots that were taken or freed durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        lock(&self.slots).sync()
    }

    /// Gives slots back that no state was written for.
    pub(crate) fn give_back(&self, slots: &[u32]) -> io::Result<()> {
        lock(&self.slots).wipe(slots)
    }

    /// The row of a state.
    pub(crate) fn seal(&self, taken: &Taken, state: &SealedState) -> StateRow {
        let sealer = Sealer::new(taken.key.key);
        StateRow {
            session_hash: taken.key.session_hash,
            slot: taken.slot,
            number: taken.key.number,
            sealed: sealer.seal(self.ids.as_ref(), PURPOSE, &state.encode()),
        }
    }

    /// The state of a row; `None` when the session it belonged to has ended.
    pub(crate) fn open(key: &Slot, row: &StateRow) -> Option<SealedState> {
        if key.number != row.number || key.session_hash != row.session_hash {
            return None;
        }
        let plain = Sealer::new(key.key).open(PURPOSE, &row.sealed).ok()?;
        SealedState::decode(&plain).ok()
    }

    /// Notes the newest state of a session, durable now. Returns a slot that it no longer uses.
    pub(crate) fn put(&self, session: Session) -> Option<u32> {
        let mut alive = lock(&self.alive);
        let hash = session.key.session_hash;
        let slot = session.slot;
        alive.by_end.insert((session.expires_at, hash));
        let old = alive.by_hash.insert(hash, session.clone())?;
        if old.expires_at != session.expires_at {
            alive.by_end.remove(&(old.expires_at, hash));
        }
        (old.slot != slot).then_some(old.slot)
    }

    /// Ends sessions and overwrites their slots; durable on return.
    fn end(&self, hashes: &[Hash16]) -> io::Result<()> {
        let mut gone = Vec::new();
        {
            let mut alive = lock(&self.alive);
            for hash in hashes {
                if let Some(session) = alive.by_hash.remove(hash) {
                    alive.by_end.remove(&(session.expires_at, *hash));
                    gone.push(session.slot);
                }
            }
        }
        self.give_back(&gone)
    }

    /// Ends one session.
    pub(crate) fn drop_one(&self, hash: &Hash16) -> io::Result<()> {
        self.end(&[*hash])
    }

    /// Ends every session of a customer.
    pub(crate) fn drop_customer(&self, customer: &[u8; 32]) -> io::Result<()> {
        let hashes: Vec<Hash16> = {
            let alive = lock(&self.alive);
            let mine = alive
                .by_hash
                .iter()
                .filter(|(_, session)| session.customers.contains(customer));
            mine.map(|(hash, _)| *hash).collect()
        };
        self.end(&hashes)
    }

    /// Ends every session whose time is over.
    pub(crate) fn drop_expired(&self, now: Timestamp) -> io::Result<()> {
        let hashes: Vec<Hash16> = {
            let alive = lock(&self.alive);
            let over = alive.by_end.iter().take_while(|(end, _)| *end < now);
            over.map(|(_, hash)| *hash).collect()
        };
        if hashes.is_empty() {
            return Ok(());
        }
        self.end(&hashes)
    }

    /// Whether the newest state of a living session is a row of this chunk.
    pub(crate) fn is_in(&self, chunk: u64, now: Timestamp) -> bool {
        let alive = lock(&self.alive);
        let mut sessions = alive.by_hash.values();
        sessions.any(|session| split(session.at).0 == chunk && now <= session.expires_at)
    }

    /// Keys that stand in slots, by slot.
    pub(crate) fn keys(&self) -> BTreeMap<u32, Slot> {
        lock(&self.slots).keys().clone()
    }

    /// Overwrites every slot but those of living sessions: a crash may leave some.
    pub(crate) fn wipe_orphans(&self) -> io::Result<()> {
        let used: BTreeSet<u32> = lock(&self.alive).by_hash.values().map(|s| s.slot).collect();
        let mut slots = lock(&self.slots);
        let orphans: Vec<u32> = slots
            .keys()
            .keys()
            .filter(|slot| !used.contains(slot))
            .copied()
            .collect();
        slots.wipe(&orphans)
    }
}
