//! Log streams: made, deleted, described. A stream is there when it was made, or when a turn of Lex
//! names it.

use std::collections::BTreeMap;

use convlog_dialects::cloudwatch::event;
use convlog_dialects::cloudwatch::names;
use convlog_model::filter::Filter;
use convlog_model::ids::Position;
use convlog_model::json::Json;
use convlog_model::time::Timestamp;

use super::Answered;
use super::asked::{Asked, STREAM, encode, exists, invalid, limit, listed, missing, nothing, page};
use super::documents::{Documents, LogStream};
use super::groups;
use super::view::{NEWEST, OLDEST, View};
use crate::aws::{Refusal, set_aside, unless_refused};
use crate::entity::Change;
use crate::error::Fault;

/// Streams of a page.
const PAGE: usize = 50;
/// Most streams that are found by the turns that name them.
const NAMED_MAX: usize = 10_000;
/// Most streams that are put in the order of their last events.
const ORDERED_MAX: usize = 2_000;

/// Whether a group has a stream.
pub(super) async fn is_there(view: &mut View, stream: &str) -> Result<bool, Fault> {
    let (app, instance) = (view.app().clone(), view.caller().instance.clone());
    let documents = Documents::new(&app, &instance);
    let found = documents.stream(&view.group, stream).await?;
    if found.is_some_and(|stream| !stream.is_gone) {
        return Ok(true);
    }
    Ok(view.first(Some(stream), NEWEST).await?.is_some())
}

/// `CreateLogStream`
pub(super) async fn create(asked: &Asked) -> Answered {
    let name = asked.required("logStreamName");
    if !names::is_stream_name(name) {
        let message = format!(
            "logStreamName must have at most {} bytes and no control characters.",
            names::STREAM_BYTES_MAX
        );
        return Err(invalid(message).into());
    }
    let mut view = View::open(asked, asked.required("logGroupName")).await?;
    if is_there(&mut view, name).await? {
        return Err(exists(STREAM).into());
    }
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let group = &view.group;
    let new = LogStream {
        group: group.id.clone(),
        created_us: asked.app.now().micros(),
        since: Position::START,
        is_gone: false,
    };
    let mut refusal = None;
    let id = documents.stream_id(&group.name, name);
    let made = documents.streams().change(&id, |old: Option<LogStream>| {
        let old = old.filter(|old| old.group == new.group);
        match old {
            Some(old) if !old.is_gone => Err(set_aside(&mut refusal, exists(STREAM))),
            old => Ok(Change::silent(LogStream {
                since: old.map_or(new.since, |old| old.since),
                ..new.clone()
            })),
        }
    });
    unless_refused(made.await, refusal)?;
    Ok(nothing())
}

/// `DeleteLogStream`
pub(super) async fn delete(asked: &Asked) -> Answered {
    let name = asked.required("logStreamName");
    let mut view = View::open(asked, asked.required("logGroupName")).await?;
    if !is_there(&mut view, name).await? {
        return Err(missing(STREAM).into());
    }
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    // Before the stream is cut, so that nobody reads the group without looking for cuts.
    let noted = documents.change(&view.group.name, None, |group| {
        group.has_cuts = true;
        Ok(())
    });
    noted.await?;
    let of_stream = Filter::equals(event::GROUP_FIELD, &view.group.name)
        .and(Filter::equals(event::STREAM_FIELD, name))
        .and(event::put());
    groups::erase(asked, of_stream.clone()).await?;
    let cut = LogStream {
        group: view.group.id.clone(),
        created_us: asked.app.now().micros(),
        since: asked.app.store().newest(),
        is_gone: true,
    };
    let id = documents.stream_id(&view.group.name, name);
    let gone = documents
        .streams()
        .change(&id, |_| Ok(Change::silent(cut.clone())));
    gone.await?;
    // What came in between. A new stream of its name may have events already, behind the cut.
    groups::erase_upto(asked, &of_stream, cut.since).await?;
    Ok(nothing())
}

