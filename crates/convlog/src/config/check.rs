//! From entries to the checked [`Config`]: forms, minima, and what fits together.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::Result;

use super::form::{Form, Value, Wrong};
use super::table::Setting;
use super::{Config, Entry, aws};
use crate::out::wrong_use;

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Flags {
    /// Configuration file [default: convlog.toml, if there is one] [env: CONVLOG_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Directory that holds everything [default: convlog-data] [env: CONVLOG_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Address to listen on, may be given several times; port 0 picks a free one
    /// [default: 127.0.0.1:8080] [env: CONVLOG_LISTEN]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// Speak plain HTTP on addresses that other machines reach
    #[arg(long)]
    pub(crate) allow_plaintext: bool,
}

impl Flags {
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |key: &str, value: Value| Entry {
            key: key.to_owned(),
            value,
            place: format!("--{}", key.replace('_', "-")),
        };
        let mut entries = Vec::new();
        if let Some(dir) = &self.data_dir {
            let dir = dir.to_string_lossy().into_owned();
            entries.push(entry("data_dir", Value::Text(dir)));
        }
        if !self.listen.is_empty() {
            entries.push(entry("listen", Value::List(self.listen.clone())));
        }
        if self.allow_plaintext {
            entries.push(entry("allow_plaintext", Value::Bool(true)));
        }
        entries
    }
}

/// Applies entries in order, later ones over earlier ones, and checks the whole.
pub(super) fn config(entries: &[Entry]) -> Result<Config> {
    let mut config = Config::default();
    for Entry { key, value, place } in entries {
        let complain = |wrong: Wrong| wrong.error(place, key);
        let Some(setting) = Setting::find(key) else {
            return Err(complain("is not known".into()));
        };
        if let (Form::Number(min), Value::Number(number)) = (setting.form, value)
            && *number < min
        {
            return Err(complain(format!("must be at least {min}").into()));
        }
        (setting.set)(&mut config, value.clone()).map_err(complain)?;
    }
    together(&mut config)?;
    aws::together(&mut config.server.aws, entries)?;
    Ok(config)
}

fn together(config: &mut Config) -> Result<()> {
    if let Some(tls) = &config.tls
        && (tls.cert.as_os_str().is_empty() || tls.key.as_os_str().is_empty())
    {
        return Err(wrong_use(
            "`tls.cert` and `tls.key` are only useful together",
        ));
    }
    if config.listen.is_empty() {
        return Err(wrong_use("`listen` must name an address"));
    }
    let addresses = config
        .listen
        .iter()
        .map(|text| address(text))
        .collect::<Result<Vec<_>>>()?;
    let open = addresses.iter().find(|it| !is_loopback(it.ip()));
    if let (Some(open), None, false) = (open, &config.tls, config.allow_plaintext) {
        return Err(wrong_use(format!(
            "refusing to speak plain HTTP on {open}, which other machines can reach: set `[tls] \
             cert` and `key`, or say --allow-plaintext"
        )));
    }
    config.server.connectors.listening_on = addresses.iter().map(SocketAddr::ip).collect();
    Ok(())
}

/// An address to listen on. Names other than `localhost` are not looked up.
pub(crate) fn address(text: &str) -> Result<SocketAddr> {
    let named = text.strip_prefix("localhost:");
    let numeric = named.map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| {
        wrong_use(format!(
            "`{text}` is no address to listen on; an example is 127.0.0.1:8080"
        ))
    })
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
