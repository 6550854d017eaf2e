//! `/bots`: bots and their versions.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use convlog_dialects::lex::model::IntentRef;
use convlog_dialects::lex::rules;
use convlog_model::json::Json;

use super::known::Changing;
use super::shelf::{Kind, LATEST, Put, Shelf, Shelves, Use};
use super::{answer, done, view};
use crate::aws::{AwsError, Call, Refusal};
use crate::bots::{self, Bot, ConnectorConfig};
use crate::error::Fault;

/// Members of a request that are kept of a bot.
const KEPT: &[&str] = &[
    "name",
    "description",
    "intents",
    "enableModelImprovements",
    "nluIntentConfidenceThreshold",
    "clarificationPrompt",
    "abortStatement",
    "idleSessionTTLInSeconds",
    "voiceId",
    "processBehavior",
    "locale",
    "childDirected",
    "detectSentiment",
];

fn shelves(call: &Call) -> Shelves<'_> {
    Shelves::new(&call.app, Kind::Bot, &call.caller.instance)
}

/// `PUT /bots/{name}/versions/$LATEST`
pub(crate) async fn put(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&name)?;
    super::require_latest(&version)?;
    let sent = super::checked(&call, "PutBot", &[("name", &name)])?;
    let checksum = super::text(&sent, "checksum");
    let tags = super::tags::of(&sent)?;
    let body = body_of(&name, &sent)?;
    let alone = call.app.lex().changing().await;
    let uses = intents(&call, &body, &BTreeSet::new()).await?;
    require_free(&call, &name).await?;
    let put = Put {
        name: name.clone(),
        body,
        checksum,
        uses,
        tags: tags.clone(),
    };
    let mut shelf = shelves(&call).put(&alone, &call.caller, put).await?;
    keep_bot(&call, &shelf).await?;
    let mut version = LATEST.to_owned();
    if sent.get("createVersion").and_then(Json::as_bool) == Some(true) {
        let number;
        (shelf, number) = publish_bot(&call, &alone, &name, None).await?;
        version = number.to_string();
    }
    let body = shelves(&call).body(&shelf, &version).await?;
    let mut shown = whole(&shelf, &body, &version)?;
    let create = version != LATEST;
    shown.set("createVersion", Json::Bool(create));
    if !tags.is_empty() {
        shown.set("tags", super::tags::show(&shelf.tags));
    }
    Ok(answer(StatusCode::OK, &shown))
}

/// What is kept of a request of the right shape, with defaults for what it leaves out.
///
/// # Errors
/// 400 that names the place of a broken rule.
pub(super) fn body_of(name: &str, sent: &Json) -> Result<Json, AwsError> {
    let mut body = super::kept(sent, KEPT);
    body.set("name", Json::string(name));
    let defaults = [
        ("idleSessionTTLInSeconds", Json::integer(300)),
        ("enableModelImprovements", Json::Bool(false)),
        ("detectSentiment", Json::Bool(false)),
        ("processBehavior", Json::string("BUILD")),
    ];
    for (member, default) in defaults {
        if body.get(member).is_none() {
            body.set(member, default);
        }
    }
    rules::bot::check(&super::typed(&body)?).map_err(|broken| super::refused(&broken))?;
    Ok(body)
}

/// `POST /bots/{name}/versions`
pub(crate) async fn publish(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    call.caller.require_bot(&name)?;
    let sent = super::checked(&call, "CreateBotVersion", &[("name", &name)])?;
    let checksum = super::text(&sent, "checksum");
    let alone = call.app.lex().changing().await;
    let (shelf, number) = publish_bot(&call, &alone, &name, checksum.as_deref()).await?;
    let version = number.to_string();
    let body = shelves(&call).body(&shelf, &version).await?;
    Ok(answer(
        StatusCode::CREATED,
        &whole(&shelf, &body, &version)?,
    ))
}

async fn publish_bot(
    call: &Call,
    alone: &Changing<'_>,
    name: &str,
    checksum: Option<&str>,
) -> Result<(Shelf, u32), Refusal> {
    let shelf = shelves(call).get(name).await?;
    let loose = shelf.latest.uses.iter().find(|of| of.version == LATEST);
    if let Some(intent) = loose {
        let message = format!(
            "The bot uses the $LATEST version of the intent '{}': create a version of the intent \
             and put the bot with it first.",
            intent.name
        );
        return Err(AwsError::bad(message).into());
    }
    if shelf.latest.uses.is_empty() {
        return Err(AwsError::bad("The bot has no intents: it cannot be published.").into());
    }
    shelves(call)
        .publish(alone, &call.caller, name, checksum)
        .await
}

/// `GET /bots/{name}/versions/{version or alias}`
pub(crate) async fn get(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&name)?;
    let path = [
        ("name", name.as_str()),
        ("versionoralias", version.as_str()),
    ];
    super::require_named(&call, "GetBot", &path)?;
    let shelf = shelves(&call).get(&name).await?;
    let version = match shelf.aliases.get(&version) {
        Some(alias) => alias.bot_version.clone(),
        None => version,
    };
    let body = shelves(&call).body(&shelf, &version).await?;
    Ok(answer(StatusCode::OK, &whole(&shelf, &body, &version)?))
}

/// `GET /bots`
pub(crate) async fn list(call: Call) -> Result<Response, Refusal> {
    super::require_named(&call, "GetBots", &[])?;
    let all = shelves(&call).list().await?;
    let mine = all.iter().filter(|shelf| call.caller.sees_bot(&shelf.name));
    let mut shown = Vec::new();
    for shelf in mine {
        let mut each = view::summary(&shelf.name, &shelf.latest, LATEST);
        each.set("status", Json::string(status(&shelf.body).0));
        shown.push((shelf.name.clone(), each));
    }
    Ok(answer(StatusCode::OK, &view::page(&call, "bots", shown)?))
}

