//! `POST /event/log/subscribe`: the list in commit order that waits for more.
//!
//! A subscription holds a place in the log and nothing else: what its reader has not taken yet is
//! read from the store when it does. So a slow reader costs no memory and loses nothing.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use convlog_dialects::chatbotkit::encode::{self, Shape};
use convlog_dialects::chatbotkit::item::Place;
use convlog_dialects::chatbotkit::params::{Order, Params};
use convlog_model::ids::Position;
use convlog_model::json::Json;
use futures::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Interval;

use super::list::bad;
use super::pages::{GAP, set};
use super::stream::Form;
use super::walk::{self, Entry, Walk};
use super::{FormQuery, require_self};
use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::error::Fault;
use crate::query::fitting_step;

/// Most items that are replayed.
const HISTORY_MAX: i64 = 10_000;
/// Time after which an idle stream says that it lives: clients give up after 300 s, and what
/// stands between often after 60 s.
const PING_PAUSE: Duration = Duration::from_secs(30);
/// Records of a step at most, of the first one, and of one of the way back to where a replay
/// begins. A reader that does not read holds one step.
const STEP: usize = 256;
const STEP_FIRST: usize = 16;
const STEP_BACK: usize = 128;
/// Pause between two looks of one subscription while there is news, for each 64 of them: so that
/// many readers of a busy log do not take the time of those who write it.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// A subscription under way.
struct Subscription {
    app: App,
    walk: Walk,
    /// Everything up to here has been looked at.
    seen: Position,
    /// Records of the next step.
    n_next: usize,
    ping: Interval,
    form: Form,
    _slot: OwnedSemaphorePermit,
}

/// Replays the last `historyLength` items, or those behind `cursor`, and then shows each new one.
pub(crate) async fn subscribe(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: FormQuery,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    require_self(&caller, &headers)?;
    let form = form(&headers)?;
    let (pairs, history) = pairs(&app, &headers, &query, &body)?;
    let params = Params::parse(&pairs).map_err(bad)?;
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let entry = match params
        .cursor
        .as_deref()
        .or(last_id.filter(|id| !id.is_empty()))
    {
        Some(text) => {
            let entry = walk::enter(&app, &caller, text).await?;
            Some((text.to_owned(), entry))
        }
        None => None,
    };
    let slot = app.subscription_slot()?;
    let filter = params.filter;
    let from = match entry.as_ref().map(|(_, entry)| entry.place) {
        Some(place) => place,
        None => {
            let newest = app.store().newest();
            let who = (&app, &caller);
            let back = Walk::new(who, Shape::Event, filter.clone(), Order::Desc, None);
            before_last(back, newest, history).await?
        }
    };
    let who = (&app, &caller);
    let subscription = Subscription {
        walk: Walk::new(who, Shape::Event, filter, Order::Asc, Some(from)),
        seen: Position::START,
        n_next: STEP_FIRST,
        ping: tokio::time::interval(PING_PAUSE),
        form,
        app,
        _slot: slot,
    };
    begin(subscription, entry).await
}

/// The answer, which goes on until somebody stops.
async fn begin(
    mut subscription: Subscription,
    entry: Option<(String, Entry)>,
) -> Result<Response, Fault> {
    // The first step is taken before the answer begins, so that its errors have a status.
    let first = subscription.look().await?;
    subscription.ping.reset();
    let to = subscription.walk.cursor(false).encode();
    let form = subscription.form;
    let news = stream::try_unfold(subscription, next);
    let first = Some(first).filter(|text| !text.is_empty());
    let first = stream::iter(first.map(|text| Ok::<_, io::Error>(Bytes::from(text))));
    let mut answer = Response::new(Body::from_stream(stream::StreamExt::chain(first, news)));
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static(form.content_type());
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some((from, _)) = entry.filter(|(_, entry)| entry.is_gap) {
        set(headers, GAP, &format!("{from}..{to}"));
    }
    Ok(answer)
}

/// Lines, or server-sent events where only these are wanted; whoever wants a page gets lines.
fn form(headers: &HeaderMap) -> Result<Form, Fault> {
    match Form::of(headers)? {
        Form::Json | Form::Jsonl => Ok(Form::Jsonl),
        Form::Sse => Ok(Form::Sse),
        Form::Csv => Err(Fault::bad(
            "Accept must name application/jsonl or text/event-stream",
        )),
    }
}

