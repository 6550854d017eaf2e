//! Connectors: what answers a message. Which one, a bot's definition says.
//!
//! A connector answers or fails; whether the turn is recorded is not its business.

pub(crate) mod echo;
pub(crate) mod outbound;
pub(crate) mod upstream;
pub(crate) mod webhook;

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use convlog_dialects::reply::Reply;
use convlog_dialects::rules::Rules;
use convlog_model::json::Json;

use self::outbound::{CallError, Outbound, Reach};
use crate::app::App;
use crate::bots::{Bot, ConnectorConfig};
use crate::config;
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

/// The headers among `all` that connectors get.
#[must_use]
pub(crate) fn passed_on(all: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in PASSED_ON {
        for value in all.get_all(&name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

/// Why a connector did not answer. Its texts hold nothing that a user said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class that the record of the turn carries as `error`.
    pub class: String,
    /// What the client is told.
    pub fault: Fault,
    /// What the client is told instead: the answer of an upstream server, verbatim.
    pub passed_through: Option<PassedThrough>,
}

/// A refusal of an upstream server that is about the client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PassedThrough {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: bytes::Bytes,
}

impl Failure {
    /// Whether the upstream server says that the session is over.
    #[must_use]
    pub(crate) fn ended_session(&self) -> bool {
        self.passed_through
            .as_ref()
            .is_some_and(|answer| answer.status == 404)
    }

    /// The call itself failed.
    #[must_use]
    pub(crate) fn of_call(kind: &str, error: &CallError) -> Self {
        let message = format!("the {kind} connector of this bot failed: {error}");
        let fault = match error {
            CallError::Timeout(_) => Fault::GatewayTimeout { message },
            CallError::Forbidden
            | CallError::BadUrl
            | CallError::Unreachable
            | CallError::TooLarge
            | CallError::Broken => Fault::BadGateway { message },
        };
        Failure {
            class: format!("{kind}_{}", error.class()),
            fault,
            passed_through: None,
        }
    }

    /// The other side answered a status that is no success.
    #[must_use]
    pub(crate) fn of_status(kind: &str, status: u16) -> Self {
        Failure {
            class: format!("{kind}_status_{status}"),
            fault: Fault::BadGateway {
                message: format!(
                    "the {kind} connector of this bot failed: it answered status {status}"
                ),
            },
            passed_through: None,
        }
    }

    /// The upstream server speaks the other API than the message.
    #[must_use]
    pub(crate) fn other_api(api: &str) -> Self {
        Failure {
            class: "upstream_other_api".to_owned(),
            fault: Fault::conflict(format!(
                "the upstream server of this bot speaks {api}: send its messages through that API"
            )),
            passed_through: None,
        }
    }

    /// The other side's answer is not what it should be.
    #[must_use]
    pub(crate) fn bad_answer(kind: &str, problem: &str) -> Self {
        Failure {
            class: format!("{kind}_bad_answer"),
            fault: Fault::BadGateway {
                message: format!(
                    "the {kind} connector of this bot failed: its answer is not valid: {problem}"
                ),
            },
            passed_through: None,
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure {
            class: "connector_unusable".to_owned(),
            fault,
            passed_through: None,
        }
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
pub(crate) async fn answer(app: &App, bot: &Bot, ask: &Ask<'_>) -> Result<Reply, Failure> {
    match &bot.connector {
        ConnectorConfig::None => Err(require(bot).err().map_or_else(
            || Fault::internal("a bot without connector was asked").into(),
            Failure::from,
        )),
        ConnectorConfig::Echo => Ok(echo::answer(ask.input)),
        ConnectorConfig::Rules(definition) => {
            let rules = Rules::parse(definition)
                .map_err(|error| Fault::internal(format!("stored rules of a bot: {error}")))?;
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

/// What connectors share.
#[derive(Clone, Debug)]
pub(crate) struct Connectors {
    outbound: Result<Outbound, String>,
}

impl Connectors {
    /// With the rules of the configuration.
    #[must_use]
    pub(crate) fn new(config: &config::ConnectorConfig) -> Self {
        let on_loopback =
            !config.listening_on.is_empty() && config.listening_on.iter().all(|a| a.is_loopback());
        let outbound = Reach::new(&config.allow, on_loopback)
            .map_err(|(index, bad)| format!("[connectors] allow, entry {}: {bad}", index + 1))
            .and_then(|reach| Outbound::new(reach).map_err(|error| error.to_string()));
        Connectors { outbound }
    }

    /// The client for calls to others.
    ///
    /// # Errors
    /// 500 when the configuration did not let it come about.
    pub(crate) fn outbound(&self) -> Result<&Outbound, Fault> {
        let problem = |text: &String| Fault::internal(format!("no HTTP client: {text}"));
        self.outbound.as_ref().map_err(problem)
    }
}
