//! Finding bots: by id, and by every other id that a path may hold.
//!
//! An id resolves in this order: bot, environment of a bot, assistant of a bot, then what records
//! named: environment, assistant, and bots that were deleted since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convlog_model::filter::Filter;
use convlog_model::flatten::Flat;
use convlog_model::ids::InstanceId;
use serde::{Deserialize, Serialize};

use super::document::{Bot, Environment};
use super::parse::ID_BYTES_MAX;
use super::{COLLECTION, bots};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::cache::Cache;
use crate::entity::{Change, Collection, Entity};
use crate::error::Fault;
use crate::events::{self, OwnEvent};

const SEEN: &str = "seen";
/// Bots that one seen id leads to; further ones find it too, by its field.
const SEEN_BOTS_MAX: usize = 1000;

/// What is kept in memory of bots; all of it can be read again.
#[derive(Debug)]
pub(crate) struct Known {
    bots: Cache<(InstanceId, String), Option<Arc<Entity<Bot>>>>,
    names: Cache<InstanceId, Arc<Names>>,
    seen: Cache<(InstanceId, Named), ()>,
}

impl Default for Known {
    fn default() -> Self {
        Known {
            bots: Cache::new(256),
            names: Cache::new(64),
            seen: Cache::new(65_536),
        }
    }
}

impl Known {
    /// To be called after a bot was written or removed.
    pub(super) fn changed(&self) {
        self.bots.clear();
        self.names.clear();
    }

    /// To be called after a bot was made that has neither environment nor assistant.
    fn created(&self) {
        self.bots.clear();
    }
}

/// Which bots an environment or assistant belongs to, by their definitions.
#[derive(Debug, Default)]
struct Names {
    environments: BTreeMap<String, BTreeSet<String>>,
    assistants: BTreeMap<String, BTreeSet<String>>,
    /// Channel of each environment that has one.
    channels: Arc<BTreeMap<String, String>>,
}

/// Ids that one record named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    bot: Option<String>,
    assistant: Option<String>,
    environment: Option<String>,
}

/// Where a record named an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdOf {
    /// `bot`
    Bot,
    /// `environment`
    Environment,
    /// `assistant`
    Assistant,
}

impl IdOf {
    /// The canonical field.
    #[must_use]
    pub(crate) fn field(self) -> &'static str {
        match self {
            IdOf::Bot => "bot",
            IdOf::Environment => "environment",
            IdOf::Assistant => "assistant",
        }
    }

    fn seen_id(self, instance: &InstanceId, id: &str) -> String {
        scoped_id(instance, &format!("{}/{id}", self.field()))
    }
}

/// The bots that were seen with an environment or assistant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sighting {
    bots: BTreeSet<String>,
}

/// What an id in a path stands for.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The id.
    pub id: String,
    /// Which field of records holds it.
    pub of: IdOf,
    /// The bot that answers there; `None` when it was deleted or records named none.
    pub bot: Option<Arc<Entity<Bot>>>,
    /// The environment, where the id is that of one and the bot defines it.
    pub environment: Option<Environment>,
}

impl Resolved {
    /// The records that belong to it.
    #[must_use]
    pub(crate) fn filter(&self) -> Filter {
        Filter::equals(self.of.field(), &self.id)
    }
}

/// The bot of that id.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn find(
    app: &App,
    instance: &InstanceId,
    id: &str,
) -> Result<Option<Arc<Entity<Bot>>>, Fault> {
    let key = (instance.clone(), id.to_owned());
    let ticket = match app.bots().bots.get(&key) {
        Ok(bot) => return Ok(bot),
        Err(ticket) => ticket,
    };
    let found = bots(app).get(&scoped_id(instance, id)).await?.map(Arc::new);
    app.bots().bots.keep(ticket, key, found.clone());
    Ok(found)
}

