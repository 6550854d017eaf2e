//! Why a connector did not answer: what the client is told, and what the record says.

use std::time::Duration;

use super::outbound::CallError;
use crate::app::App;
use crate::auth::Caller;
use crate::bots::{Bot, ConnectorConfig};
use crate::error::Fault;
use crate::events::{self, OwnEvent};

/// Why a connector did not answer. Its texts hold nothing that a user said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class that the record of the turn carries as `error`.
    pub class: String,
    /// Status of the other side's answer, where there was one.
    pub status: Option<u16>,
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
    /// The event that tells of it; `None` for a connector that asks nobody.
    #[must_use]
    pub(crate) fn event(&self, app: &App, caller: &Caller, bot: &Bot) -> Option<OwnEvent> {
        let kind = match &bot.connector {
            ConnectorConfig::Webhook(_) => events::INTEGRATION_WEBHOOK_FAILED,
            ConnectorConfig::Upstream(_) => events::INTEGRATION_UPSTREAM_FAILED,
            ConnectorConfig::None
            | ConnectorConfig::Lex
            | ConnectorConfig::Echo
            | ConnectorConfig::Rules(_) => {
                return None;
            }
        };
        let event = OwnEvent::new(app, caller, kind)
            .about("botId", &bot.id)
            .with("class", &self.class);
        Some(match self.status {
            Some(status) => event.with("status", status.to_string()),
            None => event,
        })
    }

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
            status: None,
            fault,
            passed_through: None,
        }
    }

    /// Several calls together took longer than a request may.
    #[must_use]
    pub(crate) fn late(time: Duration) -> Self {
        Failure {
            class: "connector_timeout".to_owned(),
            status: None,
            fault: Fault::GatewayTimeout {
                message: format!(
                    "the connector of this bot failed: it did not answer within {} ms",
                    time.as_millis()
                ),
            },
            passed_through: None,
        }
    }

    /// The other side answered a status that is no success.
    #[must_use]
    pub(crate) fn of_status(kind: &str, status: u16) -> Self {
        Failure {
            class: format!("{kind}_status_{status}"),
            status: Some(status),
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
            status: None,
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
            status: None,
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
            status: None,
            fault,
            passed_through: None,
        }
    }
}
