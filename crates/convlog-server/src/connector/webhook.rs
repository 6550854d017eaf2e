//! The webhook connector: asks an HTTP endpoint for the answer.
//!
//! `POST {bot,session,user,input,context}`, signed with HMAC-SHA256 of the body (lower-case hex in
//! `X-Convlog-Signature`) when a secret is set; answered by
//! `{output:[{type,text}],intents,entities,context}`.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, header};
use convlog_dialects::reply::Reply;
use convlog_model::json::Json;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::outbound::Outbound;
use super::{Ask, Failure};
use crate::hex::hex;

/// Header of the signature.
pub(crate) const SIGNATURE: HeaderName = HeaderName::from_static("x-convlog-signature");

/// Where a webhook is and how it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// Its address.
    pub url: &'a str,
    /// What requests are signed with.
    pub secret: Option<&'a str>,
    /// How long it may take.
    pub timeout: Duration,
}

/// What the webhook answers.
///
/// # Errors
/// [`Failure`] when it cannot be reached, is too slow, or answers anything but a reply.
pub(crate) async fn answer(
    outbound: &Outbound,
    target: Target<'_>,
    ask: &Ask<'_>,
) -> Result<Reply, Failure> {
    let body = question(ask).to_string().into_bytes();
    let mut headers = ask.passed_on.clone();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json.clone());
    headers.insert(header::ACCEPT, json);
    if let Some(secret) = target.secret
        && let Ok(signature) = HeaderValue::from_str(&sign(secret.as_bytes(), &body))
    {
        headers.insert(SIGNATURE, signature);
    }
    let answered = outbound
        .call(
            reqwest::Method::POST,
            target.url,
            headers,
            Some(body),
            target.timeout,
        )
        .await
        .map_err(|error| Failure::of_call("webhook", &error))?;
    if !(200..300).contains(&answered.status) {
        return Err(Failure::of_status("webhook", answered.status));
    }
    Reply::from_webhook(&answered.body)
        .map_err(|error| Failure::bad_answer("webhook", &error.to_string()))
}

fn question(ask: &Ask<'_>) -> Json {
    let or_empty = |value: Option<&Json>| value.cloned().unwrap_or_else(|| Json::object([]));
    Json::object([
        ("bot", Json::string(ask.bot)),
        ("session", Json::string(ask.session)),
        ("user", Json::string(ask.user)),
        ("input", or_empty(ask.input)),
        ("context", or_empty(ask.context)),
    ])
}

/// HMAC-SHA256 of `body`, in lower-case hex.
#[must_use]
pub(crate) fn sign(secret: &[u8], body: &[u8]) -> String {
    // A key of any length is fine for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else {
        return String::new();
    };
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let signature = sign(b"Jefe", b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signature, expected);
    }
}