/// What an id in a path stands for, as far as the caller may see it.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn resolve(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<Option<Resolved>, Fault> {
    let instance = &caller.instance;
    if let Some(bot) = find(app, instance, id).await? {
        return Ok(caller
            .sees_bot(id)
            .then(|| resolved(id, IdOf::Bot, Some(bot))));
    }
    let names = names(app, instance).await?;
    let defined = [
        (IdOf::Environment, names.environments.get(id)),
        (IdOf::Assistant, names.assistants.get(id)),
    ];
    for (of, owners) in defined {
        let visible = owners
            .into_iter()
            .flatten()
            .find(|bot| caller.sees_bot(bot));
        if let Some(owner) = visible
            && let Some(bot) = find(app, instance, owner).await?
        {
            return Ok(Some(resolved(id, of, Some(bot))));
        }
    }
    for of in [IdOf::Environment, IdOf::Assistant, IdOf::Bot] {
        if let Some(found) = resolve_seen(app, caller, id, of).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn resolve_seen(
    app: &App,
    caller: &Caller,
    id: &str,
    of: IdOf,
) -> Result<Option<Resolved>, Fault> {
    let seen = Collection::<Sighting>::new(app, SEEN);
    let Some(sighting) = seen.get(&of.seen_id(&caller.instance, id)).await? else {
        return Ok(None);
    };
    let mut visible = sighting.doc.bots.iter().filter(|bot| caller.sees_bot(bot));
    let owner = visible.next();
    if owner.is_none() && caller.bots.is_some() {
        return Ok(None);
    }
    let bot = match owner {
        Some(owner) => find(app, &caller.instance, owner).await?,
        None => None,
    };
    Ok(Some(resolved(id, of, bot)))
}

fn resolved(id: &str, of: IdOf, bot: Option<Arc<Entity<Bot>>>) -> Resolved {
    let environment = match of {
        IdOf::Environment => bot
            .as_ref()
            .and_then(|bot| bot.doc.environment(id))
            .cloned(),
        IdOf::Bot | IdOf::Assistant => None,
    };
    Resolved {
        id: id.to_owned(),
        of,
        bot,
        environment,
    }
}

async fn names(app: &App, instance: &InstanceId) -> Result<Arc<Names>, Fault> {
    let ticket = match app.bots().names.get(instance) {
        Ok(names) => return Ok(names),
        Err(ticket) => ticket,
    };
    let mut names = Names::default();
    let mut channels = BTreeMap::new();
    for bot in bots(app).list(&scoped_id(instance, "")).await? {
        let bot = bot.doc;
        for environment in &bot.environments {
            let owners = names.environments.entry(environment.id.clone());
            owners.or_default().insert(bot.id.clone());
            let channel = environment.channel.clone();
            channels.extend(channel.map(|channel| (environment.id.clone(), channel)));
        }
        if let Some(assistant) = bot.assistant {
            names
                .assistants
                .entry(assistant)
                .or_default()
                .insert(bot.id);
        }
    }
    names.channels = Arc::new(channels);
    let names = Arc::new(names);
    app.bots()
        .names
        .keep(ticket, instance.clone(), names.clone());
    Ok(names)
}

/// The channels of the instance's environments.
pub(super) async fn channels(
    app: &App,
    instance: &InstanceId,
) -> Result<Arc<BTreeMap<String, String>>, Fault> {
    Ok(names(app, instance).await?.channels.clone())
}

/// Creates a bot without a connector where there is none: a record has named it.
///
/// # Errors
/// 400 for an id that no bot can have; what the control plane answers.
pub(crate) async fn ensure(app: &App, caller: &Caller, id: &str) -> Result<(), Fault> {
    let instance = &caller.instance;
    if id.is_empty() || id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
        let message = format!("bot: must have 1 to {ID_BYTES_MAX} bytes, none a control character");
        return Err(Fault::bad_at("bot", message));
    }
    if find(app, instance, id).await?.is_some() {
        return Ok(());
    }
    let now_us = app.now().micros();
    let collection = Collection::<Bot>::new(app, COLLECTION);
    let made = collection.change(&scoped_id(instance, id), |old| {
        let Some(old) = old else {
            let bot = Bot::seen(id, now_us);
            let event = OwnEvent::new(app, caller, events::BOT_CREATE)
                .about("botId", id)
                .with("connector", bot.connector.kind())
                .with("seen", "import");
            return Ok(Change::to(bot, event));
        };
        Ok(Change::silent(old))
    });
    made.await?;
    app.bots().created();
    Ok(())
}

/// Remembers the assistant and environment that an accepted record names, so that their ids in a
/// path find it.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn sight(app: &App, instance: &InstanceId, flat: &Flat) -> Result<(), Fault> {
    let text = |field| flat.text(field).map(ToOwned::to_owned);
    let named = Named {
        bot: text("bot"),
        assistant: text("assistant"),
        environment: text("environment"),
    };
    if named.assistant.is_none() && named.environment.is_none() {
        return Ok(());
    }
    let key = (instance.clone(), named);
    let Err(ticket) = app.bots().seen.get(&key) else {
        return Ok(());
    };
    let (_, named) = &key;
    let ids = [
        (IdOf::Assistant, named.assistant.as_deref()),
        (IdOf::Environment, named.environment.as_deref()),
    ];
    for (of, id) in ids {
        if let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX) {
            note(app, instance, of, id, named.bot.as_deref()).await?;
        }
    }
    app.bots().seen.keep(ticket, key, ());
    Ok(())
}

/// Remembers that records name this id.
pub(super) async fn note(
    app: &App,
    instance: &InstanceId,
    of: IdOf,
    id: &str,
    bot: Option<&str>,
) -> Result<(), Fault> {
    let collection = Collection::<Sighting>::new(app, SEEN);
    let place = of.seen_id(instance, id);
    let noted = collection.change(&place, |old| {
        let mut sighting = old.unwrap_or_default();
        if sighting.bots.len() < SEEN_BOTS_MAX {
            sighting.bots.extend(bot.map(ToOwned::to_owned));
        }
        Ok(Change::silent(sighting))
    });
    noted.await?;
    Ok(())
}
