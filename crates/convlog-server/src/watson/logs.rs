//! Lists of logs: of a workspace, of everything in v1 form, of an assistant or environment.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use convlog_dialects::watson::encode::{self, Next, Shape};
use convlog_dialects::watson::error::ErrorBody;
use convlog_dialects::watson::filter::{self, Names};
use convlog_model::filter::Filter;
use convlog_model::query::{Sort, SortKey};
use serde::Deserialize;

use super::message_v1::WorkspacePath;
use super::{Refusal, WatsonQuery, json};
use crate::app::App;
use crate::auth::Caller;
use crate::bots;
use crate::error::Fault;
use crate::query::CursorState;

/// Logs of a page unless the client says otherwise.
const PAGE_LIMIT: usize = 100;

/// `GET /v1/workspaces/{id}/logs`
pub(crate) async fn of_workspace(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<WorkspacePath>,
    query: WatsonQuery,
) -> Result<Response, Refusal> {
    let scope = scope(&app, &caller, &path.id).await?;
    let place = format!("/v1/workspaces/{}/logs", segment(&path.id));
    list(&app, &caller, &query, scope, Shape::V1, &place).await
}

/// `GET /v1/logs`: every bot's, for a language and one of three ids.
pub(crate) async fn all(
    State(app): State<App>,
    caller: Caller,
    query: WatsonQuery,
) -> Result<Response, Refusal> {
    let text = query.get("filter").unwrap_or_default();
    // A filter that cannot be read at all is reported as such below, with its column.
    if filter::parse(text, Names::V1, true).is_ok() {
        filter::check_mandatory(text).map_err(|error| ErrorBody::missing_terms(&error))?;
    }
    list(&app, &caller, &query, Filter::All, Shape::V1, "/v1/logs").await
}

/// The ids of the path.
#[derive(Debug, Deserialize)]
pub(crate) struct AssistantPath {
    id: String,
}

/// `GET /v2/assistants/{id}/logs`, where the id may be an environment's.
pub(crate) async fn of_assistant(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<AssistantPath>,
    query: WatsonQuery,
) -> Result<Response, Refusal> {
    let scope = scope(&app, &caller, &path.id).await?;
    let place = format!("/v2/assistants/{}/logs", segment(&path.id));
    list(&app, &caller, &query, scope, Shape::V2, &place).await
}

async fn scope(app: &App, caller: &Caller, id: &str) -> Result<Filter, Fault> {
    let found = bots::resolve(app, caller, id).await?;
    let found = found.ok_or_else(|| Fault::not_found("Resource not found"))?;
    Ok(found.filter())
}

fn segment(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

async fn list(
    app: &App,
    caller: &Caller,
    query: &WatsonQuery,
    scope: Filter,
    shape: Shape,
    place: &str,
) -> Result<Response, Refusal> {
    let names = match shape {
        Shape::V1 => Names::V1,
        Shape::V2 => Names::V2,
    };
    let text = query.get("filter").unwrap_or_default();
    let is_open = app.config().watson.any_filter_field;
    let wanted =
        filter::parse(text, names, is_open).map_err(|error| ErrorBody::bad_filter(&error))?;
    let wanted = Filter::equals("kind", "turn").and(scope).and(wanted);
    let sort = sort(query)?;
    let limit = page_limit(query)?;
    let cursor = query
        .filled("cursor")
        .map(CursorState::decode)
        .transpose()?;
    let page = app
        .query()
        .page(caller, wanted, sort, limit, cursor)
        .await?;
    let logs: Vec<String> = page
        .records
        .iter()
        .map(|record| encode::log(record, shape))
        .collect();
    let cursor = page.next.map(|next| next.encode());
    let next = cursor.as_deref().map(|cursor| Next {
        path: place,
        params: query.all(),
        cursor,
    });
    Ok(json(StatusCode::OK, encode::page(&logs, next.as_ref())))
}

fn sort(query: &WatsonQuery) -> Result<Sort, ErrorBody> {
    let text = query.filled("sort").unwrap_or("-request_timestamp");
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let key = match name {
        "request_timestamp" => SortKey::Request,
        "response_timestamp" => SortKey::Response,
        _ => {
            return Err(ErrorBody::bad_parameter(
                "sort",
                "sort must be request_timestamp or response_timestamp, with - for newest first",
            ));
        }
    };
    Ok(Sort { key, descending })
}

fn page_limit(query: &WatsonQuery) -> Result<usize, ErrorBody> {
    let Some(text) = query.filled("page_limit") else {
        return Ok(PAGE_LIMIT);
    };
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_zero = text.bytes().all(|byte| byte == b'0');
    if !is_whole || is_zero {
        let message = "page_limit must be a whole number of at least 1";
        return Err(ErrorBody::bad_parameter("page_limit", message));
    }
    // More than fits is cut like everything beyond the largest page.
    Ok(text.parse().unwrap_or(usize::MAX))
}
