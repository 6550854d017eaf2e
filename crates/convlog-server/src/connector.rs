//! Connectors: what answers a message. Which one, a bot's definition says.
//!
//! A connector answers or fails; whether the turn is recorded is not its business.

pub(crate) mod echo;
mod failure;
pub(crate) mod neutral;
pub(crate) mod outbound;
pub(crate) mod upstream;
pub(crate) mod webhook;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use convlog_dialects::reply::Reply;
use convlog_dialects::rules::Rules;
use convlog_model::json::Json;
use tokio::sync::{Semaphore, oneshot};

pub(crate) use self::failure::{Failure, PassedThrough};
use self::outbound::{Outbound, Reach};
use crate::app::App;
use crate::bots::{Bot, ConnectorConfig};
use crate::cache::Cache;
use crate::config::ServerConfig;
use crate::entity::Entity;
use crate::erasures;
use crate::error::Fault;

/// Headers of a message that connectors get unchanged.
pub(crate) const PASSED_ON: [HeaderName; 3] = [
    HeaderName::from_static("x-watson-metadata"),
    HeaderName::from_static("x-watson-learning-opt-out"),
    HeaderName::from_static("x-wdc-pl-opt-out"),
];

/// What a connector is asked.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    /// The bot.
    pub bot: &'a str,
    /// Its language.
    pub language: &'a str,
    /// Session or conversation.
    pub session: &'a str,
    /// User id.
    pub user: &'a str,
    /// The message's `input`.
    pub input: Option<&'a Json>,
    /// The context of the conversation before this turn.
    pub context: Option<&'a Json>,
    /// The [`PASSED_ON`] headers of the message.
    pub passed_on: HeaderMap,
}

/// The headers among `all` that connectors get, and how many servers have passed the message on.
#[must_use]
pub(crate) fn passed_on(all: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in PASSED_ON {
        for value in all.get_all(&name) {
            kept.append(name.clone(), value.clone());
        }
    }
    let n_hops = erasures::n_hops(all).saturating_add(1);
    kept.insert(erasures::HOPS, HeaderValue::from(n_hops));
    kept
}

/// Refuses a message that servers pass round, each the other's upstream.
///
/// # Errors
/// 502 where the next server would be one too many.
pub(crate) fn require_end(bot: &Bot, headers: &HeaderMap) -> Result<(), Fault> {
    let is_passed_on = matches!(bot.connector, ConnectorConfig::Upstream(_));
    match is_passed_on && erasures::n_hops(headers) >= erasures::N_HOPS_MAX {
        false => Ok(()),
        true => Err(Fault::BadGateway {
            message: "the upstream connectors of some servers lead in a circle".to_owned(),
        }),
    }
}

/// Refuses a message to a bot that nothing answers for, before anything is recorded.
///
/// # Errors
/// 409 without a connector.
pub(crate) fn require(bot: &Bot) -> Result<(), Fault> {
    match bot.connector {
        ConnectorConfig::None => Err(Fault::conflict(
            "this bot has no connector: set one with PUT /convlog/v1/bots/{id}",
        )),
        ConnectorConfig::Lex => Err(Fault::conflict(
            "this bot is one of Lex: talk to it through the runtime of Lex",
        )),
        ConnectorConfig::Echo
        | ConnectorConfig::Rules(_)
        | ConnectorConfig::Webhook(_)
        | ConnectorConfig::Upstream(_) => Ok(()),
    }
}

/// What the bot's connector answers; upstream servers are asked in their own dialect, see
/// [`upstream`].
///
/// # Errors
/// [`Failure`]; the turn is recorded all the same.
pub(crate) async fn answer(app: &App, bot: &Entity<Bot>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    match &bot.doc.connector {
        ConnectorConfig::None | ConnectorConfig::Lex => Err(require(&bot.doc).err().map_or_else(
            || Fault::internal("a bot without connector was asked").into(),
            Failure::from,
        )),
        ConnectorConfig::Echo => Ok(echo::answer(ask.input)),
        ConnectorConfig::Rules(definition) => {
            let rules = app.connectors().rules(bot, definition)?;
            let text = ask.input.and_then(|input| input.get("text")?.as_str());
            Ok(rules.answer(text.unwrap_or_default(), ask.language))
        }
        ConnectorConfig::Webhook(webhook) => {
            let secret = webhook.secret.as_ref().map(|secret| secret.open(app));
            let secret = secret.transpose()?;
            let target = webhook::Target {
                url: &webhook.url,
                secret: secret.as_deref(),
                timeout: Duration::from_millis(u64::from(webhook.timeout_ms)),
            };
            webhook::answer(app.connectors().outbound()?, target, ask).await
        }
        ConnectorConfig::Upstream(_) => {
            Err(Fault::internal("an upstream server was asked for a neutral answer").into())
        }
    }
}

/// Most bytes of the context of a conversation after an answer: what a client may carry.
const CONTEXT_BYTES_MAX: usize = 250 << 10;

