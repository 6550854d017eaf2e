//! Metric filters: what of a group's events is counted on `/metrics`, and patterns tried out.

use convlog_dialects::cloudwatch::pattern::Pattern;
use convlog_model::ids::InstanceId;
use convlog_model::json::Json;
use convlog_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Answered;
use super::asked::{Asked, invalid, limit, listed, missing, nothing, page};
use super::counted::Amount;
use super::documents::{Documents, LogGroup, told_change};
use crate::app::App;
use crate::aws::AwsError;

/// Most metric filters of a group.
const FILTERS_MAX: usize = 100;
/// Filters of a page.
const PAGE: usize = 50;
const WHAT: &str = "metric filter";
const CHANGED: &str = "metric_filters";

/// A metric filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct MetricFilter {
    pub(super) pattern: String,
    pub(super) created_us: i64,
    /// What is counted, as it was sent.
    pub(super) transformation: Json,
}

impl MetricFilter {
    fn of(asked: &Asked) -> Result<Self, AwsError> {
        asked.pattern()?;
        let sent = asked.list("metricTransformations").first();
        let sent = sent.ok_or_else(|| invalid("metricTransformations is empty."))?;
        if sent.get("dimensions").is_some_and(|d| *d != Json::Null) {
            return Err(invalid(
                "dimensions are not supported: texts of users do not become labels of metrics.",
            ));
        }
        let value = sent.get("metricValue").and_then(Json::as_str);
        Amount::parse(value.unwrap_or_default())
            .ok_or_else(|| invalid("metricValue must be a number or a field such as $.size."))?;
        let mut transformation = Json::object([]);
        for name in [
            "metricName",
            "metricNamespace",
            "metricValue",
            "defaultValue",
            "unit",
        ] {
            if let Some(value) = sent.get(name).filter(|value| **value != Json::Null) {
                transformation.set(name, value.clone());
            }
        }
        Ok(MetricFilter {
            pattern: asked.required("filterPattern").to_owned(),
            created_us: asked.app.now().micros(),
            transformation,
        })
    }

    pub(super) fn text(&self, member: &str) -> &str {
        let text = self.transformation.get(member).and_then(Json::as_str);
        text.unwrap_or_default()
    }

    fn show(&self, group: &str, name: &str) -> Json {
        let created = Timestamp::from_micros(self.created_us).millis();
        Json::object([
            ("filterName", Json::string(name)),
            ("filterPattern", Json::string(self.pattern.as_str())),
            (
                "metricTransformations",
                Json::Array(vec![self.transformation.clone()]),
            ),
            ("creationTime", Json::integer(created)),
            ("logGroupName", Json::string(group)),
            ("applyOnTransformedLogs", Json::Bool(false)),
        ])
    }
}

/// Refuses what filters of either kind may have at AWS and not here.
///
/// # Errors
/// The member.
pub(super) fn require_plain(asked: &Asked) -> Result<(), AwsError> {
    let is_asked = asked.flag("applyOnTransformedLogs") == Some(true)
        || asked
            .text("fieldSelectionCriteria")
            .is_some_and(|text| !text.is_empty())
        || !asked.list("emitSystemFieldDimensions").is_empty()
        || !asked.list("emitSystemFields").is_empty();
    match is_asked {
        false => Ok(()),
        true => Err(invalid(
            "Transformed logs and system fields are not supported here.",
        )),
    }
}

/// `PutMetricFilter`
pub(super) async fn put(asked: &Asked) -> Answered {
    require_plain(asked)?;
    let filter = MetricFilter::of(asked)?;
    let (group, name) = (asked.required("logGroupName"), asked.required("filterName"));
    let event = told_change(&asked.app, &asked.caller, group, CHANGED);
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let changed = documents.change(group, Some(event), |group| {
        group.revision += 1;
        group.metric_filters.insert(name.to_owned(), filter.clone());
        match group.metric_filters.len() <= FILTERS_MAX {
            true => Ok(()),
            false => Err(limit(format!(
                "A log group has at most {FILTERS_MAX} metric filters."
            ))),
        }
    });
    changed.await?;
    Ok(nothing())
}

/// `DeleteMetricFilter`
pub(super) async fn delete(asked: &Asked) -> Answered {
    let (group, name) = (asked.required("logGroupName"), asked.required("filterName"));
    let event = told_change(&asked.app, &asked.caller, group, CHANGED);
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let changed = documents.change(group, Some(event), |group| {
        group.revision += 1;
        match group.metric_filters.remove(name) {
            Some(_) => Ok(()),
            None => Err(missing(WHAT)),
        }
    });
    changed.await?;
    Ok(nothing())
}

/// `DescribeMetricFilters`
pub(super) async fn describe(asked: &Asked) -> Answered {
    let (name, namespace) = (asked.text("metricName"), asked.text("metricNamespace"));
    if name.is_some() != namespace.is_some() {
        return Err(invalid("metricName and metricNamespace go together.").into());
    }
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let groups: Vec<LogGroup> = match asked.text("logGroupName") {
        Some(group) => vec![documents.group(group).await?],
        None => documents.all("").await?,
    };
    let prefix = asked.text("filterNamePrefix").unwrap_or_default();
    let mut found = Vec::new();
    for group in &groups {
        for (filter_name, filter) in &group.metric_filters {
            let is = |wanted: Option<&str>, member: &str| {
                wanted.is_none_or(|wanted| wanted == filter.text(member))
            };
            let fits = is(name, "metricName") && is(namespace, "metricNamespace");
            if fits && filter_name.starts_with(prefix) {
                let key = format!("{}:{filter_name}", group.name);
                found.push((key, filter.show(&group.name, filter_name)));
            }
        }
    }
    let (found, token) = page(found, asked.after()?.as_deref(), asked.limit(PAGE));
    let shown = found.into_iter().map(|(_, shown)| shown).collect();
    Ok(listed("metricFilters", shown, token))
}

/// `TestMetricFilter`
pub(super) async fn test(asked: &Asked) -> Answered {
    let pattern = asked.pattern()?;
    let mut matches = Vec::new();
    for (number, message) in (1..).zip(asked.texts("logEventMessages")) {
        if pattern.matches(&message) {
            let values = pattern.extracted(&message).into_iter();
            let values = values.map(|(name, value)| (name.as_str().into(), Json::string(value)));
            matches.push(Json::object([
                ("eventNumber", Json::integer(number)),
                ("eventMessage", Json::string(message)),
                ("extractedValues", Json::Object(values.collect())),
            ]));
        }
    }
    Ok(Json::object([("matches", Json::Array(matches))]))
}

/// Counts messages that a group has got.
pub(super) fn count<'a>(
    app: &App,
    instance: &InstanceId,
    group: &LogGroup,
    messages: impl IntoIterator<Item = &'a str>,
) {
    if group.metric_filters.is_empty() {
        return;
    }
    let counters = app.cloudwatch().counters(group);
    for message in messages {
        for counter in counters.iter() {
            if let Some(amount) = counter.amount(message) {
                let metrics = app.metrics();
                metrics.count_log(instance, &counter.namespace, &counter.name, amount);
            }
        }
    }
}

/// A pattern that was checked when it was put.
pub(super) fn checked(pattern: &str) -> Option<Pattern> {
    Pattern::parse(pattern).ok()
}
