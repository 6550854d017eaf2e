//! What a caller sees of a group: the one way in which its events are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use convlog_dialects::cloudwatch::batch::EVENT_BYTES;
use convlog_dialects::cloudwatch::event::{self, Shown};
use convlog_model::filter::{Bound, CompareOp, Filter, Scope, Test};
use convlog_model::ids::Position;
use convlog_model::query::{After, Sort, SortKey};
use convlog_model::record::Record;
use convlog_model::time::{DAY_US, Timestamp};

use super::asked::Asked;
use super::documents::{Documents, LogGroup};
use crate::app::App;
use crate::auth::Caller;
use crate::deliveries;
use crate::error::Fault;

/// Streams whose documents are remembered while a request runs.
const KNOWN_MAX: usize = 10_000;
/// Events whose sizes stand for those of a whole group.
const SAMPLE: usize = 20;
/// Records that are looked at for the first event that is shown.
const LOOK: usize = 100;

/// Oldest first.
pub(super) const OLDEST: Sort = Sort {
    key: SortKey::Request,
    descending: false,
};
/// Newest first.
pub(super) const NEWEST: Sort = Sort {
    key: SortKey::Request,
    descending: true,
};

/// An event, and its place in an order of time.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) at: After,
    /// `None` for a record that is not shown.
    pub(super) event: Option<Shown>,
}

/// Some records, in order.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) seen: Vec<Seen>,
    /// Whether there was nothing behind them.
    pub(super) is_done: bool,
    /// Where the log ended.
    pub(super) upto: Position,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct View {
    app: App,
    caller: Caller,
    pub(super) group: LogGroup,
    /// Behind which place streams show events.
    since: BTreeMap<String, Position>,
}

impl View {
    pub(super) fn new(asked: &Asked, group: LogGroup) -> Self {
        View::of(&asked.app, &asked.caller, group)
    }

    pub(super) fn of(app: &App, caller: &Caller, group: LogGroup) -> Self {
        View {
            app: app.clone(),
            caller: caller.clone(),
            group,
            since: BTreeMap::new(),
        }
    }

