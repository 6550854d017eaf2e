//! `POST /event/log/create`: an event from outside. ChatBotKit has no such call; the body is an
//! item as its lists show it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::chatbotkit::decode;
use convlog_model::json::Json;

use super::{decoded, json, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::error::Fault;

/// Keeps one event and answers its id. The same id again is answered as the first time.
pub(crate) async fn event(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let text = std::str::from_utf8(&body).map_err(|error| {
        let column = error.valid_up_to() + 1;
        Fault::bad(format!("the body is not UTF-8 at byte {column}"))
    })?;
    let draft = decode::event(&caller.instance, text.trim_ascii()).map_err(decoded)?;
    let own_id = draft.own_id.clone();
    let bot = app.ingest().bot_of(&caller, &draft).map_err(Fault::bad)?;
    let bot = bot.unwrap_or_default();
    app.ingest().before_asking(&caller, &bot, || None).await?;
    let stored = app.ingest().live(&caller, draft, None).await?;
    let id = match (own_id, stored) {
        (Some(id), _) => id,
        (None, Some(stored)) => stored.id.to_string(),
        (None, None) => String::new(),
    };
    let body = Json::object([("id", Json::string(id))]);
    Ok(json(StatusCode::OK, body.to_string()))
}
