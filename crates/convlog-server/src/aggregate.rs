//! `POST /aggregate`: groups over matching records and metrics of each group.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use convlog_model::aggregate::{GroupBy, Metric, Row};
use convlog_model::fields::{FieldRef, FieldType, is_canonical, lookup};
use convlog_model::json::Json;

use crate::app::App;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::error::{Fault, Problem};
use crate::object::{FieldError, Reader};
use crate::own_filter;

const FILTER_BYTES_MAX: usize = 64 << 10;
const FIELD_BYTES_MAX: usize = 1024;
const GROUPINGS_MAX: usize = 4;
const METRICS_MAX: usize = 20;
const TERMS: u32 = 10;
const TERMS_MAX: u32 = 10_000;

/// A group's key in the answer.
struct Grouping {
    name: String,
    by: GroupBy,
}

/// A metric's place in the answer.
struct Wanted {
    kind: &'static str,
    field: String,
    metric: Metric,
}

/// Groups and metrics over everything that matches. Rows come in the order of their groups:
/// intervals rising, terms by falling count.
#[utoipa::path(post, path = "/convlog/v1/aggregate", tag = "records",
    request_body(content = Object, description = "`{\"filter\", \"by\": [{\"field\", \"every\", \
        \"zone\"} | {\"field\", \"limit\"}], \"metrics\": [\"count\", {\"distinct\": FIELD}, \
        {\"average\": FIELD}, {\"percentiles\": FIELD}]}`"),
    responses(
        (status = 200, content_type = "application/json", body = Object,
            description = "`{\"rows\": [{\"keys\": {FIELD: value}, \"count\": n, \"distinct\": \
                {FIELD: n}, \"average\": {FIELD: x}, \"percentiles\": {FIELD: {\"p50\", \"p90\", \
                \"p95\", \"p99\"}}}]}`; `\"approximate\": true` where sketches stand in"),
        (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn run(
    State(app): State<App>,
    caller: Caller,
    JsonBody(body): JsonBody<Json>,
) -> Result<Response, Fault> {
    let mut reader = Reader::new(&body, "")?;
    // An empty text is every record, as it is for lists.
    let filter = match reader.value("filter").and_then(Json::as_str) {
        Some("") => None,
        _ => reader.text("filter", FILTER_BYTES_MAX)?,
    };
    let groupings = groupings(&mut reader)?;
    let wanted = metrics(&mut reader)?;
    reader.finish()?;
    let filter = own_filter::readable(&caller, filter.as_deref())?;
    let by = groupings
        .iter()
        .map(|grouping| grouping.by.clone())
        .collect();
    let metrics = wanted.iter().map(|wanted| wanted.metric.clone()).collect();
    let table = app.query().aggregate(&caller, filter, by, metrics).await?;
    let rows = table.rows.iter().map(|row| shown(row, &groupings, &wanted));
    let answer = Json::object([("rows", Json::Array(rows.collect()))]);
    let headers = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, answer.to_string()).into_response())
}

fn groupings(reader: &mut Reader<'_>) -> Result<Vec<Grouping>, FieldError> {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for (path, value) in reader.array("by", GROUPINGS_MAX)? {
        let mut item = Reader::new(value, &path)?;
        let name = item.required_text("field", FIELD_BYTES_MAX)?;
        if !names.insert(name.clone()) {
            return Err(FieldError::new(item.path_of("field"), "stands there twice"));
        }
        let field = field(&name);
        let every = item.text("every", 16)?;
        let zone = item.text("zone", 64)?;
        let limit = item.whole("limit", 1..=TERMS_MAX)?;
        if zone.as_deref().is_some_and(|zone| zone != "UTC") {
            return Err(FieldError::new(item.path_of("zone"), "must be UTC"));
        }
        let by = match every {
            Some(every) => {
                if limit.is_some() {
                    let message = "does not go with every";
                    return Err(FieldError::new(item.path_of("limit"), message));
                }
                if field.kind() != FieldType::Time {
                    let message = "must be a time field, since every is given";
                    return Err(FieldError::new(item.path_of("field"), message));
                }
                let message = "must be a number and one of m, h, d, w, such as 5m or 1d";
                let every_us = interval_us(&every)
                    .ok_or_else(|| FieldError::new(item.path_of("every"), message))?;
                GroupBy::Interval { field, every_us }
            }
            None if zone.is_some() => {
                return Err(FieldError::new(item.path_of("zone"), "needs every"));
            }
            None => GroupBy::Terms {
                field,
                limit: usize::try_from(limit.unwrap_or(TERMS)).unwrap_or(usize::MAX),
            },
        };
        item.finish()?;
        found.push(Grouping { name, by });
    }
    Ok(found)
}

