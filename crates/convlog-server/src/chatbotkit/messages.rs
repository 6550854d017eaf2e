//! `/conversation/{id}/message/create` and `/list`: what a user says is answered by the bot of the
//! conversation, when it has a connector, and both are one turn.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::chatbotkit::conversation::Conversation;
use convlog_dialects::chatbotkit::encode::Shape;
use convlog_dialects::chatbotkit::filter::TypePattern;
use convlog_dialects::chatbotkit::message::{MessageRequest, Turn};
use convlog_dialects::chatbotkit::params::{Order, Params};
use convlog_dialects::chatbotkit::project;
use convlog_dialects::reply::Reply;
use convlog_model::ids::RecordId;
use convlog_model::json::Json;
use convlog_model::store::Stored;

use super::list::{self, bad};
use super::{FormQuery, body, conversations, decoded, json, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots::{self, Bot, ConnectorConfig};
use crate::connector::neutral::{self, Carried};
use crate::connector::{self, Ask, Failure};
use crate::entity::Entity;
use crate::error::Fault;
use crate::sessions::{self, Session};

/// The id by which a message of a record is shown.
pub(super) fn id(record: RecordId, message: &MessageRequest) -> String {
    match message.ordinal() {
        Some(ordinal) => format!("{record}-{ordinal}"),
        None => record.to_string(),
    }
}

/// Lists the messages of a conversation, oldest first unless `order` says otherwise.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    query: FormQuery,
) -> Result<Response, Fault> {
    conversations::known(&app, &caller, &id).await?;
    let mut params = Params::parse(&query.0).map_err(bad)?;
    if !query
        .0
        .iter()
        .any(|(name, value)| name == "order" && value == "desc")
    {
        params.order = Order::Asc;
    }
    params.filter.types = vec![TypePattern::new(project::MESSAGE_CREATE)];
    params.filter.ids = vec![("conversationId", vec![id])];
    list::answer(&app, &caller, &headers, params, Shape::Message).await
}

/// Keeps a message; the answer of a bot that was asked is the next message of the list.
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawBody(bytes): RawBody,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let (tree, text) = body(&app, &bytes)?;
    let message = MessageRequest::parse(&tree, text).map_err(decoded)?;
    let conversation = conversations::known(&app, &caller, &id).await?;
    let saying = {
        let app = app.clone();
        async move { say(&app, &caller, &conversation, &message, headers).await }
    };
    let id = connector::to_the_end(&app, saying).await?;
    let answer = Json::object([
        ("id", Json::string(id)),
        ("entities", Json::Array(Vec::new())),
    ]);
    Ok(json(StatusCode::OK, answer.to_string()))
}

async fn say(
    app: &App,
    caller: &Caller,
    conversation: &Conversation,
    message: &MessageRequest,
    headers: HeaderMap,
) -> Result<String, Fault> {
    let bot = match &conversation.bot {
        Some(bot) => bots::find(app, &caller.instance, bot).await?,
        None => None,
    };
    let asked = bot
        .as_ref()
        .filter(|bot| message.is_of_user() && !matches!(bot.doc.connector, ConnectorConfig::None));
    let requested = app.now();
    let turn = |error| Turn {
        instance: &caller.instance,
        conversation,
        language: bot.as_ref().map_or("en", |bot| bot.doc.language.as_str()),
        requested,
        responded: app.now().max(requested),
        error,
    };
    let bot_id = conversation.bot.as_deref().unwrap_or_default();
    app.ingest()
        .before_asking(caller, bot_id, || Some(message.draft(&turn(None), None)))
        .await?;
    let Some(bot) = asked else {
        let draft = message.draft(&turn(None), None);
        let stored = app.ingest().live(caller, draft, None).await?;
        return Ok(shown(app, stored, message));
    };
    connector::require_end(&bot.doc, &headers)?;
    let gate = app
        .sessions()
        .turn(&caller.instance, &conversation.id)
        .await;
    let mut session = session(app, caller, conversation, bot).await?;
    let asking = ask(app, bot, &mut session, conversation, message, &headers);
    let asked = connector::in_time(app, asking).await;
    let (reply, failure) = match asked {
        Ok(reply) => (reply, None),
        // What is kept of a failed turn is the question, and an answer without a word.
        Err(failure) => (Reply::default(), Some(failure)),
    };
    let turn = turn(failure.as_ref().map(|failure| failure.class.as_str()));
    let draft = message.draft(&turn, Some(&reply));
    let state = session.to_write(&caller.instance, app.now());
    app.sessions().lives_until(&state);
    let failed = failure.as_ref();
    let event = failed.and_then(|failure| failure.event(app, caller, &bot.doc));
    let event = event.map(|event| event.of_turn(&conversation.id, requested));
    let stored = app.ingest().turn(caller, draft, Some(state), event);
    let stored = stored.await?;
    if session.customers.iter().any(|id| gate.was_erased(id)) {
        sessions::end(app, &caller.instance, &session.id).await?;
    }
    match failure {
        Some(failure) => Err(failure.fault),
        None => Ok(shown(app, stored, message)),
    }
}

/// The id that is answered; a message that is not kept gets one that leads nowhere.
fn shown(app: &App, stored: Option<Stored>, message: &MessageRequest) -> String {
    let record = stored.map_or_else(|| app.new_id(), |stored| stored.id);
    id(record, message)
}

/// What the bot keeps of the conversation while it is lively.
async fn session(
    app: &App,
    caller: &Caller,
    conversation: &Conversation,
    bot: &Entity<Bot>,
) -> Result<Session, Fault> {
    let now = app.now();
    let loaded = app
        .store()
        .load_state(&caller.instance, &conversation.id)
        .await?;
    let found = loaded.and_then(|write| Session::from_write(&write, now));
    if let Some(session) = found.filter(|session| session.bot == bot.doc.id) {
        return Ok(session);
    }
    app.sessions().require_room(now)?;
    let mut session = Session::new(app, conversation.id.clone(), &bot.doc);
    session.customers.extend(conversation.contact.clone());
    Ok(session)
}

/// Asks the bot's connector and takes over the context that it leaves.
async fn ask(
    app: &App,
    bot: &Entity<Bot>,
    session: &mut Session,
    conversation: &Conversation,
    message: &MessageRequest,
    headers: &HeaderMap,
) -> Result<Reply, Failure> {
    let input = Json::object([("text", Json::string(message.text.as_str()))]);
    let context = session.context.clone();
    let ask = Ask {
        bot: &bot.doc.id,
        language: &bot.doc.language,
        session: &conversation.id,
        user: conversation.contact.as_deref().unwrap_or(&conversation.id),
        input: Some(&input),
        context: Some(&context),
        passed_on: connector::passed_on(headers),
    };
    let carried = Carried {
        context: &mut session.context,
        upstream: &mut session.upstream,
    };
    let reply = neutral::ask(app, bot, &ask, carried).await?;
    session.turns += 1;
    Ok(reply)
}
