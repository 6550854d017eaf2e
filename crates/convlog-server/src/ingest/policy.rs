//! What instance and bot say about logging, learning and redaction, read once a request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convlog_model::ids::InstanceId;
use serde::{Deserialize, Serialize};

use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::entity::Collection;
use crate::error::Fault;
use crate::redaction::{self, Held};

/// What holds for the records of one bot.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Whether words are stored.
    pub(super) logs: bool,
    /// Whether the records are not to be used for improvement.
    pub(super) opts_out: bool,
    /// What is cut from the records.
    pub(super) redaction: Arc<Held>,
}

/// The part of a bot's document, and of the instance's settings, that this door reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Switches {
    #[serde(default)]
    logging: Option<bool>,
    #[serde(default)]
    learning_opt_out: Option<bool>,
}

/// Policies of the bots of one request.
#[derive(Debug)]
pub(super) struct Policies<'a> {
    app: &'a App,
    known: BTreeMap<(InstanceId, Option<String>), Policy>,
    ensured: BTreeSet<String>,
}

impl<'a> Policies<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Policies {
            app,
            known: BTreeMap::new(),
            ensured: BTreeSet::new(),
        }
    }

    pub(super) async fn of(
        &mut self,
        instance: &InstanceId,
        bot: Option<&str>,
    ) -> Result<Policy, Fault> {
        let key = (instance.clone(), bot.map(ToOwned::to_owned));
        if let Some(policy) = self.known.get(&key) {
            return Ok(policy.clone());
        }
        let settings = Collection::<Switches>::new(self.app, "settings");
        let of_instance = settings.get(instance.as_str()).await?;
        let of_bot = match bot {
            Some(bot) => {
                let bots = Collection::<Switches>::new(self.app, "bots");
                bots.get(&scoped_id(instance, bot)).await?
            }
            None => None,
        };
        let all: Vec<Switches> = of_instance
            .into_iter()
            .chain(of_bot)
            .map(|entity| entity.doc)
            .collect();
        let policy = Policy {
            logs: !all.iter().any(|switches| switches.logging == Some(false)),
            opts_out: all.iter().any(|s| s.learning_opt_out == Some(true)),
            redaction: redaction::of_records(self.app, instance, bot).await?,
        };
        self.known.insert(key, policy.clone());
        Ok(policy)
    }

    /// Creates the bot of an imported record, once a request.
    pub(super) async fn ensure(
        &mut self,
        caller: &Caller,
        bot: &str,
    ) -> Result<Result<(), String>, Fault> {
        if !self.ensured.contains(bot) {
            match crate::bots::ensure(self.app, caller, bot).await {
                Ok(()) => self.ensured.insert(bot.to_owned()),
                Err(Fault::BadRequest { message, .. }) => return Ok(Err(message)),
                Err(fault) => return Err(fault),
            };
        }
        Ok(Ok(()))
    }
}
