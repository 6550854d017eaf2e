//! What administrators, exports and erasures did: event records that the server writes itself.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use convlog_model::fields::FieldRef;
use convlog_model::filter::{Filter, Scope, Test};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json as Tree;
use convlog_model::query::{Sort, SortKey};
use convlog_model::record::{Dialect, Draft, Kind, Record};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Caller;
use crate::body::Params;
use crate::error::{Fault, Problem};
use crate::query::CursorState;

/// Every event type of the audit starts with this; others may not be written under it.
pub(crate) const PREFIX: &str = "audit.";

/// Something that was done. It holds ids and names, never what users said, and no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AuditEvent {
    id: String,
    instance: InstanceId,
    #[serde(rename = "type")]
    kind: String,
    actor: String,
    time: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refs: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    meta: BTreeMap<String, String>,
}

impl AuditEvent {
    /// `kind` (as `key.created`) was done by the caller now.
    #[must_use]
    pub(crate) fn new(app: &App, caller: &Caller, kind: &str) -> Self {
        Self::by(app, &caller.instance, &caller.key_id, kind)
    }

    /// The same by an actor that is no caller, as after a failed login.
    #[must_use]
    pub(crate) fn by(app: &App, instance: &InstanceId, actor: &str, kind: &str) -> Self {
        AuditEvent {
            id: app.new_id().to_string(),
            instance: instance.clone(),
            kind: format!("{PREFIX}{kind}"),
            actor: actor.to_owned(),
            time: app.now().to_micros_text(),
            refs: BTreeMap::new(),
            meta: BTreeMap::new(),
        }
    }

    /// Names a resource that it is about, as `key`, `bot` or `erasure`.
    #[must_use]
    pub(crate) fn about(mut self, name: &str, id: impl Into<String>) -> Self {
        self.refs.insert(name.to_owned(), id.into());
        self
    }

    /// Adds a detail.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.meta.insert(name.to_owned(), value.into());
        self
    }

    /// The event as a record.
    pub(crate) fn draft(&self) -> Draft {
        let texts = |map: &BTreeMap<String, String>| {
            let members = map.iter().map(|(k, v)| (k.into(), Tree::string(v)));
            Tree::Object(members.collect())
        };
        let raw = Tree::object([
            ("type", Tree::string(&self.kind)),
            ("actor", Tree::string(&self.actor)),
            ("time", Tree::string(&self.time)),
            ("refs", texts(&self.refs)),
            ("meta", texts(&self.meta)),
        ]);
        let mut draft = Draft {
            instance: self.instance.clone(),
            kind: Kind::Event,
            dialect: Dialect::Convlog,
            own_id: Some(self.id.clone()),
            canonical: BTreeMap::new(),
            labels: BTreeMap::new(),
            raw: raw.to_string().into(),
        };
        draft.set_ref("event.type", &["type"]);
        draft.set_ref("event.actor", &["actor"]);
        draft.set_ref("time.request", &["time"]);
        for name in self.refs.keys() {
            draft.set_ref(&format!("event.refs.{name}"), &["refs", name]);
        }
        for name in self.meta.keys() {
            draft.set_ref(&format!("event.meta.{name}"), &["meta", name]);
        }
        draft
    }
}

/// Writes one event that rides on no document: an export, an erasure, a failed login.
///
/// # Errors
/// What the store answers.
pub(crate) async fn record(app: &App, event: AuditEvent) -> Result<(), Fault> {
    app.ingest().audit(&[event]).await
}

/// Query parameters of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// At most so many entries; 100 by default.
    limit: Option<usize>,
    /// `cursor` of the page before.
    cursor: Option<String>,
}

/// One entry of the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Entry {
    /// Id of the record.
    id: String,
    /// What was done, as `audit.key.created`.
    #[serde(rename = "type")]
    kind: String,
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
    let filter = Filter::equals("kind", "event").and(Filter::Test {
        field: FieldRef::canonical("event.type"),
        test: Test::Glob {
            parts: vec![PREFIX.to_owned(), String::new()],
            scope: Scope::Whole,
        },
    });
    let cursor = params.cursor.as_deref().map(CursorState::decode);
    let limit = params.limit.unwrap_or(100);
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
    let map = |key: &str| raw.get(key).cloned().unwrap_or(Tree::Object(Vec::new()));
    Entry {
        id: record.shown_id(),
        kind: text("type"),
        actor: text("actor"),
        time: text("time"),
        refs: map("refs"),
        meta: map("meta"),
    }
}
