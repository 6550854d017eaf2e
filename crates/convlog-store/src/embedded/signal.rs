//! How a thread in the background is woken, waited for and ended.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::stopped;
use super::writer::{Reply, answer};

#[derive(Debug, Default)]
struct Waiting {
    is_wanted: bool,
    is_closed: bool,
    settling: Vec<Reply<()>>,
}

/// How the other threads talk to one that works in the background.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Signal {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be something to do.
    pub(crate) fn want(&self) {
        self.lock().is_wanted = true;
        self.changed.notify_all();
    }

    /// Answers when everything that is to be done now is done, or has failed.
    pub(crate) fn settle(&self, reply: Reply<()>) {
        let mut waiting = self.lock();
        if waiting.is_closed {
            drop(waiting);
            return answer(reply, Err(stopped()));
        }
        waiting.settling.push(reply);
        self.changed.notify_all();
    }

    /// Nothing more is begun; work under way ends at its next step.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// Who waits for the work that begins now; `None` when the thread should end.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Option<Vec<Reply<()>>> {
        let is_idle = |waiting: &mut Waiting| {
            !waiting.is_wanted && waiting.settling.is_empty() && !waiting.is_closed
        };
        let waiting = self.lock();
        let mut waiting = match patience {
            None => self.changed.wait_while(waiting, is_idle),
            Some(patience) => match self.changed.wait_timeout_while(waiting, patience, is_idle) {
                Ok((waiting, _)) => Ok(waiting),
                Err(poisoned) => Ok(poisoned.into_inner().0),
            },
        }
        .unwrap_or_else(PoisonError::into_inner);
        waiting.is_wanted = false;
        let settling = std::mem::take(&mut waiting.settling);
        if waiting.is_closed {
            drop(waiting);
            settling
                .into_iter()
                .for_each(|reply| answer(reply, Err(stopped())));
            return None;
        }
        Some(settling)
    }

    /// Waits; returns whether the thread should go on.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let is_open = |waiting: &mut Waiting| !waiting.is_closed;
        let waited = self.changed.wait_timeout_while(self.lock(), time, is_open);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_closed
    }

    /// Whether the thread should end.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }
}
