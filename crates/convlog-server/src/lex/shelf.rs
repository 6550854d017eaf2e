//! Where bots, intents and slot types are kept: one document a name with `$LATEST` and what is
//! known of its versions, and one document a version, which never changes.

mod edition;
mod kind;

use std::collections::BTreeSet;

use convlog_model::ids::InstanceId;
use convlog_model::json::Json;

pub(crate) use self::edition::{Edition, Put, Shelf, Use, stale};
use self::edition::{busy, check_checksum, in_use};
pub(crate) use self::kind::Kind;
use super::aliases::Alias;
use super::known::Changing;
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::aws::{AwsError, Refusal, set_aside, unless_refused};
use crate::entity::{Change, Collection};
use crate::events::{EventType, OwnEvent};

/// Collection of the documents a name.
const SHELVES: &str = "lex";
/// Collection of the documents a version.
const EDITIONS: &str = "lex_versions";
/// The version that changes.
pub(crate) const LATEST: &str = "$LATEST";
/// Most versions of one name.
const VERSIONS_MAX: usize = 100;

/// The things of one kind of an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shelves<'a> {
    app: &'a App,
    kind: Kind,
    instance: &'a InstanceId,
}

impl<'a> Shelves<'a> {
    pub(crate) fn new(app: &'a App, kind: Kind, instance: &'a InstanceId) -> Self {
        Shelves {
            app,
            kind,
            instance,
        }
    }