/// `GET /bots/{name}/versions`
pub(crate) async fn versions(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    call.caller.require_bot(&name)?;
    super::require_named(&call, "GetBotVersions", &[("name", &name)])?;
    let shelf = shelves(&call).get(&name).await?;
    let shown = view::versions(&shelf, |version, shown| {
        let state = match version {
            LATEST => status(&shelf.body).0,
            _ => "READY",
        };
        shown.set("status", Json::string(state));
    });
    Ok(answer(StatusCode::OK, &view::page(&call, "bots", shown)?))
}

/// `DELETE /bots/{name}`
pub(crate) async fn delete(Path(name): Path<String>, call: Call) -> Result<Response, Refusal> {
    call.caller.require_bot(&name)?;
    super::require_named(&call, "DeleteBot", &[("name", &name)])?;
    let alone = call.app.lex().changing().await;
    shelves(&call).delete(&alone, &call.caller, &name).await?;
    match bots::remove(&call.app, &call.caller, &name).await {
        Ok(()) | Err(Fault::NotFound { .. }) => Ok(done()),
        Err(fault) => Err(fault.into()),
    }
}

/// `DELETE /bots/{name}/versions/{version}`
pub(crate) async fn delete_version(
    Path((name, version)): Path<(String, String)>,
    call: Call,
) -> Result<Response, Refusal> {
    call.caller.require_bot(&name)?;
    let path = [("name", name.as_str()), ("version", version.as_str())];
    super::require_named(&call, "DeleteBotVersion", &path)?;
    let alone = call.app.lex().changing().await;
    shelves(&call)
        .delete_version(&alone, &call.caller, &name, &version)
        .await?;
    Ok(done())
}

/// The intents that a bot names, each of which exists, or will: `brought` come along with it.
///
/// # Errors
/// 400 that names the one that does not.
pub(super) async fn intents(
    call: &Call,
    body: &Json,
    brought: &BTreeSet<&str>,
) -> Result<Vec<Use>, Refusal> {
    let mut uses = Vec::new();
    for item in body
        .get("intents")
        .and_then(Json::as_array)
        .unwrap_or_default()
    {
        let found: IntentRef = super::typed(item)?;
        let intents = Shelves::new(&call.app, Kind::Intent, &call.caller.instance);
        let (name, version) = (&found.intent_name, &found.intent_version);
        let is_brought = version == LATEST && brought.contains(name.as_str());
        if !is_brought && !intents.has(name, version).await? {
            let message = format!(
                "The bot names the intent '{}' in version '{}', which does not exist.",
                found.intent_name, found.intent_version
            );
            return Err(AwsError::bad(message).into());
        }
        uses.push(Use {
            kind: Kind::Intent,
            name: found.intent_name,
            version: found.intent_version,
        });
    }
    Ok(uses)
}

/// Refuses the name of a bot of another family. One that imported records alone have named is of
/// none yet.
///
/// # Errors
/// 409.
pub(super) async fn require_free(call: &Call, name: &str) -> Result<(), Refusal> {
    let found = bots::find(&call.app, &call.caller.instance, name).await?;
    match found {
        Some(bot) if !bot.doc.lex && !bot.doc.is_only_named() => {
            let message = format!("'{name}' is a bot that is not one of Lex");
            Err(AwsError::new("ConflictException", message).into())
        }
        _ => Ok(()),
    }
}

/// Makes the bot's own document say what Lex says of the bot.
pub(super) async fn keep_bot(call: &Call, shelf: &Shelf) -> Result<(), Refusal> {
    let locale = super::text(&shelf.body, "locale").unwrap_or_default();
    let language = locale.split('-').next().unwrap_or("en").to_owned();
    let ttl = shelf
        .body
        .get("idleSessionTTLInSeconds")
        .and_then(Json::as_i64);
    let app = &call.app;
    let changed = bots::change(app, &call.caller, &shelf.name, |old| {
        let now_us = app.now().micros();
        let is_new = old.as_ref().is_none_or(Bot::is_only_named);
        let mut bot = old.unwrap_or_else(|| Bot::seen(&shelf.name, now_us));
        if is_new {
            bot.connector = ConnectorConfig::Lex;
        }
        bot.lex = true;
        bot.language.clone_from(&language);
        bot.session_timeout_s = ttl.and_then(|ttl| u32::try_from(ttl).ok());
        bot.updated_us = now_us;
        Ok(bot)
    });
    changed.await?;
    Ok(())
}

/// A bot whole.
fn whole(shelf: &Shelf, body: &Json, version: &str) -> Result<Json, AwsError> {
    let mut shown = view::whole(body, shelf.edition(version)?, version);
    let (state, reason) = status(body);
    shown.set("status", Json::string(state));
    if let Some(reason) = reason {
        shown.set("failureReason", Json::string(reason));
    }
    shown.take("processBehavior");
    Ok(shown)
}

/// Whether a bot can be talked to.
pub(super) fn status(body: &Json) -> (&'static str, Option<&'static str>) {
    let n_intents = body.get("intents").and_then(Json::as_array);
    let n_intents = n_intents.unwrap_or_default().len();
    match body.get("processBehavior").and_then(Json::as_str) {
        Some("SAVE") => ("NOT_BUILT", None),
        _ if n_intents == 0 => ("FAILED", Some("The bot has no intents.")),
        _ => ("READY", None),
    }
}
