//! A query as it runs: events of its groups, newest first, a step after the other.

use std::time::Duration;

use convlog_dialects::cloudwatch::event;
use convlog_dialects::cloudwatch::insights::{Event, Run};
use convlog_model::filter::Filter;
use convlog_model::ids::Position;
use convlog_model::query::After;

use super::shelf::{Entry, State};
use crate::app::App;
use crate::cloudwatch::view::{NEWEST, View, between, narrowed, shown};
use crate::error::Fault;
use crate::query::fitting_step;

/// Records of the first step, and of any.
const FIRST_STEP: usize = 64;
const STEP_MAX: usize = 1000;
/// How long a query may run.
const TIME_MAX: Duration = Duration::from_secs(15 * 60);

/// What is to be done.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) run: Run,
    /// A condition on bodies that every event passes which the query asks for.
    pub(super) narrow: Filter,
    pub(super) from_ms: i64,
    pub(super) before_ms: i64,
    pub(super) views: Vec<View>,
}

/// Runs a query to its end.
pub(super) async fn run(app: &App, job: Job, entry: &Entry) {
    let turn = app.cloudwatch().queries().turns().acquire().await;
    if turn.is_err() || !entry.become_state(State::Running(0, 0)) {
        return;
    }
    let stopping = app.jobs().stopping();
    let done = tokio::select! {
        () = stopping => State::Cancelled,
        done = tokio::time::timeout(TIME_MAX, walk(app, job, entry)) => match done {
            Ok(Ok(state)) => state,
            Ok(Err(fault)) => {
                let status = fault.status().as_u16();
                tracing::warn!(status, "a query of logs failed");
                State::Failed
            }
            Err(_) => State::Timeout,
        },
    };
    entry.become_state(done);
}

async fn walk(app: &App, mut job: Job, entry: &Entry) -> Result<State, Fault> {
    let Some(caller) = job.views.first().map(|view| view.caller().clone()) else {
        return Ok(State::Failed);
    };
    let account = app.config().aws.account.clone();
    let of_groups = Filter::Or(job.views.iter().map(View::filter).collect());
    let all = of_groups.and(between(Some(job.from_ms), Some(job.before_ms)));
    let mut filter = all.clone().and(narrowed(job.narrow.clone()));
    let mut place: (Option<After>, Option<Position>) = (None, None);
    let (mut n_seen, mut n_bytes, mut n) = (0, 0, FIRST_STEP);
    loop {
        let step = app
            .query()
            .ordered(&caller, filter.clone(), NEWEST, place, n);
        let page = match step.await {
            // Looking at every event may be cheaper than what the query asks of the index.
            Err(Fault::Unavailable { .. }) if filter != all => {
                filter.clone_from(&all);
                continue;
            }
            page => page?,
        };
        place.1 = Some(page.upto);
        for record in &page.records {
            let shown = shown(app, record);
            place.0 = Some(After {
                value: Some(shown.time),
                id: record.id,
                position: record.position,
            });
            n_seen += 1;
            n_bytes += shown.message.len();
            let group = record.draft.labels.get(event::GROUP);
            let mut views = job.views.iter_mut();
            let Some(view) = views.find(|view| Some(&view.group.name) == group) else {
                continue;
            };
            if !view.shows(record, &shown).await? {
                continue;
            }
            let log = format!("{account}:{}", view.group.name);
            let ptr = shown.id.to_string();
            let pushed = job.run.push(&Event {
                timestamp_ms: shown.time.millis(),
                ingestion_ms: shown.received.millis(),
                message: &shown.message,
                log_stream: &shown.stream,
                log: &log,
                ptr: &ptr,
            });
            if pushed.is_err() {
                return Ok(State::Failed);
            }
        }
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        if !entry.become_state(State::Running(count(n_seen), count(n_bytes))) {
            return Ok(State::Cancelled);
        }
        if page.next.is_none() || job.run.is_full() {
            return Ok(job.run.finish().map_or(State::Failed, State::Complete));
        }
        n = fitting_step(n_seen, n_bytes, STEP_MAX);
        tokio::task::yield_now().await;
    }
}
