//! Panics, deadlines, slots and the framework's own failures.

use axum::body::Body;
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::config::ServerConfig;
use crate::router::ROUTES;
use crate::testing::{Rig, rig, rig_with};

async fn call(routes: Router<App>, app: &App, uri: &str) -> (u16, String) {
    let service = around(routes, app).with_state(app.clone());
    let request = Request::builder().uri(uri);
    let request = request.header("authorization", "Bearer AAAAAAAAAAAAAAAA.x");
    let answer = service.oneshot(request.body(Body::empty()).unwrap()).await;
    let answer = answer.unwrap();
    assert!(answer.headers().contains_key(TRANSACTION));
    assert!(answer.headers().contains_key(RATE_RESET));
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const INTERNAL: &str = r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}"#;

#[tokio::test]
async fn a_panic_is_a_500_without_its_text() {
    async fn boom() -> StatusCode {
        panic!("words of a user")
    }
    let Rig { app, .. } = rig();
    let answer = call(Router::new().route("/boom", get(boom)), &app, "/boom").await;
    assert_eq!(answer, (500, INTERNAL.to_owned()));
}

#[tokio::test]
async fn an_internal_fault_shows_a_fixed_text() {
    async fn fail() -> Fault {
        Fault::internal("chunk 7 at offset 42")
    }
    let Rig { app, .. } = rig();
    let answer = call(Router::new().route("/fail", get(fail)), &app, "/fail").await;
    assert_eq!(answer, (500, INTERNAL.to_owned()));
}

#[tokio::test]
async fn failures_of_the_framework_get_an_envelope() {
    let Rig { app, .. } = rig();
    let routes = Router::new().route("/v1/logs", post(|| async { StatusCode::OK }));
    let (status, text) = call(routes, &app, "/v1/logs").await;
    assert_eq!(status, 405);
    assert_eq!(text, r#"{"error":"Method Not Allowed","code":405}"#);
}

/// The guard of an open route that is no probe, before a handler that never answers.
async fn guarded(app: &App) -> (u16, String) {
    let is_open = |route: &&Route| route.access == Access::Open && route.method == "POST";
    let route = ROUTES.iter().find(is_open).unwrap();
    let guarded = Guarded {
        app: app.clone(),
        route,
    };
    let never = get(std::future::pending::<StatusCode>);
    let guard = from_fn_with_state(guarded, guard);
    let routes = Router::new().route("/never", never.route_layer(guard));
    call(routes, app, "/never").await
}

#[tokio::test]
async fn a_request_beyond_its_time_is_503() {
    let mut config = ServerConfig::default();
    config.limits.request_time = Duration::ZERO;
    let Rig { app, .. } = rig_with(config);
    let (status, text) = guarded(&app).await;
    assert_eq!(status, 503);
    assert!(text.contains("the request took too long"), "{text}");
}

#[tokio::test]
async fn a_request_beyond_the_slots_is_503() {
    let mut config = ServerConfig::default();
    config.limits.concurrent_requests = 0;
    let Rig { app, .. } = rig_with(config);
    let (status, text) = guarded(&app).await;
    assert_eq!(status, 503);
    assert!(text.contains("too many requests at once"), "{text}");
}
