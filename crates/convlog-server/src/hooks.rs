//! Log webhooks, arriving: `POST /convlog/v1/hooks/watson/{hook}`. A live cloud assistant posts
//! what it logs; the hook says to which instance it belongs and how the caller proves itself.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use convlog_dialects::watson::webhook;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::auth::Caller;
use crate::body::RawBody;
use crate::bots::Channels;
use crate::error::{Fault, Problem};
use crate::events::{self, OwnEvent, UNKNOWN};
use crate::hooks_admin::{self, Hook, Proof};
use crate::ingest::LOGGING_OFF;
use crate::watson::json;

/// The claims that matter here.
#[derive(Debug, Deserialize)]
struct Claims {
    exp: Option<serde_json::Number>,
    nbf: Option<serde_json::Number>,
}

/// Takes what a live Watson assistant logs, and keeps it before the answer. The same log again
/// changes nothing. The hook's secret or header is the proof; no key is needed.
#[utoipa::path(post, path = "/convlog/v1/hooks/watson/{hook}", tag = "hooks",
    params(("hook" = String, Path, description = "name of the hook")),
    request_body(content = Object,
        description = "`{\"event\":{\"name\":\"message_logged\"},\"payload\":{…}}`, or `cdr_logged`"),
    responses(
        (status = 200, description = "it is kept", body = Object),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn receive(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Fault> {
    // An unknown hook is answered like a wrong proof: names are not to be found out from outside.
    let hook = hooks_admin::find(&app, &name).await?;
    let hook = hook.ok_or(Fault::Unauthorized)?;
    if let Err(fault) = prove(&app, &hook, &headers) {
        if fault == Fault::Unauthorized {
            tell_refused(&app, (&name, &hook), "proof").await;
        }
        return Err(fault);
    }
    let mut draft = match webhook::parse(&hook.instance, &body) {
        Ok(draft) => draft,
        Err(error) => {
            tell_refused(&app, (&name, &hook), "body").await;
            return Err(Fault::BadRequest {
                message: error.message,
                path: error.path,
            });
        }
    };
    Channels::of(&app, &hook.instance).await?.apply(&mut draft);
    let caller = Caller::system(hook.instance.clone());
    let seen = app.ingest().look(&caller, draft);
    let answers = app.ingest().bulk(&caller, vec![seen]).await?;
    match answers.into_iter().next() {
        Some(Ok(_)) => Ok(json(StatusCode::OK, "{}")),
        // What is switched off here is no mistake of the caller's.
        Some(Err(reason)) if reason == LOGGING_OFF => Ok(json(StatusCode::OK, "{}")),
        Some(Err(reason)) => Err(Fault::bad(reason)),
        None => Err(Fault::internal("a webhook's record had no outcome")),
    }
}

async fn tell_refused(app: &App, (name, hook): (&str, &Hook), why: &str) {
    let event = OwnEvent::by(app, &hook.instance, UNKNOWN, events::INTEGRATION_ERROR)
        .about("webhookId", name)
        .with("kind", "log_webhook")
        .with("why", why);
    events::record_failure(app, &format!("hook {name} {why}"), event).await;
}

fn prove(app: &App, hook: &Hook, headers: &HeaderMap) -> Result<(), Fault> {
    match &hook.proof {
        Proof::Secret(secret) => {
            let secret = secret.open(app)?;
            let now_s = app.now().millis().div_euclid(1000);
            // A header of the user's own may take the place of `Authorization`.
            let tokens = [header::AUTHORIZATION.as_str(), "authentication"];
            let is_signed = tokens.iter().any(|name| {
                let token = headers.get(*name).and_then(|value| value.to_str().ok());
                token.is_some_and(|token| is_valid(without_scheme(token), &secret, now_s))
            });
            is_signed.then_some(()).ok_or(Fault::Unauthorized)
        }
        Proof::Header { name, value } => {
            let expected = value.open(app)?;
            let sent = headers
                .get(name)
                .map(|value| value.as_bytes())
                .unwrap_or_default();
            let is_same = bool::from(sent.ct_eq(expected.as_bytes()));
            is_same.then_some(()).ok_or(Fault::Unauthorized)
        }
    }
}

fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => value.trim(),
    }
}

/// Whether a token is signed with the secret by HS256 and is valid now.
fn is_valid(token: &str, secret: &str, now_s: i64) -> bool {
    let mut rules = Validation::new(Algorithm::HS256);
    // The library reads the system's clock; ours decides below.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    let key = DecodingKey::from_secret(secret.as_bytes());
    let Ok(decoded) = jsonwebtoken::decode::<Claims>(token, &key, &rules) else {
        return false;
    };
    let second = |number: &serde_json::Number| {
        let whole = number.as_i64();
        whole.or_else(|| Some(number.as_f64()? as i64))
    };
    let ends = decoded.claims.exp.as_ref().map(second);
    let begins = decoded.claims.nbf.as_ref().map(second);
    ends.is_none_or(|end| end.is_some_and(|end| now_s < end))
        && begins.is_none_or(|begin| begin.is_some_and(|begin| begin <= now_s))
}

#[cfg(test)]
mod tests;