/// `DescribeLogStreams`
pub(super) async fn describe(asked: &Asked) -> Answered {
    let name = asked.group_name("logGroupIdentifier")?;
    let prefix = asked.text("logStreamNamePrefix");
    let is_by_time = asked.text("orderBy") == Some("LastEventTime");
    if is_by_time && prefix.is_some() {
        let message = "Cannot order by LastEventTime with a logStreamNamePrefix.";
        return Err(invalid(message).into());
    }
    let mut view = View::open(asked, &name).await?;
    let streams = all(asked, &view, prefix.unwrap_or_default()).await?;
    let is_descending = asked.flag("descending") == Some(true);
    let (after, n) = (asked.after()?, asked.limit(PAGE));
    if is_by_time {
        return by_time(asked, &mut view, streams, is_descending).await;
    }
    let (streams, token) = match is_descending {
        false => page(streams, after.as_deref(), n),
        true => {
            let before = |name: &str| after.as_deref().is_none_or(|after| name < after);
            let mut rest = streams.into_iter().rev().filter(|(name, _)| before(name));
            let streams: Vec<_> = rest.by_ref().take(n).collect();
            let token = streams.last().map(|(name, _)| encode(name));
            let token = token.filter(|_| rest.next().is_some());
            (streams, token)
        }
    };
    let mut shown = Vec::with_capacity(streams.len());
    for (name, document) in streams {
        shown.extend(show(asked, &mut view, &name, document.as_ref()).await?);
    }
    Ok(listed("logStreams", shown, token))
}

/// Streams by name, with their documents where they have some.
async fn all(
    asked: &Asked,
    view: &View,
    prefix: &str,
) -> Result<BTreeMap<String, Option<LogStream>>, Refusal> {
    let documents = Documents::new(&asked.app, &asked.caller.instance);
    let of_group = documents.stream_id(&view.group.name, "");
    let listed = documents.streams();
    let listed = listed.list(&format!("{of_group}{prefix}")).await?;
    let mut streams = BTreeMap::new();
    for name in view.named_streams(prefix, NAMED_MAX).await? {
        streams.insert(name, None);
    }
    for entity in listed {
        if entity.doc.group != view.group.id {
            continue;
        }
        let Some(name) = entity.id.strip_prefix(&of_group) else {
            continue;
        };
        // One that is gone is there again when a turn names it.
        match entity.doc.is_gone {
            false => streams.insert(name.to_owned(), Some(entity.doc)),
            true => None,
        };
    }
    Ok(streams)
}

/// A page in the order of the streams' last events; those without one come first.
async fn by_time(
    asked: &Asked,
    view: &mut View,
    streams: BTreeMap<String, Option<LogStream>>,
    is_descending: bool,
) -> Answered {
    if streams.len() > ORDERED_MAX {
        let message = format!(
            "More than {ORDERED_MAX} log streams are not put in the order of their last events."
        );
        return Err(limit(message).into());
    }
    let mut ordered = BTreeMap::new();
    for (name, document) in streams {
        let last = view.first(Some(&name), NEWEST).await?;
        if last.is_none() && document.is_none() {
            continue;
        }
        let mut at = last.map_or(0, |last| last.time.millis());
        if is_descending {
            at = i64::MAX - at;
        }
        ordered.insert(format!("{at:020} {name}"), (name, document));
    }
    let (streams, token) = page(ordered, asked.after()?.as_deref(), asked.limit(PAGE));
    let mut shown = Vec::with_capacity(streams.len());
    for (_, (name, document)) in streams {
        shown.extend(show(asked, view, &name, document.as_ref()).await?);
    }
    Ok(listed("logStreams", shown, token))
}

/// A stream as AWS shows it; nothing for one that is there neither by document nor by an event.
async fn show(
    asked: &Asked,
    view: &mut View,
    name: &str,
    document: Option<&LogStream>,
) -> Result<Option<Json>, Refusal> {
    let first = view.first(Some(name), OLDEST).await?;
    let last = view.first(Some(name), NEWEST).await?;
    let created = document.map(|document| Timestamp::from_micros(document.created_us));
    let created = created.or_else(|| first.as_ref().map(|first| first.received));
    let Some(created) = created else {
        return Ok(None);
    };
    let arn = format!("{}:log-stream:{name}", asked.arn(&view.group.name));
    let mut shown = Json::object([
        ("logStreamName", Json::string(name)),
        ("creationTime", Json::integer(created.millis())),
        ("arn", Json::string(arn)),
        ("storedBytes", Json::integer(0)),
        ("uploadSequenceToken", Json::string("0")),
    ]);
    if let (Some(first), Some(last)) = (first, last) {
        shown.set("firstEventTimestamp", Json::integer(first.time.millis()));
        shown.set("lastEventTimestamp", Json::integer(last.time.millis()));
        shown.set("lastIngestionTime", Json::integer(last.received.millis()));
    }
    Ok(Some(shown))
}
