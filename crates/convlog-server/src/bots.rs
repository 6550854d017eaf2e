//! Bots: `GET /bots`, `PUT|GET|DELETE /bots/{id}`, and how every other module finds them.

mod channel;
mod document;
mod known;
mod parse;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use convlog_model::json::Json;

pub(crate) use self::channel::Channels;
pub(crate) use self::document::{
    Bot, BotView, ConnectorConfig, Environment, Upstream, UpstreamApi,
};
pub(crate) use self::known::Known;
pub(crate) use self::known::{IdOf, ensure, find, resolve, sight};
pub(crate) use self::parse::DAYS_MAX;
pub(crate) use self::parse::ID_BYTES_MAX;
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::body::{JsonBody, Params};
use crate::connector::outbound::Reach;
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::retention;

const COLLECTION: &str = "bots";
const LIMIT_MAX: usize = 1000;

fn bots(app: &App) -> Collection<'_, Bot> {
    Collection::new(app, COLLECTION)
}

/// Parameters of `GET /bots`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// At most so many bots; 100 by default, 1,000 at most.
    limit: Option<usize>,
    /// `cursor` of the page before.
    cursor: Option<String>,
}

/// A page of bots.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct BotPage {
    /// The bots, by id.
    bots: Vec<BotView>,
    /// Where the next page begins; `null` on the last.
    cursor: Option<String>,
}

