//! Rules of retention: how long records live.

use std::collections::BTreeMap;

use crate::flatten::Flat;
use crate::ids::{InstanceId, RecordId};
use crate::record::{Kind, Record};
use crate::time::{DAY_US, Timestamp};

/// The label that names the log group of a record.
pub const LOG_GROUP: &str = "log_group";

/// How long records live, in days; 0 keeps them for ever. The most special rule wins: bot, log
/// group, type prefix, instance, default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// For turns.
    pub default_days: u32,
    /// For events.
    pub events_days: u32,
    /// Rules of single instances.
    pub instances: BTreeMap<InstanceId, InstanceRetention>,
}

/// Rules of one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceRetention {
    /// For everything without a rule of its own.
    pub days: Option<u32>,
    /// By bot.
    pub bots: BTreeMap<String, u32>,
    /// By log group, which the label [`LOG_GROUP`] names.
    pub log_groups: BTreeMap<String, u32>,
    /// By prefix of the event type; the longest wins.
    pub type_prefixes: BTreeMap<String, u32>,
}

/// What decides under which rule of its instance a record falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    /// Its bot.
    pub bot: Option<&'a str>,
    /// Its log group.
    pub log_group: Option<&'a str>,
    /// Its event type.
    pub event_type: Option<&'a str>,
}

/// Records of one instance that a pass of retention took out of every file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// The same as often as it is listed.
    pub id: RecordId,
    /// The tenant.
    pub instance: InstanceId,
    /// Their number.
    pub records: u64,
    /// The smallest time of receipt among them.
    pub oldest: Timestamp,
    /// The greatest time of receipt among them.
    pub newest: Timestamp,
    /// When the pass ended.
    pub at: Timestamp,
}

impl Retention {
    /// Whether the rules never hide anything, so that engines need not look.
    #[must_use]
    pub fn keeps_everything(&self) -> bool {
        let none = |rules: &InstanceRetention| {
            rules.days.is_none_or(|days| days == 0)
                && rules.bots.values().all(|days| *days == 0)
                && rules.log_groups.values().all(|days| *days == 0)
                && rules.type_prefixes.values().all(|days| *days == 0)
        };
        self.default_days == 0 && self.events_days == 0 && self.instances.values().all(none)
    }

    /// Whether a record has expired at `now`. Age counts from `time.request` where it is present
    /// and not after `time.received`, else from `time.received`.
    #[must_use]
    pub fn has_expired(&self, record: &Record, flat: &Flat, now: Timestamp) -> bool {
        let days = self.days(record, flat);
        if days == 0 {
            return false;
        }
        let requested = flat.time("time.request").filter(|t| *t <= record.received);
        let born = requested.unwrap_or(record.received);
        born.plus_micros(i64::from(days) * DAY_US) < now
    }

    fn days(&self, record: &Record, flat: &Flat) -> u32 {
        let draft = &record.draft;
        let of = Properties {
            bot: flat.text("bot"),
            log_group: draft.labels.get(LOG_GROUP).map(String::as_str),
            event_type: flat.text("event.type"),
        };
        self.days_of(&draft.instance, draft.kind, of)
    }

    /// The rule that a record of these properties falls under, in days; 0 keeps it for ever.
    #[must_use]
    pub fn days_of(&self, instance: &InstanceId, kind: Kind, of: Properties<'_>) -> u32 {
        let fallback = match kind {
            Kind::Turn => self.default_days,
            Kind::Event => self.events_days,
        };
        let Some(rules) = self.instances.get(instance) else {
            return fallback;
        };
        if let Some(days) = of.bot.and_then(|bot| rules.bots.get(bot)) {
            return *days;
        }
        if let Some(days) = of.log_group.and_then(|group| rules.log_groups.get(group)) {
            return *days;
        }
        if let Some(event_type) = of.event_type {
            let fitting = rules
                .type_prefixes
                .iter()
                .filter(|(p, _)| event_type.starts_with(*p));
            if let Some((_, days)) = fitting.max_by_key(|(prefix, _)| prefix.len()) {
                return *days;
            }
        }
        rules.days.unwrap_or(fallback)
    }
}
