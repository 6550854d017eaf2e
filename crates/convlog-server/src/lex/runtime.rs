//! The runtime: `PostText`, and the sessions behind it.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::Response;
use convlog_dialects::lex::model::ActiveContext;
use convlog_model::json::Json;

use super::session::{State, state_id};
use super::target::{Address, Attributes, Question, Target};
use super::turn;
use super::{content, media};
use crate::aws::{AwsError, Call, Refusal};
use crate::connector;
use crate::sessions;

/// The parts of the paths of the runtime.
pub(super) type Parts = (String, String, String);

/// The address of a path, of the shape that the operation asks for.
pub(super) fn address(
    call: &Call,
    operation: &str,
    body: &Json,
    parts: Parts,
) -> Result<Address, AwsError> {
    address_with(call, operation, body, parts, &[])
}

/// The same with headers that the shape knows.
pub(super) fn address_with(
    call: &Call,
    operation: &str,
    body: &Json,
    (bot, alias, user): Parts,
    headers: &[(&str, &str)],
) -> Result<Address, AwsError> {
    let mut path = vec![
        ("botName", bot.as_str()),
        ("botAlias", alias.as_str()),
        ("userId", user.as_str()),
    ];
    path.extend(headers);
    super::require_shape(call, operation, body, &path)?;
    Ok(Address { bot, alias, user })
}

/// `POST /bot/{bot}/alias/{alias}/user/{user}/text`
pub(crate) async fn post_text(Path(parts): Path<Parts>, call: Call) -> Result<Response, Refusal> {
    let body = call.json()?;
    let to = address(&call, "PostText", &body, parts)?;
    let question = Question {
        utterance: super::text(&body, "inputText"),
        session_attributes: attributes(&body, "sessionAttributes")?,
        request_attributes: attributes(&body, "requestAttributes")?,
        active_contexts: contexts(&body)?,
        ..Question::default()
    };
    let app = call.app.clone();
    let reply = connector::to_the_end(&app, turn::run(call, to, question)).await?;
    Ok(reply.as_json())
}

/// `POST …/session`: makes a session anew, or changes the one that runs, and answers where it
/// stands.
pub(crate) async fn put_session(Path(parts): Path<Parts>, call: Call) -> Result<Response, Refusal> {
    let body = call.json()?;
    let accept = media::accept(call.headers.get(header::ACCEPT), &call.app)?;
    let to = address(&call, "PutSession", &body, parts)?;
    let app = call.app.clone();
    let reply = connector::to_the_end(&app, turn::put(call, to, body)).await?;
    content::spoken(&app, &reply, &accept).await
}

/// `GET …/session`
pub(crate) async fn get_session(Path(parts): Path<Parts>, call: Call) -> Result<Response, Refusal> {
    let to = address(&call, "GetSession", &Json::Null, parts)?;
    let target = Target::find(&call, &to).await?;
    let id = state_id(&to.bot, &to.user);
    let state = State::load(&call.app, &call.caller.instance, &id).await?;
    let session = state.session.filter(|session| target.serves(session));
    let session = session.ok_or_else(|| AwsError::not_found(&to.user))?;
    let label = call.parameter("checkpointLabelFilter");
    let now_ms = call.app.now().millis();
    let dialog = &session.dialog;
    let mut shown = Json::object([
        (
            "recentIntentSummaryView",
            dialog.recent_intent_summary_view(label),
        ),
        (
            "sessionAttributes",
            super::json_of(dialog.session_attributes()),
        ),
        ("sessionId", Json::string(session.id.as_str())),
    ]);
    if let Some(action) = dialog.dialog_action() {
        shown.set("dialogAction", action);
    }
    shown.set("activeContexts", dialog.active_contexts_json(now_ms));
    Ok(super::answer(StatusCode::OK, &shown))
}

/// `DELETE …/session`
pub(crate) async fn delete_session(
    Path(parts): Path<Parts>,
    call: Call,
) -> Result<Response, Refusal> {
    let to = address(&call, "DeleteSession", &Json::Null, parts)?;
    let target = Target::find(&call, &to).await?;
    let id = state_id(&to.bot, &to.user);
    let instance = &call.caller.instance;
    let _gate = call.app.sessions().turn(instance, &id).await;
    let state = State::load(&call.app, instance, &id).await?;
    let session = state.session.filter(|session| target.serves(session));
    let session = session.ok_or_else(|| AwsError::not_found(&to.user))?;
    sessions::end(&call.app, instance, &id).await?;
    let shown = Json::object([
        ("botName", Json::string(to.bot)),
        ("botAlias", Json::string(to.alias)),
        ("userId", Json::string(to.user)),
        ("sessionId", Json::string(session.id)),
    ]);
    Ok(super::answer(StatusCode::OK, &shown))
}

/// Attributes of a request that has been checked.
pub(super) fn attributes(body: &Json, member: &str) -> Result<Option<Attributes>, AwsError> {
    let found = body.get(member).filter(|value| **value != Json::Null);
    found.map(super::typed).transpose()
}

/// Active contexts of a request that has been checked.
pub(super) fn contexts(body: &Json) -> Result<Option<Vec<ActiveContext>>, AwsError> {
    let found = body.get("activeContexts");
    let found = found.filter(|value| **value != Json::Null);
    found.map(super::typed).transpose()
}
