//! Counters and gauges, as Prometheus text at `/metrics`; series by bot only for a key that reads.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use convlog_model::ids::InstanceId;
use convlog_model::store::Outcome;
use prometheus::proto::MetricFamily;
use prometheus::{
    CounterVec, Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

use crate::app::App;
use crate::auth::{self, Caller, Role};
use crate::deliveries::Owner;
use crate::error::{Fault, Problem};

mod deliveries;
mod upkeep;

use self::deliveries::DeliveryFigures;
use self::upkeep::UpkeepGauges;

/// Series by bot; further bots are counted under an empty name.
const BOTS_MAX: usize = 10_000;
/// Series of metric filters and subscription filters; what further ones count has no names.
const LOG_METRICS_MAX: usize = 10_000;

/// What this process has counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    by_bot: Registry,
    by_instance: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    records: IntCounterVec,
    bot_records: IntCounterVec,
    writable: IntGauge,
    upkeep: UpkeepGauges,
    log_metrics: CounterVec,
    subscriptions: IntCounterVec,
    deliveries: DeliveryFigures,
    bots: Mutex<BTreeSet<(InstanceId, String)>>,
    logs: Mutex<BTreeSet<[String; 3]>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::build().unwrap_or_else(|error| unreachable!("the names are constants: {error}"))
    }
}