/// Lists the bots of the instance, by id. A key that is limited to some bots sees those.
#[utoipa::path(get, path = "/convlog/v1/bots", tag = "bots", params(ListParams), responses(
    (status = 200, body = BotPage),
    (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<axum::Json<BotPage>, Fault> {
    let limit = params.limit.unwrap_or(100).min(LIMIT_MAX);
    if limit == 0 {
        return Err(Fault::bad_at("limit", "must be at least 1"));
    }
    let prefix = scoped_id(&caller.instance, "");
    let mut after = params
        .cursor
        .map_or_else(String::new, |id| format!("{prefix}{id}"));
    let mut found: Vec<Bot> = Vec::new();
    // One more than is shown tells whether there is a next page.
    while found.len() <= limit {
        let (step, next) = bots(&app).step(&prefix, &after).await?;
        let mine = step.into_iter().map(|bot| bot.doc);
        found.extend(mine.filter(|bot| caller.sees_bot(&bot.id)));
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    let cursor = found.last().filter(|_| has_more).map(|bot| bot.id.clone());
    Ok(axum::Json(BotPage {
        bots: found.iter().map(BotView::of).collect(),
        cursor,
    }))
}

/// One bot, secrets masked.
#[utoipa::path(get, path = "/convlog/v1/bots/{id}", tag = "bots",
    params(("id" = String, Path, description = "id of the bot")),
    responses(
        (status = 200, body = BotView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<BotView>, Fault> {
    caller.require_bot(&id)?;
    match find(&app, &caller.instance, &id).await? {
        Some(bot) => Ok(axum::Json(BotView::of(&bot.doc))),
        None => Err(unknown()),
    }
}

/// Makes a bot, or replaces it whole. A secret that is left out or sent as the mask stays.
#[utoipa::path(put, path = "/convlog/v1/bots/{id}", tag = "bots",
    params(("id" = String, Path, description = "id of the bot")),
    request_body(content = Object, description = "the bot: `{name, language, connector, \
        environments, assistant, logging, learning_opt_out, privacy, retention_days, \
        session_timeout_s}`"),
    responses(
        (status = 200, body = BotView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<Json>,
) -> Result<axum::Json<BotView>, Fault> {
    caller.require_bot(&id)?;
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        let message = format!("must have 1 to {ID_BYTES_MAX} bytes, none a control character");
        return Err(Fault::bad_at("id", message));
    }
    let reach = reach(&app)?;
    let bot = change(&app, &caller, &id, |old| {
        Ok(parse::bot(&app, &reach, &id, &body, old.as_ref())?)
    });
    Ok(axum::Json(BotView::of(&bot.await?)))
}

/// Makes or changes a bot as `decide` says of the present one, and tells of it.
///
/// # Errors
/// What `decide` answers; what the control plane answers.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    id: &str,
    mut decide: impl FnMut(Option<Bot>) -> Result<Bot, Fault> + Send,
) -> Result<Bot, Fault> {
    let mut retention_changes = false;
    let changed = bots(app).change(&scoped_id(&caller.instance, id), |old| {
        let kind = match &old {
            Some(_) => events::BOT_UPDATE,
            None => events::BOT_CREATE,
        };
        let old_days = old.as_ref().and_then(|old| old.retention_days);
        let had_privacy = old.as_ref().is_some_and(|old| old.privacy == Some(true));
        let bot = decide(old)?;
        retention_changes = old_days != bot.retention_days;
        let event = OwnEvent::new(app, caller, kind)
            .about("botId", id)
            .with("connector", bot.connector.kind());
        let has_privacy = bot.privacy == Some(true);
        let mut change = Change::to(bot, event);
        if has_privacy != had_privacy {
            let event = OwnEvent::new(app, caller, events::REDACTION_UPDATE).about("botId", id);
            let event = event.with("privacy", has_privacy.to_string());
            change.events.push(event);
        }
        Ok(change)
    });
    let changed = changed.await?;
    app.bots().changed();
    app.redaction().changed();
    if retention_changes {
        retention::apply(app).await?;
    }
    changed.map(|bot| bot.doc).ok_or_else(unknown)
}

/// Deletes a bot. Its records stay readable until retention.
#[utoipa::path(delete, path = "/convlog/v1/bots/{id}", tag = "bots",
    params(("id" = String, Path, description = "id of the bot")),
    responses(
        (status = 204, description = "it is gone"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "it is a bot of Lex"),
))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    caller.require_bot(&id)?;
    let found = find(&app, &caller.instance, &id).await?;
    if found.is_some_and(|bot| bot.doc.lex) {
        let message = "this is a bot of Lex: DeleteBot takes it away";
        return Err(Fault::conflict(message));
    }
    remove(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every bot that the caller sees, by id.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn all(app: &App, caller: &Caller) -> Result<Vec<Bot>, Fault> {
    let all = bots(app).list(&scoped_id(&caller.instance, "")).await?;
    let all = all.into_iter().map(|bot| bot.doc);
    Ok(all.filter(|bot| caller.sees_bot(&bot.id)).collect())
}

/// Deletes a bot and tells of it.
///
/// # Errors
/// 404 for none that the key may see.
pub(crate) async fn remove(app: &App, caller: &Caller, id: &str) -> Result<(), Fault> {
    caller.require_bot(id)?;
    let Some(bot) = find(app, &caller.instance, id).await? else {
        return Err(unknown());
    };
    // First the traces that keep its records listable, so that no moment is without them.
    let instance = &caller.instance;
    known::note(app, instance, IdOf::Bot, id, Some(id)).await?;
    for environment in &bot.doc.environments {
        known::note(app, instance, IdOf::Environment, &environment.id, Some(id)).await?;
    }
    if let Some(assistant) = &bot.doc.assistant {
        known::note(app, instance, IdOf::Assistant, assistant, Some(id)).await?;
    }
    let gone = bots(app).change(&scoped_id(instance, id), |old| match old {
        Some(_) => {
            let event = OwnEvent::new(app, caller, events::BOT_DELETE);
            Ok(Change::delete(event.about("botId", id)))
        }
        None => Err(unknown()),
    });
    gone.await?;
    app.bots().changed();
    crate::definitions::forget(app, caller, id).await?;
    crate::redaction::forget(app, instance, id).await?;
    if bot.doc.retention_days.is_some() {
        retention::apply(app).await?;
    }
    Ok(())
}

fn unknown() -> Fault {
    Fault::not_found("Resource not found")
}

/// Where connectors may lead, as the calls themselves check it too.
fn reach(app: &App) -> Result<Reach, Fault> {
    let config = &app.config().connectors;
    let listening = &config.listening_on;
    let on_loopback = !listening.is_empty() && listening.iter().all(|ip| ip.is_loopback());
    Reach::new(&config.allow, on_loopback)
        .map_err(|(index, bad)| Fault::internal(format!("[connectors] allow[{index}] {bad}")))
}
