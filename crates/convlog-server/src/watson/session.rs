//! `POST …/sessions` and `DELETE …/sessions/{session}`, and how messages find theirs.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::watson::error::ErrorBody;
use convlog_model::json::Json;
use serde::Deserialize;

use super::turn::{Addressed, customer_id};
use super::{Refusal, WatsonQuery, json};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots::ConnectorConfig;
use crate::connector::upstream::Upstream;
use crate::error::Fault;
use crate::events;
use crate::sessions::{self, Session};

/// The ids of the path of a new session.
#[derive(Debug, Deserialize)]
pub(crate) struct AssistantPath {
    pub(super) id: String,
    #[serde(default)]
    pub(super) environment: Option<String>,
}

/// The ids of the path of a session.
#[derive(Debug, Deserialize)]
pub(crate) struct SessionPath {
    pub(super) id: String,
    #[serde(default)]
    pub(super) environment: Option<String>,
    pub(super) session: String,
}

/// Opens a session.
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<AssistantPath>,
    _query: WatsonQuery,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Refusal> {
    let to = Addressed::assistant(&app, &caller, &path.id, path.environment.as_deref()).await?;
    if !body.trim_ascii().is_empty() {
        check_body(&body, app.config().limits.json_depth)?;
    }
    let mut session = Session::new(&app, app.new_id().to_string(), to.bot());
    session.environment = to.environment.as_ref().map(|e| e.id.clone());
    session.customers.extend(customer_id(&headers)?);
    let now = app.now();
    app.sessions().require_room(now)?;
    let write = session.to_write(&caller.instance, now);
    app.ingest().state(write.clone()).await?;
    app.sessions().lives_until(&write);
    let body = Json::object([("session_id", Json::string(session.id))]);
    Ok(json(StatusCode::CREATED, body.to_string()))
}

fn check_body(body: &[u8], depth_max: usize) -> Result<(), ErrorBody> {
    let refused =
        |message: String| ErrorBody::new(400, "Invalid Request Body").detail(message, None);
    match Json::parse_within(body, depth_max) {
        Ok(Json::Object(_)) => Ok(()),
        Ok(other) => Err(refused(format!(
            "the body must be an object, not {}",
            other.type_name()
        ))),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// Ends a session.
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<SessionPath>,
    _query: WatsonQuery,
) -> Result<Response, Refusal> {
    let to = Addressed::assistant(&app, &caller, &path.id, path.environment.as_deref()).await?;
    let _turn = app.sessions().turn(&caller.instance, &path.session).await;
    let session = open(&app, &caller, &to, &path.session).await?;
    sessions::end(&app, &caller.instance, &path.session).await?;
    if let (Some(upstream), ConnectorConfig::Upstream(target)) =
        (&session.upstream, &to.bot().connector)
    {
        // Over here it has ended in any case; over there it ends by itself.
        let ended = Upstream::new(&app, target)?.delete_session(upstream).await;
        if let Err(failure) = ended {
            tracing::warn!(
                class = failure.class,
                "an upstream session was left to expire"
            );
            if let Some(event) = failure.event(&app, &caller, to.bot()) {
                events::record_or_warn(&app, event).await;
            }
        }
    }
    Ok(json(StatusCode::OK, "{}"))
}

/// The session of that id, if it is of this bot and environment and has not ended.
///
/// # Errors
/// 404 `Invalid Session`.
pub(super) async fn open(
    app: &App,
    caller: &Caller,
    to: &Addressed,
    id: &str,
) -> Result<Session, Refusal> {
    let loaded = app.store().load_state(&caller.instance, id).await;
    let write = loaded.map_err(Fault::from)?;
    let session = write.and_then(|write| Session::from_write(&write, app.now()));
    let environment = to.environment.as_ref().map(|e| e.id.as_str());
    // Both ways of writing the path lead to a session, but never into another environment's.
    let is_here = |session: &Session| {
        session.bot == to.bot().id
            && (environment.is_none() || session.environment.as_deref() == environment)
    };
    session.filter(is_here).ok_or_else(Refusal::invalid_session)
}
