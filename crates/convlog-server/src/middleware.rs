//! What stands around every handler: transaction id, rate headers, CORS, panics, log and metrics
//! outside; key, role, scope, limits and deadline at each route.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::app::App;
use crate::auth::{self, Caller};
use crate::aws::{self, AwsError, Refusal, Service};
use crate::body::{self, linger};
use crate::config::CorsConfig;
use crate::error::{Fault, Problem, Raised};
use crate::limits::{Allowance, UNLIMITED};
use crate::router::{Access, Envelope, Route, SentUri};
use crate::sigv4::{self, Signed, Wanted};

const TRANSACTION: HeaderName = HeaderName::from_static("x-global-transaction-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// Seconds after which the rate limits have recovered.
const RATE_WINDOW_S: i64 = 60;

/// The id of a request, which its answer shows.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub String);

/// A route with what its guard works with.
#[derive(Clone, Debug)]
pub(crate) struct Guarded {
    pub(crate) app: App,
    pub(crate) route: &'static Route,
}

/// Around all routes, and around what no route answers.
pub(crate) fn around(routes: Router<App>, app: &App) -> Router<App> {
    let routes = match cors(&app.config().cors) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes.layer(from_fn_with_state(app.clone(), observe))
}

fn cors(config: &CorsConfig) -> Option<CorsLayer> {
    if config.origins.is_empty() {
        return None;
    }
    let origins = match config.origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::from(Any),
        false => {
            let origins = config.origins.iter();
            AllowOrigin::list(origins.filter_map(|origin| HeaderValue::from_str(origin).ok()))
        }
    };
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let headers = [
        "content-type",
        "content-encoding",
        "authorization",
        "idempotency-key",
        "x-watson-learning-opt-out",
        "x-watson-metadata",
        "x-watson-authorization-token",
        "x-wdc-pl-opt-out",
        "x-watson-userinfo",
    ];
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods(methods)
            .allow_headers(headers.map(HeaderName::from_static))
            .expose_headers([TRANSACTION, RATE_LIMIT, RATE_REMAINING, RATE_RESET])
            .max_age(Duration::from_secs(3600)),
    )
}

/// Outermost: every answer has its ids and headers, every panic becomes a 500 without a text,
/// every fault its envelope; one line of log and one count a request.
async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let began_us = app.clock().monotonic_us();
    let transaction = app.new_id().to_string();
    let method = request.method().clone();
    let by_path = envelope_of(&request);
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("-", MatchedPath::as_str).to_owned();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(RequestId(transaction.clone()));
    let is_http1 = parts.version <= Version::HTTP_11;
    let (body, rest) = linger::lend(body);
    let run = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind();
    let answer = run
        .await
        .unwrap_or_else(|_| Fault::internal("a handler panicked").into_response());
    let mut answer = enveloped(answer, by_path, &transaction);
    let headers = answer.headers_mut();
    if !rest.drain().await && is_http1 {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(value) = HeaderValue::from_str(&transaction) {
        // A request of AWS that comes again has the id of its first answer.
        headers
            .entry(aws::REQUEST_ID)
            .or_insert_with(|| value.clone());
        headers.insert(TRANSACTION, value);
    }
    if !headers.contains_key(RATE_LIMIT) {
        show_allowance(&app, headers, UNLIMITED);
    }
    let took = Duration::from_micros(app.clock().monotonic_us().saturating_sub(began_us));
    let status = answer.status().as_u16();
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let method = match known.contains(&method) {
        true => method.as_str().to_owned(),
        false => "other".to_owned(),
    };
    app.metrics().count_request(&method, &route, status, took);
    let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(transaction, method, route, status, duration_us, "request");
    answer
}

/// The envelope of a path that no route answers.
fn envelope_of(request: &Request) -> Envelope {
    let path = request.uri().path();
    if sigv4::is_signed(request.headers()) {
        return Envelope::Aws(match path {
            "/" => Service::Logs,
            _ => Service::Lex,
        });
    }
    if crate::chatbotkit::has_path(path) {
        return Envelope::Flat;
    }
    match path.starts_with("/v1/") || path.starts_with("/v2/") {
        true => Envelope::Watson,
        false => Envelope::Own,
    }
}

