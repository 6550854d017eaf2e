//! Erasures repeated upstream: tried until the upstream server has accepted them, across
//! restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use convlog_model::ids::InstanceId;

use super::order::{Forward, ForwardState, Order};
use super::orders;
use crate::app::{App, unscoped};
use crate::bots::{self, ConnectorConfig};
use crate::connector::upstream::Upstream;
use crate::entity::{Change, Entity};
use crate::error::Fault;
use crate::events::{self, OwnEvent, SYSTEM};

/// Pause after the first failure; it doubles up to [`PAUSE_US_MAX`].
const PAUSE_US: i64 = 5_000_000;
const PAUSE_US_MAX: i64 = 3_600_000_000;

/// Says how many servers have passed a request on: two that are each other's upstream would never
/// come to an end.
pub(crate) const HOPS: HeaderName = HeaderName::from_static("x-convlog-hops");
pub(crate) const N_HOPS_MAX: u32 = 4;

/// How many servers have passed on the request of these headers.
pub(crate) fn n_hops(headers: &HeaderMap) -> u32 {
    let Some(value) = headers.get(&HOPS) else {
        return 0;
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.unwrap_or(N_HOPS_MAX)
}

/// Orders that wait for an upstream server: id of the document, and when to try next.
#[derive(Debug, Default)]
pub(crate) struct Forwards(Mutex<BTreeMap<String, i64>>);

impl Forwards {
    fn add(&self, id: &str, due_us: i64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(id.to_owned(), due_us);
    }

    /// Those that are due, taken off.
    fn take_due(&self, now_us: i64) -> Vec<String> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, later) = std::mem::take(&mut *waiting)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(_, due_us)| *due_us <= now_us);
        *waiting = later;
        due.into_keys().collect()
    }
}

/// Notes an order that waits, and tries at once.
pub(super) fn begin(app: &App, id: &str) {
    app.forwards().add(id, app.now().micros());
    let app = app.clone();
    app.clone().jobs().spawn(async move { pass(&app).await });
}

/// Remembers an order that waits.
pub(super) fn note(app: &App, order: &Entity<Order>) {
    if order.doc.customer.is_some() {
        app.forwards().add(&order.id, order.doc.next_us);
    }
}

/// Tries every order that is due.
pub(super) async fn pass(app: &App) {
    let now_us = app.now().micros();
    for id in app.forwards().take_due(now_us) {
        if app.jobs().is_stopping() {
            app.forwards().add(&id, now_us);
            continue;
        }
        match forward(app, &id).await {
            Ok(None) => {}
            Ok(Some(next_us)) => app.forwards().add(&id, next_us),
            Err(fault) => {
                tracing::warn!(
                    status = fault.status().as_u16(),
                    "an erasure waits to be forwarded"
                );
                app.forwards().add(&id, now_us.saturating_add(PAUSE_US));
            }
        }
    }
}

/// Tries one order; when to try again, `None` when nothing is left of it.
async fn forward(app: &App, id: &str) -> Result<Option<i64>, Fault> {
    let Some(found) = orders(app).get(id).await? else {
        return Ok(None);
    };
    let (Some(customer), Some((instance, _))) = (&found.doc.customer, id.split_once('/')) else {
        return Ok(None);
    };
    let customer = customer.open(app)?;
    let instance = InstanceId::new(instance)
        .map_err(|_| Fault::internal("an erasure of an instance without a valid id"))?;
    let waiting: BTreeSet<&str> = found.doc.waiting().collect();
    let mut results: BTreeMap<String, Result<ForwardState, String>> = BTreeMap::new();
    for bot in waiting {
        let result = once(app, &instance, bot, (&customer, found.doc.n_hops)).await?;
        results.insert(bot.to_owned(), result);
    }
    note_results(app, id, &results).await
}

/// One try at one bot's upstream server.
async fn once(
    app: &App,
    instance: &InstanceId,
    bot: &str,
    (customer, n_hops): (&str, u32),
) -> Result<Result<ForwardState, String>, Fault> {
    let found = bots::find(app, instance, bot).await?;
    let target = found.as_ref().and_then(|bot| match &bot.doc.connector {
        ConnectorConfig::Upstream(target) if target.forward_erasure => Some(target),
        _ => None,
    });
    let Some(target) = target else {
        return Ok(Ok(ForwardState::Dropped));
    };
    let upstream = Upstream::new(app, target)?;
    let hops = HeaderMap::from_iter([(HOPS, HeaderValue::from(n_hops.saturating_add(1)))]);
    Ok(match upstream.forward_erasure(customer, &hops).await {
        Ok(()) => Ok(ForwardState::Done),
        Err(failure) => Err(failure.class),
    })
}

async fn note_results(
    app: &App,
    id: &str,
    results: &BTreeMap<String, Result<ForwardState, String>>,
) -> Result<Option<i64>, Fault> {
    let now_us = app.now().micros();
    let changed = orders(app).change(id, |order: Option<Order>| {
        let mut order = order.ok_or_else(|| Fault::not_found("Resource not found"))?;
        let mut events = Vec::new();
        for holder in &mut order.holders {
            let Some((result, forward)) = results.get(&holder.bot).zip(holder.forward.as_mut())
            else {
                continue;
            };
            forward.attempts = forward.attempts.saturating_add(1);
            match result {
                Ok(state) => {
                    forward.state = *state;
                    forward.last_error = None;
                }
                Err(class) => forward.last_error = Some(class.clone()),
            }
            events.extend(event(app, id, &holder.bot, forward));
        }
        let attempts = order
            .holders
            .iter()
            .filter_map(|holder| holder.forward.as_ref());
        let n_tries = attempts.map(|forward| forward.attempts).max().unwrap_or(1);
        let pause_us = PAUSE_US << n_tries.saturating_sub(1).min(10);
        order.next_us = now_us.saturating_add(pause_us.min(PAUSE_US_MAX));
        if order.waiting().next().is_none() {
            // From here on nothing needs the customer's id any more.
            order.customer = None;
        }
        Ok(Change {
            doc: Some(order),
            events,
        })
    });
    let order = changed.await?.map(|entity| entity.doc);
    Ok(order
        .filter(|order| order.customer.is_some())
        .map(|order| order.next_us))
}

/// What a try has come to; the customer's id is nobody's business any more.
fn event(app: &App, id: &str, bot: &str, forward: &Forward) -> Option<OwnEvent> {
    let (instance, erasure) = unscoped(id)?;
    let kind = match forward.state {
        ForwardState::Pending => events::DELIVERY_FAILED,
        ForwardState::Done => events::DELIVERY_SENT,
        ForwardState::Dropped => return None,
    };
    let event = OwnEvent::by(app, &instance, SYSTEM, kind)
        .about("botId", bot)
        .about("erasureId", erasure)
        .with("kind", "erasure")
        .with("attempts", forward.attempts.to_string());
    Some(match &forward.last_error {
        Some(class) => event.with("class", class),
        None => event,
    })
}
