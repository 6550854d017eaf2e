//! `POST /v1/workspaces/{id}/message`: the client carries the context.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::reply::Reply;
use convlog_dialects::watson::message::{RequestV1, answer_v1, log_v1};
use serde::Deserialize;

use super::turn::{Addressed, Incoming, bad_body};
use super::{Refusal, WatsonQuery, json};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots::{ConnectorConfig, UpstreamApi};
use crate::connector::upstream::Upstream;
use crate::connector::{self, Ask, Failure};

/// The ids of the path.
#[derive(Debug, Deserialize)]
pub(crate) struct WorkspacePath {
    pub(super) id: String,
}

/// Answers a message and keeps the turn before it does.
pub(crate) async fn message(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<WorkspacePath>,
    query: WatsonQuery,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Refusal> {
    let wants_details = query.flag("nodes_visited_details")?;
    let to = Addressed::workspace(&app, &caller, &path.id).await?;
    let request = RequestV1::parse(&body).map_err(|error| bad_body(&error))?;
    let incoming = Incoming::new(&app, to, &headers)?;
    let turn = {
        let app = app.clone();
        async move { take(&app, &caller, &incoming, &request, wants_details).await }
    };
    let response = connector::to_the_end(&app, turn).await?;
    Ok(json(StatusCode::OK, response))
}

/// Asks the connector and keeps what came of it.
async fn take(
    app: &App,
    caller: &Caller,
    incoming: &Incoming,
    request: &RequestV1,
    wants_details: bool,
) -> Result<String, Refusal> {
    let conversation = match request.conversation_id() {
        Some(id) => id.to_owned(),
        None => app.new_id().to_string(),
    };
    let empty = || answer_v1(request, &conversation, wants_details, &Reply::default());
    let before = app
        .ingest()
        .before_asking(caller, &incoming.to.bot().id, || {
            let user = request.user_id(&conversation);
            Incoming::is_doubtful(app, request.raw(), user)
                .then(|| log_v1(&incoming.turn(app, caller, None), request, &empty()))
        });
    before.await?;
    let asking = ask(app, incoming, request, &conversation, wants_details);
    let (response, failure) = match connector::in_time(app, asking).await {
        Ok(response) => (response, None),
        // What is kept of a failed turn is the question, and an answer without a word.
        Err(failure) => (empty(), Some(failure)),
    };
    let turn = incoming.turn(app, caller, failure.as_ref());
    let draft = log_v1(&turn, request, &response);
    let event = incoming.failed(app, caller, failure.as_ref(), &conversation);
    app.ingest().turn(caller, draft, None, event).await?;
    match failure {
        None => Ok(response),
        Some(failure) => Err(failure.into()),
    }
}

/// The body of the answer.
async fn ask(
    app: &App,
    incoming: &Incoming,
    request: &RequestV1,
    conversation: &str,
    wants_details: bool,
) -> Result<String, Failure> {
    let bot = incoming.to.bot();
    if let ConnectorConfig::Upstream(target) = &bot.connector {
        let upstream = Upstream::new(app, target)?;
        return match upstream.api() {
            UpstreamApi::V1 => {
                let passed_on = &incoming.passed_on;
                upstream
                    .message_v1(request.raw(), wants_details, passed_on)
                    .await
            }
            UpstreamApi::V2 => Err(Failure::other_api("v2")),
        };
    }
    let ask = Ask {
        bot: &bot.id,
        language: &bot.language,
        session: conversation,
        user: request.user_id(conversation),
        input: request.body().get("input"),
        context: request.context(),
        passed_on: incoming.passed_on.clone(),
    };
    let reply = connector::answer(app, incoming.to.entity(), &ask).await?;
    Ok(answer_v1(request, conversation, wants_details, &reply))
}