/// The parameters of query and body as one list, and the number of items to replay.
fn pairs(
    app: &App,
    headers: &HeaderMap,
    query: &FormQuery,
    body: &[u8],
) -> Result<(Vec<(String, String)>, usize), Fault> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Fault::bad("Content-Type must be application/json"));
    }
    let tree = match body.trim_ascii() {
        [] => Json::Object(Vec::new()),
        body => super::body(app, body)?.0,
    };
    let mut pairs = query.0.clone();
    let mut history = 0;
    for (name, value) in tree.as_object().unwrap_or_default() {
        match (name.as_str(), value) {
            ("historyLength", value) => history = history_length(value)?,
            ("meta", Json::Object(meta)) => {
                for (key, value) in meta {
                    pairs.push((format!("meta.{key}"), text(key, value)?));
                }
            }
            (_, Json::Null) => {}
            (name, value) => pairs.push((name.to_owned(), text(name, value)?)),
        }
    }
    Ok((pairs, history))
}

fn history_length(value: &Json) -> Result<usize, Fault> {
    let wrong = || {
        let message = format!("must be a whole number from 0 to {HISTORY_MAX}");
        Fault::bad_at("historyLength", message)
    };
    match value {
        Json::Null => Ok(0),
        Json::Number(_) => {
            let length = value.as_i64().filter(|n| (0..=HISTORY_MAX).contains(n));
            length
                .and_then(|n| usize::try_from(n).ok())
                .ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// A parameter of the body as it would stand in the query.
fn text(name: &str, value: &Json) -> Result<String, Fault> {
    match value {
        Json::String(text) => Ok(text.to_string()),
        Json::Number(_) | Json::Bool(_) | Json::Null => Ok(value.to_string()),
        Json::Array(_) | Json::Object(_) => {
            let name: String = name.chars().take(64).collect();
            Err(Fault::bad_at(
                name,
                "must be a string, a number or a boolean",
            ))
        }
    }
}

/// The place before the last `n` items up to `newest`.
async fn before_last(mut back: Walk, newest: Position, n: usize) -> Result<Place, Fault> {
    let mut first = Place::behind(newest);
    let mut left = n;
    back.rewind(first);
    while left > 0 {
        let step = back.step(left.min(STEP_BACK)).await?;
        for item in step.items.iter().take(left) {
            first = item.place.just_before();
            left -= 1;
        }
        if step.is_done {
            break;
        }
    }
    Ok(first)
}

impl Subscription {
    /// The text of the next items; empty when there are none now.
    async fn look(&mut self) -> Result<String, Fault> {
        let newest = self.app.store().newest();
        let step = self.walk.step(self.n_next).await?;
        if step.is_done {
            self.seen = newest;
        }
        let mut text = String::new();
        for item in &step.items {
            self.form.push(item, Shape::Event, &mut text);
        }
        self.n_next = fitting_step(self.n_next, text.len(), STEP);
        Ok(text)
    }

    fn ping(&self) -> Bytes {
        Bytes::from_static(match self.form {
            Form::Sse => b": ping\n\n",
            _ => encode::PING.as_bytes(),
        })
    }
}

/// The next piece of the body; `None` when the server stops.
async fn next(mut subscription: Subscription) -> io::Result<Option<(Bytes, Subscription)>> {
    let app = subscription.app.clone();
    let stopping = app.jobs().stopping();
    let mut stopping = std::pin::pin!(stopping);
    loop {
        let seen = subscription.seen;
        if seen > Position::START {
            tokio::select! {
                biased;
                () = &mut stopping => return Ok(None),
                // A store that stops ends the stream too.
                waited = app.query().watch(seen) => if waited.is_err() {
                    return Ok(None);
                },
                _ = subscription.ping.tick() => {
                    return Ok(Some((subscription.ping(), subscription)));
                }
            }
            let n_others = app.n_subscriptions() / 64;
            let pause = LOOK_PAUSE * u32::try_from(n_others).unwrap_or(u32::MAX);
            tokio::time::sleep(pause).await;
        }
        subscription.seen = Position::START;
        let text = subscription.look().await.map_err(|fault| {
            tracing::warn!(
                status = fault.status().as_u16(),
                "a subscription was broken off"
            );
            io::Error::other("the subscription was broken off")
        })?;
        if !text.is_empty() {
            subscription.ping.reset();
            return Ok(Some((text.into(), subscription)));
        }
        if app.jobs().is_stopping() {
            return Ok(None);
        }
    }
}
