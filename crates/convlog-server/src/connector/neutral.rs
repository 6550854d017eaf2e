//! A neutral answer of any connector, for dialects that are not Watson's: upstream servers of
//! either version are asked in their own words.

use convlog_dialects::reply::Reply;
use convlog_model::json::Json;

use super::upstream::Upstream;
use super::{Ask, Failure, require_small};
use crate::app::App;
use crate::bots::{Bot, ConnectorConfig, UpstreamApi};
use crate::entity::Entity;

/// What is carried from one message of a conversation to the next.
#[derive(Debug)]
pub(crate) struct Carried<'a> {
    /// The context that the connector left.
    pub context: &'a mut Json,
    /// The session at the upstream server.
    pub upstream: &'a mut Option<String>,
}

/// Asks the bot's connector and takes over the context that it leaves.
///
/// # Errors
/// [`Failure`]; nothing was taken over then but the upstream session.
pub(crate) async fn ask(
    app: &App,
    bot: &Entity<Bot>,
    ask: &Ask<'_>,
    carried: Carried<'_>,
) -> Result<Reply, Failure> {
    let reply = match &bot.doc.connector {
        ConnectorConfig::Upstream(target) => {
            let upstream = Upstream::new(app, target)?;
            let or_empty = |value: Option<&Json>| value.cloned().unwrap_or(Json::Null);
            let request = Json::object([
                ("input", or_empty(ask.input)),
                ("context", carried.context.clone()),
            ]);
            let request = request.to_string();
            let passed_on = &ask.passed_on;
            let body = match upstream.api() {
                UpstreamApi::V1 => upstream.message_v1(&request, false, passed_on).await?,
                UpstreamApi::V2 => {
                    let id = match &carried.upstream {
                        Some(id) => id.clone(),
                        None => upstream.create_session(passed_on).await?,
                    };
                    *carried.upstream = Some(id.clone());
                    upstream.message_v2(Some(&id), &request, passed_on).await?
                }
            };
            let body = Json::parse(body.as_bytes()).unwrap_or(Json::Null);
            Reply::from_watson(&body)
                .map_err(|error| Failure::bad_answer("upstream", &error.to_string()))?
        }
        _ => super::answer(app, bot, ask).await?,
    };
    let mut context = carried.context.clone();
    if let Some(left) = &reply.context {
        for (key, value) in left.as_object().unwrap_or_default() {
            context.set(key, value.clone());
        }
    }
    require_small(&context, bot.doc.connector.kind())?;
    *carried.context = context;
    Ok(reply)
}
