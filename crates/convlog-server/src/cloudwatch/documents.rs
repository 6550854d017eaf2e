//! Where groups and streams are kept: one document a group, one a stream. A group's events are
//! records behind the place where the log ended when the group was made, so that a group shows
//! nothing of an older one of its name.

use std::collections::BTreeMap;

use convlog_model::filter::Filter;
use convlog_model::ids::{InstanceId, Position};
use convlog_model::query::{Sort, SortKey};
use serde::{Deserialize, Serialize};

use super::asked::{GROUP, missing};
use super::metric_filters::MetricFilter;
use super::subscriptions::Subscription;
use crate::app::{App, scoped_id, unscoped};
use crate::auth::Caller;
use crate::aws::{AwsError, Refusal, set_aside, unless_refused};
use crate::entity::{Change, Collection, Entity};
use crate::error::Fault;
use crate::events::{self, EventType, OwnEvent};

/// Collection of groups.
const GROUPS: &str = "log_groups";
/// Collection of streams.
const STREAMS: &str = "log_streams";

/// A place in the log, in documents.
pub(super) mod place {
    use convlog_model::ids::Position;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(in super::super) fn serialize<S: Serializer>(
        at: &Position,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Position, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LogGroup {
    pub(super) name: String,
    /// Tells it from others that have had its name.
    pub(super) id: String,
    pub(super) created_us: i64,
    /// Its events stand behind this.
    #[serde(with = "place")]
    pub(super) since: Position,
    /// None of its events came before this; narrows what is looked at.
    pub(super) since_us: i64,
    #[serde(default)]
    pub(super) retention_days: Option<u32>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) metric_filters: BTreeMap<String, MetricFilter>,
    #[serde(default)]
    pub(super) subscription_filters: BTreeMap<String, Subscription>,
    /// Grows with every change of its metric filters.
    #[serde(default)]
    pub(super) revision: u64,
    /// Whether some stream was deleted, so that streams have to be asked what they show.
    #[serde(default)]
    pub(super) has_cuts: bool,
}

/// A log stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LogStream {
    /// The id of its group.
    pub(super) group: String,
    pub(super) created_us: i64,
    /// Its events stand behind this.
    #[serde(with = "place")]
    pub(super) since: Position,
    /// Whether it was deleted; kept for `since`, since turns of Lex stay.
    #[serde(default)]
    pub(super) is_gone: bool,
}

/// The groups and streams of an instance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Documents<'a> {
    app: &'a App,
    instance: &'a InstanceId,
}

impl<'a> Documents<'a> {
    pub(super) fn new(app: &'a App, instance: &'a InstanceId) -> Self {
        Documents { app, instance }
    }

