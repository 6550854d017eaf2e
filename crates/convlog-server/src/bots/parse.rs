//! Reads a bot as it is sent: every mistake names its field.

use std::collections::BTreeSet;

use convlog_dialects::rules::Rules;
use convlog_model::json::Json;
use url::{Host, Url};

use super::document::{Bot, ConnectorConfig, Environment, Upstream, UpstreamApi, Webhook};
use crate::app::App;
use crate::connector::outbound::Reach;
use crate::object::{FieldError, Reader};
use crate::secret::{SECRET_BYTES_MAX, Secret, SecretInput};

/// Most bytes of an id of a bot, environment or assistant.
pub(crate) const ID_BYTES_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 512;
const URL_BYTES_MAX: usize = 2048;
const ENVIRONMENTS_MAX: usize = 100;
/// Most days of any rule of retention: a century.
pub(crate) const DAYS_MAX: u32 = 36_500;
const SESSION_SECONDS_MAX: u32 = 7 * 24 * 3600;
const TIMEOUT_MS_MAX: u32 = 120_000;
const TIMEOUT_MS: u32 = 10_000;
/// The `version` parameter sent upstream when the bot names none.
const UPSTREAM_VERSION: &str = "2021-11-27";

/// The bot that a document means; `old` is the one that it replaces.
pub(crate) fn bot(
    app: &App,
    reach: &Reach,
    id: &str,
    body: &Json,
    old: Option<&Bot>,
) -> Result<Bot, FieldError> {
    let mut reader = Reader::new(body, "")?;
    if reader
        .text("id", ID_BYTES_MAX)?
        .is_some_and(|sent| sent != id)
    {
        return Err(FieldError::new("id", "differs from the id in the path"));
    }
    reader.ignore("created_at");
    reader.ignore("updated_at");
    let now_us = app.now().micros();
    let language = reader.text("language", 35)?;
    let bot = Bot {
        id: id.to_owned(),
        name: reader
            .text("name", NAME_BYTES_MAX)?
            .unwrap_or_else(|| id.to_owned()),
        language: check_language(language.unwrap_or_else(|| "en".to_owned()))?,
        environments: environments(&mut reader)?,
        assistant: reader.text("assistant", ID_BYTES_MAX)?,
        logging: reader.flag("logging")?,
        learning_opt_out: reader.flag("learning_opt_out")?,
        privacy: reader.flag("privacy")?,
        retention_days: reader.whole("retention_days", 0..=DAYS_MAX)?,
        session_timeout_s: reader.whole("session_timeout_s", 1..=SESSION_SECONDS_MAX)?,
        connector: match reader.value("connector") {
            Some(value) => {
                let is_lex = old.is_some_and(|old| old.lex);
                connector(app, reach, value, old.map(|old| &old.connector), is_lex)?
            }
            None => ConnectorConfig::None,
        },
        lex: old.is_some_and(|old| old.lex),
        profile: old.and_then(|old| old.profile.clone()),
        created_us: old.map_or(now_us, |old| old.created_us),
        updated_us: now_us,
    };
    reader.finish()?;
    match old {
        Some(old) if old.lex => with_connector(old, body, bot),
        _ => Ok(bot),
    }
}

/// A bot of Lex with another connector: all else comes from its model.
fn with_connector(old: &Bot, body: &Json, new: Bot) -> Result<Bot, FieldError> {
    let members = body.as_object().unwrap_or_default();
    if let Some((name, _)) = members.iter().find(|(name, _)| name != "connector") {
        let message = "cannot be changed here: this bot is one of Lex, only its connector can";
        return Err(FieldError::new(name.as_str(), message));
    }
    Ok(Bot {
        connector: new.connector,
        updated_us: new.updated_us,
        ..old.clone()
    })
}

fn check_language(tag: String) -> Result<String, FieldError> {
    let mut parts = tag.split('-');
    let is_primary =
        |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let is_further = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    match parts.next().is_some_and(is_primary) && parts.all(is_further) {
        true => Ok(tag),
        false => Err(FieldError::new(
            "language",
            "must be a language tag such as en or pt-br",
        )),
    }
}

fn environments(reader: &mut Reader<'_>) -> Result<Vec<Environment>, FieldError> {
    let mut ids = BTreeSet::new();
    let mut found = Vec::new();
    for (path, value) in reader.array("environments", ENVIRONMENTS_MAX)? {
        let mut item = Reader::new(value, &path)?;
        let id = item.required_text("id", ID_BYTES_MAX)?;
        if !ids.insert(id.clone()) {
            return Err(FieldError::new(item.path_of("id"), "stands there twice"));
        }
        let name = item.text("name", NAME_BYTES_MAX)?;
        let channel = item.text("channel", 64)?;
        item.finish()?;
        found.push(Environment {
            name: name.unwrap_or_else(|| id.clone()),
            id,
            channel,
        });
    }
    Ok(found)
}

fn connector(
    app: &App,
    reach: &Reach,
    value: &Json,
    old: Option<&ConnectorConfig>,
    is_lex: bool,
) -> Result<ConnectorConfig, FieldError> {
    let mut reader = Reader::new(value, "connector")?;
    let kind = reader.required_text("kind", 16)?;
    match kind.as_str() {
        "none" => {
            reader.finish()?;
            Ok(ConnectorConfig::None)
        }
        "echo" => {
            reader.finish()?;
            Ok(ConnectorConfig::Echo)
        }
        "lex" => {
            reader.finish()?;
            match old {
                Some(_) if is_lex => Ok(ConnectorConfig::Lex),
                _ => Err(FieldError::new(
                    "connector.kind",
                    "lex is for bots that are made through the model building API of Lex",
                )),
            }
        }
        "rules" => rules(value),
        "webhook" => {
            let old = match old {
                Some(ConnectorConfig::Webhook(old)) => Some((old.url.as_str(), &old.secret)),
                _ => None,
            };
            webhook(app, reach, reader, old)
        }
        "upstream" => {
            let old = match old {
                Some(ConnectorConfig::Upstream(old)) => Some((old.url.as_str(), &old.apikey)),
                _ => None,
            };
            upstream(app, reach, reader, old)
        }
        _ => Err(FieldError::new(
            "connector.kind",
            "must be none, echo, rules, webhook or upstream",
        )),
    }
}

