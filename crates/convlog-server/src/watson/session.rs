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
use crate::sessions::Session;

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
    let now = app.now();
    let configured = app.config().sessions.timeout.as_secs();
    let configured = u32::try_from(configured).unwrap_or(u32::MAX);
    let session = Session {
        id: app.new_id().to_string(),
        bot: to.bot().id.clone(),
        environment: to.environment.as_ref().map(|e| e.id.clone()),
        started_us: now.micros(),
        timeout_s: to.bot().session_timeout_s.unwrap_or(configured),
        turns: 0,
        customers: customer_id(&headers)?.into_iter().collect(),
        context: Json::object([]),
        upstream: None,
    };
    if !app.sessions().has_room(now) {
        return Err(Refusal::Fault(Fault::Unavailable {
            message: "too many dialogue sessions are alive".to_owned(),
            retry_after_s: Some(60),
        }));
    }
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
    end(&app, &caller, &path.session).await?;
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

/// Forgets a session.
pub(super) async fn end(app: &App, caller: &Caller, id: &str) -> Result<(), Fault> {
    app.store().drop_state(&caller.instance, id).await?;
    app.sessions().has_ended(&caller.instance, id);
    Ok(())
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
