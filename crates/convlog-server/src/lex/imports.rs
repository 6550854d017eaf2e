//! `/imports`: definitions that come as a file, and what became of them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_dialects::lex::transfer::{Bounds, DOCUMENT_BYTES_MAX, Document, Parts, Resource};
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::bring::{Merge, Plan, Stopped};
use super::tags::Tags;
use super::{answer, view};
use crate::app::{App, scoped_id};
use crate::aws::{AwsError, Call, Refusal};
use crate::entity::{Change, Collection};
use crate::error::Fault;

/// What became of imports.
const COLLECTION: &str = "lex_imports";
/// How long it is kept, and of how many of an instance.
const KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;
const KEPT_MAX: usize = 1_000;
/// Imports that run at once.
const AT_ONCE_MAX: usize = 4;

/// What became of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Import {
    id: String,
    name: String,
    resource: Resource,
    /// As it was asked for.
    merge: String,
    created_us: i64,
    tags: Tags,
    state: State,
    /// Why it failed.
    reasons: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum State {
    InProgress,
    Complete,
    Failed,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            State::InProgress => "IN_PROGRESS",
            State::Complete => "COMPLETE",
            State::Failed => "FAILED",
        }
    }
}

impl Import {
    fn show(&self) -> Json {
        Json::object([
            ("name", Json::string(self.name.as_str())),
            ("resourceType", Json::string(self.resource.as_str())),
            ("mergeStrategy", Json::string(self.merge.as_str())),
            ("importId", Json::string(self.id.as_str())),
            ("importStatus", Json::string(self.state.as_str())),
            ("createdDate", view::seconds(self.created_us)),
        ])
    }
}

/// The imports that this process runs, by id.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<BTreeSet<String>>);

impl Running {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn has(&self, id: &str) -> bool {
        self.with(|running| running.contains(id))
    }
}

/// A place among the imports that run; it ends when the value is dropped.
#[derive(Debug)]
struct Place {
    app: App,
    id: String,
}

