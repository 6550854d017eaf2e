//! `FilterLogEvents`: events of a group in order of time, those that a pattern matches.

use convlog_dialects::cloudwatch::event;
use convlog_model::filter::Filter;
use convlog_model::json::Json;

use super::Answered;
use super::asked::{Asked, invalid};
use super::gather::{gather, place, question, token};
use super::view::{NEWEST, OLDEST, View, between, narrowed, of_stream, with_prefix};
use crate::error::Fault;

/// Most events of a page.
const PAGE: usize = 10_000;

/// `FilterLogEvents`
pub(super) async fn events(asked: &Asked) -> Answered {
    let name = asked.group_name("logGroupIdentifier")?;
    let names = asked.texts("logStreamNames");
    let prefix = asked.text("logStreamNamePrefix");
    if !names.is_empty() && prefix.is_some() {
        let message = "logStreamNames and logStreamNamePrefix exclude each other.";
        return Err(invalid(message).into());
    }
    let mut view = View::open(asked, &name).await?;
    let (from, to) = (asked.number("startTime"), asked.number("endTime"));
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(invalid("startTime must not be after endTime.").into());
    }
    let pattern = asked.pattern()?;
    let is_forward = asked.flag("startFromHead") != Some(false);
    let question = question(&[
        "filter",
        &view.group.id,
        &names.join("\u{1}"),
        prefix.unwrap_or_default(),
        &format!("{from:?} {to:?} {is_forward}"),
        asked.text("filterPattern").unwrap_or_default(),
    ]);
    let at = match asked.text("nextToken") {
        None => (None, None),
        Some(sent) => {
            let (after, upto) = place(&asked.app, question, sent)?;
            (Some(after), upto)
        }
    };
    let mut filter = view.filter();
    if !names.is_empty() {
        filter = filter.and(Filter::Or(names.iter().map(|n| of_stream(n)).collect()));
    }
    filter = filter.and(with_prefix(prefix.unwrap_or_default()));
    filter = filter.and(between(from, to.map(|to| to.saturating_add(1))));
    let sort = if is_forward { OLDEST } else { NEWEST };
    let limit = asked.limit(PAGE);
    let keeps = |event: &event::Shown| pattern.matches(&event.message);
    let narrowed = filter.clone().and(narrowed(pattern.narrow()));
    let found = gather(&mut view, &narrowed, sort, at, limit, keeps).await;
    // Looking at every event may be cheaper than what the pattern asks of the index.
    let found = match found {
        Err(Fault::Unavailable { .. }) if narrowed != filter => {
            gather(&mut view, &filter, sort, at, limit, keeps).await?
        }
        found => found?,
    };
    let events = found.events.iter().map(event::Shown::to_filtered_json);
    let mut answer = Json::object([
        ("events", Json::Array(events.collect())),
        ("searchedLogStreams", Json::Array(Vec::new())),
    ]);
    if let Some(last) = found.last.filter(|_| !found.is_done) {
        let token = token(&asked.app, question, last, Some(found.upto));
        answer.set("nextToken", Json::string(token));
    }
    Ok(answer)
}
