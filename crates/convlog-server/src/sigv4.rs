//! Signature Version 4: who signed a request, found out by signing it again with the secret of the
//! key that it names and comparing in constant time.
//!
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use convlog_model::time::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::app::App;
use crate::auth::{self, Caller};
use crate::aws::{AwsError, Service};
use crate::error::Fault;
use crate::hex::hex;
use crate::keys;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// Seconds that the clock of a client may be off.
const WINDOW_S: i64 = 15 * 60;

/// What of a request was signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its URI as it came over the wire.
    pub uri: &'a Uri,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
}

/// What a request must be signed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// The service.
    pub service: Service,
    /// The region.
    pub region: &'a str,
    /// Whether the body may be left out of the signature.
    pub may_be_unsigned: bool,
}

/// The signature that a request has proved, which no other request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature(pub String);

/// Whether the headers bring a signature.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    value.is_some_and(|value| value.as_bytes().starts_with(ALGORITHM.as_bytes()))
}

/// Who signed the request.
///
/// # Errors
/// What AWS answers: an incomplete header, an unknown key, a wrong scope, date or signature.
pub(crate) async fn authenticate(
    app: &App,
    request: Signed<'_>,
    wanted: Wanted<'_>,
) -> Result<(Caller, Signature), AwsError> {
    let claim = Claim::of(request.headers)?;
    claim.check_scope(wanted)?;
    claim.check_headers(request.headers)?;
    claim.check_time(app.now())?;
    let (secret, caller) = match keys::secret_of(app, claim.key_id).await {
        Ok(found) => found,
        Err(Fault::Unauthorized) => return Err(unrecognized()),
        Err(fault) => return Err(AwsError::of(wanted.service, &fault)),
    };
    check_token(app, request.headers, &caller).await?;
    let body = payload(request, wanted)?;
    let made = claim.sign(&secret, request, wanted, body)?;
    if bool::from(made.as_bytes().ct_eq(claim.signature.as_bytes())) {
        return Ok((caller, Signature(made)));
    }
    keys::tell_wrong_secret(app, &caller).await;
    Err(AwsError::new(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.",
    ))
}

/// What the `Authorization` header claims.
#[derive(Clone, Debug)]
struct Claim<'a> {
    key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    end: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
    time: Timestamp,
    time_text: &'a str,
}

fn incomplete(message: impl Into<String>) -> AwsError {
    AwsError::new("IncompleteSignatureException", message)
}

