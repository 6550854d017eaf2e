//! Threads for reads and for the work before a write, apart from those of the server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use convlog_model::store::{ErrorKind, StoreError};
use tokio::runtime::{Handle, RuntimeFlavor};
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
    /// Jobs that may still be done where they are asked for.
    places: AtomicUsize,
}

/// A job that is done where it was asked for.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(places: &'a AtomicUsize) -> Option<Self> {
        let less = |places: usize| places.checked_sub(1);
        let taken = places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.ok().map(|_| Place(places))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
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
            places: AtomicUsize::new(threads),
        })
    }

    /// Runs a job in the calling thread where that may wait, as often as there are threads, else on
    /// one of these: each thread that has to wake up waits for a core that ingest is busy on.
    pub(crate) async fn run_here<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let runtime = Handle::try_current();
        let may_wait = runtime.is_ok_and(|at| at.runtime_flavor() == RuntimeFlavor::MultiThread);
        if may_wait && let Some(_place) = Place::take(&self.places) {
            return tokio::task::block_in_place(job);
        }
        self.run(job).await
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

/// Lets whoever waits for the core of the calling thread go first. Work behind the scenes does so
/// about every millisecond: a thread that wakes up otherwise waits for the next tick of the clock, up
/// to 4 ms, whatever the priorities. Not more often, since the thread gives up all of its slice.
pub(crate) fn give_way() {
    std::thread::yield_now();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn thread() -> Result<std::thread::ThreadId, StoreError> {
        Ok(std::thread::current().id())
    }

    /// Where a job and one that it was asked from are done.
    fn here(runtime: &tokio::runtime::Runtime, pool: &Arc<Pool>) -> [bool; 2] {
        let pool = Arc::clone(pool);
        let asked = async move {
            let own = std::thread::current().id();
            let outer = pool.run_here({
                let pool = Arc::clone(&pool);
                move || {
                    let inner = Handle::current().block_on(pool.run_here(thread));
                    Ok((std::thread::current().id() == own, inner? == own))
                }
            });
            let (outer, inner) = outer.await?;
            Ok::<_, StoreError>([outer, inner])
        };
        let handle = runtime.spawn(asked);
        runtime.block_on(handle).unwrap().unwrap()
    }

    #[test]
    fn a_job_is_done_where_it_is_asked_for_while_there_are_places() {
        let pool = Arc::new(Pool::new("test", 1, false).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        for _ in 0..2 {
            assert_eq!(here(&runtime, &pool), [true, false]);
        }
        let alone = tokio::runtime::Builder::new_current_thread().build();
        let elsewhere = alone.unwrap().block_on(pool.run_here(thread)).unwrap();
        assert_ne!(elsewhere, std::thread::current().id());
        let without = futures::executor::block_on(pool.run_here(thread)).unwrap();
        assert_ne!(without, std::thread::current().id());
        pool.close();
    }
}