impl Metrics {
    fn build() -> prometheus::Result<Self> {
        let metrics = Metrics {
            registry: Registry::new(),
            by_bot: Registry::new(),
            by_instance: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("convlog_http_requests_total", "Answered requests."),
                &["method", "route", "status"],
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new("convlog_http_request_seconds", "Time to answer."),
                &["method", "route"],
            )?,
            records: IntCounterVec::new(
                Opts::new("convlog_records_total", "Records offered, by outcome."),
                &["outcome"],
            )?,
            bot_records: IntCounterVec::new(
                Opts::new("convlog_bot_records_total", "Records stored, by bot."),
                &["instance", "bot"],
            )?,
            writable: IntGauge::new("convlog_writable", "Whether records are accepted.")?,
            upkeep: UpkeepGauges::new()?,
            log_metrics: CounterVec::new(
                Opts::new(
                    "convlog_log_metric_total",
                    "Log events that metric filters count.",
                ),
                &["instance", "namespace", "name"],
            )?,
            subscriptions: IntCounterVec::new(
                Opts::new(
                    "convlog_log_subscription_calls_total",
                    "Calls of the destinations of subscription filters.",
                ),
                &["instance", "log_group", "filter", "outcome"],
            )?,
            deliveries: DeliveryFigures::new()?,
            bots: Mutex::default(),
            logs: Mutex::default(),
        };
        metrics.upkeep.register(&metrics.registry)?;
        metrics
            .deliveries
            .register((&metrics.registry, &metrics.by_bot))?;
        metrics
            .registry
            .register(Box::new(metrics.requests.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.seconds.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.records.clone()))?;
        metrics
            .registry
            .register(Box::new(metrics.writable.clone()))?;
        metrics
            .by_bot
            .register(Box::new(metrics.bot_records.clone()))?;
        metrics
            .by_instance
            .register(Box::new(metrics.log_metrics.clone()))?;
        metrics
            .by_instance
            .register(Box::new(metrics.subscriptions.clone()))?;
        Ok(metrics)
    }

    /// Counts an answered request under its route's template.
    pub(crate) fn count_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let status = status.to_string();
        self.requests
            .with_label_values(&[method, route, status.as_str()])
            .inc();
        self.seconds
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    /// Counts the records of an append.
    pub(crate) fn count_ingest(
        &self,
        drafts: &[(InstanceId, Option<String>)],
        outcomes: &[Outcome],
    ) {
        let name = |outcome: &Outcome| match outcome {
            Outcome::Stored(_) => "stored",
            Outcome::Duplicate(_) => "duplicate",
            Outcome::Conflict => "conflict",
            Outcome::Erased => "erased",
        };
        let counted: Vec<_> = drafts.iter().zip(outcomes.iter().map(name)).collect();
        // Records of a request are of one bot, as a rule.
        for run in counted.chunk_by(PartialEq::eq) {
            let Some(((instance, bot), outcome)) = run.first() else {
                continue;
            };
            let count = u64::try_from(run.len()).unwrap_or(u64::MAX);
            self.records.with_label_values(&[*outcome]).inc_by(count);
            if let ("stored", Some(bot)) = (*outcome, bot) {
                let bot = self.bot_label(instance, bot);
                self.bot_records
                    .with_label_values(&[instance.as_str(), bot])
                    .inc_by(count);
            }
        }
    }

    /// Counts what a metric filter takes.
    pub(crate) fn count_log(&self, instance: &InstanceId, namespace: &str, name: &str, by: f64) {
        let labels = self.log_labels([instance.as_str(), namespace, name]);
        self.log_metrics.with_label_values(&labels).inc_by(by);
    }

    /// Counts a call of the destination of a subscription filter, and whether it succeeded.
    pub(crate) fn count_subscription(
        &self,
        instance: &InstanceId,
        (group, filter): (&str, &str),
        is_ok: bool,
    ) {
        let [instance, group, filter] = self.log_labels([instance.as_str(), group, filter]);
        let outcome = if is_ok { "success" } else { "failure" };
        self.subscriptions
            .with_label_values(&[instance, group, filter, outcome])
            .inc();
    }

    /// The names of what is counted of an instance's log groups; beyond the bound there are none.
    fn log_labels<'a>(&self, labels: [&'a str; 3]) -> [&'a str; 3] {
        let key = labels.map(ToOwned::to_owned);
        let mut known = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&key) && known.len() >= LOG_METRICS_MAX {
            let [instance, ..] = labels;
            return [instance, "", ""];
        }
        known.insert(key);
        labels
    }

    /// The series that are of an instance and of no bot, for a caller who sees all of it.
    fn of_instance(&self, caller: &Caller) -> Vec<MetricFamily> {
        let mut families = self.by_instance.gather();
        for family in &mut families {
            let kept = family.take_metric().into_iter().filter(|metric| {
                let mut labels = metric.get_label().iter();
                let instance = labels.find(|label| label.name() == "instance");
                let is_own = |value: &str| value == caller.instance.as_str();
                caller.bots.is_none() && instance.is_some_and(|label| is_own(label.value()))
            });
            let kept = kept.collect();
            family.set_metric(kept);
        }
        families.retain(|family| !family.get_metric().is_empty());
        families
    }

    /// Counts a delivery of `Text` or `Audio`, and whether it succeeded.
    pub(crate) fn count_delivery(
        &self,
        instance: &InstanceId,
        owner: &Owner,
        delivery: (&str, bool),
    ) {
        let bot = self.bot_label(instance, &owner.bot);
        self.deliveries.count((instance, bot), owner, delivery);
    }

    fn bot_label<'b>(&self, instance: &InstanceId, bot: &'b str) -> &'b str {
        let key = (instance.clone(), bot.to_owned());
        let mut bots = self.bots.lock().unwrap_or_else(PoisonError::into_inner);
        if bots.contains(&key) || bots.len() < BOTS_MAX {
            bots.insert(key);
            return bot;
        }
        ""
    }

    /// The series of the bots that a caller may see.
    fn bots_of(&self, caller: &Caller) -> Vec<MetricFamily> {
        let mut families = self.by_bot.gather();
        for family in &mut families {
            let kept = family.take_metric().into_iter().filter(|metric| {
                let is = |name: &str, test: &dyn Fn(&str) -> bool| {
                    let mut labels = metric.get_label().iter();
                    labels.any(|label| label.name() == name && test(label.value()))
                };
                is("instance", &|value| value == caller.instance.as_str())
                    && is("bot", &|value| caller.sees_bot(value))
            });
            let kept = kept.collect();
            family.set_metric(kept);
        }
        families.retain(|family| !family.get_metric().is_empty());
        families
    }
}

/// Counters and gauges, as Prometheus text. Series by bot are there for a key with the role
/// `read`.
#[utoipa::path(get, path = "/metrics", tag = "server", responses(
    (status = 200, body = String, content_type = "text/plain"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    let metrics = app.metrics();
    metrics
        .writable
        .set(i64::from(app.store().health().writable));
    metrics.upkeep.set(&app.store().upkeep());
    metrics.deliveries.set(app.deliveries());
    let mut families = metrics.registry.gather();
    if headers.contains_key(header::AUTHORIZATION) {
        let caller = auth::authenticate(&app, &headers).await?;
        caller.require(Role::Read)?;
        families.extend(metrics.bots_of(&caller));
        families.extend(metrics.of_instance(&caller));
    }
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&families, &mut text)
        .map_err(|error| Fault::internal(format!("metrics: {error}")))?;
    let kind = [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)];
    Ok((kind, text).into_response())
}
