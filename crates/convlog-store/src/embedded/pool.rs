//! Threads for reads and for the work before a write, apart from those of the server.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use convlog_model::store::{ErrorKind, StoreError};
use tokio::sync::oneshot;

use super::error::stopped;

type Job = Box<dyn FnOnce() + Send>;

/// Jobs that may wait for a thread.
const WAITING_MAX: usize = 1024;

/// A fixed number of threads and a bounded queue before them.
#[derive(Debug)]
pub(crate) struct Pool {
    jobs: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Pool {
    /// `step_back` lets other threads go first where these want the same core.
    pub(crate) fn new(name: &str, threads: usize, step_back: bool) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job>(WAITING_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut handles = Vec::with_capacity(threads);
        for i in 0..threads {
            let receiver = Arc::clone(&receiver);
            let builder = std::thread::Builder::new().name(format!("{name}-{i}"));
            handles.push(builder.spawn(move || {
                if step_back {
                    step_back_a_little();
                }
                work(&receiver);
            })?);
        }
        Ok(Pool {
            jobs: Mutex::new(Some(sender)),
            threads: Mutex::new(handles),
        })
    }

    /// Runs a job on one of the threads.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        // Whoever asked may have gone; then the job's result is of no use.
        let job: Job = Box::new(move || drop(reply.send(job())));
        self.send(job)?;
        answer.await.map_err(|_| stopped())?
    }

    fn send(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => {
                let busy = StoreError::new(ErrorKind::Busy, "too many requests wait already");
                Err(busy.with_retry(250))
            }
            Some(Err(TrySendError::Disconnected(_))) | None => Err(stopped()),
        }
    }

    /// Finishes what waits and ends the threads.
    pub(crate) fn close(&self) {
        let jobs = self
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(jobs);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store ended by a panic");
            }
        }
    }
}

/// Levels of niceness that work behind the scenes steps back by.
const NICENESS: i32 = 5;

/// Lets other threads go first where the calling one wants the same core: whoever reads waits for an
/// answer, and is done in a moment.
pub(crate) fn step_back_a_little() {
    // Where that is not allowed, all threads are equal.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "a thread could not step back");
    }
}

fn work(receiver: &Mutex<Receiver<Job>>) {
    loop {
        let job = {
            let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv()
        };
        let Ok(job) = job else { return };
        // A bug in one request must not take the thread from all others.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        if outcome.is_err() {
            tracing::error!("a request to the store panicked");
        }
    }
}
