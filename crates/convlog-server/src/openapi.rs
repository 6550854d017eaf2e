//! The description of the own API and the page that shows it.

use axum::response::IntoResponse;
use axum::{Json, Router};

use crate::app::App;

/// `GET /convlog/v1/openapi.json`
pub(crate) async fn document() -> impl IntoResponse {
    Json(serde_json::json!({}))
}

pub(crate) fn page() -> Router<App> {
    Router::new()
}
