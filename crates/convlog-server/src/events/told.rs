//! What was told of lately: guessing cannot fill the audit.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most subjects that are remembered.
const SUBJECTS_MAX: usize = 4096;
/// Time between two events about the same subject.
const PAUSE_US: u64 = 60_000_000;

/// When failures of a subject, such as a key, were last told of.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<BTreeMap<String, u64>>);

impl Told {
    /// Whether a failure is to be told of: once a minute and subject.
    pub(crate) fn should_tell(&self, subject: &str, now_us: u64) -> bool {
        let mut told_us = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |told: &u64| now_us < told.saturating_add(PAUSE_US);
        if told_us.get(subject).is_some_and(is_recent) {
            return false;
        }
        if told_us.len() >= SUBJECTS_MAX {
            told_us.pop_first();
        }
        told_us.insert(subject.to_owned(), now_us);
        true
    }
}
