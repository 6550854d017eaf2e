//! The choice of the engine, and what the server is given to work with.

use std::sync::Arc;

use anyhow::{Context, Result};
use convlog_model::clock::{Clock, IdSource};
use convlog_server::error::Fault;
use convlog_server::{App, Deps};
use convlog_store::embedded::{Embedded, Options};

use crate::clock::{SystemClock, SystemIds};
use crate::config::Config;

/// A server over its open data directory.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The server, without sockets.
    pub(crate) app: App,
    embedded: Embedded,
}

/// Opens the data directory, making what is missing; a second process is refused.
pub(crate) async fn open(config: &Config) -> Result<Opened> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let mut options = Options::new(&config.data_dir, Arc::clone(&clock), Arc::clone(&ids));
    options.memory_budget = usize::try_from(config.memory_bytes).unwrap_or(usize::MAX);
    let dir = config.data_dir.display();
    let embedded = blocking(move || Embedded::open(options))
        .await?
        .with_context(|| format!("cannot open the data directory {dir}"))?;
    let deps = Deps {
        store: embedded.store(),
        control: embedded.control(),
        blobs: embedded.blobs(),
        clock,
        ids,
        sealer: embedded.sealer(),
        maintenance: Some(embedded.maintenance()),
    };
    Ok(Opened {
        app: App::new(config.server.clone(), deps),
        embedded,
    })
}

impl Opened {
    /// Finishes what was accepted and writes the end of the log.
    pub(crate) async fn close(self) -> Result<()> {
        blocking(move || self.embedded.close()).await
    }
}

/// Work that reads and writes files, away from the threads that answer requests.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.context("the engine's thread failed")
}

/// A fault of the server outside of a request.
pub(crate) fn failure(fault: &Fault) -> anyhow::Error {
    match fault {
        Fault::Internal { log } => anyhow::anyhow!("{log}"),
        other => anyhow::anyhow!("{}", other.message()),
    }
}
