//! The events of the server's own life: that it takes requests, and that it has ended in order.

use convlog_model::ids::InstanceId;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::entity::{Change, Collection};
use crate::error::Fault;
use crate::events::{self, EventType, OwnEvent, SYSTEM};

const COLLECTION: &str = "server";
const ID: &str = "run";

/// The last run of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// When it began.
    started_at: String,
    /// Whether it has not ended in order, as far as the directory knows.
    is_running: bool,
}

/// Tells that the server takes requests from now on. It does so also where that cannot be told, as
/// on a full disk.
pub(crate) async fn started(app: &App) {
    warn(note_start(app).await, "the start could not be told of");
}

/// Tells that the server has ended in order.
pub(crate) async fn stopped(app: &App) {
    warn(note_stop(app).await, "the stop could not be told of");
}

fn warn(result: Result<(), Fault>, what: &str) {
    if let Err(fault) = result {
        tracing::warn!(status = fault.status().as_u16(), "{what}");
    }
}

async fn note_start(app: &App) -> Result<(), Fault> {
    let changed = runs(app).change(ID, |old: Option<Run>| {
        let event = event(app, events::SYSTEM_START).with("version", env!("CARGO_PKG_VERSION"));
        let event = match old {
            Some(Run {
                is_running: true, ..
            }) => event.with("clean", "no"),
            Some(_) => event.with("clean", "yes"),
            None => event,
        };
        let run = Run {
            started_at: event.time().to_owned(),
            is_running: true,
        };
        Ok(Change::to(run, event))
    });
    changed.await.map(drop)
}

async fn note_stop(app: &App) -> Result<(), Fault> {
    let changed = runs(app).change(ID, |old: Option<Run>| {
        let mut run = old.ok_or_else(|| Fault::internal("a run that ends has no beginning"))?;
        run.is_running = false;
        let event = event(app, events::SYSTEM_STOP).with("started_at", &run.started_at);
        Ok(Change::to(run, event))
    });
    changed.await.map(drop)
}

fn runs(app: &App) -> Collection<'_, Run> {
    Collection::new(app, COLLECTION)
}

fn event(app: &App, kind: EventType) -> OwnEvent {
    let home = InstanceId::default_instance();
    OwnEvent::by(app, &home, SYSTEM, kind).about("instanceId", home.as_str())
}
