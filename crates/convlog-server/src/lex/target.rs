//! Who is talked to and what is said: the address of a request, the bot behind it, the question.

use std::collections::BTreeMap;
use std::sync::Arc;

use convlog_dialects::lex::model::ActiveContext;

use super::bots;
use super::delivery::Audio;
use super::known::{self, Ready};
use super::logs::Logs;
use super::session::Session;
use super::shelf::{LATEST, Shelf};
use crate::aws::{AwsError, Call, Refusal};
use crate::bots::{Bot, ConnectorConfig};
use crate::entity::Entity;

/// Attributes of a request or a session.
pub(super) type Attributes = BTreeMap<String, String>;

/// Who is talked to, and who talks.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub bot: String,
    pub alias: String,
    pub user: String,
}

/// What a user says.
#[derive(Clone, Debug, Default)]
pub(super) struct Question {
    /// `None` for audio that nobody could read.
    pub utterance: Option<String>,
    /// Whether the answer will be heard.
    pub is_heard: bool,
    pub session_attributes: Option<Attributes>,
    pub request_attributes: Option<Attributes>,
    pub active_contexts: Option<Vec<ActiveContext>>,
    /// What was spoken, as it came.
    pub audio: Option<Audio>,
}

/// The bot that an address leads to, in the version that serves the session.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub bot: Arc<Entity<Bot>>,
    /// The version that new sessions get.
    pub version: String,
    alias: String,
    /// When the alias was made.
    pub since_us: i64,
    /// What new sessions log.
    pub logs: Option<Logs>,
    pub shelf: Arc<Shelf>,
}

impl Target {
    /// The bot of an address.
    ///
    /// # Errors
    /// 404 that names what is missing.
    pub(super) async fn find(call: &Call, to: &Address) -> Result<Self, Refusal> {
        let unseen = |_| AwsError::not_found(&to.bot);
        call.caller.require_bot(&to.bot).map_err(unseen)?;
        let instance = &call.caller.instance;
        let shelf = known::shelf(&call.app, instance, &to.bot).await?;
        let (version, since_us, logs) = match to.alias.as_str() {
            LATEST => (LATEST.to_owned(), shelf.latest.created_us, None),
            name => {
                let alias = shelf.aliases.get(name);
                let alias = alias.ok_or_else(|| AwsError::not_found(name))?;
                let logs = Logs::of_alias(&to.bot, alias);
                (alias.bot_version.clone(), alias.created_us, logs)
            }
        };
        let bot = crate::bots::find(&call.app, instance, &to.bot).await?;
        Ok(Target {
            bot: bot.ok_or_else(|| AwsError::not_found(&to.bot))?,
            version,
            alias: to.alias.clone(),
            since_us,
            logs,
            shelf,
        })
    }

    /// Whether a session goes on here. Settings belong to an alias, so that another alias is another
    /// session, and so is one that was made again; a version that was deleted serves nobody.
    pub(super) fn serves(&self, session: &Session) -> bool {
        session.alias == self.alias
            && session.alias_us == self.since_us
            && self.shelf.edition(&session.version).is_ok()
    }

    /// The version that a session has, ready to be talked to.
    pub(super) async fn ready(&self, call: &Call, version: &str) -> Result<Arc<Ready>, Refusal> {
        known::ready(&call.app, &call.caller.instance, &self.shelf, version).await
    }

    /// Refuses a bot that cannot answer.
    pub(super) fn require_built(&self, version: &str) -> Result<(), AwsError> {
        if version != LATEST || self.bot.doc.connector != ConnectorConfig::Lex {
            return Ok(());
        }
        match bots::status(&self.shelf.body) {
            ("READY", _) => Ok(()),
            (state, _) => Err(AwsError::bad(format!(
                "The bot '{}' cannot be talked to: its status is {state}.",
                self.shelf.name
            ))),
        }
    }
}
