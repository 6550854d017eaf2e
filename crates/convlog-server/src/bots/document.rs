//! What is stored of a bot, and how the own API shows it.

use convlog_model::json::Json;
use serde::{Deserialize, Serialize};

use crate::secret::{MASK, Secret};

/// A bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bot {
    /// Its id: workspace id in Watson v1, skill id in v2.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language, as a tag such as `en` or `pt-br`.
    pub language: String,
    /// What answers its messages.
    pub connector: ConnectorConfig,
    /// Where it is deployed.
    pub environments: Vec<Environment>,
    /// The assistant that it answers for, where that id differs from the bot's.
    pub assistant: Option<String>,
    /// Whether its turns are stored; `None` leaves it to the instance.
    pub logging: Option<bool>,
    /// Whether its turns are not to be used for improvement; any opt-out wins.
    pub learning_opt_out: Option<bool>,
    /// Whether every detector of personal data and secrets looks at its records.
    pub privacy: Option<bool>,
    /// Days that its records live; 0 keeps them, `None` leaves it to the instance.
    pub retention_days: Option<u32>,
    /// Idle seconds after which its sessions end; `None` leaves it to the configuration.
    pub session_timeout_s: Option<u32>,
    /// Whether it was made through the model building API of Lex, which alone changes it then.
    #[serde(default)]
    pub lex: bool,
    /// Properties that ChatBotKit's clients gave it and nothing here reads, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Json>,
    /// When it was made, in microseconds.
    pub created_us: i64,
    /// When it was last changed, in microseconds.
    pub updated_us: i64,
}

impl Bot {
    /// A bot that a record named: without a connector, everything else left to the instance.
    #[must_use]
    pub(crate) fn seen(id: &str, now_us: i64) -> Self {
        Bot {
            id: id.to_owned(),
            name: id.to_owned(),
            language: "en".to_owned(),
            connector: ConnectorConfig::None,
            environments: Vec::new(),
            assistant: None,
            logging: None,
            learning_opt_out: None,
            privacy: None,
            retention_days: None,
            session_timeout_s: None,
            lex: false,
            profile: None,
            created_us: now_us,
            updated_us: now_us,
        }
    }

    /// Whether nothing is known of it but that records named it, whatever was set for those.
    #[must_use]
    pub(crate) fn is_only_named(&self) -> bool {
        let has_own = self.lex || self.profile.is_some() || self.assistant.is_some();
        self.connector == ConnectorConfig::None
            && self.name == self.id
            && self.environments.is_empty()
            && !has_own
    }

    /// Its environment of that id.
    #[must_use]
    pub(crate) fn environment(&self, id: &str) -> Option<&Environment> {
        self.environments.iter().find(|e| e.id == id)
    }
}

/// Where a bot is deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Environment {
    /// Its id.
    pub id: String,
    /// Its name, such as `live`.
    pub name: String,
    /// The channel on which its users write, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// What answers a bot's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConnectorConfig {
    /// Nothing: records are only imported.
    None,
    /// The user's own words.
    Echo,
    /// The dialogue of a Lex bot, as its intents say.
    Lex,
    /// The rules engine; the definition as it was sent, checked.
    Rules(Json),
    /// An HTTP endpoint of the operator.
    Webhook(Webhook),
    /// A Watson-shaped server.
    Upstream(Upstream),
}

