//! Warns before rows are loaded that retention would expire at once.

use std::collections::BTreeMap;

use convlog_model::clock::Clock as _;
use convlog_model::time::{DAY_US, Timestamp};
use serde_json::Value;

use super::prepare::Line;
use crate::client::Client;
use crate::clock::SystemClock;
use crate::out;

/// Bots whose settings are asked for; those of further ones are taken to be the instance's.
const BOTS_MAX: usize = 10_000;

/// What is known about retention, asked for when it is needed.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    /// Days of the instance and of the bots asked for; `None` keeps for ever.
    instance: Option<Option<u32>>,
    bots: BTreeMap<String, Option<u32>>,
    has_warned: bool,
}

impl Expiry {
    /// Looks at a line before it is sent. Without the right to read settings there is no warning.
    pub(super) async fn look(
        &mut self,
        client: &Client,
        clock: &SystemClock,
        (file, number): (&str, u64),
        line: &Line,
    ) {
        let Some(requested) = line.requested.filter(|_| !self.has_warned) else {
            return;
        };
        let Some(days) = self.days(client, line.bot.as_deref()).await else {
            return;
        };
        if is_expired(requested, days, clock.now()) {
            self.has_warned = true;
            out::note(&format!(
                "warning: {file}:{number} is older than the {days} days that records are kept: it \
                 and others like it expire at once (retention_days of bot or instance settings, \
                 [retention] of the server)"
            ));
        }
    }

    async fn days(&mut self, client: &Client, bot: Option<&str>) -> Option<u32> {
        if self.instance.is_none() {
            let settings = client.get(&["convlog", "v1", "settings"], &[]).await;
            self.instance = Some(settings.ok().as_ref().and_then(retention_days));
        }
        let of_instance = self.instance.flatten();
        let Some(bot) = bot else {
            return of_instance;
        };
        if let Some(known) = self.bots.get(bot) {
            return *known;
        }
        let document = client.get(&["convlog", "v1", "bots", bot], &[]).await;
        let of_bot = document.ok().as_ref().and_then(own_days);
        let days = match of_bot {
            Some(0) => None,
            Some(days) => Some(days),
            None => of_instance,
        };
        if self.bots.len() < BOTS_MAX {
            self.bots.insert(bot.to_owned(), days);
        }
        days
    }
}

/// Days of turns that follow from the instance's settings and the server's configuration.
fn retention_days(settings: &Value) -> Option<u32> {
    let days = settings.get("effective")?.get("turns_days")?.as_u64()?;
    u32::try_from(days).ok().filter(|days| *days > 0)
}

fn own_days(document: &Value) -> Option<u32> {
    let days = document.get("retention_days")?.as_u64()?;
    u32::try_from(days).ok()
}

fn is_expired(requested: Timestamp, days: u32, now: Timestamp) -> bool {
    requested.plus_micros(DAY_US.saturating_mul(i64::from(days))) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_expires_when_its_days_are_over() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let (requested, now) = (at("2026-01-01T00:00:00Z"), at("2026-01-08T00:00:00Z"));
        assert!(is_expired(requested, 7, now));
        assert!(!is_expired(requested, 8, now));
    }
}
