//! `DELETE /v1/user_data` and `DELETE /v2/user_data`: everything of one customer, in both forms.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use convlog_dialects::watson::error::ErrorBody;

use super::{Refusal, WatsonQuery, json};
use crate::app::App;
use crate::auth::Caller;
use crate::erasures;

/// Hides the customer's records for good before it answers; the same request again changes
/// nothing, and a customer that nobody knows is no error.
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    query: WatsonQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Some(customer) = query.filled("customer_id") else {
        return Err(ErrorBody::no_customer_id().into());
    };
    erasures::of_customer(&app, &caller, customer, erasures::n_hops(&headers)).await?;
    Ok(json(StatusCode::ACCEPTED, "{}"))
}
