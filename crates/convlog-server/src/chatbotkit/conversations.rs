//! `/conversation/create`, `/list` and `/{id}/fetch`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::chatbotkit::conversation::{self, Conversation, ConversationRequest};
use convlog_dialects::chatbotkit::encode::{self, Shape};
use convlog_dialects::chatbotkit::filter::TypePattern;
use convlog_dialects::chatbotkit::message::Turn;
use convlog_dialects::chatbotkit::params::{Order, Params};
use convlog_dialects::chatbotkit::project;
use convlog_model::filter::Filter;
use convlog_model::json::{Json, Text};
use convlog_model::query::{Sort, SortKey};
use convlog_model::store::Outcome;

use super::list::{self, bad};
use super::walk::Walk;
use super::{FormQuery, body, decoded, json, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots;
use crate::error::Fault;

/// Makes a conversation, with its first messages, which no bot is asked about.
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    RawBody(bytes): RawBody,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let (body, _) = body(&app, &bytes)?;
    let request = ConversationRequest::parse(&body).map_err(decoded)?;
    let id = app.new_id().to_string();
    let conversation = request.conversation(&id);
    let mut language = "en".to_owned();
    if let Some(bot) = &conversation.bot {
        caller.require_bot(bot)?;
        let found = bots::find(&app, &caller.instance, bot).await?;
        let found = found.ok_or_else(|| Fault::bad_at("botId", "is no bot of this instance"))?;
        language.clone_from(&found.doc.language);
    }
    let now = app.now();
    let turn = Turn {
        instance: &caller.instance,
        conversation: &conversation,
        language: &language,
        requested: now,
        responded: now,
        error: None,
    };
    let mut drafts = vec![request.draft(&caller.instance, &id, &caller.key_id)];
    drafts.extend(request.messages.iter().map(|one| one.draft(&turn, None)));
    let door = app.ingest();
    let seen = drafts.into_iter().map(|draft| door.look(&caller, draft));
    let outcomes = door.bulk(&caller, seen.collect()).await?;
    let mut messages = Vec::new();
    for (i, outcome) in outcomes.into_iter().enumerate() {
        let Outcome::Stored(stored) = outcome.map_err(Fault::bad)? else {
            return Err(Fault::conflict("the customer was erased at the same time"));
        };
        if let Some(message) = i.checked_sub(1).and_then(|i| request.messages.get(i)) {
            messages.push(Json::object([
                ("id", Json::string(super::messages::id(stored.id, message))),
                ("type", Json::string(message.kind.as_str())),
                ("text", Json::string(message.text.as_str())),
            ]));
        }
    }
    let mut members: Vec<(Text, Json)> = vec![("id".into(), Json::string(id))];
    if !messages.is_empty() {
        members.push(("messages".into(), Json::Array(messages)));
    }
    let answer = Json::Object(members).to_string();
    Ok(json(StatusCode::OK, encode::ascii(answer)))
}

/// Lists conversations by the event that began each.
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
) -> Result<Response, Fault> {
    let mut params = Params::parse(&query.0).map_err(bad)?;
    params.filter.types = vec![TypePattern::new(project::CONVERSATION_CREATE)];
    list::answer(&app, &caller, &headers, params, Shape::Conversation).await
}

/// Shows one conversation; of one whose beginning is not known, what its first turn tells.
pub(crate) async fn fetch(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    for kind in [project::CONVERSATION_CREATE, "*"] {
        let mut params = Params::default();
        params.filter.types = vec![TypePattern::new(kind)];
        params.filter.ids = vec![("conversationId", vec![id.clone()])];
        let who = (&app, &caller);
        let mut walk = Walk::new(who, Shape::Conversation, params.filter, Order::Asc, None);
        loop {
            let step = walk.step(1).await?;
            if let Some(mut item) = step.items.into_iter().next() {
                if kind == "*" {
                    item.meta = Json::Object(Vec::new());
                }
                let shown = conversation::show(&item).to_string();
                return Ok(json(StatusCode::OK, encode::ascii(shown)));
            }
            if step.is_done {
                break;
            }
        }
    }
    Err(Fault::not_found("Not found"))
}

/// What is known of a conversation by its first record.
///
/// # Errors
/// 404 for one that the key does not see.
pub(super) async fn known(app: &App, caller: &Caller, id: &str) -> Result<Conversation, Fault> {
    let sort = Sort {
        key: SortKey::Position,
        descending: false,
    };
    let filter = Filter::equals("conversation", id);
    let page = app.query().page(caller, filter, sort, 1, None).await?;
    let record = page.records.first();
    let record = record.ok_or_else(|| Fault::not_found("Not found"))?;
    let flat = record.flat();
    let text = |field: &str| flat.text(field).map(str::to_owned);
    Ok(Conversation {
        id: id.to_owned(),
        bot: text("bot"),
        contact: text("customer"),
        task: text("event.refs.taskId"),
    })
}
