//! Prefixes that clients' base URLs bring along.

use axum::http::Uri;

/// Prefixes under which the dialects are served too; `*` stands for one segment.
const PREFIXES: &[&[&str]] = &[
    &["assistant", "api"],
    &["instances", "*"],
    &["assistant", "*", "instances", "*", "api"],
    &["api"],
];

/// The same URI without its prefix, `None` when it has none that leads to a version.
pub(super) fn without_prefix(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    for prefix in PREFIXES {
        let Some(rest) = strip(path, prefix) else {
            continue;
        };
        if rest.starts_with("/v1/") || rest.starts_with("/v2/") {
            let text = match uri.query() {
                Some(query) => format!("{rest}?{query}"),
                None => rest.to_owned(),
            };
            return text.parse().ok();
        }
    }
    None
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
