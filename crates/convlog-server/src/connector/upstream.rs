//! The upstream connector: a real Watson-shaped server answers, convlog proxies and records.
//!
//! Requests and answers pass verbatim; only key and ids are the bot's.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use convlog_model::json::Json;
use reqwest::Method;
use url::Url;

use super::outbound::{Answered, CallError, Outbound};
use super::{Failure, PassedThrough};
use crate::app::App;
use crate::bots::{self, UpstreamApi};
use crate::error::Fault;

/// A client together with the server that a bot's definition names.
#[derive(Clone, Debug)]
pub(crate) struct Upstream<'a> {
    outbound: &'a Outbound,
    target: &'a bots::Upstream,
    apikey: Option<String>,
}

const KIND: &str = "upstream";

impl<'a> Upstream<'a> {
    /// The upstream server that `target` names.
    ///
    /// # Errors
    /// 500 when its key does not open.
    pub(crate) fn new(app: &'a App, target: &'a bots::Upstream) -> Result<Self, Fault> {
        let apikey = target
            .apikey
            .as_ref()
            .map(|key| key.open(app))
            .transpose()?;
        Ok(Upstream {
            outbound: app.connectors().outbound()?,
            target,
            apikey,
        })
    }

    /// The API that it speaks.
    #[must_use]
    pub(crate) fn api(&self) -> UpstreamApi {
        self.target.api
    }

    /// Sends a v1 message and returns the body of the answer.
    ///
    /// # Errors
    /// [`Failure`]
    pub(crate) async fn message_v1(
        &self,
        body: &str,
        nodes_visited_details: bool,
        passed_on: &HeaderMap,
    ) -> Result<String, Failure> {
        let mut url = self.url(&["v1", "workspaces", &self.target.id, "message"])?;
        if nodes_visited_details {
            url.query_pairs_mut()
                .append_pair("nodes_visited_details", "true");
        }
        self.message(url, body, passed_on).await
    }

    /// Opens a v2 session and returns its id.
    ///
    /// # Errors
    /// [`Failure`]
    pub(crate) async fn create_session(&self, passed_on: &HeaderMap) -> Result<String, Failure> {
        let url = self.assistant_url(&["sessions"])?;
        let body = self.message(url, "{}", passed_on).await?;
        let parsed = Json::parse(body.as_bytes()).ok();
        let id = parsed
            .as_ref()
            .and_then(|json| json.get("session_id")?.as_str());
        let id = id.filter(|id| !id.is_empty());
        id.map(str::to_owned)
            .ok_or_else(|| Failure::bad_answer(KIND, "no session_id"))
    }

    /// Ends a v2 session; one that is gone already is no failure.
    ///
    /// # Errors
    /// [`Failure`]
    pub(crate) async fn delete_session(&self, session: &str) -> Result<(), Failure> {
        let url = self.assistant_url(&["sessions", session])?;
        let answered = self
            .call(Method::DELETE, url, None, &HeaderMap::new())
            .await?;
        match answered.status {
            200..300 | 404 => Ok(()),
            status => Err(Failure::of_status(KIND, status)),
        }
    }

    /// Sends a v2 message, within a session or without one, and returns the body of the answer.
    ///
    /// # Errors
    /// [`Failure`]
    pub(crate) async fn message_v2(
        &self,
        session: Option<&str>,
        body: &str,
        passed_on: &HeaderMap,
    ) -> Result<String, Failure> {
        let url = match session {
            Some(session) => self.assistant_url(&["sessions", session, "message"])?,
            None => self.assistant_url(&["message"])?,
        };
        self.message(url, body, passed_on).await
    }

    /// Asks for the erasure of a customer's data.
    ///
    /// # Errors
    /// [`Failure`]; the caller tries again.
    pub(crate) async fn forward_erasure(
        &self,
        customer: &str,
        headers: &HeaderMap,
    ) -> Result<(), Failure> {
        let mut url = self.url(&[self.target.api.as_str(), "user_data"])?;
        url.query_pairs_mut().append_pair("customer_id", customer);
        let answered = self.call(Method::DELETE, url, None, headers).await?;
        match answered.status {
            200..300 => Ok(()),
            status => Err(Failure::of_status(KIND, status)),
        }
    }

    fn assistant_url(&self, rest: &[&str]) -> Result<Url, Failure> {
        let mut path = vec!["v2", "assistants", &self.target.id];
        if let Some(environment) = self.target.environment.as_deref() {
            path.extend(["environments", environment]);
        }
        path.extend(rest);
        self.url(&path)
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let bad = || Failure::of_call(KIND, &CallError::BadUrl);
        let mut url = Url::parse(&self.target.url).map_err(|_| bad())?;
        url.path_segments_mut()
            .map_err(|()| bad())?
            .pop_if_empty()
            .extend(path);
        url.set_query(None);
        url.query_pairs_mut()
            .append_pair("version", &self.target.version);
        Ok(url)
    }

    async fn message(
        &self,
        url: Url,
        body: &str,
        passed_on: &HeaderMap,
    ) -> Result<String, Failure> {
        let body = Some(body.as_bytes().to_vec());
        let answered = self.call(Method::POST, url, body, passed_on).await?;
        if !(200..300).contains(&answered.status) {
            return Err(refused(&answered));
        }
        let text = String::from_utf8(answered.body.to_vec())
            .map_err(|_| Failure::bad_answer(KIND, "not UTF-8"))?;
        match Json::parse(text.as_bytes()) {
            Ok(Json::Object(_)) => Ok(text),
            Ok(other) => {
                let problem = format!("{}, not an object", other.type_name());
                Err(Failure::bad_answer(KIND, &problem))
            }
            Err(error) => Err(Failure::bad_answer(KIND, &error.to_string())),
        }
    }

    async fn call(
        &self,
        method: Method,
        url: Url,
        body: Option<Vec<u8>>,
        passed_on: &HeaderMap,
    ) -> Result<Answered, Failure> {
        let mut headers = passed_on.clone();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::ACCEPT, json.clone());
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, json);
        }
        if let Some(key) = &self.apikey {
            let basic = format!("Basic {}", STANDARD.encode(format!("apikey:{key}")));
            if let Ok(mut value) = HeaderValue::from_str(&basic) {
                value.set_sensitive(true);
                headers.insert(header::AUTHORIZATION, value);
            }
        }
        let timeout = Duration::from_millis(u64::from(self.target.timeout_ms));
        self.outbound
            .call(method, url.as_str(), headers, body, timeout)
            .await
            .map_err(|error| Failure::of_call(KIND, &error))
    }
}

/// What the client is told of a refusal: what is about its message passes through verbatim, the
/// rest is about the bot's configuration and is not the client's fault.
fn refused(answered: &Answered) -> Failure {
    let mut failure = Failure::of_status(KIND, answered.status);
    let body = Json::parse(&answered.body).ok();
    let error = body.as_ref().and_then(|body| body.get("error")?.as_str());
    let is_about_the_message = match answered.status {
        400 | 413 => error.is_some(),
        404 => error == Some("Invalid Session"),
        _ => false,
    };
    if is_about_the_message {
        failure.passed_through = Some(PassedThrough {
            status: answered.status,
            body: answered.body.clone(),
        });
    }
    if answered.status == 429 {
        failure.fault = Fault::TooManyRequests {
            message: "the upstream server of this bot is asked too often".to_owned(),
            retry_after_s: retry_after(&answered.headers),
        };
    }
    failure
}

fn retry_after(headers: &HeaderMap) -> u64 {
    let value = headers.get(header::RETRY_AFTER);
    let seconds = value.and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.unwrap_or(60).min(3600)
}
