//! What an erasure finds outside of this server: copies of conversation logs that were delivered,
//! and deliveries that it keeps from being made.

use convlog_model::ids::InstanceId;
use convlog_model::store::Selector;

use super::order::Order;
use super::{matched, orders};
use crate::app::App;
use crate::auth::Caller;
use crate::deliveries::{self, Copy, Found, Outside};
use crate::entity::Change;
use crate::error::Fault;

/// Looks for copies, before the records are hidden that tell of them.
pub(super) async fn find(app: &App, caller: &Caller, selector: &Selector) -> Result<Found, Fault> {
    let customer = match selector {
        Selector::Customer(customer) => Some(customer.as_str()),
        Selector::Filter(_) => None,
    };
    deliveries::find(app, caller, matched(selector), customer).await
}

/// Takes away audio, and notes on the order what that has found.
pub(super) async fn take_away(
    app: &App,
    instance: &InstanceId,
    document: &str,
    found: &Found,
) -> Result<Option<Order>, Fault> {
    let audio = deliveries::erase_audio(app, instance, document, found).await?;
    let noted = orders(app).change(document, |order: Option<Order>| {
        let mut order = order.ok_or_else(|| Fault::not_found("Resource not found"))?;
        let outside = &mut order.outside;
        let n_named = u64::try_from(audio.copies.len()).unwrap_or(u64::MAX);
        for copy in &audio.copies {
            outside.add(copy.clone());
        }
        let n_more = audio.n_copies.saturating_sub(n_named);
        outside.n_copies = outside.n_copies.saturating_add(n_more);
        outside.n_dropped = outside.n_dropped.saturating_add(audio.n_dropped);
        Ok(Change::silent(order))
    });
    let noted = noted.await?;
    deliveries::forget(app, instance, found, &audio).await?;
    Ok(noted.map(|entity| entity.doc))
}

/// Notes a copy that arrived while its erasure was asked for.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn add_copy(app: &App, document: &str, copy: Copy) -> Result<(), Fault> {
    note(app, document, |outside| outside.add(copy.clone())).await
}

/// Notes a delivery that was under way when its erasure was asked for, and is not made any more.
///
/// # Errors
/// What the control plane answers.
pub(crate) async fn add_dropped(app: &App, document: &str) -> Result<(), Fault> {
    let add = |outside: &mut Outside| outside.n_dropped = outside.n_dropped.saturating_add(1);
    note(app, document, add).await
}

async fn note(
    app: &App,
    document: &str,
    mut change: impl FnMut(&mut Outside) + Send,
) -> Result<(), Fault> {
    let noted = orders(app).change(document, |order: Option<Order>| {
        let doc = order.map(|mut order| {
            change(&mut order.outside);
            order
        });
        Ok(Change {
            doc,
            events: Vec::new(),
        })
    });
    noted.await.map(drop)
}
