//! Prefixes that clients' base URLs bring along.

use axum::http::Uri;

/// Prefixes under which the dialects are served too; `*` stands for one segment.
const PREFIXES: &[&[&str]] = &[
    &["assistant", "api"],
    &["instances", "*"],
    &["assistant", "*", "instances", "*", "api"],
    &["api"],
];

/// First segments of the paths of Lex, which some clients write with a slash at the end.
const SLASHED: &[&str] = &[
    "bot",
    "bots",
    "intents",
    "slottypes",
    "builtins",
    "tags",
    "imports",
    "exports",
    "migrations",
];

/// The same URI without its prefix, or without the slash at its end; `None` when it stays as it is.
pub(super) fn without_prefix(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if let Some(rest) = path.strip_suffix('/')
        && let Some(first) = rest.split('/').nth(1)
        && SLASHED.contains(&first)
    {
        return with_path(uri, rest);
    }
    for prefix in PREFIXES {
        let Some(rest) = strip(path, prefix) else {
            continue;
        };
        if rest.starts_with("/v1/") || rest.starts_with("/v2/") {
            return with_path(uri, rest);
        }
    }
    None
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    text.parse().ok()
}

fn strip<'p>(path: &'p str, prefix: &[&str]) -> Option<&'p str> {
    let mut rest = path;
    for wanted in prefix {
        let inside = rest.strip_prefix('/')?;
        let segment = inside.split('/').next()?;
        if segment.is_empty() || (*wanted != "*" && *wanted != segment) {
            return None;
        }
        rest = inside.strip_prefix(segment)?;
    }
    Some(rest)
}
