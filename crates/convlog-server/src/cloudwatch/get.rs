//! `GetLogEvents`: one stream, read either way, and on from its end as more arrives.

use convlog_model::json::Json;

use super::Answered;
use super::asked::{Asked, STREAM, bad_token, missing};
use super::gather::{BEGIN, Gathered, behind, gather, place, question, token};
use super::streams;
use super::view::{NEWEST, OLDEST, View, between, of_stream};

/// Most events of a page.
const PAGE: usize = 10_000;
/// What tokens begin with: their direction.
const FORWARD: &str = "f/";
const BACKWARD: &str = "b/";

/// `GetLogEvents`
pub(super) async fn events(asked: &Asked) -> Answered {
    let name = asked.group_name("logGroupIdentifier")?;
    let stream = asked.required("logStreamName");
    let mut view = View::open(asked, &name).await?;
    if !streams::is_there(&mut view, stream).await? {
        return Err(missing(STREAM).into());
    }
    let (from, before) = (asked.number("startTime"), asked.number("endTime"));
    let times = format!("{from:?} {before:?}");
    let question = question(&["get", &view.group.id, stream, &times]);
    let sent = asked.text("nextToken");
    let (is_forward, at) = match sent {
        None => (asked.flag("startFromHead") == Some(true), None),
        Some(sent) => {
            let (is_forward, text) = match sent.strip_prefix(FORWARD) {
                Some(text) => (true, text),
                None => (false, sent.strip_prefix(BACKWARD).ok_or_else(bad_token)?),
            };
            (is_forward, Some(place(&asked.app, question, text)?.0))
        }
    };
    let filter = view.filter();
    let filter = filter.and(of_stream(stream)).and(between(from, before));
    let sort = if is_forward { OLDEST } else { NEWEST };
    let limit = asked.limit(PAGE);
    let found = gather(&mut view, &filter, sort, (at, None), limit, |_| true).await?;
    let (earliest, latest) = ends(&found, is_forward);
    let mut events: Vec<Json> = found.events.iter().map(|event| event.to_json()).collect();
    if !is_forward {
        events.reverse();
    }
    let text = |direction: &str, after| {
        let text = token(&asked.app, question, after, None);
        Json::string(format!("{direction}{text}"))
    };
    let answer = Json::object([
        ("events", Json::Array(events)),
        ("nextForwardToken", text(FORWARD, latest)),
        ("nextBackwardToken", text(BACKWARD, earliest)),
    ]);
    Ok(answer)
}

/// The places before and behind what a page shows; where it shows nothing, those of its token.
fn ends(
    found: &Gathered,
    is_forward: bool,
) -> (convlog_model::query::After, convlog_model::query::After) {
    let at = found.last.unwrap_or(BEGIN);
    match (found.first, is_forward) {
        (Some(first), true) => (first, at),
        (Some(first), false) => (at, first),
        (None, true) => (behind(at), at),
        (None, false) => (at, just_before(at)),
    }
}

/// The place before `at`, for a walk forward that finds what stands there.
fn just_before(at: convlog_model::query::After) -> convlog_model::query::After {
    convlog_model::query::After {
        value: at.value,
        ..BEGIN
    }
}