impl Place {
    fn take(app: &App, id: &str) -> Result<Self, AwsError> {
        let is_in = app.lex().imports().with(|running| {
            let has_room = running.len() < AT_ONCE_MAX;
            has_room && running.insert(id.to_owned())
        });
        match is_in {
            true => Ok(Place {
                app: app.clone(),
                id: id.to_owned(),
            }),
            false => Err(AwsError::limit("Too many imports run at present.")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let imports = self.app.lex().imports();
        imports.with(|running| running.remove(&self.id));
    }
}

/// `POST /imports`
pub(crate) async fn start(call: Call) -> Result<Response, Refusal> {
    let sent = super::checked(&call, "StartImport", &[])?;
    let text = |member: &str| super::text(&sent, member).unwrap_or_default();
    let resource = Resource::parse(&text("resourceType"))
        .ok_or_else(|| AwsError::bad("resourceType is missing."))?;
    let tags = super::tags::of(&sent)?;
    if !tags.is_empty() && resource != Resource::Bot {
        return Err(AwsError::bad("Tags can only be given to a bot.").into());
    }
    let parts = parts(&call, &text("payload"), resource)?;
    let import = Import {
        id: call.app.new_id().to_string(),
        name: parts.name.clone(),
        resource,
        merge: text("mergeStrategy"),
        created_us: call.app.now().micros(),
        tags,
        state: State::InProgress,
        reasons: Vec::new(),
    };
    let place = Place::take(&call.app, &import.id)?;
    forget_old(&call).await?;
    keep(&call.app, &call.caller.instance, &import).await?;
    // Whoever asked may go away, or wait no longer: the import goes on.
    let (told, ended) = oneshot::channel();
    let app = call.app.clone();
    app.jobs().spawn(async move {
        let _place = place;
        let ended = run(&call, &parts, import).await;
        // Nobody may wait any more.
        let _unheard = told.send(ended);
    });
    let stopping = |_| Fault::Unavailable {
        message: "the server stops".to_owned(),
        retry_after_s: Some(5),
    };
    let import = ended.await.map_err(stopping)??;
    let mut shown = import.show();
    if !import.tags.is_empty() {
        shown.set("tags", super::tags::show(&import.tags));
    }
    Ok(answer(StatusCode::CREATED, &shown))
}

/// `GET /imports/{importId}`
pub(crate) async fn get(Path(id): Path<String>, call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "GetImport", &[("importId", &id)])?;
    let key = scoped_id(&call.caller.instance, &id);
    let found = Collection::<Import>::new(&call.app, COLLECTION)
        .get(&key)
        .await?;
    let mut import = found.ok_or_else(|| AwsError::not_found(&id))?.doc;
    if import.resource == Resource::Bot && !call.caller.sees_bot(&import.name) {
        return Err(AwsError::not_found(&id).into());
    }
    if import.state == State::InProgress && !call.app.lex().imports().has(&id) {
        import.state = State::Failed;
        import.reasons = vec!["The server stopped before it was done: import again.".to_owned()];
    }
    let mut shown = import.show();
    if !import.reasons.is_empty() {
        let each = import.reasons.iter();
        let each = each.map(|reason| Json::string(reason.as_str()));
        shown.set("failureReason", Json::Array(each.collect()));
    }
    Ok(answer(StatusCode::OK, &shown))
}

/// What a payload holds.
fn parts(call: &Call, payload: &str, resource: Resource) -> Result<Parts, AwsError> {
    let file = STANDARD
        .decode(payload)
        .map_err(|_| AwsError::bad("payload is not base64."))?;
    let bounds = Bounds {
        bytes: DOCUMENT_BYTES_MAX,
        depth: call.app.config().limits.json_depth,
    };
    let taken = Document::read(&file, bounds).and_then(|document| document.parts(resource));
    taken.map_err(|error| AwsError::bad(format!("payload: {error}")))
}

/// Imports, and keeps what became of it.
async fn run(call: &Call, parts: &Parts, mut import: Import) -> Result<Import, Fault> {
    let merge = match import.merge.as_str() {
        "OVERWRITE_LATEST" => Merge::Overwrite,
        _ => Merge::Fail,
    };
    let ended = match Plan::of(call, parts, merge, &import.tags).await {
        Ok(plan) => plan.carry_out(call).await,
        Err(why) => Err(Stopped {
            why,
            done: Vec::new(),
        }),
    };
    match ended {
        Ok(()) => import.state = State::Complete,
        Err(Stopped { why, done }) => {
            import.state = State::Failed;
            import.reasons.push(why.message());
            if !done.is_empty() {
                let done = done.join(", ");
                import
                    .reasons
                    .push(format!("Imported before that: {done}."));
            }
        }
    }
    keep(&call.app, &call.caller.instance, &import).await?;
    Ok(import)
}

async fn keep(app: &App, instance: &InstanceId, import: &Import) -> Result<(), Fault> {
    let kept = Collection::<Import>::new(app, COLLECTION)
        .change(&scoped_id(instance, &import.id), |_| {
            Ok(Change::silent(import.clone()))
        });
    kept.await?;
    Ok(())
}

/// Takes away what is old, and the oldest beyond the most that are kept. Ids begin with a time.
async fn forget_old(call: &Call) -> Result<(), Fault> {
    let all = Collection::<Import>::new(&call.app, COLLECTION);
    let found = all.list(&scoped_id(&call.caller.instance, "")).await?;
    let n_beyond = (found.len() + 1).saturating_sub(KEPT_MAX);
    let since_us = call.app.now().micros().saturating_sub(KEPT_US);
    for (i, import) in found.iter().enumerate() {
        if i < n_beyond || import.doc.created_us < since_us {
            let gone = all.change(&import.id, |_| Ok(Change::gone()));
            gone.await?;
        }
    }
    Ok(())
}