impl ConnectorConfig {
    /// Its kind, as the own API names it.
    #[must_use]
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            ConnectorConfig::None => "none",
            ConnectorConfig::Echo => "echo",
            ConnectorConfig::Lex => "lex",
            ConnectorConfig::Rules(_) => "rules",
            ConnectorConfig::Webhook(_) => "webhook",
            ConnectorConfig::Upstream(_) => "upstream",
        }
    }

    /// How answers show it: as it was sent, secrets masked.
    #[must_use]
    pub(crate) fn to_json(&self) -> Json {
        let mut shown = Json::object([("kind", Json::string(self.kind()))]);
        match self {
            ConnectorConfig::None | ConnectorConfig::Echo | ConnectorConfig::Lex => {}
            ConnectorConfig::Rules(definition) => return definition.clone(),
            ConnectorConfig::Webhook(webhook) => {
                shown.set("url", Json::string(webhook.url.as_str()));
                if webhook.secret.is_some() {
                    shown.set("secret", Json::string(MASK));
                }
                shown.set("timeout_ms", Json::integer(i64::from(webhook.timeout_ms)));
            }
            ConnectorConfig::Upstream(upstream) => upstream.show(&mut shown),
        }
        shown
    }
}

/// The `webhook` connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Webhook {
    /// Where messages are posted to.
    pub url: String,
    /// Key of the signature in `X-Convlog-Signature`.
    pub secret: Option<Secret>,
    /// Time that an answer may take.
    pub timeout_ms: u32,
}

/// Which of Watson's APIs an upstream server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum UpstreamApi {
    /// v1: workspaces.
    V1,
    /// v2: assistants, environments, sessions.
    V2,
}

impl UpstreamApi {
    /// `v1` or `v2`.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            UpstreamApi::V1 => "v1",
            UpstreamApi::V2 => "v2",
        }
    }
}

/// The `upstream` connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upstream {
    /// The service URL, as the SDKs take it, without a slash at the end.
    pub url: String,
    /// Its API.
    pub api: UpstreamApi,
    /// Workspace id or assistant id there.
    pub id: String,
    /// Environment id there (v2).
    pub environment: Option<String>,
    /// Its API key.
    pub apikey: Option<Secret>,
    /// The `version` parameter.
    pub version: String,
    /// Time that an answer may take.
    pub timeout_ms: u32,
    /// Whether erasures are repeated there.
    pub forward_erasure: bool,
}

impl Upstream {
    fn show(&self, shown: &mut Json) {
        shown.set("url", Json::string(self.url.as_str()));
        shown.set("api", Json::string(self.api.as_str()));
        shown.set("id", Json::string(self.id.as_str()));
        if let Some(environment) = &self.environment {
            shown.set("environment", Json::string(environment.as_str()));
        }
        if self.apikey.is_some() {
            shown.set("apikey", Json::string(MASK));
        }
        shown.set("version", Json::string(self.version.as_str()));
        shown.set("timeout_ms", Json::integer(i64::from(self.timeout_ms)));
        shown.set("forward_erasure", Json::Bool(self.forward_erasure));
    }
}

/// A bot as answers show it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct BotView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// What answers its messages; secrets are masked.
    #[schema(value_type = Object)]
    pub connector: Json,
    /// Where it is deployed.
    pub environments: Vec<Environment>,
    /// The assistant that it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant: Option<String>,
    /// Whether its turns are stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<bool>,
    /// Whether its turns are not to be used for improvement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_opt_out: Option<bool>,
    /// Whether every detector of personal data and secrets looks at its records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy: Option<bool>,
    /// Days that its records live; 0 keeps them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Idle seconds after which its sessions end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_timeout_s: Option<u32>,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

impl BotView {
    /// How a bot is shown.
    #[must_use]
    pub(crate) fn of(bot: &Bot) -> Self {
        let time = |us: i64| convlog_model::time::Timestamp::from_micros(us).to_micros_text();
        BotView {
            id: bot.id.clone(),
            name: bot.name.clone(),
            language: bot.language.clone(),
            connector: bot.connector.to_json(),
            environments: bot.environments.clone(),
            assistant: bot.assistant.clone(),
            logging: bot.logging,
            learning_opt_out: bot.learning_opt_out,
            privacy: bot.privacy,
            retention_days: bot.retention_days,
            session_timeout_s: bot.session_timeout_s,
            created_at: time(bot.created_us),
            updated_at: time(bot.updated_us),
        }
    }
}