    fn all(self) -> Collection<'a, Shelf> {
        Collection::new(self.app, SHELVES)
    }

    fn id(self, name: &str) -> String {
        scoped_id(self.instance, &format!("{}/{name}", self.kind.as_str()))
    }

    fn edition_id(self, name: &str, number: u32) -> String {
        let id = format!("{}/{name}/{number:09}", self.kind.as_str());
        scoped_id(self.instance, &id)
    }

    /// What is kept under a name, `None` when nothing is.
    pub(crate) async fn find(self, name: &str) -> Result<Option<Shelf>, Refusal> {
        let found = self.all().get(&self.id(name)).await?;
        Ok(found.map(|entity| entity.doc))
    }

    /// What is kept under a name.
    ///
    /// # Errors
    /// 404.
    pub(crate) async fn get(self, name: &str) -> Result<Shelf, Refusal> {
        let found = self.find(name).await?;
        Ok(found.ok_or_else(|| AwsError::not_found(name))?)
    }

    /// Whether a version is kept under a name.
    pub(crate) async fn has(self, name: &str, version: &str) -> Result<bool, Refusal> {
        let shelf = self.find(name).await?;
        Ok(shelf.is_some_and(|shelf| shelf.edition(version).is_ok()))
    }

    /// Everything of the kind, by name.
    pub(crate) async fn list(self) -> Result<Vec<Shelf>, Refusal> {
        let all = self.all().list(&self.id("")).await?;
        Ok(all.into_iter().map(|entity| entity.doc).collect())
    }

    /// The body of a version.
    ///
    /// # Errors
    /// 404.
    pub(crate) async fn body(self, shelf: &Shelf, version: &str) -> Result<Json, Refusal> {
        shelf.edition(version)?;
        if version == LATEST {
            return Ok(shelf.body.clone());
        }
        let number = version.parse().unwrap_or_default();
        let id = self.edition_id(&shelf.name, number);
        let found = Collection::<Json>::new(self.app, EDITIONS).get(&id).await?;
        let found = found.ok_or_else(|| AwsError::not_found(&shelf.name))?;
        Ok(found.doc)
    }

    /// Puts `$LATEST`: makes the name, or replaces what is there if `checksum` is the one that was
    /// given last.
    ///
    /// # Errors
    /// 400 and 412 for a checksum that does not fit, 429 beyond the limit, 409 for a name that
    /// differs from another by case alone, and for the use of something that has just gone.
    pub(crate) async fn put(
        self,
        _alone: &Changing<'_>,
        caller: &Caller,
        put: Put,
    ) -> Result<Shelf, Refusal> {
        if self.find(&put.name).await?.is_none() {
            self.require_room(&[&put.name]).await?;
        }
        for of in &put.uses {
            let all = Shelves::new(self.app, of.kind, self.instance);
            if !all.has(&of.name, &of.version).await? {
                return Err(busy().into());
            }
        }
        let mut refusal = None;
        let now_us = self.app.now().micros();
        let checksum = self.app.new_id().to_string();
        let changed = self.all().change(&self.id(&put.name), |old| {
            let checked = check_checksum(old.as_ref().map(|old| &old.latest), &put.checksum);
            if let Err(error) = checked {
                return Err(set_aside(&mut refusal, error));
            }
            let [new, changed, _] = self.kind.events();
            let kind = if old.is_none() { new } else { changed };
            let event = kind.map(|kind| self.event(caller, kind, &put.name));
            let shelf = put.onto(old, &checksum, now_us);
            Ok(told(Some(shelf), event))
        });
        self.finish(changed.await, refusal)
    }

    /// Gives `$LATEST` a number, unless the last version is the same.
    ///
    /// # Errors
    /// 404, 412 for another checksum, 429 beyond the limit.
    pub(crate) async fn publish(
        self,
        _alone: &Changing<'_>,
        caller: &Caller,
        name: &str,
        checksum: Option<&str>,
    ) -> Result<(Shelf, u32), Refusal> {
        let shelf = self.get(name).await?;
        if checksum.is_some_and(|sent| sent != shelf.latest.checksum) {
            return Err(stale().into());
        }
        let newest = shelf.versions.last_key_value();
        if let Some((number, edition)) = newest
            && edition.content == shelf.latest.content
        {
            let number = *number;
            return Ok((shelf, number));
        }
        if shelf.versions.len() >= VERSIONS_MAX {
            let message = format!("'{name}' has {VERSIONS_MAX} versions, which is the most");
            return Err(AwsError::limit(message).into());
        }
        let number = shelf.last_version + 1;
        self.keep_edition(&shelf, number).await?;
        let now_us = self.app.now().micros();
        let mut refusal = None;
        let changed = self.all().change(&self.id(name), |old| {
            let old = old.filter(|old| old.latest == shelf.latest && old.last_version < number);
            let Some(mut new) = old else {
                return Err(set_aside(&mut refusal, busy()));
            };
            let mut edition = new.latest.clone();
            edition.created_us = now_us;
            edition.updated_us = now_us;
            new.versions.insert(number, edition);
            new.last_version = number;
            Ok(told(Some(new), self.version_event(caller, name, number)))
        });
        Ok((self.finish(changed.await, refusal)?, number))
    }

    async fn keep_edition(self, shelf: &Shelf, number: u32) -> Result<(), Refusal> {
        let id = self.edition_id(&shelf.name, number);
        let body = shelf.body.clone();
        Collection::<Json>::new(self.app, EDITIONS)
            .change(&id, move |_| Ok(Change::silent(body.clone())))
            .await?;
        Ok(())
    }

    /// Changes what is kept under a name, which tells nobody by itself.
    ///
    /// # Errors
    /// 404; what `decide` answers.
    pub(crate) async fn change_shelf(
        self,
        name: &str,
        event: OwnEvent,
        mut decide: impl FnMut(&mut Shelf) -> Result<(), AwsError> + Send,
    ) -> Result<Shelf, Refusal> {
        let mut refusal = None;
        let changed = self.all().change(&self.id(name), |old| {
            let decided = match old {
                Some(mut shelf) => decide(&mut shelf).map(|()| shelf),
                None => Err(AwsError::not_found(name)),
            };
            match decided {
                Ok(shelf) => Ok(Change::to(shelf, event.clone())),
                Err(error) => Err(set_aside(&mut refusal, error)),
            }
        });
        self.finish(changed.await, refusal)
    }

    /// Takes the name away with all versions.
    ///
    /// # Errors
    /// 404; 400 when something else uses it, or an alias names it.
    pub(crate) async fn delete(
        self,
        _alone: &Changing<'_>,
        caller: &Caller,
        name: &str,
    ) -> Result<(), Refusal> {
        let shelf = self.get(name).await?;
        self.require_unused(name, None).await?;
        let [_, _, gone] = self.kind.events();
        let event = gone.map(|kind| self.event(caller, kind, name));
        let mut refusal = None;
        let gone = self.all().change(&self.id(name), |old| {
            let alias = old.as_ref().and_then(|old| old.aliases.keys().next());
            match alias {
                None => Ok(told(None, event.clone())),
                Some(alias) => Err(set_aside(&mut refusal, in_use("BotAlias", alias, None))),
            }
        });
        let gone = gone.await;
        self.app.lex().changed();
        unless_refused(gone, refusal)?;
        for number in shelf.versions.keys() {
            self.drop_edition(name, *number).await?;
        }
        Ok(())
    }

    /// Takes one version away.
    ///
    /// # Errors
    /// 404; 400 when something else uses it, and for `$LATEST`.
    pub(crate) async fn delete_version(
        self,
        _alone: &Changing<'_>,
        caller: &Caller,
        name: &str,
        version: &str,
    ) -> Result<(), Refusal> {
        if version == LATEST {
            return Err(AwsError::bad("The $LATEST version cannot be deleted.").into());
        }
        self.get(name).await?.edition(version)?;
        let number: u32 = version.parse().unwrap_or_default();
        self.require_unused(name, Some(version)).await?;
        let mut refusal = None;
        let changed = self.all().change(&self.id(name), |old| match old {
            Some(mut shelf) => {
                let of_version = |alias: &&Alias| alias.bot_version == version;
                if let Some(alias) = shelf.aliases.values().find(of_version) {
                    let error = in_use("BotAlias", &alias.name, Some(version));
                    return Err(set_aside(&mut refusal, error));
                }
                shelf.versions.remove(&number);
                Ok(told(Some(shelf), self.version_event(caller, name, number)))
            }
            None => Err(set_aside(&mut refusal, AwsError::not_found(name))),
        });
        self.finish(changed.await, refusal)?;
        self.drop_edition(name, number).await
    }

    async fn drop_edition(self, name: &str, number: u32) -> Result<(), Refusal> {
        let id = self.edition_id(name, number);
        Collection::<Json>::new(self.app, EDITIONS)
            .change(&id, |_| Ok(told(None, None)))
            .await?;
        Ok(())
    }

    /// Refuses what some version of something else uses; of one version, or of any.
    async fn require_unused(self, name: &str, version: Option<&str>) -> Result<(), Refusal> {
        let user = match self.kind {
            Kind::Bot => return Ok(()),
            Kind::Intent => Kind::Bot,
            Kind::SlotType => Kind::Intent,
        };
        for shelf in Shelves::new(self.app, user, self.instance).list().await? {
            for (number, edition) in shelf.editions() {
                let uses = |of: &Use| {
                    let is_version = version.is_none_or(|version| of.version == version);
                    of.kind == self.kind && of.name == name && is_version
                };
                if edition.uses.iter().any(uses) {
                    let what = match user {
                        Kind::Bot => "Bot",
                        Kind::Intent | Kind::SlotType => "Intent",
                    };
                    return Err(in_use(what, &shelf.name, Some(&number)).into());
                }
            }
        }
        Ok(())
    }

    /// Refuses new names that differ from another by case alone, and more than there may be.
    ///
    /// # Errors
    /// 409 that names the name, 429 beyond the limit.
    pub(crate) async fn require_room(self, names: &[&str]) -> Result<(), Refusal> {
        let all = self.list().await?;
        let known = all.iter().map(|shelf| shelf.name.to_ascii_lowercase());
        let mut known: BTreeSet<String> = known.collect();
        for name in names {
            if !known.insert(name.to_ascii_lowercase()) {
                let message = format!("'{name}' differs from a name that exists by case alone");
                return Err(AwsError::new("ConflictException", message).into());
            }
        }
        match all.len().saturating_add(names.len()) <= self.kind.most() {
            true => Ok(()),
            false => Err(AwsError::limit(format!("there are {} already", all.len())).into()),
        }
    }

    fn event(self, caller: &Caller, kind: EventType, name: &str) -> OwnEvent {
        let event = OwnEvent::new(self.app, caller, kind);
        match self.kind {
            Kind::Bot => event.about("botId", name),
            Kind::Intent | Kind::SlotType => event.with(self.kind.detail(), name),
        }
    }

    fn version_event(self, caller: &Caller, name: &str, number: u32) -> Option<OwnEvent> {
        let kind = self.kind.event_of_version()?;
        let event = self.event(caller, kind, name);
        Some(event.with("version", number.to_string()))
    }

    fn finish(
        self,
        changed: Result<Option<crate::entity::Entity<Shelf>>, crate::error::Fault>,
        refusal: Option<AwsError>,
    ) -> Result<Shelf, Refusal> {
        self.app.lex().changed();
        let changed = unless_refused(changed, refusal)?;
        Ok(changed.ok_or_else(busy)?.doc)
    }
}

fn told<T>(doc: Option<T>, event: Option<OwnEvent>) -> Change<T> {
    Change {
        doc,
        events: event.into_iter().collect(),
    }
}