    /// The view of a group by name.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn open(asked: &Asked, name: &str) -> Result<Self, crate::aws::Refusal> {
        let documents = Documents::new(&asked.app, &asked.caller.instance);
        Ok(View::new(asked, documents.group(name).await?))
    }

    /// The records that may be shown.
    pub(super) fn filter(&self) -> Filter {
        let mut filter = event::of_group(&self.group.name);
        let since = Timestamp::from_micros(self.group.since_us);
        filter = filter.and(at("time.received", CompareOp::Ge, since));
        let oldest_us = match self.group.retention_days {
            Some(days) => self.app.now().micros() - i64::from(days) * DAY_US,
            None => 0,
        };
        let oldest = Timestamp::from_micros(oldest_us.max(0));
        filter.and(at("time.request", CompareOp::Ge, oldest))
    }

    /// One step in an order of time.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub(super) async fn step(
        &mut self,
        filter: Filter,
        sort: Sort,
        place: (Option<After>, Option<Position>),
        n: usize,
    ) -> Result<Step, Fault> {
        let app = self.app.clone();
        let page = app.query().ordered(&self.caller, filter, sort, place, n);
        let page = page.await?;
        Ok(Step {
            seen: self.seen(&page.records).await?,
            is_done: page.next.is_none(),
            upto: page.upto,
        })
    }

    /// One step in commit order, behind a position and up to another, and which one it reached.
    ///
    /// # Errors
    /// 503 when it takes too long.
    pub(super) async fn step_committed(
        &mut self,
        filter: Filter,
        (after, upto): (Position, Option<Position>),
        n: usize,
    ) -> Result<(Step, Position), Fault> {
        let app = self.app.clone();
        let scanned = app.query().scan(&self.caller, filter, after, upto, n);
        let scanned = scanned.await?;
        let step = Step {
            seen: self.seen(&scanned.records).await?,
            is_done: scanned.done,
            upto: scanned.upto,
        };
        Ok((step, scanned.reached))
    }

    async fn seen(&mut self, records: &[Arc<Record>]) -> Result<Vec<Seen>, Fault> {
        let mut seen = Vec::with_capacity(records.len());
        for record in records {
            let event = shown(&self.app, record);
            let at = After {
                value: Some(event.time),
                id: record.id,
                position: record.position,
            };
            let is_shown = self.shows(record, &event).await?;
            seen.push(Seen {
                at,
                event: is_shown.then_some(event),
            });
        }
        Ok(seen)
    }

    /// Whether a record of the group's name is the group's own.
    pub(super) async fn shows(&mut self, record: &Record, event: &Shown) -> Result<bool, Fault> {
        if record.position <= self.group.since {
            return Ok(false);
        }
        if !self.group.has_cuts {
            return Ok(true);
        }
        if let Some(since) = self.since.get(&event.stream) {
            return Ok(record.position > *since);
        }
        let documents = Documents::new(&self.app, &self.caller.instance);
        let found = documents.stream(&self.group, &event.stream).await?;
        let since = found.map_or(Position::START, |stream| stream.since);
        if self.since.len() >= KNOWN_MAX {
            self.since.clear();
        }
        self.since.insert(event.stream.clone(), since);
        Ok(record.position > since)
    }

    /// The first event in an order, of one stream or of any.
    pub(super) async fn first(
        &mut self,
        stream: Option<&str>,
        sort: Sort,
    ) -> Result<Option<Shown>, Fault> {
        let mut filter = self.filter();
        if let Some(stream) = stream {
            filter = filter.and(of_stream(stream));
        }
        let mut after = None;
        let mut n = 1;
        loop {
            let step = self.step(filter.clone(), sort, (after, None), n).await?;
            after = step.seen.last().map(|seen| seen.at);
            let found = step.seen.into_iter().find_map(|seen| seen.event);
            if found.is_some() || step.is_done {
                return Ok(found);
            }
            n = LOOK;
        }
    }

    /// About how many bytes the events have: their number, times the mean of the newest ones.
    pub(super) async fn bytes(&mut self) -> Result<i64, Fault> {
        let filter = self.filter();
        let newest = self.step(filter.clone(), NEWEST, (None, None), SAMPLE);
        let newest = newest.await?;
        let events = newest.seen.iter().filter_map(|seen| seen.event.as_ref());
        let sizes: Vec<usize> = events
            .map(|event| event.message.len() + EVENT_BYTES)
            .collect();
        let sum: usize = sizes.iter().sum();
        let bytes = match newest.is_done || sizes.is_empty() {
            true => u64::try_from(sum).unwrap_or(u64::MAX),
            false => {
                let n = self.app.query().count(&self.caller, filter).await?;
                let mean = u64::try_from(sum / sizes.len()).unwrap_or(u64::MAX);
                n.saturating_mul(mean)
            }
        };
        Ok(i64::try_from(bytes).unwrap_or(i64::MAX))
    }

    /// The streams that records name, but for more than `n_max`.
    pub(super) async fn named_streams(
        &self,
        prefix: &str,
        n_max: usize,
    ) -> Result<Vec<String>, Fault> {
        let filter = self.filter().and(with_prefix(prefix));
        let query = self.app.query();
        let values = query.values(&self.caller, filter, event::STREAM_FIELD, n_max);
        values.await
    }

    pub(super) fn app(&self) -> &App {
        &self.app
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }
}

/// What a record shows: a link to audio only where that has arrived.
pub(super) fn shown(app: &App, record: &Record) -> Shown {
    let mut shown = Shown::of(record);
    if let Some(text) = deliveries::without_link(app, record) {
        shown.message = text;
    }
    shown
}

/// A time that stands so to a moment.
pub(super) fn at(field: &str, op: CompareOp, moment: Timestamp) -> Filter {
    let bound = Bound::at(moment);
    Filter::test(field, Test::Compare { op, bound })
}

/// Events from a millisecond on, and before another.
pub(super) fn between(from_ms: Option<i64>, before_ms: Option<i64>) -> Filter {
    let mut filter = Filter::All;
    if let Some(from) = from_ms {
        let from = Timestamp::from_millis(from);
        filter = filter.and(at("time.request", CompareOp::Ge, from));
    }
    if let Some(before) = before_ms {
        let before = Timestamp::from_millis(before);
        filter = filter.and(at("time.request", CompareOp::Lt, before));
    }
    filter
}

/// Events of a stream.
pub(super) fn of_stream(stream: &str) -> Filter {
    Filter::equals(event::STREAM_FIELD, stream)
}

/// Events of streams whose names begin so.
pub(super) fn with_prefix(prefix: &str) -> Filter {
    match prefix {
        "" => Filter::All,
        prefix => Filter::test(
            event::STREAM_FIELD,
            Test::Glob {
                parts: vec![prefix.to_owned(), String::new()],
                scope: Scope::Whole,
            },
        ),
    }
}

/// A condition on raw bodies, for turns alone: the messages of `PutLogEvents` are texts within
/// theirs.
pub(super) fn narrowed(bodies: Filter) -> Filter {
    match bodies {
        Filter::All => Filter::All,
        bodies => Filter::Or(vec![event::put(), event::turns().and(bodies)]),
    }
}
