//! Messages of v2: within a session, whose context the server keeps, or with the context that the
//! client carries; answered whole or as a stream.

use axum::extract::{FromRequest, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::reply::Reply;
use convlog_dialects::watson::message::{
    AnswerV2, Mode, RequestV2, Session as Dialogue, answer_v2, log_v2,
};
use convlog_model::record::Draft;

use super::session::{self, AssistantPath, SessionPath};
use super::turn::{Addressed, Incoming, bad_body};
use super::{Refusal, WatsonQuery, json, stream};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots::{ConnectorConfig, UpstreamApi};
use crate::connector::upstream::Upstream;
use crate::connector::{self, Ask, Failure};
use crate::error::Fault;
use crate::events::OwnEvent;
use crate::sessions::{self, Session, Turn};

/// A message as it came in.
#[derive(Debug, FromRequest)]
#[from_request(state(App))]
pub(crate) struct Sent {
    #[from_request(via(State))]
    app: App,
    caller: Caller,
    _query: WatsonQuery,
    headers: HeaderMap,
    body: RawBody,
}

/// `POST …/sessions/{session}/message`
pub(crate) async fn stateful(
    Path(path): Path<SessionPath>,
    sent: Sent,
) -> Result<Response, Refusal> {
    let app = sent.app.clone();
    let response = connector::to_the_end(&app, in_session(sent, path)).await?;
    Ok(json(StatusCode::OK, response))
}

/// `POST …/sessions/{session}/message_stream`
pub(crate) async fn stateful_stream(
    Path(path): Path<SessionPath>,
    sent: Sent,
) -> Result<Response, Refusal> {
    let app = sent.app.clone();
    let response = connector::to_the_end(&app, in_session(sent, path)).await?;
    Ok(stream::events(&response))
}

/// `POST …/message`
pub(crate) async fn stateless(
    Path(path): Path<AssistantPath>,
    sent: Sent,
) -> Result<Response, Refusal> {
    let app = sent.app.clone();
    let response = connector::to_the_end(&app, without_session(sent, path)).await?;
    Ok(json(StatusCode::OK, response))
}

/// `POST …/message_stream`
pub(crate) async fn stateless_stream(
    Path(path): Path<AssistantPath>,
    sent: Sent,
) -> Result<Response, Refusal> {
    let app = sent.app.clone();
    let response = connector::to_the_end(&app, without_session(sent, path)).await?;
    Ok(stream::events(&response))
}

async fn in_session(sent: Sent, path: SessionPath) -> Result<String, Refusal> {
    let Sent {
        app,
        caller,
        headers,
        body,
        ..
    } = &sent;
    let to = Addressed::assistant(app, caller, &path.id, path.environment.as_deref()).await?;
    let request = RequestV2::parse(&body.0, Mode::Stateful).map_err(|error| bad_body(&error))?;
    let turn = app.sessions().turn(&caller.instance, &path.session).await;
    let mut session = session::open(app, caller, &to, &path.session).await?;
    let incoming = Incoming::new(app, to, headers)?;
    let mut dialogue = session.dialogue();
    dialogue.begin(&request).map_err(|error| bad_body(&error))?;
    before_asking(app, caller, &incoming, &request, &dialogue).await?;
    if session.is_full_of_customers() {
        let turn = unanswered(app, caller, &incoming, &request, &dialogue);
        if turn
            .flat()
            .text("customer")
            .is_some_and(|id| !session.can_name(id))
        {
            return Err(
                Fault::bad("the session has named too many customers: open another").into(),
            );
        }
    }
    let before = dialogue.clone();
    let upstream = &mut session.upstream;
    let asking = ask(app, &incoming, &request, &mut dialogue, Some(upstream));
    let asked = connector::in_time(app, asking).await;
    let (answer, failure) = split(asked, &request, &mut dialogue, before);
    let known = incoming.turn(app, caller, failure.as_ref());
    let draft = log_v2(&known, &request, &dialogue, &answer.logged);
    if failure.is_none() {
        session.advance(dialogue);
    }
    if let Some(customer) = draft.flat().text("customer") {
        session.name(customer);
    }
    let event = incoming.failed(app, caller, failure.as_ref(), &session.id);
    keep(app, caller, &turn, &session, (draft, event)).await?;
    match failure {
        None => Ok(answer.response),
        Some(failure) => {
            if failure.ended_session() {
                sessions::end(app, &caller.instance, &session.id).await?;
            }
            Err(failure.into())
        }
    }
}

/// Keeps the turn and the session's state together. What an erasure removed meanwhile does not
/// come back with the state.
async fn keep(
    app: &App,
    caller: &Caller,
    turn: &Turn,
    session: &Session,
    (draft, event): (Draft, Option<OwnEvent>),
) -> Result<(), Fault> {
    let state = session.to_write(&caller.instance, app.now());
    app.sessions().lives_until(&state);
    app.ingest().turn(caller, draft, Some(state), event).await?;
    if session.customers.iter().any(|id| turn.was_erased(id)) {
        sessions::end(app, &caller.instance, &session.id).await?;
    }
    Ok(())
}

async fn without_session(sent: Sent, path: AssistantPath) -> Result<String, Refusal> {
    let Sent {
        app,
        caller,
        headers,
        body,
        ..
    } = &sent;
    let to = Addressed::assistant(app, caller, &path.id, path.environment.as_deref()).await?;
    let request = RequestV2::parse(&body.0, Mode::Stateless).map_err(|error| bad_body(&error))?;
    let incoming = Incoming::new(app, to, headers)?;
    let id = match request.session_id() {
        Some(id) => id.to_owned(),
        None => app.new_id().to_string(),
    };
    let mut dialogue = Dialogue::new(&id, app.now());
    dialogue.begin(&request).map_err(|error| bad_body(&error))?;
    before_asking(app, caller, &incoming, &request, &dialogue).await?;
    let before = dialogue.clone();
    let asking = ask(app, &incoming, &request, &mut dialogue, None);
    let asked = connector::in_time(app, asking).await;
    let (answer, failure) = split(asked, &request, &mut dialogue, before);
    let known = incoming.turn(app, caller, failure.as_ref());
    let draft = log_v2(&known, &request, &dialogue, &answer.logged);
    let event = incoming.failed(app, caller, failure.as_ref(), &id);
    app.ingest().turn(caller, draft, None, event).await?;
    match failure {
        None => Ok(answer.response),
        Some(failure) => Err(failure.into()),
    }
}

/// Refuses what could not be kept, while nobody was asked.
async fn before_asking(
    app: &App,
    caller: &Caller,
    incoming: &Incoming,
    request: &RequestV2,
    dialogue: &Dialogue,
) -> Result<(), Fault> {
    let bot = &incoming.to.bot().id;
    let before = app.ingest().before_asking(caller, bot, || {
        Incoming::is_doubtful(app, request.raw(), dialogue.user_id())
            .then(|| unanswered(app, caller, incoming, request, dialogue))
    });
    before.await
}

/// What would be kept of a turn that nothing answers.
fn unanswered(
    app: &App,
    caller: &Caller,
    incoming: &Incoming,
    request: &RequestV2,
    dialogue: &Dialogue,
) -> Draft {
    let mut after = dialogue.clone();
    let empty = answer_v2(request, &mut after, &Reply::default());
    let turn = incoming.turn(app, caller, None);
    log_v2(&turn, request, &after, &empty.logged)
}

/// The answer, or of a failed turn what is kept: the question, and an answer without a word.
fn split(
    asked: Result<AnswerV2, Failure>,
    request: &RequestV2,
    dialogue: &mut Dialogue,
    before: Dialogue,
) -> (AnswerV2, Option<Failure>) {
    match asked {
        Ok(answer) => (answer, None),
        Err(failure) => {
            *dialogue = before;
            let empty = answer_v2(request, dialogue, &Reply::default());
            (empty, Some(failure))
        }
    }
}

/// Asks the connector. `session` is the place of the upstream session of a stateful message.
async fn ask(
    app: &App,
    incoming: &Incoming,
    request: &RequestV2,
    dialogue: &mut Dialogue,
    session: Option<&mut Option<String>>,
) -> Result<AnswerV2, Failure> {
    let bot = incoming.to.bot();
    let passed_on = &incoming.passed_on;
    if let ConnectorConfig::Upstream(target) = &bot.connector {
        let upstream = Upstream::new(app, target)?;
        if upstream.api() != UpstreamApi::V2 {
            return Err(Failure::other_api("v1"));
        }
        let over_there = match session {
            None => None,
            Some(Some(id)) => Some(id.clone()),
            Some(place) => place
                .insert(upstream.create_session(passed_on).await?)
                .clone()
                .into(),
        };
        let body = upstream
            .message_v2(over_there.as_deref(), request.raw(), passed_on)
            .await?;
        return Ok(AnswerV2 {
            logged: body.clone(),
            response: body,
        });
    }
    let ask = Ask {
        bot: &bot.id,
        language: &bot.language,
        session: &dialogue.id,
        user: dialogue.user_id(),
        input: request.body().get("input"),
        context: Some(&dialogue.context),
        passed_on: passed_on.clone(),
    };
    let reply = connector::answer(app, incoming.to.entity(), &ask).await?;
    let answer = answer_v2(request, dialogue, &reply);
    connector::require_small(&dialogue.context, bot.connector.kind())?;
    Ok(answer)
}
