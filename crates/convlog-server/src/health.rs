//! Whether the process runs, and whether it can keep records. Neither needs a key.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::app::App;

/// What the server says about itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Status {
    /// `ok`, or `unavailable`.
    status: &'static str,
    /// Why it is unavailable, or what else an operator must see to.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", tag = "server", responses(
    (status = 200, body = Status),
))]
pub(crate) async fn live() -> Json<Status> {
    Json(Status {
        status: "ok",
        reason: String::new(),
    })
}

/// Whether records can be kept.
#[utoipa::path(get, path = "/health/ready", tag = "server", responses(
    (status = 200, body = Status),
    (status = 503, body = Status),
))]
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Status>) {
    let health = app.store().health();
    if health.writable && !app.jobs().is_stopping() {
        let held = app.store().upkeep().held;
        let status = Status {
            status: "ok",
            reason: held.map_or(String::new(), |why| format!("retention is held: {why}")),
        };
        return (StatusCode::OK, Json(status));
    }
    let reason = match health.writable {
        true => "stopping".to_owned(),
        false => health.reason,
    };
    let status = Status {
        status: "unavailable",
        reason,
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(status))
}
