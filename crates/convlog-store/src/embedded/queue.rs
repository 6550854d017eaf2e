//! What waits for the writer: bounded for appends, so that a slow disk is felt, never a memory.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use convlog_model::store::{ErrorKind, StoreError};

use super::error::stopped;

/// Most bytes that wait.
const BYTES_MAX: usize = 64 << 20;
/// Most appends that wait.
const ITEMS_MAX: usize = 8192;

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

/// A bounded queue with one taker.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    waiting: Mutex<Waiting<T>>,
    filled: Condvar,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        let waiting = Waiting {
            items: VecDeque::new(),
            bytes: 0,
            closed: false,
        };
        Queue {
            waiting: Mutex::new(waiting),
            filled: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what takes `bytes`; 0 is never refused for want of room.
    pub(crate) fn push(&self, item: T, bytes: usize) -> Result<(), StoreError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(stopped());
        }
        let is_full = waiting.bytes + bytes > BYTES_MAX || waiting.items.len() >= ITEMS_MAX;
        if bytes > 0 && is_full && !waiting.items.is_empty() {
            let busy = StoreError::new(ErrorKind::Busy, "too many writes wait already");
            return Err(busy.with_retry(250));
        }
        waiting.items.push_back((item, bytes));
        waiting.bytes += bytes;
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }

    /// Everything that waits, at most `bytes_max` but for the first; nothing after `patience`.
    /// `None` when the queue is closed and empty.
    pub(crate) fn take(&self, bytes_max: usize, patience: Duration) -> Option<Vec<T>> {
        let mut waiting = self.lock();
        if waiting.items.is_empty() && !waiting.closed {
            let patient = self
                .filled
                .wait_timeout_while(waiting, patience, |waiting| {
                    waiting.items.is_empty() && !waiting.closed
                });
            waiting = patient.unwrap_or_else(PoisonError::into_inner).0;
        }
        if waiting.items.is_empty() && waiting.closed {
            return None;
        }
        let mut taken = Vec::new();
        let mut taken_bytes = 0;
        while let Some((_, bytes)) = waiting.items.front() {
            if !taken.is_empty() && taken_bytes + bytes > bytes_max {
                break;
            }
            if let Some((item, bytes)) = waiting.items.pop_front() {
                taken_bytes += bytes;
                waiting.bytes -= bytes;
                taken.push(item);
            }
        }
        Some(taken)
    }

    /// Nothing more is taken in; what waits is still given out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Nothing more is taken in, and what waits is given up: nobody takes it any more.
    pub(crate) fn abandon(&self) {
        let given_up = {
            let mut waiting = self.lock();
            waiting.closed = true;
            waiting.bytes = 0;
            std::mem::take(&mut waiting.items)
        };
        drop(given_up);
        self.filled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_abandoned_takes_nothing_and_drops_what_waits() {
        let queue = Queue::new();
        let waits = std::sync::Arc::new(());
        queue.push(std::sync::Arc::clone(&waits), 1).unwrap();
        queue.abandon();
        assert_eq!(std::sync::Arc::strong_count(&waits), 1);
        assert!(queue.push(waits, 0).is_err());
        assert_eq!(queue.take(1, Duration::ZERO), None);
    }
}
