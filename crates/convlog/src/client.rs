//! The HTTP API as the commands use it: one address, one key, bounded retries, errors as people
//! read them.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use convlog_model::json::Json;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use crate::args::Connection;
use crate::out::{self, wrong_use};

/// A request is tried so often while the server says that it is busy.
const TRIES_MAX: u32 = 20;
const WAIT_S_MAX: u64 = 1800;
const WAIT_DEFAULT_MAX: Duration = Duration::from_secs(60);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(30);
/// Without a byte for so long, an answer is given up.
const READ_TIME_MAX: Duration = Duration::from_secs(700);
const ERROR_BYTES_MAX: usize = 16 << 10;

/// A server and a key.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    key: String,
    /// Whether the key is sent as Basic `apikey` instead of as Bearer.
    is_basic: bool,
}

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { status, text } = self;
        write!(f, "the server answered {}: {text}", status.as_u16())
    }
}

impl std::error::Error for Refused {}

impl Client {
    /// The server and key of the command line.
    pub(crate) fn new(connection: &Connection) -> Result<Self> {
        let Some(key) = &connection.key else {
            return Err(wrong_use("a key is needed: --key ID.SECRET or CONVLOG_KEY"));
        };
        let base = parse_base(&connection.url)?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME_MAX)
            .read_timeout(READ_TIME_MAX)
            .user_agent(concat!("convlog/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&base) {
            // A proxy of the environment is for what lies beyond this machine.
            http = http.no_proxy();
        }
        if let Some(path) = &connection.ca {
            let cannot = || format!("cannot read {}", path.display());
            let pem = std::fs::read(path).with_context(cannot)?;
            for certificate in reqwest::Certificate::from_pem_bundle(&pem).with_context(cannot)? {
                http = http.add_root_certificate(certificate);
            }
        }
        Ok(Client {
            http: http.build().context("cannot set up TLS")?,
            base,
            key: key.clone(),
            is_basic: false,
        })
    }

    /// Another service, which takes the key as Basic `apikey`.
    pub(crate) fn of_service(url: &str, key: &str) -> Result<Self> {
        let connection = Connection {
            url: url.to_owned(),
            key: Some(key.to_owned()),
            ca: None,
        };
        let mut client = Client::new(&connection)?;
        client.is_basic = true;
        Ok(client)
    }

    /// The address, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A request to a path below the address, whose segments are given one by one.
    pub(crate) fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = self.http.request(method, url);
        match self.is_basic {
            true => request.basic_auth("apikey", Some(&self.key)),
            false => request.bearer_auth(&self.key),
        }
    }

    /// A GET of JSON.
    pub(crate) async fn get(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Value> {
        let answer = self
            .send(&self.request(Method::GET, segments, query))
            .await?;
        json(answer).await
    }

    /// A GET of JSON whose order of members and number texts matter.
    pub(crate) async fn get_verbatim(
        &self,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Json> {
        let answer = self
            .send(&self.request(Method::GET, segments, query))
            .await?;
        let body = answer.bytes().await.context("the answer broke off")?;
        Json::parse(&body).context("the answer is no JSON; is this a convlog server?")
    }

    /// A request with a JSON body that is answered with JSON or with nothing.
    pub(crate) async fn send_json(
        &self,
        method: Method,
        segments: &[&str],
        body: &Value,
    ) -> Result<Value> {
        let request = self
            .request(method, segments, &[])
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        json(self.send(&request).await?).await
    }

    /// A DELETE.
    pub(crate) async fn delete(&self, segments: &[&str]) -> Result<()> {
        self.send(&self.request(Method::DELETE, segments, &[]))
            .await?;
        Ok(())
    }

    /// Sends a request; again, after the time that the server asks for, while it is busy.
    pub(crate) async fn send(&self, request: &RequestBuilder) -> Result<Response> {
        let mut n_tries = 0;
        loop {
            n_tries += 1;
            let copy = request
                .try_clone()
                .context("the request cannot be sent twice")?;
            let answer = copy.send().await.map_err(|error| no_answer(&error))?;
            let is_busy = [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::SERVICE_UNAVAILABLE,
            ]
            .contains(&answer.status());
            if answer.status().is_success() {
                return Ok(answer);
            }
            let wait = retry_after(&answer, n_tries);
            let Some(wait) = wait.filter(|_| is_busy && n_tries < TRIES_MAX) else {
                return Err(self.refused(answer).await.into());
            };
            if wait >= Duration::from_secs(5) && out::is_stderr_terminal() {
                let seconds = wait.as_secs();
                out::note(&format!("the server asks to wait for {seconds} s"));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn refused(&self, answer: Response) -> Refused {
        let status = answer.status();
        let body = answer.bytes().await.unwrap_or_default();
        let body = body.get(..ERROR_BYTES_MAX).unwrap_or(&body);
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let member = |name: &str| json.get(name).and_then(Value::as_str);
        let known = ["detail", "title", "error", "message"];
        let text = known.into_iter().find_map(member);
        let mut text =
            text.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
        if text.is_empty() {
            text = "nothing".to_owned();
        }
        if status == StatusCode::UNAUTHORIZED {
            let given_by = match self.is_basic {
                true => "--from-key or CONVLOG_FROM_KEY",
                false => "--key or CONVLOG_KEY",
            };
            text.push_str(&format!(" ({given_by})"));
        }
        Refused { status, text }
    }
}

fn parse_base(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| wrong_use(format!("`{text}`: {error}")))?;
    if !["http", "https"].contains(&url.scheme()) || url.cannot_be_a_base() {
        return Err(wrong_use(format!("`{text}` is no http address")));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Without a time from the server the waits double, from a second to a minute.
fn retry_after(answer: &Response, n_tries: u32) -> Option<Duration> {
    let Some(value) = answer.headers().get(RETRY_AFTER) else {
        return Some(Duration::from_secs(1 << (n_tries - 1).min(6)).min(WAIT_DEFAULT_MAX));
    };
    let seconds: u64 = value.to_str().ok()?.trim().parse().ok()?;
    (seconds <= WAIT_S_MAX).then(|| Duration::from_secs(seconds.max(1)))
}

/// Says which server it was and the last cause; the whole address would repeat the filter.
fn no_answer(error: &reqwest::Error) -> anyhow::Error {
    let first: &dyn std::error::Error = error;
    let cause = std::iter::successors(Some(first), |error| error.source()).last();
    let cause = cause.map(ToString::to_string).unwrap_or_default();
    let server = error.url().map(|url| url.origin().ascii_serialization());
    let server = server.as_deref().unwrap_or("the server");
    anyhow::anyhow!("cannot reach {server}: {cause}")
}

async fn json(answer: Response) -> Result<Value> {
    let body = answer.bytes().await.context("the answer broke off")?;
    if body.is_empty() {
        return Ok(Value::Null);
    }
    match serde_json::from_slice(&body) {
        Ok(value) => Ok(value),
        Err(error) => bail!("the answer is no JSON ({error}); is this a convlog server?"),
    }
}
