//! How long a directory takes to open: after a clean stop, and after a kill while it took records.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::convlog;
use super::data::Batches;
use super::load::Http;
use crate::out;
use crate::server::{self, Server};

const POLL_EVERY: Duration = Duration::from_millis(2);
const READY_WAIT_MAX: Duration = Duration::from_secs(600);

/// Start-up times.
#[derive(Debug)]
pub(super) struct Starts {
    pub(super) clean: Duration,
    pub(super) killed: Duration,
}

/// Stops the server as an operator would and starts it, then kills it behind the last
/// acknowledgement of some more batches and starts it again.
pub(super) fn measure(
    server: Server,
    program: &Path,
    dir: &Path,
    batches: &Batches,
) -> Result<(Server, Starts)> {
    server.stop()?;
    let (server, clean) = start(program, dir)?;
    let http = Http::new(&server.url, server::ADMIN_KEY);
    convlog::ingest(&http, batches, batches.crash.clone(), |_| Ok(()))?;
    // Dropping it kills it.
    drop(server);
    let (server, killed) = start(program, dir)?;
    out::line(&format!(
        "convlog: ready {:.2} s after a clean stop, {:.2} s after a kill",
        clean.as_secs_f64(),
        killed.as_secs_f64()
    ));
    Ok((server, Starts { clean, killed }))
}

/// From the start of the process until it says that it is ready.
fn start(program: &Path, dir: &Path) -> Result<(Server, Duration)> {
    let begin = Instant::now();
    let server = Server::start(program, dir, &[])?;
    let http = Http::new(&server.url, server::ADMIN_KEY);
    while let Err(error) = http.get("/health/ready") {
        if begin.elapsed() > READY_WAIT_MAX {
            return Err(error);
        }
        std::thread::sleep(POLL_EVERY);
    }
    Ok((server, begin.elapsed()))
}