    pub(super) fn groups(self) -> Collection<'a, LogGroup> {
        Collection::new(self.app, GROUPS)
    }

    pub(super) fn streams(self) -> Collection<'a, LogStream> {
        Collection::new(self.app, STREAMS)
    }

    pub(super) fn group_id(self, name: &str) -> String {
        scoped_id(self.instance, name)
    }

    /// Names of groups have no colon, so that it ends them.
    pub(super) fn stream_id(self, group: &str, stream: &str) -> String {
        scoped_id(self.instance, &format!("{group}:{stream}"))
    }

    /// The group of that name.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn group(self, name: &str) -> Result<LogGroup, Refusal> {
        let found = self.groups().get(&self.group_id(name)).await?;
        Ok(found.ok_or_else(|| missing(GROUP))?.doc)
    }

    /// Groups by name, those whose names begin with `prefix`.
    pub(super) async fn all(self, prefix: &str) -> Result<Vec<LogGroup>, Fault> {
        let found = self.groups().list(&self.group_id(prefix)).await?;
        let mut groups: Vec<LogGroup> = found.into_iter().map(|entity| entity.doc).collect();
        groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(groups)
    }

    /// The document of a stream of this group, also of one that is gone.
    pub(super) async fn stream(
        self,
        group: &LogGroup,
        stream: &str,
    ) -> Result<Option<LogStream>, Fault> {
        let id = self.stream_id(&group.name, stream);
        let found = self.streams().get(&id).await?.map(|entity| entity.doc);
        Ok(found.filter(|stream| stream.group == group.id))
    }

    /// Changes a group; `decide` sees the present one. `event` tells of it.
    ///
    /// # Errors
    /// When there is none; what `decide` answers.
    pub(super) async fn change(
        self,
        name: &str,
        event: Option<OwnEvent>,
        mut decide: impl FnMut(&mut LogGroup) -> Result<(), AwsError> + Send,
    ) -> Result<LogGroup, Refusal> {
        let mut refusal = None;
        let changed = self.groups().change(&self.group_id(name), |old| {
            let decided = match old {
                Some(mut group) => decide(&mut group).map(|()| group),
                None => Err(missing(GROUP)),
            };
            match decided {
                Ok(group) => Ok(Change {
                    doc: Some(group),
                    events: event.clone().into_iter().collect(),
                }),
                Err(error) => Err(set_aside(&mut refusal, error)),
            }
        });
        let changed = unless_refused(changed.await, refusal)?;
        let changed = changed.map(|entity| entity.doc);
        Ok(changed.ok_or_else(|| missing(GROUP))?)
    }

    /// Where the log ends now, and the time of receipt before which none of what follows comes.
    pub(super) async fn end(self) -> Result<(Position, i64), Fault> {
        let newest = self.app.store().newest();
        if newest == Position::START {
            return Ok((newest, 0));
        }
        let sort = Sort {
            key: SortKey::Position,
            descending: true,
        };
        let system = Caller::system(self.instance.clone());
        let query = self.app.query();
        let last = query.ordered(&system, Filter::All, sort, (None, Some(newest)), 1);
        let last = last.await?.records.into_iter().next();
        Ok((newest, last.map_or(0, |last| last.received.micros())))
    }
}

/// The event that tells what was done to a group.
pub(super) fn told(app: &App, caller: &Caller, kind: EventType, group: &str) -> OwnEvent {
    OwnEvent::new(app, caller, kind).with("log_group", group)
}

/// The event that tells what of a group was changed.
pub(super) fn told_change(app: &App, caller: &Caller, group: &str, what: &str) -> OwnEvent {
    told(app, caller, events::LOG_GROUP_UPDATE, group).with("changed", what)
}

/// The groups of every instance.
///
/// # Errors
/// What the control plane answers.
pub(super) async fn every_group(app: &App) -> Result<Vec<Entity<LogGroup>>, Fault> {
    Collection::new(app, GROUPS).list("").await
}

/// The days that groups keep their events: instance, group, days.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn retention_rules(app: &App) -> Result<Vec<(InstanceId, String, u32)>, Fault> {
    let groups = every_group(app).await?;
    let rules = groups.into_iter().filter_map(|group| {
        let (instance, _) = unscoped(&group.id)?;
        Some((instance, group.doc.name, group.doc.retention_days?))
    });
    Ok(rules.collect())
}

/// Takes away the documents of streams whose group is gone.
pub(crate) async fn sweep(app: &App) {
    if let Err(fault) = try_sweep(app).await {
        let status = fault.status().as_u16();
        tracing::warn!(status, "streams of groups that are gone are still there");
    }
}

async fn try_sweep(app: &App) -> Result<(), Fault> {
    let streams = Collection::<LogStream>::new(app, STREAMS);
    let groups = Collection::<LogGroup>::new(app, GROUPS);
    let mut after = String::new();
    let mut of_last: Option<(String, Option<String>)> = None;
    loop {
        let (step, next) = streams.step("", &after).await?;
        for stream in step {
            let Some((group, _)) = stream.id.split_once(':') else {
                continue;
            };
            if of_last.as_ref().is_none_or(|(last, _)| last != group) {
                let found = groups.get(group).await?.map(|entity| entity.doc.id);
                of_last = Some((group.to_owned(), found));
            }
            let is_of = |id: &str| of_last.as_ref().and_then(|(_, id)| id.as_deref()) == Some(id);
            if !is_of(&stream.doc.group) {
                let orphan = stream.doc.group.clone();
                let gone = streams.change(&stream.id, move |old| {
                    // Meanwhile a new group may have a stream of that name.
                    let other = old.filter(|old: &LogStream| old.group != orphan);
                    Ok(other.map_or_else(Change::gone, Change::silent))
                });
                gone.await?;
            }
        }
        match next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}