fn unrecognized() -> AwsError {
    AwsError::new(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("InvalidSignatureException", message)
}

impl<'a> Claim<'a> {
    fn of(headers: &'a HeaderMap) -> Result<Self, AwsError> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let value = match (all.next(), all.next()) {
            (Some(value), None) => value.to_str().unwrap_or_default(),
            _ => return Err(incomplete("Authorization must stand there once.")),
        };
        let rest = value.strip_prefix(ALGORITHM).unwrap_or_default();
        let part = |name: &'static str| {
            let mut parts = rest.split(',').map(str::trim);
            let found = parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.filter(|text| !text.is_empty()).ok_or_else(|| {
                incomplete(format!("Authorization header requires '{name}' parameter."))
            })
        };
        let credential = part("Credential")?;
        let signed_headers = part("SignedHeaders")?.split(';').collect();
        let signature = part("Signature")?;
        let mut scope = credential.split('/');
        let mut next = || {
            let found = scope.next().filter(|part| !part.is_empty());
            found.ok_or_else(|| {
                incomplete(
                    "Credential must have exactly 5 slash-delimited elements: \
                     keyid/date/region/service/term.",
                )
            })
        };
        let (key_id, date, region) = (next()?, next()?, next()?);
        let (service, end) = (next()?, next()?);
        let time_text = headers.get(&DATE).and_then(|value| value.to_str().ok());
        let time_text = time_text.ok_or_else(|| {
            incomplete("Authorization header requires existence of an 'X-Amz-Date' header.")
        })?;
        let time = parse_time(time_text)
            .ok_or_else(|| incomplete("X-Amz-Date must be in ISO 8601 basic format."))?;
        Ok(Claim {
            key_id,
            date,
            region,
            service,
            end,
            signed_headers,
            signature,
            time,
            time_text,
        })
    }

    fn check_scope(&self, wanted: Wanted<'_>) -> Result<(), AwsError> {
        if self.region != wanted.region {
            let message = format!(
                "Credential should be scoped to a valid region, and this server's is '{}'.",
                wanted.region
            );
            return Err(invalid(message));
        }
        if self.service != wanted.service.as_str() {
            let message = format!(
                "Credential should be scoped to correct service: '{}'.",
                wanted.service.as_str()
            );
            return Err(invalid(message));
        }
        if self.end != "aws4_request" {
            return Err(invalid(
                "Credential should be scoped with a valid terminator: 'aws4_request'.",
            ));
        }
        match self.time_text.starts_with(self.date) && self.date.len() == 8 {
            true => Ok(()),
            false => Err(invalid(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP.",
            )),
        }
    }

    /// What could change the meaning of the request must be part of the signature.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), AwsError> {
        let is_listed = |name: &str| self.signed_headers.contains(&name);
        if !is_listed("host") {
            return Err(invalid(
                "'Host' must be a 'SignedHeader' in the AWS Authorization.",
            ));
        }
        let unsigned = headers
            .keys()
            .find(|name| name.as_str().starts_with("x-amz-") && !is_listed(name.as_str()));
        match unsigned {
            None => Ok(()),
            Some(name) => Err(invalid(format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            ))),
        }
    }

    fn check_time(&self, now: Timestamp) -> Result<(), AwsError> {
        let off_s = now
            .millis()
            .saturating_sub(self.time.millis())
            .div_euclid(1000);
        if off_s > WINDOW_S {
            return Err(invalid(
                "Signature expired: X-Amz-Date is more than 15 minutes ago.",
            ));
        }
        match off_s < -WINDOW_S {
            true => Err(invalid(
                "Signature not yet current: X-Amz-Date is more than 15 minutes ahead.",
            )),
            false => Ok(()),
        }
    }

    fn sign(
        &self,
        secret: &str,
        request: Signed<'_>,
        wanted: Wanted<'_>,
        body: SignableBody<'_>,
    ) -> Result<String, AwsError> {
        let mut headers = Vec::new();
        if !request.headers.contains_key(header::HOST) {
            // In HTTP/2 it is a part of the URI.
            let host = request.uri.authority().map(Authority::as_str);
            headers.push(("host", host.ok_or_else(|| invalid("'Host' is missing."))?));
        }
        for name in &self.signed_headers {
            for value in request.headers.get_all(*name) {
                let value = value
                    .to_str()
                    .map_err(|_| invalid(format!("'{name}' must be ASCII.")))?;
                headers.push((*name, value));
            }
        }
        let mut settings = SigningSettings::default();
        settings.excluded_headers = None;
        let seconds = u64::try_from(self.time.millis() / 1000).unwrap_or_default();
        let identity = Credentials::new(self.key_id, secret, None, None, "keys").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(wanted.region)
            .name(wanted.service.as_str())
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .settings(settings)
            .build()
            .map_err(|_| incomplete("The signature has no scope."))?;
        let uri = request.uri.path_and_query().map_or("/", |uri| uri.as_str());
        let method = request.method.as_str();
        let signable = SignableRequest::new(method, uri, headers.into_iter(), body);
        let signed = signable.and_then(|request| sign(request, &params.into()));
        let signed = signed.map_err(|_| invalid("The request cannot be signed."))?;
        Ok(signed.into_parts().1)
    }
}

/// The body as it was signed.
fn payload<'a>(request: Signed<'a>, wanted: Wanted<'_>) -> Result<SignableBody<'a>, AwsError> {
    let Some(sent) = request.headers.get(&CONTENT) else {
        return Ok(SignableBody::Bytes(request.body));
    };
    match sent.to_str().unwrap_or_default() {
        UNSIGNED if wanted.may_be_unsigned => Ok(SignableBody::UnsignedPayload),
        UNSIGNED => Err(invalid("This operation needs a signed payload.")),
        hash => match hash == hex(&Sha256::digest(request.body)) {
            true => Ok(SignableBody::Bytes(request.body)),
            false => Err(invalid(
                "X-Amz-Content-SHA256 is not the hash of the payload.",
            )),
        },
    }
}

/// A session token is one of ours, for the same key.
async fn check_token(app: &App, headers: &HeaderMap, caller: &Caller) -> Result<(), AwsError> {
    let Some(token) = headers.get(&TOKEN) else {
        return Ok(());
    };
    let token = token.to_str().unwrap_or_default();
    match auth::verify_token(app, token).await {
        Ok(of) if of.key_id == caller.key_id => Ok(()),
        _ => Err(unrecognized()),
    }
}

/// `20260102T030405Z`
fn parse_time(text: &str) -> Option<Timestamp> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes().all(|b| b.is_ascii_digit()).then_some(part)
    };
    let is_basic = text.len() == 16 && text.get(8..9) == Some("T") && text.ends_with('Z');
    if !is_basic {
        return None;
    }
    Timestamp::parse_rfc3339(&format!(
        "{}-{}-{}T{}:{}:{}Z",
        digits(0, 4)?,
        digits(4, 6)?,
        digits(6, 8)?,
        digits(9, 11)?,
        digits(11, 13)?,
        digits(13, 15)?
    ))
}

#[cfg(test)]
mod tests;
