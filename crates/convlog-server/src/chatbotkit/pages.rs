//! One page of items as JSON.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use convlog_dialects::chatbotkit::cursor::Cursor;
use convlog_dialects::chatbotkit::encode;
use convlog_dialects::chatbotkit::item::Item;
use convlog_dialects::chatbotkit::params::{Order, TAKE, TAKE_MAX};
use convlog_model::ids::Position;
use convlog_model::json::write_string;

use super::json;
use super::walk::{Entry, Walk};
use crate::app::App;
use crate::error::Fault;

/// Number of items of an answer.
pub(super) const COUNT: HeaderName = HeaderName::from_static("x-convlog-count");
/// Where a reader goes on.
pub(super) const CURSOR: HeaderName = HeaderName::from_static("x-convlog-cursor");
/// What is gone between the reader's cursor and the first item.
pub(super) const GAP: HeaderName = HeaderName::from_static("x-log-gap");

/// A page under the walk's filter: `{"items","cursor","resumeCursor"}`, with `gap` where the
/// reader's cursor led to what is gone.
///
/// # Errors
/// 503 when it takes too long.
pub(super) async fn page(
    app: &App,
    mut walk: Walk,
    take: Option<usize>,
    entry: Option<(&str, Entry)>,
) -> Result<Response, Fault> {
    let take = take.unwrap_or(TAKE).min(TAKE_MAX);
    let shape = walk.shape();
    let items = collect(app, &mut walk, take).await?;
    let last = items.last().map(|item| item.place);
    let timeline = app.store().timeline();
    let of_item = |place| Cursor {
        place,
        is_item: true,
        timeline,
    };
    let cursor = last.map(|place| of_item(place).encode());
    let resume = match (walk.order(), last) {
        (Order::Desc, None) => Cursor::behind(Position::START, timeline),
        (Order::Desc, Some(last)) => of_item(last),
        (Order::Asc, Some(last)) if walk.at() == last => of_item(last),
        (Order::Asc, _) => walk.cursor(false),
    };
    let resume = resume.encode();
    let gap = entry.filter(|(_, entry)| entry.is_gap).map(|(from, _)| {
        let first = items.first().map(|item| of_item(item.place).encode());
        (from.to_owned(), first.unwrap_or_else(|| resume.clone()))
    });
    let mut body = String::from("{\"items\":[");
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            body.push(',');
        }
        body.push_str(&encode::json(item, shape));
    }
    body.push(']');
    let mut member = |name: &str, text: &str| {
        body.push_str(",\"");
        body.push_str(name);
        body.push_str("\":");
        write_string(text, &mut body);
    };
    member("cursor", cursor.as_deref().unwrap_or_default());
    member("resumeCursor", &resume);
    if let Some((from, to)) = &gap {
        body.push_str(",\"gap\":{\"from\":");
        write_string(from, &mut body);
        body.push_str(",\"to\":");
        write_string(to, &mut body);
        body.push('}');
    }
    body.push('}');
    let mut answer = json(StatusCode::OK, encode::ascii(body));
    let headers = answer.headers_mut();
    headers.insert(COUNT, HeaderValue::from(items.len()));
    set(headers, CURSOR, &resume);
    if let Some((from, to)) = gap {
        set(headers, GAP, &format!("{from}..{to}"));
    }
    Ok(answer)
}

/// Sets a header, unless the client's own text in it cannot stand in one.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

/// Up to `take` items; the walk stands behind the last of them.
async fn collect(app: &App, walk: &mut Walk, take: usize) -> Result<Vec<Item>, Fault> {
    let began_us = app.clock().monotonic_us();
    let mut items: Vec<Item> = Vec::new();
    loop {
        let step = walk.step(take - items.len()).await?;
        items.extend(step.items);
        if items.len() >= take {
            items.truncate(take);
            if let Some(last) = items.last() {
                walk.rewind(last.place);
            }
            return Ok(items);
        }
        if step.is_done {
            return Ok(items);
        }
        let took = Duration::from_micros(app.clock().monotonic_us().saturating_sub(began_us));
        if took > app.config().limits.query_time {
            return Err(Fault::Unavailable {
                message: "this takes too long: narrow the filter".to_owned(),
                retry_after_s: None,
            });
        }
    }
}
