//! Waiting for appends on any executor: wakers in a list, no runtime of our own.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{MemoryStore, closed};
use crate::ids::Position;
use crate::store::StoreError;

/// Tasks that wait for the next append.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Sleepers {
    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.wakers.len()
    }

    /// All of them, to be woken once the lock is released.
    pub(super) fn take(&mut self) -> Waiting {
        Waiting(std::mem::take(&mut self.wakers))
    }
}

pub(super) struct Waiting(BTreeMap<u64, Waker>);

impl Waiting {
    pub(super) fn wake(self) {
        self.0.into_values().for_each(Waker::wake);
    }
}

/// One call of `watch`.
pub(super) struct Watching<'a> {
    store: &'a MemoryStore,
    after: Position,
    /// Its key among the sleepers.
    ticket: Option<u64>,
}

impl<'a> Watching<'a> {
    pub(super) fn new(store: &'a MemoryStore, after: Position) -> Self {
        Watching {
            store,
            after,
            ticket: None,
        }
    }
}

impl Future for Watching<'_> {
    type Output = Result<Position, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.store.lock();
        if state.is_closed {
            return Poll::Ready(Err(closed()));
        }
        if state.newest > self.after {
            return Poll::Ready(Ok(state.newest));
        }
        let ticket = self.ticket.unwrap_or_else(|| {
            state.sleepers.next += 1;
            state.sleepers.next
        });
        let waker = context.waker().clone();
        state.sleepers.wakers.insert(ticket, waker);
        drop(state);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

/// A call that is given up leaves nothing behind.
impl Drop for Watching<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.store.lock().sleepers.wakers.remove(&ticket);
        }
    }
}
