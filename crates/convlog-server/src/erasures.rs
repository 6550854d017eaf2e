//! Erasures: `POST /erasures`, `GET /erasures`, `GET /erasures/{id}`, and what Watson's
//! `DELETE user_data` calls.

mod conversations;
mod done;
mod forward;
mod holders;
mod order;
mod outside;
mod view;

use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use convlog_model::filter::Filter;
use convlog_model::ids::RecordId;
use convlog_model::json::Json;
use convlog_model::store::{Erase, Erasure, Selector};
use serde::{Deserialize, Serialize};

pub(crate) use self::done::Unfinished;
pub(crate) use self::forward::{Forwards, HOPS, N_HOPS_MAX, n_hops};
use self::holders::holders;
use self::order::Order;
pub(crate) use self::outside::{add_copy, add_dropped};
use self::view::view;
pub(crate) use self::view::{DryRun, ErasureView};
use crate::app::{App, scoped_id};
use crate::auth::Caller;
use crate::body::{JsonBody, Params};
use crate::entity::{Change, Collection};
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent};
use crate::idempotency::Seed;
use crate::object::Reader;
use crate::own_filter;
use crate::secret::Secret;

const COLLECTION: &str = "erasures";
const CUSTOMER_BYTES_MAX: usize = 256;
const FILTER_BYTES_MAX: usize = 64 << 10;
const LIMIT_MAX: usize = 1000;
const RETRY_PAUSE: Duration = Duration::from_secs(5);
const LOOK_PAUSE: Duration = Duration::from_secs(1);

fn orders(app: &App) -> Collection<'_, Order> {
    Collection::new(app, COLLECTION)
}

/// Parameters of `GET /erasures`.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// At most so many; 100 by default, 1,000 at most.
    limit: Option<usize>,
    /// `cursor` of the page before.
    cursor: Option<String>,
}

/// A page of erasures.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErasurePage {
    /// Newest first.
    erasures: Vec<ErasureView>,
    /// Where the next page begins; `null` on the last.
    cursor: Option<String>,
}

/// Hides everything of a customer, or what matches a filter now, for good. No read shows it once
/// this has answered.
#[utoipa::path(post, path = "/convlog/v1/erasures", tag = "erasures",
    request_body(content = Object,
        description = "`{\"customer_id\"}` or `{\"filter\"}`, and `\"dry_run\": true` to count"),
    responses(
        (status = 202, body = ErasureView),
        (status = 200, body = DryRun),
        (status = 400, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    seed: Option<Extension<Seed>>,
    JsonBody(body): JsonBody<Json>,
) -> Result<Response, Fault> {
    let (selector, is_dry_run) = parse(&body)?;
    if is_dry_run {
        let mut records = app.query().count(&caller, matched(&selector)).await?;
        if let Selector::Customer(customer) = &selector {
            for filter in conversations::events_of(&app, &caller, customer).await? {
                records += app.query().count(&caller, filter).await?;
            }
        }
        let answer = DryRun::of(records);
        return Ok(axum::Json(answer).into_response());
    }
    let id = match seed {
        Some(Extension(seed)) => seed.id("erasure"),
        None => app.new_id(),
    };
    let (erasure, order) = request(&app, &caller, id, (selector, 0)).await?;
    let answer = axum::Json(view(&app, &erasure, Some(order)));
    Ok((StatusCode::ACCEPTED, answer).into_response())
}

/// The erasures of the instance, newest first.
#[utoipa::path(get, path = "/convlog/v1/erasures", tag = "erasures", params(ListParams), responses(
    (status = 200, body = ErasurePage),
))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<axum::Json<ErasurePage>, Fault> {
    let limit = params.limit.unwrap_or(100).min(LIMIT_MAX);
    if limit == 0 {
        return Err(Fault::bad_at("limit", "must be at least 1"));
    }
    let before: Option<RecordId> = match params.cursor.as_deref() {
        None => None,
        Some(text) => match text.parse() {
            Ok(id) => Some(id),
            Err(_) => return Err(Fault::bad_at("cursor", "is no cursor of this list")),
        },
    };
    let mut all = app.store().erasures(&caller.instance).await?;
    all.sort_by_key(|erasure| std::cmp::Reverse(erasure.id));
    let mut rest = all
        .into_iter()
        .filter(|e| before.is_none_or(|before| e.id < before));
    let mut erasures = Vec::new();
    for erasure in rest.by_ref().take(limit) {
        let order = order_of(&app, &caller, erasure.id).await?;
        erasures.push(view(&app, &erasure, order));
    }
    let last = erasures.last().map(|erasure| erasure.id().to_owned());
    let cursor = rest.next().and(last);
    Ok(axum::Json(ErasurePage { erasures, cursor }))
}

