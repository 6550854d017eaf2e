//! Our own log: to stderr, as text or JSON, never with what users said.

use anyhow::Result;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;
use crate::out::wrong_use;

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
const OURS: [&str; 5] = [
    "convlog",
    "convlog_model",
    "convlog_dialects",
    "convlog_store",
    "convlog_server",
];

/// Starts it, once a process.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(directives(filter))
        .map_err(|error| wrong_use(format!("`log.filter`: {error}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    let started = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))?;
    // The text of a panic may quote what a user said; its place does not.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place = place.unwrap_or_default(), "panic");
    }));
    Ok(())
}

/// A level alone is ours: the HTTP libraries show bytes of requests at their finer levels.
fn directives(filter: &str) -> String {
    let level = filter.trim().to_lowercase();
    if !LEVELS.contains(&level.as_str()) {
        return filter.to_owned();
    }
    let ours = OURS.map(|name| format!("{name}={level}"));
    let others = if level == "error" { "error" } else { "warn" };
    format!("{others},{}", ours.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_alone_is_for_our_own_crates() {
        assert!(directives("debug").starts_with("warn,convlog=debug,"));
        assert_eq!(directives("hyper=trace"), "hyper=trace");
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        let error = start(LogFormat::Text, "convlog=loud").unwrap_err();
        assert!(error.to_string().starts_with("`log.filter`: "), "{error}");
    }
}
