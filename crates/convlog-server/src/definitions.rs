//! Definitions of bots that the operator uploads, for tools that ask for them through Watson's
//! endpoints: `PUT|GET /bots/{id}/definition`.
//!
//! A document of the control plane has at most 1 MiB, a definition may be larger: it is stored in
//! parts, and the head document names the parts that belong together.

use std::collections::BTreeSet;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use convlog_model::control::Expect;
use convlog_model::ids::{InstanceId, RecordId};
use serde::{Deserialize, Serialize};

use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::body::{self, RawBody};
use crate::bots;
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};

const COLLECTION: &str = "definitions";
const PARTS: &str = "definition_parts";
/// Bytes of a part.
const PART_BYTES: usize = 512 << 10;
/// Uploads that a load may lose against.
const LOADS_MAX: usize = 5;

/// Which parts a definition has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// Chosen anew with each upload.
    upload: String,
    parts: usize,
    bytes: usize,
    updated_us: i64,
}

/// What is known of a stored definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct DefinitionView {
    /// The bot.
    bot: String,
    /// Its size.
    bytes: usize,
    /// When it was uploaded.
    updated_at: String,
}

fn heads(app: &App) -> Collection<'_, Head> {
    Collection::new(app, COLLECTION)
}

/// The definition of a bot as it was uploaded, `None` when there is none.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn load(
    app: &App,
    instance: &InstanceId,
    bot: &str,
) -> Result<Option<String>, Fault> {
    for _ in 0..LOADS_MAX {
        let Some(head) = heads(app).get(&scoped_id(instance, bot)).await? else {
            return Ok(None);
        };
        // A part is missing when a new upload has taken the place of this one meanwhile.
        if let Some(bytes) = parts_of(app, instance, &head.doc).await? {
            return match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(Fault::internal("a stored definition is no UTF-8")),
            };
        }
    }
    Err(Fault::conflict("the definition is being replaced"))
}

async fn parts_of(app: &App, instance: &InstanceId, head: &Head) -> Result<Option<Vec<u8>>, Fault> {
    let mut bytes = Vec::with_capacity(head.bytes);
    for number in 0..head.parts {
        let id = part_id(instance, &head.upload, number);
        match app.control().get(PARTS, &id).await? {
            Some(part) => bytes.extend(part.body),
            None => return Ok(None),
        }
    }
    Ok(Some(bytes))
}

