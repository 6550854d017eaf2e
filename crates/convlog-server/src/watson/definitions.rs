//! What analysis tools ask of a bot besides its logs: `GET /v1/workspaces/{id}` and
//! `GET /v2/assistants/{id}/skills_export`, from the definition that the operator uploaded.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use convlog_dialects::watson::definition;
use convlog_model::json::Json;

use super::message_v1::WorkspacePath;
use super::session::AssistantPath;
use super::turn::Addressed;
use super::{Refusal, WatsonQuery, json};
use crate::app::App;
use crate::auth::Caller;
use crate::bots::Bot;
use crate::definitions;
use crate::error::Fault;

/// `GET /v1/workspaces/{id}`
pub(crate) async fn workspace(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<WorkspacePath>,
    query: WatsonQuery,
) -> Result<Response, Refusal> {
    let wants_all = query.flag("export")?;
    let found = Addressed::workspace(&app, &caller, &path.id).await?;
    let bot = found.bot();
    let uploaded = load(&app, &caller, bot).await?;
    let body = definition::workspace(
        &bot.id,
        &bot.name,
        &bot.language,
        uploaded.as_ref(),
        wants_all,
    );
    Ok(json(StatusCode::OK, body))
}

/// `GET /v2/assistants/{id}/skills_export`
pub(crate) async fn skills(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<AssistantPath>,
    _query: WatsonQuery,
) -> Result<Response, Refusal> {
    let found = Addressed::assistant(&app, &caller, &path.id, None).await?;
    let bot = found.bot();
    let uploaded = load(&app, &caller, bot).await?;
    let body = definition::skills_export(&bot.id, &bot.name, &bot.language, uploaded.as_ref());
    Ok(json(StatusCode::OK, body))
}

async fn load(app: &App, caller: &Caller, bot: &Bot) -> Result<Option<Json>, Fault> {
    let Some(text) = definitions::load(app, &caller.instance, &bot.id).await? else {
        return Ok(None);
    };
    let parsed = Json::parse_within(text.as_bytes(), app.config().limits.json_depth);
    let parsed = parsed.map_err(|e| Fault::internal(format!("a stored definition: {e}")))?;
    Ok(Some(parsed))
}