/// Gives a fault the form of its dialect; also those that the framework raises as plain text.
fn enveloped(answer: Response, by_path: Envelope, transaction: &str) -> Response {
    let fault = match answer.extensions().get::<Raised>() {
        Some(Raised(fault)) => Some(fault.clone()),
        None if is_of_framework(&answer) => Fault::of_status(answer.status()),
        None => None,
    };
    let Some(fault) = fault else {
        return answer;
    };
    if let Fault::Internal { log } = &fault {
        tracing::error!(transaction, error = log.as_str(), "internal error");
    }
    let of_route = answer.extensions().get::<Envelope>().copied();
    let is_unknown = of_route.is_none() && matches!(fault, Fault::NotFound { .. });
    let mut shown = match of_route.unwrap_or(by_path) {
        Envelope::Own => Problem::respond(&fault),
        Envelope::Watson => crate::watson::watson_error(&fault),
        Envelope::Flat => crate::chatbotkit::flat_error(&fault),
        Envelope::Aws(_) if is_unknown => AwsError::unknown_operation().into_response(),
        Envelope::Aws(service) => AwsError::of(service, &fault).into_response(),
    };
    let headers = shown.headers_mut();
    // These tell of the body that is replaced.
    let of_body = [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
    ];
    for (name, value) in answer.headers() {
        if !of_body.contains(name) {
            headers.insert(name, value.clone());
        }
    }
    if let Some(seconds) = fault.retry_after_s() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if fault == Fault::Unauthorized {
        let scheme = HeaderValue::from_static("Basic realm=\"convlog\", charset=\"UTF-8\"");
        headers.insert(header::WWW_AUTHENTICATE, scheme);
    }
    shown
}

/// Handlers raise faults; a failure without one is the framework's own, in plain text or empty.
fn is_of_framework(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    is_text && answer.status() >= StatusCode::BAD_REQUEST
}

fn show_allowance(app: &App, headers: &mut HeaderMap, allowance: Allowance) {
    let reset = app.now().millis().div_euclid(1000) + RATE_WINDOW_S;
    headers.insert(RATE_LIMIT, HeaderValue::from(allowance.limit));
    headers.insert(RATE_REMAINING, HeaderValue::from(allowance.remaining));
    headers.insert(RATE_RESET, HeaderValue::from(reset));
}

/// At each route: who calls, whether the key may, and whether there is room for it.
pub(crate) async fn guard(
    State(guarded): State<Guarded>,
    request: Request,
    next: Next,
) -> Response {
    let Guarded { app, route } = guarded;
    let mut answer = match admit_and_run(&app, route, request, next).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.into_response(),
    };
    answer.extensions_mut().insert(route.envelope);
    answer
}

/// Probes and scrapers are answered however busy the server is.
fn is_probe(route: &Route) -> bool {
    route.access == Access::Open && route.method == "GET"
}

/// Who calls. A request that is signed is read whole, since its body is signed too.
async fn authenticate(
    app: &App,
    route: &'static Route,
    request: Request,
) -> Result<(Caller, Request), Refusal> {
    let Envelope::Aws(service) = route.envelope else {
        let caller = auth::authenticate(app, request.headers()).await?;
        return Ok((caller, request));
    };
    let (mut request, bytes) = body::buffered(app, request).await?;
    let headers = request.headers();
    if !sigv4::is_signed(headers) {
        let caller = auth::authenticate(app, headers).await?;
        request.extensions_mut().insert(bytes);
        return Ok((caller, request));
    }
    let sent = request.extensions().get::<SentUri>();
    let signed = Signed {
        method: request.method(),
        uri: sent.map_or(request.uri(), |SentUri(uri)| uri),
        headers,
        body: &bytes.0,
    };
    let wanted = Wanted {
        service,
        region: &app.config().aws.region,
        may_be_unsigned: route.may_be_unsigned,
    };
    let (caller, signature) = sigv4::authenticate(app, signed, wanted).await?;
    request.extensions_mut().insert(bytes);
    request.extensions_mut().insert(signature);
    Ok((caller, request))
}

async fn admit_and_run(
    app: &App,
    route: &'static Route,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    if is_probe(route) {
        return Ok(next.run(request).await);
    }
    let slot = app.request_slots().try_acquire();
    let _slot = slot.map_err(|_| Fault::Unavailable {
        message: "too many requests at once".to_owned(),
        retry_after_s: Some(1),
    })?;
    let mut allowance = UNLIMITED;
    if route.access != Access::Open {
        let caller;
        (caller, request) = authenticate(app, route, request).await?;
        if let Access::Role(role) = route.access {
            caller.require(role)?;
        }
        if route.is_instance_wide {
            caller.require_unscoped()?;
        }
        if route.is_list {
            allowance = match app.limits().list(&caller) {
                Ok(allowance) => allowance,
                Err((fault, spent)) => {
                    let mut answer = fault.into_response();
                    show_allowance(app, answer.headers_mut(), spent);
                    return Ok(answer);
                }
            };
        }
        request.extensions_mut().insert(caller);
    }
    let limits = &app.config().limits;
    let time = match route.is_bulk {
        true => limits.bulk_time,
        false => limits.request_time,
    };
    let run = tokio::time::timeout(time, next.run(request)).await;
    let mut answer = run.map_err(|_| Fault::Unavailable {
        message: "the request took too long".to_owned(),
        retry_after_s: None,
    })?;
    show_allowance(app, answer.headers_mut(), allowance);
    Ok(answer)
}

#[cfg(test)]
mod tests;
