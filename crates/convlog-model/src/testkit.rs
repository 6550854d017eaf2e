//! Helpers for the tests of every crate: a clock and ids that tests steer, records to begin with.

pub mod generate;

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::clock::{Clock, IdSource};
use crate::ids::InstanceId;
use crate::record::{Canonical, Dialect, Draft, Kind};
use crate::time::Timestamp;

/// A clock that moves only when a test moves it.
#[derive(Debug)]
pub struct TestClock {
    wall_us: AtomicI64,
    monotonic_us: AtomicU64,
}

impl TestClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        TestClock {
            wall_us: AtomicI64::new(now.micros()),
            monotonic_us: AtomicU64::new(0),
        }
    }

    /// Moves the wall clock by `micros`, also back; the monotonic clock only follows forward.
    pub fn step(&self, micros: i64) {
        self.wall_us.fetch_add(micros, Ordering::SeqCst);
        let forward = u64::try_from(micros).unwrap_or(0);
        self.monotonic_us.fetch_add(forward, Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an administrator or a time server would.
    pub fn set(&self, now: Timestamp) {
        self.wall_us.store(now.micros(), Ordering::SeqCst);
    }
}

/// 2026-03-02T09:00:00Z
impl Default for TestClock {
    fn default() -> Self {
        TestClock::at(Timestamp::from_millis(1_772_442_000_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.wall_us.load(Ordering::SeqCst))
    }

    fn monotonic_us(&self) -> u64 {
        self.monotonic_us.load(Ordering::SeqCst)
    }
}

/// Ids and keys that are the same in every run with the same seed (SplitMix64). No secrets.
#[derive(Debug)]
pub struct SeededIds {
    state: Mutex<u64>,
}

impl SeededIds {
    /// The source of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        SeededIds {
            state: Mutex::new(seed),
        }
    }
}

impl IdSource for SeededIds {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^= mixed >> 31;
            for (byte, random) in chunk.iter_mut().zip(mixed.to_le_bytes()) {
                *byte = random;
            }
        }
    }
}

/// The instance of that name.
///
/// # Panics
/// When the name is no legal id.
#[must_use]
pub fn instance(name: &str) -> InstanceId {
    match InstanceId::new(name) {
        Ok(instance) => instance,
        Err(_) => panic!("{name:?} is no instance id"),
    }
}

/// A turn of the instance `default` with this raw body and no canonical fields.
#[must_use]
pub fn draft(raw: &str) -> Draft {
    Draft {
        instance: InstanceId::default_instance(),
        kind: Kind::Turn,
        dialect: Dialect::Convlog,
        own_id: None,
        canonical: Canonical::new(),
        labels: std::collections::BTreeMap::new(),
        raw: raw.into(),
    }
}

/// A turn of the instance `default` in which a user says `text`.
#[must_use]
pub fn said(text: &str) -> Draft {
    let mut body = String::from("{\"text\":");
    crate::json::write_string(text, &mut body);
    body.push('}');
    let mut draft = draft(&body);
    draft.set_ref("input.text", &["text"]);
    draft.set_text("language", "en");
    draft
}
