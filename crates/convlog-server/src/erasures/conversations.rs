//! Events of a customer's conversations that do not name the customer: they are erased with the
//! customer all the same.

use convlog_model::filter::Filter;

use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;

/// Most conversations of a customer that are looked at; more are a 400 that says so.
const CONVERSATIONS_MAX: usize = 100_000;
/// Conversations that one filter names.
const FILTER_NAMES: usize = 1000;

/// Filters that select these events; mostly none, since events name their customer.
///
/// # Errors
/// What the store answers.
pub(super) async fn events_of(
    app: &App,
    caller: &Caller,
    customer: &str,
) -> Result<Vec<Filter>, Fault> {
    let nameless = Filter::equals("kind", "event")
        .and(Filter::exists("conversation"))
        .and(Filter::exists("customer").negate());
    if app.query().count(caller, nameless.clone()).await? == 0 {
        return Ok(Vec::new());
    }
    let of_customer = Filter::equals("customer", customer);
    let names = app
        .query()
        .values(caller, of_customer, "conversation", CONVERSATIONS_MAX);
    let names = names.await?;
    let mut filters = Vec::new();
    for names in names.chunks(FILTER_NAMES) {
        let in_one = names
            .iter()
            .map(|name| Filter::equals("conversation", name));
        let filter = nameless.clone().and(Filter::Or(in_one.collect()));
        if app.query().count(caller, filter.clone()).await? > 0 {
            filters.push(filter);
        }
    }
    Ok(filters)
}
