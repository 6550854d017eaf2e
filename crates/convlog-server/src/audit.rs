//! `GET /audit`: the events that the server writes itself, newest first.

use axum::Json;
use axum::extract::State;
use convlog_model::filter::Filter;
use convlog_model::json::Json as Tree;
use convlog_model::query::{Sort, SortKey};
use convlog_model::record::Record;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Caller;
use crate::body::Params;
use crate::error::{Fault, Problem};
use crate::events::is_audit;
use crate::query::CursorState;

/// Query parameters of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only entries of this type, as `key.create`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// At most so many entries; 100 by default.
    limit: Option<usize>,
    /// `cursor` of the page before; `type` must be the same.
    cursor: Option<String>,
}

/// One entry of the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Entry {
    /// Id of the record.
    id: String,
    /// What was done, as `key.create`.
    #[serde(rename = "type")]
    kind: String,
    /// `CREATE`, `READ`, `UPDATE`, `DELETE`, `LOGIN`, or `RUN` for what the server did by itself.
    action: String,
    /// `ok` or `error`.
    outcome: String,
    /// Id of the key that did it.
    actor: String,
    /// When.
    time: String,
    /// Resources that it is about.
    #[schema(value_type = Object)]
    refs: Tree,
    /// Details.
    #[schema(value_type = Object)]
    meta: Tree,
}

/// A page of entries.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Entries {
    /// Newest first.
    entries: Vec<Entry>,
    /// Where the next page begins; `null` on the last.
    cursor: Option<String>,
}

/// What administrators, exports and erasures did, newest first.
#[utoipa::path(get, path = "/convlog/v1/audit", tag = "audit", params(ListParams), responses(
    (status = 200, body = Entries),
    (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Json<Entries>, Fault> {
    let sort = Sort {
        key: SortKey::Received,
        descending: true,
    };
    let cursor = params.cursor.as_deref().map(CursorState::decode);
    let limit = params.limit.unwrap_or(100);
    let filter = match &params.kind {
        Some(kind) => is_audit().and(Filter::equals("event.type", kind)),
        None => is_audit(),
    };
    let page = app
        .query()
        .page(&caller, filter, sort, limit, cursor.transpose()?);
    let page = page.await?;
    Ok(Json(Entries {
        entries: page.records.iter().map(|record| entry(record)).collect(),
        cursor: page.next.map(|next| next.encode()),
    }))
}

fn entry(record: &Record) -> Entry {
    let raw = Tree::parse(record.draft.raw.as_bytes()).unwrap_or(Tree::Null);
    let text = |key: &str| {
        let value = raw.get(key).and_then(Tree::as_str);
        value.unwrap_or_default().to_owned()
    };
    let empty = || Tree::Object(Vec::new());
    let mut meta = raw.get("meta").cloned().unwrap_or_else(empty);
    // Older versions wrote the resources beside the details.
    let relations = meta.take("relations");
    let refs = relations.or_else(|| raw.get("refs").cloned());
    Entry {
        id: record.shown_id(),
        kind: text("type"),
        action: text("action"),
        outcome: text("outcome"),
        actor: text("actor"),
        time: text("time"),
        refs: refs.unwrap_or_else(empty),
        meta,
    }
}
