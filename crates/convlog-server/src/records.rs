//! Records of the own API: `POST /records`, `GET /records`, `GET /records/{id}`.

mod bulk;
mod decoders;
mod importer;
mod upload;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use convlog_dialects::native;
use convlog_model::json::write_string;
use convlog_model::query::{Sort, SortKey};
use serde::Deserialize;

pub(crate) use self::bulk::{__path_create, create};
pub(crate) use self::decoders::Decoders;
pub(crate) use self::importer::decode;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Params;
use crate::error::{Fault, Problem};
use crate::own_filter;
use crate::query::CursorState;

const LIMIT: usize = 100;

/// Parameters of `GET /records`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Which records, in Watson's filter language over canonical and raw paths.
    filter: Option<String>,
    /// `position`, `time.request`, `time.response` or `time.received`, with `-` for descending;
    /// `-time.received` by default. In the order of `position` every answer has a cursor, which
    /// later goes on with new arrivals.
    sort: Option<String>,
    /// At most so many records; 100 by default.
    limit: Option<usize>,
    /// `cursor` of the page before; filter and sort must be the same.
    cursor: Option<String>,
}

/// A page of records in canonical form, in a set that is frozen at the first page.
#[utoipa::path(get, path = "/convlog/v1/records", tag = "records", params(ListParams), responses(
    (status = 200, content_type = "application/json", body = Object,
        description = "`{\"records\": […], \"cursor\": …}`"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Response, Fault> {
    let filter = own_filter::readable(&caller, params.filter.as_deref())?;
    let sort = match params.sort.as_deref() {
        Some(text) => sort(text)?,
        None => Sort {
            key: SortKey::Received,
            descending: true,
        },
    };
    let cursor = params
        .cursor
        .as_deref()
        .map(CursorState::decode)
        .transpose()?;
    let limit = params.limit.unwrap_or(LIMIT);
    let page = app
        .query()
        .page(&caller, filter, sort, limit, cursor)
        .await?;
    let mut body = String::from("{\"records\":[");
    for (i, record) in page.records.iter().enumerate() {
        if i > 0 {
            body.push(',');
        }
        body.push_str(&native::encode(record));
    }
    body.push_str("],\"cursor\":");
    match page.next {
        Some(next) => write_string(&next.encode(), &mut body),
        None => body.push_str("null"),
    }
    body.push('}');
    Ok(json(body))
}

/// One record in canonical form.
#[utoipa::path(get, path = "/convlog/v1/records/{id}", tag = "records",
    params(("id" = String, Path, description = "id of the record")),
    responses(
        (status = 200, content_type = "application/json", body = Object),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    let missing = || Fault::not_found("Resource not found");
    let id = id.parse().map_err(|_| missing())?;
    let record = app.query().get(&caller, id).await?.ok_or_else(missing)?;
    let is_audit = convlog_model::filter::eval::matches(&crate::events::is_audit(), &record.flat());
    if is_audit {
        caller.require(crate::auth::Role::Admin)?;
    }
    Ok(json(native::encode(&record)))
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn sort(text: &str) -> Result<Sort, Fault> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let keys = [
        SortKey::Position,
        SortKey::Request,
        SortKey::Response,
        SortKey::Received,
    ];
    let key = keys.into_iter().find(|key| key.as_str() == name);
    let key = key.ok_or_else(|| {
        let message = "must be position, time.request, time.response or time.received, with - for \
                       descending";
        Fault::bad_at("sort", message)
    })?;
    Ok(Sort { key, descending })
}
