//! `/bot/create`, `/list`, `/{id}/fetch`, `/update` and `/delete`: our bots, with the properties
//! that ChatBotKit's clients give them kept as they are.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::chatbotkit::encode;
use convlog_dialects::chatbotkit::params::{Order, Params, TAKE, TAKE_MAX};
use convlog_model::json::{Json, Text};

use super::list::bad;
use super::stream::Form;
use super::{FormQuery, body, json, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots::{self, Bot};
use crate::error::Fault;

/// Most bytes of all properties of a bot.
const PROFILE_BYTES_MAX: usize = 256 << 10;
const NAME_BYTES_MAX: usize = 512;
/// What is kept as the client says it, and must be a string.
const TEXTS: [&str; 8] = [
    "description",
    "backstory",
    "model",
    "datasetId",
    "skillsetId",
    "alias",
    "visibility",
    "blueprintId",
];
/// What a client sends back and does not change.
const FIXED: [&str; 3] = ["id", "createdAt", "updatedAt"];

/// Makes a bot without a connector, which `PUT /convlog/v1/bots/{id}` gives it.
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let (body, _) = body(&app, &bytes)?;
    let id = app.new_id().to_string();
    let now_us = app.now().micros();
    let made = bots::change(&app, &caller, &id, |old| {
        let mut bot = old.unwrap_or_else(|| Bot::seen(&id, now_us));
        bot.name = String::new();
        apply(&mut bot, &body)?;
        Ok(bot)
    });
    Ok(named(&made.await?.id))
}

/// Changes the properties that are sent and leaves the others.
pub(crate) async fn update(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    caller.require_bot(&id)?;
    let (body, _) = body(&app, &bytes)?;
    let now_us = app.now().micros();
    let changed = bots::change(&app, &caller, &id, |old| {
        let mut bot = old.ok_or_else(|| Fault::not_found("Not found"))?;
        apply(&mut bot, &body)?;
        bot.updated_us = now_us;
        Ok(bot)
    });
    Ok(named(&changed.await?.id))
}

/// Deletes a bot; its records stay readable until retention.
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    bots::remove(&app, &caller, &id).await?;
    Ok(named(&id))
}

/// Shows one bot.
pub(crate) async fn fetch(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    caller.require_bot(&id)?;
    let bot = bots::find(&app, &caller.instance, &id).await?;
    let bot = bot.ok_or_else(|| Fault::not_found("Not found"))?;
    Ok(json(
        StatusCode::OK,
        encode::ascii(show(&bot.doc).to_string()),
    ))
}

/// Lists bots by the time at which they were made.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let params = Params::parse(&query.0).map_err(bad)?;
    let form = Form::of(&headers)?;
    let mut all = bots::all(&app, &caller).await?;
    all.sort_by(|a, b| (a.created_us, &a.id).cmp(&(b.created_us, &b.id)));
    if params.order == Order::Desc {
        all.reverse();
    }
    if let Some(cursor) = &params.cursor {
        let at = all.iter().position(|bot| bot.id == *cursor);
        let at = at.ok_or_else(|| Fault::bad_at("cursor", "is not the id of a bot"))?;
        all.drain(..=at);
    }
    let filter = &params.filter;
    let passes = |bot: &Json| {
        let empty = Json::Object(Vec::new());
        let meta = bot.get("meta").unwrap_or(&empty);
        filter.meta.iter().all(|test| test.passes(meta))
    };
    let shown = all.iter().map(show).filter(passes);
    let take = match (form, params.take) {
        (Form::Json, take) => take.unwrap_or(TAKE).min(TAKE_MAX),
        (_, take) => take.unwrap_or(usize::MAX),
    };
    let items: Vec<Json> = shown.take(take).collect();
    match form {
        Form::Json => {
            let last = items.last().and_then(|bot| bot.get("id")?.as_str());
            let cursor = Json::string(last.unwrap_or_default());
            let page = Json::object([("items", Json::Array(items)), ("cursor", cursor)]);
            Ok(json(StatusCode::OK, encode::ascii(page.to_string())))
        }
        form => form.whole(&items),
    }
}

fn named(id: &str) -> Response {
    let answer = Json::object([("id", Json::string(id))]);
    json(StatusCode::OK, encode::ascii(answer.to_string()))
}

fn show(bot: &Bot) -> Json {
    let mut members: Vec<(Text, Json)> = vec![
        ("id".into(), Json::string(bot.id.as_str())),
        ("name".into(), Json::string(bot.name.as_str())),
    ];
    let profile = bot.profile.as_ref().and_then(Json::as_object);
    members.extend(profile.unwrap_or_default().iter().cloned());
    for (name, value) in [
        ("description", Json::string("")),
        ("meta", Json::Object(Vec::new())),
    ] {
        if !members.iter().any(|(known, _)| known == name) {
            members.push((name.into(), value));
        }
    }
    if let Some(privacy) = bot.privacy {
        members.push(("privacy".into(), Json::Bool(privacy)));
    }
    let millis = |us: i64| Json::integer(us.div_euclid(1000));
    members.push(("createdAt".into(), millis(bot.created_us)));
    members.push(("updatedAt".into(), millis(bot.updated_us)));
    Json::Object(members)
}

/// Takes over what a body says of a bot; `null` takes a property away.
fn apply(bot: &mut Bot, body: &Json) -> Result<(), Fault> {
    let mut profile = bot
        .profile
        .take()
        .unwrap_or_else(|| Json::Object(Vec::new()));
    for (key, value) in body.as_object().unwrap_or_default() {
        let wrong = |wanted: &str| {
            let key: String = key.chars().take(64).collect();
            Err(Fault::bad_at(key, format!("must be {wanted}")))
        };
        match (key.as_str(), value) {
            ("name", Json::String(name)) if name.len() <= NAME_BYTES_MAX => {
                bot.name = name.to_string();
            }
            ("name", Json::Null) => bot.name = String::new(),
            ("name", _) => return wrong("a string of at most 512 bytes"),
            ("meta", Json::Object(_) | Json::Null) => profile.set(key, value.clone()),
            ("meta", _) => return wrong("an object"),
            ("privacy", Json::Null) => bot.privacy = None,
            ("privacy", Json::Bool(on)) => bot.privacy = Some(*on),
            ("moderation", Json::Bool(_) | Json::Null) => profile.set(key, value.clone()),
            ("privacy" | "moderation", _) => return wrong("true or false"),
            (key, value) if TEXTS.contains(&key) => match value {
                Json::String(_) | Json::Null => profile.set(key, value.clone()),
                _ => return wrong("a string"),
            },
            (key, _) if FIXED.contains(&key) => {}
            _ => profile.set(key, value.clone()),
        }
        if *value == Json::Null {
            profile.take(key);
        }
    }
    if profile.to_string().len() > PROFILE_BYTES_MAX {
        let message = format!("the properties of a bot have more than {PROFILE_BYTES_MAX} bytes");
        return Err(Fault::too_large(message));
    }
    bot.profile = Some(profile);
    Ok(())
}
