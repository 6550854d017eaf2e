//! Subscription filters: events of a group that are posted to a URL as they come.

mod worker;

use convlog_model::ids::Position;
use convlog_model::json::Json;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::worker::start;
use super::Answered;
use super::asked::{Asked, invalid, limit, listed, missing, nothing, page};
use super::documents::{Documents, place, told_change};
use super::metric_filters::require_plain;

/// Most subscription filters of a group.
const FILTERS_MAX: usize = 2;
/// Most subscription filters of an instance, each of which has a worker.
const INSTANCE_MAX: usize = 100;
/// Filters of a page.
const PAGE: usize = 50;
const WHAT: &str = "subscription filter";
const CHANGED: &str = "subscription_filters";

/// A subscription filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subscription {
    /// Tells it from others that have had its name.
    id: String,
    pattern: String,
    destination: String,
    #[serde(default)]
    role: Option<String>,
    distribution: String,
    created_us: i64,
    /// Its events stand behind this.
    #[serde(with = "place")]
    since: Position,
}

impl Subscription {
    fn show(&self, group: &str, name: &str) -> Json {
        let created = Timestamp::from_micros(self.created_us).millis();
        let mut shown = Json::object([
            ("filterName", Json::string(name)),
            ("logGroupName", Json::string(group)),
            ("filterPattern", Json::string(self.pattern.as_str())),
            ("destinationArn", Json::string(self.destination.as_str())),
            ("distribution", Json::string(self.distribution.as_str())),
            ("applyOnTransformedLogs", Json::Bool(false)),
            ("creationTime", Json::integer(created)),
        ]);
        if let Some(role) = &self.role {
            shown.set("roleArn", Json::string(role.as_str()));
        }
        shown
    }
}

/// `PutSubscriptionFilter`
pub(super) async fn put(asked: &Asked) -> Answered {
    require_plain(asked)?;
    asked.pattern()?;
    let destination = asked.required("destinationArn");
    let mut known = asked.app.config().aws.destinations.iter();
    if !known.any(|known| known.arn == destination) {
        let message = "destinationArn is none of the destinations that the configuration names.";
        return Err(invalid(message).into());
    }
    let (group, name) = (asked.required("logGroupName"), asked.required("filterName"));
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let all = documents.all("").await?;
    let others = all.iter().flat_map(|other| {
        let names = other.subscription_filters.keys();
        names.filter(|known| (other.name.as_str(), known.as_str()) != (group, name))
    });
    if others.count() >= INSTANCE_MAX {
        let message = format!("There are {INSTANCE_MAX} subscription filters.");
        return Err(limit(message).into());
    }
    let new = Subscription {
        id: asked.app.new_id().to_string(),
        pattern: asked.required("filterPattern").to_owned(),
        destination: destination.to_owned(),
        role: asked.text("roleArn").map(ToOwned::to_owned),
        distribution: asked
            .text("distribution")
            .unwrap_or("ByLogStream")
            .to_owned(),
        created_us: asked.app.now().micros(),
        since: asked.app.store().newest(),
    };
    let event = told_change(&asked.app, &asked.caller, group, CHANGED);
    let changed = documents.change(group, Some(event), |group| {
        let old = group.subscription_filters.get(name);
        // One that is replaced goes on where it was.
        let new = match old {
            Some(old) => Subscription {
                id: old.id.clone(),
                since: old.since,
                created_us: old.created_us,
                ..new.clone()
            },
            None => new.clone(),
        };
        group.subscription_filters.insert(name.to_owned(), new);
        match group.subscription_filters.len() <= FILTERS_MAX {
            true => Ok(()),
            false => {
                let message =
                    format!("A log group has at most {FILTERS_MAX} subscription filters.");
                Err(limit(message))
            }
        }
    });
    changed.await?;
    worker::begin(&asked.app, &asked.caller.instance, group, name);
    Ok(nothing())
}

/// `DeleteSubscriptionFilter`
pub(super) async fn delete(asked: &Asked) -> Answered {
    let (group, name) = (asked.required("logGroupName"), asked.required("filterName"));
    let event = told_change(&asked.app, &asked.caller, group, CHANGED);
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let changed = documents.change(group, Some(event), |group| {
        match group.subscription_filters.remove(name) {
            Some(_) => Ok(()),
            None => Err(missing(WHAT)),
        }
    });
    changed.await?;
    Ok(nothing())
}

/// `DescribeSubscriptionFilters`
pub(super) async fn describe(asked: &Asked) -> Answered {
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let group = documents.group(asked.required("logGroupName")).await?;
    let prefix = asked.text("filterNamePrefix").unwrap_or_default();
    let filters = group.subscription_filters.iter();
    let filters = filters.filter(|(name, _)| name.starts_with(prefix));
    let shown = filters.map(|(name, filter)| (name.clone(), filter.show(&group.name, name)));
    let (found, token) = page(shown, asked.after()?.as_deref(), asked.limit(PAGE));
    let shown = found.into_iter().map(|(_, shown)| shown).collect();
    Ok(listed("subscriptionFilters", shown, token))
}
