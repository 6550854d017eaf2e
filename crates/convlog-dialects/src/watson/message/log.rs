//! The log object of a message: request and response verbatim, and the draft of it.

use convlog_model::json::Json;
use convlog_model::record::{Canonical, Dialect, Draft, Kind};

use super::Turn;
use crate::splice::{self, quote};
use crate::watson::{channel, decode};

/// The draft of a log object with `request` and `response` verbatim and `rest` behind them
/// (values as JSON), with what the server knows besides. Never fails: whatever a connector sent
/// is kept, if need be as a string.
pub(super) fn draft(
    turn: &Turn<'_>,
    dialect: Dialect,
    request: &str,
    response: &str,
    rest: &[(&str, String)],
) -> Draft {
    let is_object = splice::members(response).is_some();
    let kept = match is_object && Json::parse(response.as_bytes()).is_ok() {
        true => splice::compact(response),
        false => format!("{{\"output\":{{\"error\":{}}}}}", quote(response)),
    };
    let times = [
        ("request_timestamp", quote(&turn.requested.to_millis_text())),
        (
            "response_timestamp",
            quote(&turn.responded.to_millis_text()),
        ),
        ("language", quote(turn.language)),
    ];
    let bodies = [("request", request), ("response", kept.as_str())];
    let others = rest
        .iter()
        .chain(&times)
        .map(|(key, value)| (*key, value.as_str()));
    let raw = splice::object(bodies.into_iter().chain(others));
    let decoded = decode::bare(turn.instance, dialect, &raw);
    let mut draft = decoded.unwrap_or_else(|_| undecoded(turn, dialect, raw));
    complete(&mut draft, turn);
    draft
}

/// A draft of a response that is no log object of Watson's: only what the server knows.
fn undecoded(turn: &Turn<'_>, dialect: Dialect, raw: String) -> Draft {
    let mut draft = Draft {
        instance: turn.instance.clone(),
        kind: Kind::Turn,
        dialect,
        own_id: None,
        canonical: Canonical::new(),
        labels: std::collections::BTreeMap::new(),
        raw: raw.into(),
    };
    draft.set_ref("language", &["language"]);
    draft.set_ref("time.request", &["request_timestamp"]);
    draft.set_ref("time.response", &["response_timestamp"]);
    draft.set_ref("input.text", &["request", "input", "text"]);
    draft.set_text("bot", turn.bot);
    draft
}

fn complete(draft: &mut Draft, turn: &Turn<'_>) {
    let known = [
        ("assistant", turn.assistant),
        ("environment", turn.environment),
        ("version", turn.version),
        ("error", turn.error),
    ];
    for (field, value) in known {
        if let (Some(value), false) = (value, draft.canonical.contains_key(field)) {
            draft.set_text(field, value);
        }
    }
    // A connector's answer may hold anything under this name: only the header counts.
    match turn.customer {
        Some(customer) => draft.set_text("customer", customer),
        None => drop(draft.canonical.remove("customer")),
    }
    if turn.learning_opt_out {
        draft.set_value("learning_opt_out", Json::Bool(true));
    }
    channel::apply(draft, turn.channel);
}
