//! What the messages of both versions have in common: which bot is meant, what the headers say,
//! and what is kept of the turn.

use std::sync::Arc;

use axum::http::HeaderMap;
use convlog_dialects::watson::error::ErrorBody;
use convlog_dialects::watson::message::{RequestError, Turn};
use convlog_dialects::watson::metadata;
use convlog_model::time::Timestamp;

use super::Refusal;
use crate::app::App;
use crate::auth::Caller;
use crate::bots::{self, Bot, Environment, IdOf};
use crate::connector::{self, Failure};
use crate::entity::Entity;
use crate::error::Fault;
use crate::events::OwnEvent;

/// The bot that a path means, and where it was addressed.
#[derive(Clone, Debug)]
pub(super) struct Addressed {
    bot: Arc<Entity<Bot>>,
    /// The assistant of the call.
    pub(super) assistant: Option<String>,
    /// The environment of the call.
    pub(super) environment: Option<Environment>,
}

impl Addressed {
    /// The bot.
    pub(super) fn bot(&self) -> &Bot {
        &self.bot.doc
    }

    /// The bot with its version.
    pub(super) fn entity(&self) -> &Entity<Bot> {
        &self.bot
    }

    /// The bot of `/v1/workspaces/{id}`.
    ///
    /// # Errors
    /// 404 for an id that leads to no bot.
    pub(super) async fn workspace(app: &App, caller: &Caller, id: &str) -> Result<Self, Fault> {
        let found = bots::resolve(app, caller, id).await?.ok_or_else(unknown)?;
        let bot = found.bot.ok_or_else(unknown)?;
        Ok(Addressed {
            assistant: bot.doc.assistant.clone(),
            environment: found.environment,
            bot,
        })
    }

    /// The bot of `/v2/assistants/{id}`, perhaps `/environments/{environment}`. The first id may
    /// be an environment's too, as older clients send it.
    ///
    /// # Errors
    /// 404 for an id that leads to no bot, and for an environment that is not the bot's.
    pub(super) async fn assistant(
        app: &App,
        caller: &Caller,
        id: &str,
        environment: Option<&str>,
    ) -> Result<Self, Fault> {
        let Some(environment) = environment else {
            let found = bots::resolve(app, caller, id).await?.ok_or_else(unknown)?;
            let bot = found.bot.ok_or_else(unknown)?;
            let assistant = match found.of {
                IdOf::Assistant => id,
                IdOf::Bot | IdOf::Environment => assistant_of(&bot.doc),
            };
            return Ok(Addressed {
                assistant: Some(assistant.to_owned()),
                environment: found.environment,
                bot,
            });
        };
        // Several bots may answer for one assistant; the environment tells which.
        for id_tried in [environment, id] {
            let found = bots::resolve(app, caller, id_tried).await?;
            let Some(bot) = found.and_then(|found| found.bot) else {
                continue;
            };
            let is_meant = bot.doc.id == id
                || bot.doc.assistant.as_deref() == Some(id)
                || bot.doc.environment(id).is_some();
            let environment = bot.doc.environment(environment).cloned();
            if is_meant && environment.is_some() {
                return Ok(Addressed {
                    assistant: Some(assistant_of(&bot.doc).to_owned()),
                    environment,
                    bot,
                });
            }
        }
        Err(unknown())
    }
}

fn assistant_of(bot: &Bot) -> &str {
    bot.assistant.as_deref().unwrap_or(&bot.id)
}

fn unknown() -> Fault {
    Fault::not_found("Resource not found")
}

/// One message as it came in, whatever its version.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    /// Who is asked.
    pub(super) to: Addressed,
    /// The headers that connectors get.
    pub(super) passed_on: HeaderMap,
    customer: Option<String>,
    learning_opt_out: bool,
    requested: Timestamp,
}