/// Refuses an answer that leaves a context which is too large to be kept or carried.
///
/// # Errors
/// 502, as for any other bad answer of a connector of that kind.
pub(crate) fn require_small(context: &Json, kind: &'static str) -> Result<(), Failure> {
    match context.to_string().len() > CONTEXT_BYTES_MAX {
        false => Ok(()),
        true => Err(Failure::bad_answer(kind, "its context is too large")),
    }
}

/// Bots whose rules are kept ready.
const RULES_MAX: usize = 256;

/// What connectors share.
#[derive(Debug)]
pub(crate) struct Connectors {
    outbound: Result<Outbound, String>,
    configured: Result<Outbound, String>,
    rules: Cache<(String, u64), Arc<Rules>>,
    turns: Arc<Semaphore>,
    time: Duration,
}

impl Connectors {
    /// With the rules of the configuration.
    #[must_use]
    pub(crate) fn new(config: &ServerConfig) -> Self {
        let listening = &config.connectors.listening_on;
        let on_loopback = !listening.is_empty() && listening.iter().all(|a| a.is_loopback());
        let outbound = Reach::new(&config.connectors.allow, on_loopback)
            .map_err(|(index, bad)| format!("[connectors] allow, entry {}: {bad}", index + 1))
            .and_then(|reach| Outbound::new(reach).map_err(|error| error.to_string()));
        // Where the configuration leads is the operator's own choice.
        let everywhere = ["0.0.0.0/0".to_owned(), "::/0".to_owned()];
        let configured = Reach::new(&everywhere, true)
            .map_err(|(_, bad)| bad.to_string())
            .and_then(|reach| Outbound::new(reach).map_err(|error| error.to_string()));
        Connectors {
            outbound,
            configured,
            rules: Cache::new(RULES_MAX),
            turns: Arc::new(Semaphore::new(config.limits.concurrent_requests)),
            // What is left is for keeping the turn and answering.
            time: config.limits.request_time / 5 * 4,
        }
    }

    /// The client for calls to others.
    ///
    /// # Errors
    /// 500 when the configuration did not let it come about.
    pub(crate) fn outbound(&self) -> Result<&Outbound, Fault> {
        let problem = |text: &String| Fault::internal(format!("no HTTP client: {text}"));
        self.outbound.as_ref().map_err(problem)
    }

    /// The client for calls to where the configuration leads.
    ///
    /// # Errors
    /// 500 when the TLS library cannot start.
    pub(crate) fn configured(&self) -> Result<&Outbound, Fault> {
        let problem = |text: &String| Fault::internal(format!("no HTTP client: {text}"));
        self.configured.as_ref().map_err(problem)
    }

    /// What a place of the configuration answers to a POST. `what` names it in failures.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be reached, or answers a status other than success.
    pub(crate) async fn post_configured(
        &self,
        (what, url): (&str, &str),
        content_type: HeaderValue,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Bytes, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type);
        let answered = self
            .configured()?
            .call(reqwest::Method::POST, url, headers, Some(body), timeout)
            .await
            .map_err(|error| Failure::of_call(what, &error))?;
        match answered.status {
            200..300 => Ok(answered.body),
            status => Err(Failure::of_status(what, status)),
        }
    }

    /// The rules of one version of a bot.
    fn rules(&self, bot: &Entity<Bot>, definition: &Json) -> Result<Arc<Rules>, Fault> {
        let key = (bot.id.clone(), bot.version);
        let ticket = match self.rules.get(&key) {
            Ok(rules) => return Ok(rules),
            Err(ticket) => ticket,
        };
        let rules = Rules::parse(definition)
            .map_err(|error| Fault::internal(format!("stored rules of a bot: {error}")))?;
        let rules = Arc::new(rules);
        self.rules.keep(ticket, key, rules.clone());
        Ok(rules)
    }
}

/// What asking a connector brings within the time that a request has.
///
/// # Errors
/// [`Failure`], also when the time is over.
pub(crate) async fn in_time<T>(
    app: &App,
    asking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let time = app.connectors().time;
    let late = |_| Failure::late(time);
    tokio::time::timeout(time, asking).await.map_err(late)?
}

/// Runs a turn to its end even when the client has gone: what a bot was asked is kept.
///
/// # Errors
/// What the turn answers; 503 when too many are under way or the server stops.
pub(crate) async fn to_the_end<T, E>(
    app: &App,
    turn: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Fault> + Send + 'static,
{
    if app.jobs().is_stopping() {
        return turn.await;
    }
    let busy = |message: &str| Fault::Unavailable {
        message: message.to_owned(),
        retry_after_s: Some(1),
    };
    let slot = app.connectors().turns.clone().try_acquire_owned();
    let slot = slot.map_err(|_| busy("too many messages are under way"))?;
    let (tell, told) = oneshot::channel();
    app.jobs().spawn(async move {
        let _slot = slot;
        // Nobody listens any more when the client has gone.
        drop(tell.send(turn.await));
    });
    match told.await {
        Ok(result) => result,
        Err(_) if app.jobs().is_stopping() => Err(busy("the server is stopping").into()),
        Err(_) => Err(Fault::internal("a turn panicked").into()),
    }
}