/// Stores the definition of a bot: a JSON object, as `workspaces/{id}?export=true` or
/// `skills_export` answers it.
#[utoipa::path(put, path = "/convlog/v1/bots/{id}/definition", tag = "bots",
    params(("id" = String, Path, description = "id of the bot")),
    request_body(content = Object, description = "the definition"),
    responses(
        (status = 200, body = DefinitionView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(bot): Path<String>,
    RawBody(body): RawBody,
) -> Result<axum::Json<DefinitionView>, Fault> {
    caller.require_bot(&bot)?;
    let instance = &caller.instance;
    if bots::find(&app, instance, &bot).await?.is_none() {
        return Err(Fault::not_found("Resource not found"));
    }
    let value = body::tree(&body, app.config().limits.json_depth)?;
    if value.as_object().is_none() {
        let message = format!("the body must be an object, not {}", value.type_name());
        return Err(Fault::bad(message));
    }
    let head = Head {
        upload: app.new_id().to_string(),
        parts: body.len().div_ceil(PART_BYTES),
        bytes: body.len(),
        updated_us: app.now().micros(),
    };
    for (number, part) in body.chunks(PART_BYTES).enumerate() {
        let id = part_id(instance, &head.upload, number);
        app.control().put(PARTS, &id, part, Expect::Absent).await?;
    }
    let mut replaced = None;
    let changed = heads(&app).change(&scoped_id(instance, &bot), |old: Option<Head>| {
        let kind = match &old {
            Some(_) => events::DATASET_UPDATE,
            None => events::DATASET_CREATE,
        };
        replaced = old;
        let event = OwnEvent::new(&app, &caller, kind)
            .about("botId", &bot)
            .about("datasetId", &bot);
        Ok(Change::to(head.clone(), event))
    });
    changed.await?;
    remove_parts(&app, instance, replaced).await?;
    Ok(axum::Json(DefinitionView {
        bot,
        bytes: head.bytes,
        updated_at: app.now().to_micros_text(),
    }))
}

/// The definition of a bot, byte for byte.
#[utoipa::path(get, path = "/convlog/v1/bots/{id}/definition", tag = "bots",
    params(("id" = String, Path, description = "id of the bot")),
    responses(
        (status = 200, content_type = "application/json", body = Object),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(bot): Path<String>,
) -> Result<Response, Fault> {
    caller.require_bot(&bot)?;
    let found = load(&app, &caller.instance, &bot).await?;
    let text = found.ok_or_else(|| Fault::not_found("this bot has no definition"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

/// Number of definitions of an instance.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn count(app: &App, instance: &InstanceId) -> Result<u64, Fault> {
    let all = heads(app).list(&scoped_id(instance, "")).await?;
    Ok(u64::try_from(all.len()).unwrap_or(u64::MAX))
}

/// Removes the definition of a bot that was deleted.
pub(crate) async fn forget(app: &App, caller: &Caller, bot: &str) -> Result<(), Fault> {
    let instance = &caller.instance;
    let mut replaced = None;
    let changed = heads(app).change(&scoped_id(instance, bot), |old: Option<Head>| {
        let event = OwnEvent::new(app, caller, events::DATASET_DELETE)
            .about("botId", bot)
            .about("datasetId", bot);
        let change = match &old {
            Some(_) => Change::delete(event),
            None => Change::gone(),
        };
        replaced = old;
        Ok(change)
    });
    changed.await?;
    remove_parts(app, instance, replaced).await
}

async fn remove_parts(app: &App, instance: &InstanceId, head: Option<Head>) -> Result<(), Fault> {
    let Some(head) = head else {
        return Ok(());
    };
    for number in 0..head.parts {
        let id = part_id(instance, &head.upload, number);
        if let Some(part) = app.control().get(PARTS, &id).await? {
            app.control().delete(PARTS, &id, part.version).await?;
        }
    }
    Ok(())
}

/// Age from which a part without a head is of an upload that ended on the way.
const ORPHAN_MS: u64 = 3_600_000;
/// Parts that are looked at in one step.
const SWEEP_STEP: usize = 8;

/// Removes parts that no definition has: their upload or their removal was cut off.
pub(crate) async fn sweep(app: &App) {
    if let Err(fault) = remove_orphans(app).await {
        let status = fault.status().as_u16();
        tracing::warn!(status, "parts of old definitions stay for now");
    }
}

async fn remove_orphans(app: &App) -> Result<(), Fault> {
    let mut after = String::new();
    let mut known = None;
    loop {
        let step = app.control().list(PARTS, "", &after, SWEEP_STEP).await?;
        let Some(last) = step.last() else {
            return Ok(());
        };
        after.clone_from(&last.id);
        let now_ms = u64::try_from(app.now().millis()).unwrap_or_default();
        for part in &step {
            if !is_old(&part.id, now_ms) {
                continue;
            }
            // Read at the first old part: its upload has ended long ago, with a head or without.
            let known = match &mut known {
                Some(known) => known,
                none => none.insert(uploads(app).await?),
            };
            if !known.contains(upload_of(&part.id)) {
                match app.control().delete(PARTS, &part.id, part.version).await {
                    Ok(()) => {}
                    Err(error) => tracing::debug!(error = error.log_text(), "not removed"),
                }
            }
        }
    }
}

/// `INSTANCE/UPLOAD` of every definition.
async fn uploads(app: &App) -> Result<BTreeSet<String>, Fault> {
    let mut known = BTreeSet::new();
    let mut after = String::new();
    loop {
        let (step, next) = heads(app).step("", &after).await?;
        for head in step {
            let instance = head.id.split('/').next().unwrap_or_default();
            known.insert(format!("{instance}/{}", head.doc.upload));
        }
        match next {
            Some(next) => after = next,
            None => return Ok(known),
        }
    }
}

/// `INSTANCE/UPLOAD` of a part.
fn upload_of(part: &str) -> &str {
    part.rsplit_once('/').map_or(part, |(upload, _)| upload)
}

/// Ids of uploads tell when they began.
fn is_old(part: &str, now_ms: u64) -> bool {
    let upload = upload_of(part).rsplit('/').next().unwrap_or_default();
    let began = upload.parse::<RecordId>().map(RecordId::millis);
    began.is_ok_and(|began| began.saturating_add(ORPHAN_MS) <= now_ms)
}

fn part_id(instance: &InstanceId, upload: &str, number: usize) -> String {
    scoped_id(instance, &format!("{upload}/{number:04}"))
}

#[cfg(test)]
mod tests;