fn interval_us(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    let unit_us: i64 = match unit {
        'm' => 60_000_000,
        'h' => 3_600_000_000,
        'd' => 86_400_000_000,
        'w' => 604_800_000_000,
        _ => return None,
    };
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let count: i64 = number
        .parse()
        .ok()
        .filter(|count| is_plain && (1..=10_000).contains(count))?;
    count.checked_mul(unit_us)
}

fn metrics(reader: &mut Reader<'_>) -> Result<Vec<Wanted>, FieldError> {
    let mut found = Vec::new();
    for (path, value) in reader.array("metrics", METRICS_MAX)? {
        // Every row has its count, asked for or not.
        if value.as_str() == Some("count") {
            continue;
        }
        let wrong = "must be \"count\" or an object with one of distinct, average, percentiles";
        if value.as_str().is_some() {
            return Err(FieldError::new(path, wrong));
        }
        let mut item = Reader::new(value, &path)?;
        let distinct = item.text("distinct", FIELD_BYTES_MAX)?;
        let average = item.text("average", FIELD_BYTES_MAX)?;
        let percentiles = item.text("percentiles", FIELD_BYTES_MAX)?;
        item.finish()?;
        let wanted = match (distinct, average, percentiles) {
            (Some(name), None, None) => Wanted {
                kind: "distinct",
                metric: Metric::Distinct(field(&name)),
                field: name,
            },
            (None, Some(name), None) => Wanted {
                kind: "average",
                metric: Metric::Average(field(&name)),
                field: name,
            },
            (None, None, Some(name)) => Wanted {
                kind: "percentiles",
                metric: Metric::Percentiles(field(&name)),
                field: name,
            },
            _ => return Err(FieldError::new(path, wrong)),
        };
        found.push(wanted);
    }
    Ok(found)
}

/// What a name points at: a canonical name wins, `raw.` forces the raw path.
fn field(name: &str) -> FieldRef {
    if let Some(raw) = name.strip_prefix("raw.") {
        return FieldRef::Raw(raw.to_owned());
    }
    match lookup(name).is_some() || is_canonical(name) {
        true => FieldRef::canonical(name),
        false => FieldRef::Raw(name.to_owned()),
    }
}

fn shown(row: &Row, groupings: &[Grouping], wanted: &[Wanted]) -> Json {
    let keys = groupings.iter().zip(&row.keys);
    let keys = keys.map(|(grouping, key)| (grouping.name.as_str().into(), key.clone()));
    let count = Json::Number(row.count.to_string().into());
    let mut shown = Json::object([("keys", Json::Object(keys.collect())), ("count", count)]);
    for kind in ["distinct", "average", "percentiles"] {
        let mine = wanted
            .iter()
            .zip(&row.metrics)
            .filter(|(wanted, _)| wanted.kind == kind);
        let values = mine.map(|(wanted, value)| (wanted.field.as_str().into(), value.clone()));
        let values: Vec<_> = values.collect();
        if !values.is_empty() {
            shown.set(kind, Json::Object(values));
        }
    }
    if row.approximate {
        shown.set("approximate", Json::Bool(true));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_a_number_and_a_unit() {
        assert_eq!(interval_us("5m"), Some(300_000_000));
        assert_eq!(interval_us("1w"), Some(604_800_000_000));
        for text in ["", "d", "0d", "1y", "-1d", "+1d", "1.5h", "99999d", "1🦀"] {
            assert_eq!(interval_us(text), None, "{text}");
        }
    }

    #[test]
    fn mistakes_name_the_field() {
        let error = |text: &str| {
            let body = Json::parse(text.as_bytes()).unwrap();
            let mut reader = Reader::new(&body, "").unwrap();
            let by = groupings(&mut reader).map(|_| ());
            let both = by.and_then(|()| metrics(&mut reader).map(|_| ()));
            both.unwrap_err().to_string()
        };
        assert_eq!(
            error(r#"{"by":[{"field":"time.request","every":"1d","zone":"Europe/Berlin"}]}"#),
            "by[0].zone must be UTC"
        );
        assert_eq!(
            error(r#"{"by":[{"field":"user","every":"1d"}]}"#),
            "by[0].field must be a time field, since every is given"
        );
        assert_eq!(
            error(r#"{"metrics":["sum"]}"#),
            "metrics[0] must be \"count\" or an object with one of distinct, average, percentiles"
        );
        assert_eq!(
            error(r#"{"metrics":[{"distinct":"user","average":"x"}]}"#),
            "metrics[0] must be \"count\" or an object with one of distinct, average, percentiles"
        );
    }
}
