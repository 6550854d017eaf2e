//! Bots as the runtime talks to them: made ready once a version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use convlog_dialects::lex::dialog::Compiled;
use convlog_dialects::lex::model::{Bot, Intent, Obfuscation};
use convlog_model::ids::InstanceId;
use tokio::sync::{Mutex, MutexGuard};

use super::imports::Running;
use super::shelf::{Kind, Shelf, Shelves, Use};
use crate::app::App;
use crate::aws::Refusal;
use crate::cache::Cache;

/// Versions of bots that are kept ready.
const READY_MAX: usize = 256;
/// Bots whose shelves are kept.
const SHELVES_MAX: usize = 64;

/// What is kept in memory; all of it can be made again.
#[derive(Debug)]
pub(crate) struct Known {
    ready: Cache<(InstanceId, String, String), Arc<Ready>>,
    shelves: Cache<(InstanceId, String), Arc<Shelf>>,
    imports: Running,
    changing: Mutex<()>,
}

impl Default for Known {
    fn default() -> Self {
        Known {
            ready: Cache::new(READY_MAX),
            shelves: Cache::new(SHELVES_MAX),
            imports: Running::default(),
            changing: Mutex::default(),
        }
    }
}

impl Known {
    /// To be called after anything of the model was changed.
    pub(super) fn changed(&self) {
        self.ready.clear();
        self.shelves.clear();
    }

    /// To be held by whoever changes the model.
    pub(super) async fn changing(&self) -> Changing<'_> {
        Changing(self.changing.lock().await)
    }

    /// The imports that run.
    pub(super) fn imports(&self) -> &Running {
        &self.imports
    }
}

/// The right to change the model: rules speak of more than one name, and a bot is two documents.
#[derive(Debug)]
pub(crate) struct Changing<'a>(#[expect(dead_code, reason = "it is held")] MutexGuard<'a, ()>);

/// A version of a bot that can be talked to.
#[derive(Debug)]
pub(super) struct Ready {
    pub compiled: Compiled,
    /// Slots whose values logs hide, by intent.
    pub hidden: BTreeMap<String, BTreeSet<String>>,
}

/// What is kept of a bot, for each of its turns.
///
/// # Errors
/// 404.
pub(super) async fn shelf(
    app: &App,
    instance: &InstanceId,
    bot: &str,
) -> Result<Arc<Shelf>, Refusal> {
    let key = (instance.clone(), bot.to_owned());
    let ticket = match app.lex().shelves.get(&key) {
        Ok(shelf) => return Ok(shelf),
        Err(ticket) => ticket,
    };
    let found = Arc::new(Shelves::new(app, Kind::Bot, instance).get(bot).await?);
    app.lex().shelves.keep(ticket, key, found.clone());
    Ok(found)
}

/// A version of a bot, ready to be talked to.
///
/// # Errors
/// 404 for a version that is not there, or of which something is gone.
pub(super) async fn ready(
    app: &App,
    instance: &InstanceId,
    shelf: &Shelf,
    version: &str,
) -> Result<Arc<Ready>, Refusal> {
    let key = (instance.clone(), shelf.name.clone(), version.to_owned());
    let ticket = match app.lex().ready.get(&key) {
        Ok(ready) => return Ok(ready),
        Err(ticket) => ticket,
    };
    let made = Arc::new(make(app, instance, shelf, version).await?);
    app.lex().ready.keep(ticket, key, made.clone());
    Ok(made)
}

async fn make(
    app: &App,
    instance: &InstanceId,
    shelf: &Shelf,
    version: &str,
) -> Result<Ready, Refusal> {
    let bots = Shelves::new(app, Kind::Bot, instance);
    let mut bot: Bot = super::typed(&bots.body(shelf, version).await?)?;
    version.clone_into(&mut bot.version);
    let mut intents: Vec<Intent> = Vec::new();
    let mut slot_types = Vec::new();
    let mut seen: Vec<Use> = Vec::new();
    for of in &shelf.edition(version)?.uses {
        let shelves = Shelves::new(app, Kind::Intent, instance);
        let found = shelves.get(&of.name).await?;
        intents.push(super::typed(&shelves.body(&found, &of.version).await?)?);
        for of in &found.edition(&of.version)?.uses {
            if seen.contains(of) {
                continue;
            }
            let shelves = Shelves::new(app, Kind::SlotType, instance);
            let found = shelves.get(&of.name).await?;
            slot_types.push(super::typed(&shelves.body(&found, &of.version).await?)?);
            seen.push(of.clone());
        }
    }
    let hidden = intents.iter().map(|intent| {
        let slots = intent.slots.iter();
        let hidden = slots.filter(|slot| slot.obfuscation_setting != Obfuscation::None);
        let hidden = hidden.map(|slot| slot.name.clone()).collect();
        (intent.name.clone(), hidden)
    });
    Ok(Ready {
        hidden: hidden.collect(),
        compiled: Compiled::new(bot, intents, slot_types),
    })
}
