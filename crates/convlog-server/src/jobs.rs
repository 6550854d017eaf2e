//! The only place where background work starts; all of it ends when the server stops.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::entity;

/// Background work of this process.
#[derive(Debug)]
pub struct Jobs {
    stopping: watch::Sender<bool>,
    running: Mutex<JoinSet<()>>,
}

impl Default for Jobs {
    fn default() -> Self {
        Jobs {
            stopping: watch::Sender::new(false),
            running: Mutex::default(),
        }
    }
}

impl Jobs {
    /// Starts work; it should end soon after [`Jobs::stopping`] does. Nothing starts once a stop
    /// was asked for.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if self.is_stopping() {
            return;
        }
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(work);
    }

    /// Ends when a stop is asked for; streams end with it.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut seen = self.stopping.subscribe();
        async move {
            // The sender lives as long as the jobs; when it is gone, so are they.
            let _stopped = seen.wait_for(|stopping| *stopping).await;
        }
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Asks for a stop.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until all work has ended, and ends what takes longer than `grace`.
    pub async fn ended(&self, grace: Duration) {
        let mut running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *running)
        };
        let all = async { while running.join_next().await.is_some() {} };
        let is_late = tokio::time::timeout(grace, all).await.is_err();
        if is_late {
            tracing::warn!("background work was cut off");
            running.shutdown().await;
        }
    }

    /// Calls `work` at once and then after each `pause`, until the server stops.
    pub fn every<F>(&self, pause: Duration, mut work: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let stopping = self.stopping();
        self.spawn(async move {
            let mut stopping = std::pin::pin!(stopping);
            loop {
                work().await;
                tokio::select! {
                    () = &mut stopping => return,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        });
    }
}

const FLUSH_PAUSE: Duration = Duration::from_secs(5);
const TELL_PAUSE: Duration = Duration::from_secs(1);
const TIDY_PAUSE: Duration = Duration::from_secs(60);
const FORGET_PAUSE: Duration = Duration::from_secs(3600);

/// Starts the work that every server has.
pub(crate) async fn start(app: &App) {
    for name in entity::COLLECTIONS {
        if let Err(fault) = entity::untyped(app, name).note_pending().await {
            tracing::warn!(collection = name, error = ?fault, "waiting events are not known");
        }
    }
    let each = app.clone();
    app.jobs().every(FLUSH_PAUSE, move || {
        let app = each.clone();
        async move { entity::flush_all(&app).await }
    });
    let each = app.clone();
    app.jobs().every(TIDY_PAUSE, move || {
        each.limits().tidy();
        async {}
    });
    // Before the first read: what has expired meanwhile is not shown.
    crate::retention::pass(app).await;
    let each = app.clone();
    let pause = app.config().retention.interval;
    app.jobs().every(pause, move || {
        let app = each.clone();
        async move { crate::retention::pass(&app).await }
    });
    let each = app.clone();
    app.jobs().every(TELL_PAUSE, move || {
        let app = each.clone();
        async move { crate::retention::tell_purges(&app).await }
    });
    let each = app.clone();
    app.jobs().every(FORGET_PAUSE, move || {
        let app = each.clone();
        async move {
            crate::idempotency::forget_old(&app).await;
            crate::definitions::sweep(&app).await;
            crate::cloudwatch::sweep(&app).await;
            crate::deliveries::forget_old(&app).await;
        }
    });
    crate::erasures::start(app).await;
    crate::cloudwatch::start(app).await;
    crate::deliveries::start(app).await;
}

#[cfg(test)]
mod tests;
