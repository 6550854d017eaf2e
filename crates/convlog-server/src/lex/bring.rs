//! What a file of definitions brings: all of it is checked as its puts would, then it is put, slot
//! types first, so that nothing half done is left where a check can tell before.

use std::collections::BTreeSet;

use convlog_dialects::lex::transfer::Parts;
use convlog_model::json::Json;

use super::shelf::{Kind, Put, Shelves};
use super::tags::Tags;
use super::{bots, intents, slot_types};
use crate::aws::{AwsError, Call, Refusal};

/// What happens to names that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// Their `$LATEST` is replaced.
    Overwrite,
    /// Nothing is imported.
    Fail,
}

/// What will be put, in that order.
#[derive(Debug)]
pub(super) struct Plan {
    puts: Vec<(Kind, Put)>,
}

/// How far it came: what was put before something went wrong.
#[derive(Debug)]
pub(super) struct Stopped {
    /// Why.
    pub why: Refusal,
    /// What stays.
    pub done: Vec<String>,
}

impl Plan {
    /// Checks all that a file brings.
    ///
    /// # Errors
    /// What the put of one of the parts would answer; 409 for a name that exists where that is no
    /// merge.
    pub(super) async fn of(
        call: &Call,
        parts: &Parts,
        merge: Merge,
        tags: &Tags,
    ) -> Result<Self, Refusal> {
        let mut plan = Plan { puts: Vec::new() };
        for slot_type in &parts.slot_types {
            let name = checked(slot_type, Kind::SlotType, &slot_types::PART.put())?;
            slot_types::check(slot_type).map_err(|error| about(Kind::SlotType, name, &error))?;
            let put = slot_types::PART.put_of(name, slot_type, Vec::new());
            plan.puts.push((Kind::SlotType, put));
        }
        let own: BTreeSet<&str> = parts.slot_types.iter().map(name_of).collect();
        for intent in &parts.intents {
            let name = checked(intent, Kind::Intent, &intents::PART.put())?;
            intents::check(intent).map_err(|error| about(Kind::Intent, name, &error))?;
            let uses = intents::slot_types(call, intent, &own).await?;
            let put = intents::PART.put_of(name, intent, uses);
            plan.puts.push((Kind::Intent, put));
        }
        let own: BTreeSet<&str> = parts.intents.iter().map(name_of).collect();
        if let Some(bot) = &parts.bot {
            let name = checked(bot, Kind::Bot, "PutBot")?;
            let body = bots::body_of(name, bot).map_err(|error| about(Kind::Bot, name, &error))?;
            let uses = bots::intents(call, &body, &own).await?;
            bots::require_free(call, name).await?;
            let put = Put {
                name: name.to_owned(),
                body,
                checksum: None,
                uses,
                tags: tags.clone(),
            };
            plan.puts.push((Kind::Bot, put));
        }
        plan.meet(call, merge).await?;
        Ok(plan)
    }

    /// Takes the checksums of what is there, and makes sure that there is room for what is not.
    async fn meet(&mut self, call: &Call, merge: Merge) -> Result<(), Refusal> {
        for kind in [Kind::SlotType, Kind::Intent, Kind::Bot] {
            let shelves = Shelves::new(&call.app, kind, &call.caller.instance);
            let mut new = Vec::new();
            for (_, put) in self.puts.iter_mut().filter(|(of, _)| *of == kind) {
                let old = shelves.find(&put.name).await?;
                put.checksum = old.map(|old| old.latest.checksum);
                match (&put.checksum, merge) {
                    (Some(_), Merge::Fail) => {
                        let what = spoken(kind);
                        let message = format!("{what} '{}' exists already.", put.name);
                        return Err(AwsError::new("ConflictException", message).into());
                    }
                    (Some(_), Merge::Overwrite) => {}
                    (None, _) => new.push(put.name.as_str()),
                }
            }
            if !new.is_empty() {
                shelves.require_room(&new).await?;
            }
        }
        Ok(())
    }

    /// Puts everything.
    ///
    /// # Errors
    /// What a put answers; what was put before stays.
    pub(super) async fn carry_out(self, call: &Call) -> Result<(), Stopped> {
        let mut done = Vec::new();
        for (kind, put) in self.puts {
            let what = format!("{} '{}'", spoken(kind), put.name);
            if let Err(why) = carry_one(call, kind, put).await {
                return Err(Stopped { why, done });
            }
            done.push(what);
        }
        Ok(())
    }
}

async fn carry_one(call: &Call, kind: Kind, put: Put) -> Result<(), Refusal> {
    let shelves = Shelves::new(&call.app, kind, &call.caller.instance);
    let alone = call.app.lex().changing().await;
    let shelf = shelves.put(&alone, &call.caller, put).await?;
    match kind {
        Kind::Bot => bots::keep_bot(call, &shelf).await,
        Kind::Intent | Kind::SlotType => Ok(()),
    }
}

fn name_of(part: &Json) -> &str {
    part.get("name").and_then(Json::as_str).unwrap_or_default()
}

/// The name of a part of the shape that its put asks for.
fn checked<'a>(part: &'a Json, kind: Kind, operation: &str) -> Result<&'a str, AwsError> {
    let name = name_of(part);
    super::check_shape(operation, part, &[("name", name)])
        .map_err(|error| about(kind, name, &error))?;
    Ok(name)
}

/// The same error, which says what it is about. A name that is none is not repeated.
fn about(kind: Kind, name: &str, error: &AwsError) -> AwsError {
    let what = spoken(kind);
    let is_short = name.len() <= 100;
    let name = if is_short { name } else { "…" };
    AwsError::bad(format!("{what} '{name}': {}", error.message()))
}

fn spoken(kind: Kind) -> &'static str {
    match kind {
        Kind::Bot => "The bot",
        Kind::Intent => "The intent",
        Kind::SlotType => "The slot type",
    }
}