impl Incoming {
    /// Reads the headers of a message to `to`.
    ///
    /// # Errors
    /// 400 for a customer id that is too long, 409 for a bot that nothing answers for, 502 for a
    /// message that servers pass round.
    pub(super) fn new(app: &App, to: Addressed, headers: &HeaderMap) -> Result<Self, Refusal> {
        connector::require(to.bot())?;
        connector::require_end(to.bot(), headers)?;
        let opts_out = |name| metadata::opts_out(&joined(headers, name));
        Ok(Incoming {
            to,
            passed_on: connector::passed_on(headers),
            customer: customer_id(headers)?,
            learning_opt_out: opts_out("x-watson-learning-opt-out") || opts_out("x-wdc-pl-opt-out"),
            requested: app.now(),
        })
    }

    /// The event of a failed turn of a conversation.
    pub(super) fn failed(
        &self,
        app: &App,
        caller: &Caller,
        failure: Option<&Failure>,
        conversation: &str,
    ) -> Option<OwnEvent> {
        let event = failure?.event(app, caller, self.to.bot())?;
        Some(event.of_turn(conversation, self.requested))
    }

    /// Whether the ingest door has to look at the turn before the bot is asked: ordinary ones are
    /// far from its bounds. A channel makes a customer id of `user`.
    pub(super) fn is_doubtful(app: &App, raw: &str, user: &str) -> bool {
        let bytes_max = app.config().limits.record_bytes / DOUBTFUL_PART;
        raw.len() > bytes_max
            || user.len() + CHANNEL_PREFIX_BYTES_MAX > CUSTOMER_BYTES_MAX
            || user.chars().any(char::is_control)
    }

    /// What the record of the turn says besides request and response.
    pub(super) fn turn<'a>(
        &'a self,
        app: &App,
        caller: &'a Caller,
        failure: Option<&'a Failure>,
    ) -> Turn<'a> {
        let bot = self.to.bot();
        let environment = self.to.environment.as_ref();
        Turn {
            instance: &caller.instance,
            bot: &bot.id,
            language: &bot.language,
            assistant: self.to.assistant.as_deref(),
            environment: environment.map(|e| e.id.as_str()),
            version: None,
            customer: self.customer.as_deref(),
            channel: environment.and_then(|e| e.channel.as_deref()),
            learning_opt_out: self.learning_opt_out,
            requested: self.requested,
            responded: app.now().max(self.requested),
            error: failure.map(|failure| failure.class.as_str()),
        }
    }
}

/// A message of this part of the largest record: question and answer both show its context.
const DOUBTFUL_PART: usize = 4;
/// Most bytes that a channel puts before a user's id.
const CHANNEL_PREFIX_BYTES_MAX: usize = 16;
/// Most bytes of a customer id, as the ingest door bounds it.
const CUSTOMER_BYTES_MAX: usize = 256;

/// The customer id that the headers give.
///
/// # Errors
/// 400 for one that could not be kept; before a bot is asked.
pub(super) fn customer_id(headers: &HeaderMap) -> Result<Option<String>, ErrorBody> {
    let refused = |message: &str| ErrorBody::bad_parameter("X-Watson-Metadata", message);
    let found = metadata::customer_id(&joined(headers, "x-watson-metadata"))
        .map_err(|long| refused(&long.to_string()))?;
    match &found {
        Some(id) if id.len() > CUSTOMER_BYTES_MAX => Err(refused(
            "customer_id can not be longer than 256 bytes of UTF-8",
        )),
        Some(id) if id.chars().any(char::is_control) => {
            Err(refused("customer_id can not contain control characters"))
        }
        _ => Ok(found),
    }
}

/// The refusal of a message body.
pub(super) fn bad_body(error: &RequestError) -> Refusal {
    Refusal::Body(ErrorBody::bad_request_body(error))
}

/// All values of a header as one text. Bytes that are no UTF-8 are read as Latin-1, as older
/// clients write them.
fn joined(headers: &HeaderMap, name: &str) -> String {
    let texts = headers.get_all(name).iter().map(|value| {
        let bytes = value.as_bytes();
        String::from_utf8(bytes.to_vec())
            .unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect())
    });
    texts.collect::<Vec<_>>().join(";")
}
