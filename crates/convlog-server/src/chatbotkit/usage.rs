//! `/usage/fetch` and `/event/metric/series/fetch`: sums over what the log shows as events.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::chatbotkit::filter::{EventFilter, TypePattern};
use convlog_dialects::chatbotkit::project;
use convlog_model::aggregate::{GroupBy, Metric};
use convlog_model::fields::FieldRef;
use convlog_model::filter::Filter;
use convlog_model::json::Json;
use convlog_model::time::{DAY_US, Timestamp};

use super::{FormQuery, json, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::{bots, definitions};

/// Days that a series goes back.
const SERIES_DAYS: i64 = 90;

/// What the instance has used: tokens of turns, and conversations and messages as the event log
/// counts them.
pub(crate) async fn fetch(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let mut tokens = 0.0;
    for field in ["tokens.in", "tokens.out"] {
        let all = sums(&app, &caller, Filter::exists(field), field, Vec::new()).await?;
        tokens += all.iter().map(|(_, sum)| sum).sum::<f64>();
    }
    let begun = EventFilter {
        types: vec![TypePattern::new(project::CONVERSATION_CREATE)],
        ..EventFilter::default()
    };
    let conversations = app.query().count(&caller, begun.records()).await?;
    let n_bots = bots::all(&app, &caller).await?.len();
    let n_datasets = definitions::count(&app, &caller.instance).await?;
    let n_records = app
        .query()
        .count(&caller, crate::events::is_audit().negate())
        .await?;
    let users = Metric::Distinct(FieldRef::canonical("user"));
    let users = app
        .query()
        .aggregate(&caller, Filter::exists("user"), Vec::new(), vec![users])
        .await?;
    let users = users
        .rows
        .first()
        .and_then(|row| row.metrics.first().cloned());
    let body = Json::object([
        ("tokens", number(tokens)),
        ("conversations", count(conversations)),
        ("messages", count(messages(&app, &caller).await?)),
        (
            "database",
            Json::object([
                ("bots", count(u64::try_from(n_bots).unwrap_or(u64::MAX))),
                ("datasets", count(n_datasets)),
                ("records", count(n_records)),
                ("skillsets", count(0)),
                ("abilities", count(0)),
                ("files", count(0)),
                ("users", users.unwrap_or_else(|| count(0))),
            ]),
        ),
    ]);
    Ok(json(StatusCode::OK, body.to_string()))
}

/// Number of `message.create` events.
async fn messages(app: &App, caller: &Caller) -> Result<u64, Fault> {
    let turns = Filter::equals("kind", "turn");
    let empty = Filter::equals("input.text", "");
    let of_users = turns.clone().and(empty.negate());
    let of_bots = turns.and(Filter::exists("output.text"));
    let asides = Filter::equals("kind", "event");
    let asides = asides.and(Filter::equals("event.type", project::MESSAGE_CREATE));
    let mut sum = 0;
    for filter in [of_users, of_bots, asides] {
        sum += app.query().count(caller, filter).await?;
    }
    Ok(sum)
}

/// The sum of a metric by day, of the last 90 days: `{"values":[{"date","total"}]}`.
pub(crate) async fn series(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let kind = query
        .first("type")
        .ok_or_else(|| Fault::bad_at("type", "is missing"))?;
    let day_us = app.now().micros().div_euclid(DAY_US);
    let first = Timestamp::from_micros((day_us - SERIES_DAYS + 1) * DAY_US);
    let filter = EventFilter {
        types: vec![TypePattern::new(kind)],
        from: Some(first),
        has_value: true,
        ..EventFilter::default()
    };
    let mut days: std::collections::BTreeMap<i64, f64> = std::collections::BTreeMap::new();
    let of_events = (Filter::equals("kind", "event"), "event.value");
    let of_turns = (Filter::equals("kind", "turn"), "latency_ms");
    for (kind, field) in [of_events, of_turns] {
        for by_request in [true, false] {
            let time = if by_request {
                "time.request"
            } else {
                "time.received"
            };
            let counts = project::keeps_its_time();
            let counts = if by_request { counts } else { counts.negate() };
            let wanted = filter
                .records()
                .and(kind.clone())
                .and(counts)
                .and(Filter::exists(field));
            let by = GroupBy::Interval {
                field: FieldRef::canonical(time),
                every_us: DAY_US,
            };
            for (date, sum) in sums(&app, &caller, wanted, field, vec![by]).await? {
                let date = date.as_ref().and_then(Json::as_str);
                let date = date.and_then(Timestamp::parse_rfc3339);
                *days.entry(date.map_or(0, Timestamp::millis)).or_default() += sum;
            }
        }
    }
    let values = days.into_iter().map(|(date, total)| {
        Json::object([("date", Json::integer(date)), ("total", number(total))])
    });
    let body = Json::object([("values", Json::Array(values.collect()))]);
    Ok(json(StatusCode::OK, body.to_string()))
}

/// The sum of a number over each group.
async fn sums(
    app: &App,
    caller: &Caller,
    filter: Filter,
    field: &str,
    by: Vec<GroupBy>,
) -> Result<Vec<(Option<Json>, f64)>, Fault> {
    let average = vec![Metric::Average(FieldRef::canonical(field))];
    let table = app.query().aggregate(caller, filter, by, average).await?;
    let rows = table.rows.into_iter().map(|row| {
        let mean = row
            .metrics
            .first()
            .and_then(Json::as_f64)
            .unwrap_or_default();
        // Each record has the number once, and sums below 2^53 are exact.
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let sum = (mean * row.count as f64 * 1e6).round() / 1e6;
        (row.keys.into_iter().next(), sum)
    });
    Ok(rows.collect())
}

fn count(n: u64) -> Json {
    Json::Number(n.to_string().into())
}

fn number(value: f64) -> Json {
    Json::Number(value.to_string().into())
}
