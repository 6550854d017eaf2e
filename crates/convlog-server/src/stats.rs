//! What the store holds of an instance: `GET /stats`.

use axum::Json;
use axum::extract::State;
use convlog_model::query::{Sort, SortKey};
use serde::Serialize;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::events;
use crate::upkeep::UpkeepView;

/// What the store holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct StatsView {
    /// Records that reads can show, entries of the audit not counted.
    records: u64,
    /// Bytes on disk, of all instances.
    bytes: u64,
    /// Sealed chunks, of all instances.
    segments: u64,
    /// Records that are not in a sealed chunk yet, of all instances.
    tail: u64,
    /// Smallest time of receipt among those records.
    oldest: Option<String>,
    /// Greatest time of receipt among those records.
    newest: Option<String>,
    /// What erasures and retention do to the bytes.
    maintenance: UpkeepView,
}

/// What the store holds of the instance.
#[utoipa::path(get, path = "/convlog/v1/stats", tag = "stats", responses(
    (status = 200, body = StatsView),
))]
pub(crate) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<StatsView>, Fault> {
    caller.require_unscoped()?;
    let stats = app.store().stats(&caller.instance).await?;
    let n_audit = app.query().count(&caller, events::is_audit()).await?;
    Ok(Json(StatsView {
        records: stats.records.saturating_sub(n_audit),
        bytes: stats.bytes,
        segments: stats.segments,
        tail: stats.tail,
        oldest: first_received(&app, &caller, false).await?,
        newest: first_received(&app, &caller, true).await?,
        maintenance: app.store().upkeep().into(),
    }))
}

/// The store's own figures know nothing of the audit, whose entries are records too.
async fn first_received(
    app: &App,
    caller: &Caller,
    descending: bool,
) -> Result<Option<String>, Fault> {
    let sort = Sort {
        key: SortKey::Received,
        descending,
    };
    let filter = events::is_audit().negate();
    let page = app.query().page(caller, filter, sort, 1, None).await?;
    let first = page.records.first();
    Ok(first.map(|record| record.received.to_micros_text()))
}
