//! The one HTTP client for calls that the server itself makes: where it may connect to, how long
//! it waits, how much it reads. Connectors and deliveries go through it and nothing else does.

mod reach;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use reqwest::redirect;
use url::{Host, Url};

pub(crate) use self::reach::Reach;

/// Most bytes of an answer that are read.
pub(crate) const ANSWER_BYTES_MAX: usize = 2 << 20;
/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a call brought nothing. The texts hold neither the address nor anything a user said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The configuration does not let the server connect there.
    #[error(
        "its address is loopback, private or reserved, and [connectors] allow does not name it"
    )]
    Forbidden,
    /// The address is no http or https URL with a host.
    #[error("its address is no http or https URL")]
    BadUrl,
    /// Nobody answers there.
    #[error("it could not be reached")]
    Unreachable,
    /// The answer did not come in time.
    #[error("it did not answer within {0} ms")]
    Timeout(u64),
    /// The answer is larger than [`ANSWER_BYTES_MAX`].
    #[error("its answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    /// The connection ended within the answer.
    #[error("its answer broke off")]
    Broken,
}

impl CallError {
    /// The class that the record of the turn names.
    #[must_use]
    pub(crate) fn class(&self) -> &'static str {
        match self {
            CallError::Forbidden => "target_forbidden",
            CallError::BadUrl => "bad_url",
            CallError::Unreachable => "unreachable",
            CallError::Timeout(_) => "timeout",
            CallError::TooLarge => "answer_too_large",
            CallError::Broken => "answer_broken",
        }
    }
}

/// What the other side answered, whatever its status.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// The client with its policy.
#[derive(Clone, Debug)]
pub(crate) struct Outbound {
    client: reqwest::Client,
    reach: Arc<Reach>,
}

impl Outbound {
    /// A client that connects only where `reach` lets it. It follows no redirects, reads no proxy
    /// settings and keeps no cookies.
    ///
    /// # Errors
    /// When the TLS library cannot start.
    pub(crate) fn new(reach: Reach) -> Result<Self, reqwest::Error> {
        let reach = Arc::new(reach);
        let client = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(32)
            .user_agent(concat!("convlog/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(reach::Resolver::new(reach.clone())))
            .build()?;
        Ok(Outbound { client, reach })
    }

    /// Makes one call and reads the whole answer, within `timeout`.
    ///
    /// # Errors
    /// [`CallError`]; a status of 400 and more is an answer, not an error.
    pub(crate) async fn call(
        &self,
        method: reqwest::Method,
        url: &str,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Answered, CallError> {
        let url = self.checked(url)?;
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let whole = async {
            let answer = request.send().await.map_err(|e| sort_out(&e, millis))?;
            read(answer, millis).await
        };
        tokio::time::timeout(timeout, whole)
            .await
            .map_err(|_| CallError::Timeout(millis))?
    }

    // A literal address never reaches the resolver, so it is checked here.
    fn checked(&self, text: &str) -> Result<Url, CallError> {
        let url = Url::parse(text).map_err(|_| CallError::BadUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CallError::BadUrl);
        }
        let allowed = match url.host().ok_or(CallError::BadUrl)? {
            Host::Ipv4(address) => self.reach.allows("", IpAddr::V4(address)),
            Host::Ipv6(address) => self.reach.allows("", IpAddr::V6(address)),
            Host::Domain(_) => true,
        };
        if allowed {
            Ok(url)
        } else {
            Err(CallError::Forbidden)
        }
    }
}

async fn read(mut answer: reqwest::Response, millis: u64) -> Result<Answered, CallError> {
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| {
        if e.is_timeout() {
            CallError::Timeout(millis)
        } else {
            CallError::Broken
        }
    })? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(CallError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answered {
        status,
        headers,
        body: body.freeze(),
    })
}

fn sort_out(error: &reqwest::Error, millis: u64) -> CallError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if cause.is::<reach::Refused>() {
            return CallError::Forbidden;
        }
        source = cause.source();
    }
    if error.is_timeout() {
        CallError::Timeout(millis)
    } else {
        CallError::Unreachable
    }
}

#[cfg(test)]
mod tests;
