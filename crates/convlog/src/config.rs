//! The configuration: flags beat environment beats file beats default. This folder is the only
//! place that reads the environment.

mod aws;
mod check;
mod docs;
mod env;
mod form;
mod raw;
mod rules;
mod secrets;
mod table;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use convlog_server::config::ServerConfig;
use convlog_store::embedded::MEMORY_BUDGET;

pub(crate) use self::check::{Flags, address};
pub(crate) use self::env::Environment;
use self::form::Value;
use self::table::settings;

/// Stands for a secret where the configuration is shown.
pub(crate) const MASK: &str = "********";

/// What the program runs with, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// Addresses to listen on.
    pub(crate) listen: Vec<String>,
    /// Whether plain HTTP may be spoken on addresses that others reach.
    pub(crate) allow_plaintext: bool,
    /// Memory for records that are not indexed yet and for caches.
    pub(crate) memory_bytes: u64,
    /// Certificate chain and key, as PEM files.
    pub(crate) tls: Option<TlsFiles>,
    /// Form of our own log.
    pub(crate) log_format: LogFormat,
    /// What our own log holds, in the syntax of `tracing_subscriber`.
    pub(crate) log_filter: String,
    /// Files that hold the secrets of roles, by their ARN.
    pub(crate) secret_files: BTreeMap<String, PathBuf>,
    /// What the server is told; without the secrets that are in files.
    pub(crate) server: ServerConfig,
}

/// PEM files of a certificate chain and its key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct TlsFiles {
    /// The certificate chain.
    pub(crate) cert: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

/// Form of our own log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data_dir: PathBuf::from("convlog-data"),
            listen: vec!["127.0.0.1:8080".to_owned()],
            allow_plaintext: false,
            memory_bytes: MEMORY_BUDGET as u64,
            tls: None,
            log_format: LogFormat::Text,
            log_filter: "info".to_owned(),
            secret_files: BTreeMap::new(),
            server: ServerConfig::default(),
        }
    }
}

/// One value and where it stands, for error texts.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    key: String,
    value: Value,
    place: String,
}

impl Config {
    /// The configuration of this process.
    pub(crate) fn load(flags: &Flags, environment: &Environment) -> anyhow::Result<Config> {
        let mut entries = Vec::new();
        if let Some(path) = config_file(flags, environment) {
            entries.extend(raw::read(&path)?);
        }
        entries.extend(environment.entries()?);
        entries.extend(flags.entries());
        check::config(&entries)
    }

    /// What flags alone give, whatever environment and files say.
    pub(crate) fn of_flags(flags: &Flags) -> anyhow::Result<Config> {
        check::config(&flags.entries())
    }

    /// The configuration as a file that gives the same one, but for secrets, which are masked.
    pub(crate) fn to_toml(&self) -> String {
        docs::toml(self)
    }

    /// The configuration as a JSON object, keys as in docs/config.md and secrets masked.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let member = |setting: &table::Setting| {
            let value = serde_json::to_value((setting.get)(self)).unwrap_or_default();
            (setting.key.to_owned(), value)
        };
        settings()
            .map(member)
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// A file that somebody named must exist; the default one may.
fn config_file(flags: &Flags, environment: &Environment) -> Option<PathBuf> {
    let named = flags.config.clone();
    let named = named.or_else(|| environment.get("CONVLOG_CONFIG").map(PathBuf::from));
    named.or_else(|| {
        let default = Path::new("convlog.toml");
        default.exists().then(|| default.to_owned())
    })
}

#[cfg(test)]
mod tests;
