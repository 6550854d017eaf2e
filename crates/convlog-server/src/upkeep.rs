//! What maintenance does, and the word of an operator that the clock is right: `/retention`.

use axum::Json;
use axum::extract::State;
use convlog_model::store::Upkeep;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::{Caller, Role};
use crate::body::{RawBody, parse_json};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::instances;

/// What maintenance has done since the start, and has yet to do; of all instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct UpkeepView {
    /// Erasures that are not done.
    erasures_pending: u64,
    /// Chunks that the pass of retention under way has yet to look at.
    chunks_pending: u64,
    /// Bytes overwritten.
    bytes_overwritten: u64,
    /// Rows that erasures took out of the bytes.
    rows_erased: u64,
    /// Rows that retention took out of the bytes.
    rows_expired: u64,
    /// Chunks that went as a whole.
    chunks_dropped: u64,
    /// When a pass of retention last ended, also before the start.
    last_pass: Option<String>,
    /// Why retention removes nothing until it is confirmed; null when all is well.
    held: Option<String>,
}

impl From<Upkeep> for UpkeepView {
    fn from(upkeep: Upkeep) -> Self {
        UpkeepView {
            erasures_pending: upkeep.erasures_pending,
            chunks_pending: upkeep.chunks_pending,
            bytes_overwritten: upkeep.bytes_overwritten,
            rows_erased: upkeep.rows_erased,
            rows_expired: upkeep.rows_expired,
            chunks_dropped: upkeep.chunks_dropped,
            last_pass: upkeep.last_pass.map(|at| at.to_micros_text()),
            held: upkeep.held,
        }
    }
}

/// The word of an operator.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    /// That the clock of the server is right; must be true.
    confirm: bool,
}

/// What maintenance does, and whether retention is held.
#[utoipa::path(get, path = "/convlog/v1/retention", tag = "stats", responses(
    (status = 200, body = UpkeepView),
))]
pub(crate) async fn get(State(app): State<App>, caller: Caller) -> Result<Json<UpkeepView>, Fault> {
    caller.require_unscoped()?;
    Ok(Json(app.store().upkeep().into()))
}

/// Lets retention go on by the clock as it is now. It is held, and removes nothing, when the clock
/// is more than 7 days beyond the last moment that the server knew before its start, or jumps by an
/// hour while it runs. It concerns every instance, so that on a server with several of them the key
/// needs the role `operator`, too.
#[utoipa::path(post, path = "/convlog/v1/retention", tag = "stats",
    request_body = Confirm,
    responses(
        (status = 200, body = UpkeepView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn confirm(
    State(app): State<App>,
    caller: Caller,
    RawBody(body): RawBody,
) -> Result<Json<UpkeepView>, Fault> {
    let request: Confirm = parse_json(&body, app.config().limits.json_depth)?;
    if !request.confirm {
        return Err(Fault::bad_at("confirm", "must be true"));
    }
    if instances::are_several(&app).await? && !caller.roles.has(Role::Operator) {
        let why = "retention concerns every instance of the server: the key needs the role \
                   operator";
        return Err(Fault::forbidden(why));
    }
    let held = app.store().upkeep().held.unwrap_or_default();
    let event = OwnEvent::new(&app, &caller, events::RETENTION_CONFIRM).with("held", held);
    events::record(&app, event).await?;
    app.store().confirm_retention().await?;
    Ok(Json(app.store().upkeep().into()))
}
