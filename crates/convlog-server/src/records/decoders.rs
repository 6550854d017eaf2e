//! Threads that take the lines of bulk requests apart: apart from those that answer, and behind them
//! where both want the same core.

use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking};

/// Levels of niceness that they step back by.
const NICENESS: i32 = 5;

/// The threads; none are started before there is work.
#[derive(Debug)]
pub(crate) struct Decoders(Option<Runtime>);

impl Default for Decoders {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = Builder::new_current_thread()
            .max_blocking_threads(cores)
            .thread_name("convlog-decode")
            .on_thread_start(step_back)
            .build();
        if let Err(error) = &threads {
            tracing::warn!(%error, "bulk requests are taken apart on the common threads");
        }
        Decoders(threads.ok())
    }
}

impl Decoders {
    /// Does it on one of the threads.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.0 {
            Some(threads) => threads.spawn_blocking(work),
            None => spawn_blocking(work),
        }
    }
}

impl Drop for Decoders {
    fn drop(&mut self) {
        // Whoever drops the last handle of the server may be one of its own threads.
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// Lets whoever waits for the core of the calling thread go first: without, it waits for the next
/// tick of the clock, whatever the priorities. Once a millisecond is enough: the thread gives up all
/// of its slice.
pub(crate) fn give_way() {
    std::thread::yield_now();
}

fn step_back() {
    // Where that is not allowed, all threads are equal.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "a thread could not step back");
    }
}