fn rules(value: &Json) -> Result<ConnectorConfig, FieldError> {
    match Rules::parse(value) {
        Ok(_) => Ok(ConnectorConfig::Rules(value.clone())),
        Err(error) => {
            let below = error.path.map(|path| format!("connector.{path}"));
            let path = below.unwrap_or_else(|| "connector".to_owned());
            Err(FieldError::new(path, error.message))
        }
    }
}

type OldSecret<'a> = Option<(&'a str, &'a Option<Secret>)>;

fn webhook(
    app: &App,
    reach: &Reach,
    mut reader: Reader<'_>,
    old: OldSecret<'_>,
) -> Result<ConnectorConfig, FieldError> {
    let url = target(reach, &mut reader)?;
    let webhook = Webhook {
        secret: secret(app, &mut reader, "secret", &url, old)?,
        timeout_ms: timeout(&mut reader)?,
        url: url.to_string(),
    };
    reader.finish()?;
    Ok(ConnectorConfig::Webhook(webhook))
}

fn upstream(
    app: &App,
    reach: &Reach,
    mut reader: Reader<'_>,
    old: OldSecret<'_>,
) -> Result<ConnectorConfig, FieldError> {
    let url = target(reach, &mut reader)?;
    if url.query().is_some() {
        return Err(FieldError::new("connector.url", "must have no query"));
    }
    let api = match reader.required_text("api", 8)?.as_str() {
        "v1" => UpstreamApi::V1,
        "v2" => UpstreamApi::V2,
        _ => return Err(FieldError::new("connector.api", "must be v1 or v2")),
    };
    let environment = reader.text("environment", ID_BYTES_MAX)?;
    if api == UpstreamApi::V1 && environment.is_some() {
        let message = "is for api v2 only: v1 knows no environments";
        return Err(FieldError::new("connector.environment", message));
    }
    let version = reader.text("version", 10)?;
    let upstream = Upstream {
        api,
        environment,
        id: reader.required_text("id", ID_BYTES_MAX)?,
        apikey: secret(app, &mut reader, "apikey", &url, old)?,
        version: check_version(version.unwrap_or_else(|| UPSTREAM_VERSION.to_owned()))?,
        timeout_ms: timeout(&mut reader)?,
        forward_erasure: reader.flag("forward_erasure")?.unwrap_or(false),
        url: url.as_str().trim_end_matches('/').to_owned(),
    };
    reader.finish()?;
    Ok(ConnectorConfig::Upstream(upstream))
}

fn check_version(text: String) -> Result<String, FieldError> {
    let is_date = convlog_model::time::Timestamp::parse_loose(&text)
        .is_some_and(|span| text.len() == 10 && span.start != span.end);
    match is_date {
        true => Ok(text),
        false => Err(FieldError::new(
            "connector.version",
            "must be a date such as 2021-11-27",
        )),
    }
}

fn timeout(reader: &mut Reader<'_>) -> Result<u32, FieldError> {
    let sent = reader.whole("timeout_ms", 1..=TIMEOUT_MS_MAX)?;
    Ok(sent.unwrap_or(TIMEOUT_MS))
}

/// The secret to store. One that was stored for another host is not handed to a new one.
fn secret(
    app: &App,
    reader: &mut Reader<'_>,
    key: &'static str,
    url: &Url,
    old: OldSecret<'_>,
) -> Result<Option<Secret>, FieldError> {
    let input = SecretInput::of(reader.text(key, SECRET_BYTES_MAX)?);
    let (old_url, old_secret) = match old {
        Some((url, secret)) => (Some(url), secret.as_ref()),
        None => (None, None),
    };
    let moved = old_url
        .and_then(|old| Url::parse(old).ok())
        .is_some_and(|old| old.origin() != url.origin());
    if input == SecretInput::Keep && old_secret.is_some() && moved {
        let message = "must be sent again when the url leads to another server";
        return Err(FieldError::new(reader.path_of(key), message));
    }
    Ok(input.apply(app, old_secret))
}

/// The URL of a connector. Addresses written as such are checked here, names when they are
/// resolved for a call.
fn target(reach: &Reach, reader: &mut Reader<'_>) -> Result<Url, FieldError> {
    let text = reader.required_text("url", URL_BYTES_MAX)?;
    let path = reader.path_of("url");
    let wrong = |message: &str| FieldError::new(path.as_str(), message);
    let url = Url::parse(&text).map_err(|_| wrong("must be an http or https URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must be an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold a user or password"));
    }
    if url.fragment().is_some() {
        return Err(wrong("must have no fragment"));
    }
    let is_allowed = match url.host() {
        Some(Host::Ipv4(address)) => reach.allows("", address.into()),
        Some(Host::Ipv6(address)) => reach.allows("", address.into()),
        Some(Host::Domain("localhost")) => {
            reach.allows("localhost", std::net::Ipv4Addr::LOCALHOST.into())
        }
        Some(Host::Domain(_)) => true,
        None => return Err(wrong("must name a host")),
    };
    match is_allowed {
        true => Ok(url),
        false => Err(wrong(
            "leads to a loopback, private or reserved address, which [connectors] allow does not name",
        )),
    }
}
