//! `GetLogEvents`: one stream, read either way, and on from its end as more arrives.
//!
//! A turn may be kept after a neighbour that happened later, so a place in the order of time loses
//! what comes in before it. A walk forward therefore goes through what was there when it began, in
//! the order of time, and then on behind that in the order in which events are kept.

use convlog_dialects::cloudwatch::event::Shown;
use convlog_model::filter::Filter;
use convlog_model::ids::Position;
use convlog_model::json::Json;
use convlog_model::query::After;

use super::Answered;
use super::asked::{Asked, STREAM, bad_token, missing};
use super::gather::{BEGIN, Gathered, behind, gather, place, question, tail, token};
use super::streams;
use super::view::{NEWEST, OLDEST, View, between, of_stream};
use crate::aws::AwsError;
use crate::error::Fault;

/// Most events of a page.
const PAGE: usize = 10_000;
/// What tokens begin with: their direction.
const FORWARD: &str = "f/";
const BACKWARD: &str = "b/";

/// Where a page begins, and which way it goes.
#[derive(Clone, Copy, Debug)]
enum Begin {
    /// Before a place, or at the newest event.
    Back(Option<After>),
    /// Behind a place, or at the oldest event, through what was there at a position.
    Walk(Option<After>, Option<Position>),
    /// With what was committed behind a position.
    Tail(Position),
}

/// What a page shows, oldest first, and where the next ones begin.
#[derive(Clone, Debug)]
struct Shows {
    events: Vec<Shown>,
    forward: Begin,
    back: After,
}

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
    let begin = begin(asked, question)?;
    let filter = view.filter();
    let filter = filter.and(of_stream(stream)).and(between(from, before));
    let shows = page(&mut view, &filter, begin, asked.limit(PAGE)).await?;
    let text = |begin: Begin| {
        let (direction, after, upto) = match begin {
            Begin::Back(after) => (BACKWARD, after.unwrap_or(BEGIN), None),
            Begin::Walk(after, upto) => (FORWARD, after.unwrap_or(BEGIN), upto),
            Begin::Tail(position) => (FORWARD, at_position(position), None),
        };
        let text = token(&asked.app, question, after, upto);
        Json::string(format!("{direction}{text}"))
    };
    let events = shows.events.iter().map(Shown::to_json).collect();
    Ok(Json::object([
        ("events", Json::Array(events)),
        ("nextForwardToken", text(shows.forward)),
        ("nextBackwardToken", text(Begin::Back(Some(shows.back)))),
    ]))
}

/// Where the page that is asked for begins.
fn begin(asked: &Asked, question: u64) -> Result<Begin, AwsError> {
    let Some(sent) = asked.text("nextToken") else {
        return Ok(match asked.flag("startFromHead") {
            Some(true) => Begin::Walk(None, None),
            _ => Begin::Back(None),
        });
    };
    let (is_forward, text) = match sent.strip_prefix(FORWARD) {
        Some(text) => (true, text),
        None => (false, sent.strip_prefix(BACKWARD).ok_or_else(bad_token)?),
    };
    let (after, upto) = place(&asked.app, question, text)?;
    match (is_forward, after.value, upto) {
        (true, Some(_), Some(_)) => Ok(Begin::Walk(Some(after), upto)),
        (true, None, None) => Ok(Begin::Tail(after.position)),
        (false, Some(_), None) => Ok(Begin::Back(Some(after))),
        _ => Err(bad_token()),
    }
}

/// A place in the order in which events are kept: it has no time.
fn at_position(position: Position) -> After {
    After {
        value: None,
        position,
        ..BEGIN
    }
}

async fn page(
    view: &mut View,
    filter: &Filter,
    begin: Begin,
    limit: usize,
) -> Result<Shows, Fault> {
    match begin {
        Begin::Back(at) => {
            let found = gather(view, filter, NEWEST, (at, None), limit, |_| true).await?;
            Ok(back(at, found))
        }
        Begin::Walk(at, upto) => {
            let found = gather(view, filter, OLDEST, (at, upto), limit, |_| true).await?;
            Ok(walk(at, found))
        }
        Begin::Tail(position) => {
            let (events, reached) = tail(view, filter, position, limit).await?;
            let newest = view.step(filter.clone(), NEWEST, (None, Some(position)), 1);
            let newest = newest.await?.seen.first().map(|seen| seen.at);
            let first = events.first().map(|(at, _)| *at);
            Ok(Shows {
                back: before_tail(first, newest),
                events: events.into_iter().map(|(_, event)| event).collect(),
                forward: Begin::Tail(reached),
            })
        }
    }
}

/// Where a walk back begins from what has come since `newest` was the last one in order of time:
/// before `first`, the earliest of it, but for what happened earlier than something that was there
/// before. A walk from before that would leave out what lies between.
fn before_tail(first: Option<After>, newest: Option<After>) -> After {
    let order = |at: &After| (at.value, at.position);
    match (first, newest) {
        (Some(first), Some(newest)) if order(&first) < order(&newest) => behind(newest),
        (Some(first), _) => first,
        (None, newest) => newest.map_or(BEGIN, behind),
    }
}

/// A page of a walk back from `at`. What it shows lies before all that a walk forward from it
/// finds, and what has come since then is behind them.
fn back(at: Option<After>, found: Gathered) -> Shows {
    let forward = match (at, found.first) {
        (None, _) => Begin::Tail(found.upto),
        (Some(_), Some(first)) => Begin::Walk(Some(first), Some(found.upto)),
        (Some(at), None) => {
            let before = After {
                value: at.value,
                ..BEGIN
            };
            Begin::Walk(Some(before), Some(found.upto))
        }
    };
    let mut events = found.events;
    events.reverse();
    Shows {
        events,
        forward,
        back: found.last.unwrap_or(BEGIN),
    }
}

/// A page of a walk forward from `at`.
fn walk(at: Option<After>, found: Gathered) -> Shows {
    let forward = match found.is_done {
        true => Begin::Tail(found.upto),
        false => Begin::Walk(found.last, Some(found.upto)),
    };
    Shows {
        events: found.events,
        forward,
        back: found.first.unwrap_or_else(|| behind(at.unwrap_or(BEGIN))),
    }
}