/// How far an erasure has come, and which connectors have got data that it is about.
#[utoipa::path(get, path = "/convlog/v1/erasures/{id}", tag = "erasures",
    params(("id" = String, Path, description = "id of the erasure")),
    responses(
        (status = 200, body = ErasureView),
        (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<ErasureView>, Fault> {
    let missing = || Fault::not_found("Resource not found");
    let id: RecordId = id.parse().map_err(|_| missing())?;
    let all = app.store().erasures(&caller.instance).await?;
    let erasure = all.into_iter().find(|e| e.id == id).ok_or_else(missing)?;
    let order = order_of(&app, &caller, id).await?;
    Ok(axum::Json(view(&app, &erasure, order)))
}

/// Hides everything of one customer; for the dialects that have a call of their own for it.
/// `n_hops` servers have passed it on before.
///
/// # Errors
/// 400 for an id that no customer can have; what the store and the control plane answer.
pub(crate) async fn of_customer(
    app: &App,
    caller: &Caller,
    customer: &str,
    n_hops: u32,
) -> Result<Erasure, Fault> {
    let is_legal = !customer.is_empty() && customer.len() <= CUSTOMER_BYTES_MAX;
    if !is_legal || customer.chars().any(char::is_control) {
        let message =
            format!("must have 1 to {CUSTOMER_BYTES_MAX} bytes, none a control character");
        return Err(Fault::bad_at("customer_id", message));
    }
    let selector = Selector::Customer(customer.to_owned());
    let (erasure, _) = request(app, caller, app.new_id(), (selector, n_hops)).await?;
    Ok(erasure)
}

/// Starts the work that erasures need while the server runs.
pub(crate) async fn start(app: &App) {
    if let Err(fault) = note_unfinished(app).await {
        tracing::warn!(error = ?fault, "erasures that are not done are not known");
    }
    let each = app.clone();
    app.jobs().every(RETRY_PAUSE, move || {
        let app = each.clone();
        async move { forward::pass(&app).await }
    });
    let each = app.clone();
    app.jobs().every(LOOK_PAUSE, move || {
        let app = each.clone();
        async move { done::look(&app).await }
    });
}

/// Finds the orders that have something left to do since before the process began.
async fn note_unfinished(app: &App) -> Result<(), Fault> {
    let mut after = String::new();
    loop {
        let (step, next) = orders(app).step("", &after).await?;
        for order in &step {
            forward::note(app, order);
            done::note(app, order);
        }
        match next {
            Some(next) => after = next,
            None => return Ok(()),
        }
    }
}

/// Hides what is selected, and keeps what must be told of it. Asked again under the same id, it
/// changes nothing. Events of a customer's conversations that do not name the customer are erasures
/// of their own, asked for before: so none of them is left when the customer's is done.
async fn request(
    app: &App,
    caller: &Caller,
    id: RecordId,
    (selector, n_hops): (Selector, u32),
) -> Result<(Erasure, Order), Fault> {
    caller.require_unscoped()?;
    if let Selector::Customer(customer) = &selector {
        for filter in conversations::events_of(app, caller, customer).await? {
            let events = (Selector::Filter(filter), N_HOPS_MAX);
            request_one(app, caller, app.new_id(), events).await?;
        }
    }
    request_one(app, caller, id, (selector, n_hops)).await
}

async fn request_one(
    app: &App,
    caller: &Caller,
    id: RecordId,
    (selector, n_hops): (Selector, u32),
) -> Result<(Erasure, Order), Fault> {
    // Before the rows are hidden, since a filter's bots are found by them.
    let mut holders = holders(app, caller, &selector).await?;
    if n_hops >= N_HOPS_MAX {
        holders.iter_mut().for_each(|holder| holder.forward = None);
    }
    let looking = app.deliveries().hold_off().await;
    let found = outside::find(app, caller, &selector).await?;
    let (kind, customer) = match &selector {
        Selector::Customer(customer) => ("customer", Some(customer.clone())),
        Selector::Filter(_) => ("filter", None),
    };
    let erase = Erase {
        id,
        instance: caller.instance.clone(),
        selector,
    };
    if let Selector::Customer(customer) = &erase.selector {
        app.sessions().note_erasure(&erase.instance, customer);
    }
    let erasure = app.store().erase(&erase).await?;
    drop(looking);
    let order = Order {
        selector: kind.to_owned(),
        actor: caller.key_id.clone(),
        customer: None,
        holders,
        next_us: app.now().micros(),
        n_hops,
        is_told: false,
        outside: found.outside.clone(),
    };
    let is_waiting = order.waiting().next().is_some();
    let order = Order {
        customer: customer
            .filter(|_| is_waiting)
            .map(|text| Secret::seal(app, &text)),
        ..order
    };
    let document = scoped_id(&caller.instance, &id.to_string());
    let event = OwnEvent::new(app, caller, events::ERASURE_REQUEST)
        .about("erasureId", id.to_string())
        .with("selector", kind)
        .with("records", erasure.records.to_string());
    let kept = orders(app).change(&document, |old| match old {
        Some(old) => Ok(Change::silent(old)),
        None => Ok(Change::to(order.clone(), event.clone())),
    });
    let kept = kept.await?.map_or(order, |entity| entity.doc);
    let audio = outside::take_away(app, &caller.instance, &document, &found);
    let kept = audio.await?.unwrap_or(kept);
    if !kept.is_told {
        app.unfinished().add(&document);
    }
    if kept.customer.is_some() {
        forward::begin(app, &document);
    }
    Ok((erasure, kept))
}

fn parse(body: &Json) -> Result<(Selector, bool), Fault> {
    let mut reader = Reader::new(body, "")?;
    let customer = reader.text("customer_id", CUSTOMER_BYTES_MAX)?;
    let filter = reader.text("filter", FILTER_BYTES_MAX)?;
    let is_dry_run = reader.flag("dry_run")?.unwrap_or(false);
    reader.finish()?;
    let selector = match (customer, filter) {
        (Some(customer), None) => Selector::Customer(customer),
        (None, Some(filter)) => Selector::Filter(own_filter::erasable(&filter)?),
        _ => {
            return Err(Fault::bad(
                "exactly one of customer_id and filter is needed",
            ));
        }
    };
    Ok((selector, is_dry_run))
}

fn matched(selector: &Selector) -> Filter {
    match selector {
        Selector::Customer(customer) => Filter::equals("customer", customer),
        Selector::Filter(filter) => filter.clone(),
    }
}

async fn order_of(app: &App, caller: &Caller, id: RecordId) -> Result<Option<Order>, Fault> {
    let document = scoped_id(&caller.instance, &id.to_string());
    Ok(orders(app).get(&document).await?.map(|entity| entity.doc))
}
