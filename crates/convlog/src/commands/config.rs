//! `convlog config`: the configuration that `convlog serve` would run with, secrets masked.

use anyhow::Result;

use crate::args::ShowConfig;
use crate::config::{Config, Environment, MASK};
use crate::out;

/// Prints it.
pub(crate) fn run(arguments: &ShowConfig, environment: &Environment) -> Result<()> {
    let config = Config::load(&arguments.flags, environment)?;
    let has_admin_key = environment.get("CONVLOG_ADMIN_KEY").is_some();
    if arguments.json {
        let mut shown = config.to_json();
        if has_admin_key && let Some(members) = shown.as_object_mut() {
            members.insert("CONVLOG_ADMIN_KEY".to_owned(), MASK.into());
        }
        return out::line(&format!("{shown:#}"));
    }
    if has_admin_key {
        out::line(&format!("# CONVLOG_ADMIN_KEY is set: {MASK}"))?;
    }
    out::line(config.to_toml().trim_end())
}
