//! The work of a lane: finds the turns behind its position, sends them, moves on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use convlog_model::ids::Position;

use super::audio::Link;
use super::batch;
use super::clients::Line;
use super::entry::{Entry, cut, link, n_bytes, prove};
use super::failure::{Failure, Failures};
use super::lane::Lane;
use super::load::Load;
use super::retry::retry;
use super::{STORE_PAUSE, count_text, dead, event, system};
use crate::app::App;
use crate::auth::Caller;
use crate::error::Fault;
use crate::events;
use crate::query::fitting_step;

/// Records of one step of the walk.
const STEP_MAX: usize = 1000;
/// How long a lane rests without being called. An append whose request was cut off calls it too
/// early.
const REST: Duration = Duration::from_secs(5);

/// How far a worker has come.
#[derive(Debug)]
struct Walk {
    after: Position,
    /// What is behind `after` and done all the same, since other streams wait.
    done: BTreeSet<Position>,
    n_step: usize,
    failures: Failures,
    /// Whether an event has told of a failure since the last success.
    is_told: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Again,
    Rest,
    After(Duration),
    /// Audio is to come first.
    Audio,
}

/// Works until the server stops.
pub(super) async fn run(app: App, lane: Arc<Lane>) {
    let mut stopping = std::pin::pin!(app.jobs().stopping());
    let caller = system(&lane.instance);
    let mut walk = Walk {
        after: lane.begin,
        done: BTreeSet::new(),
        n_step: STEP_MAX,
        failures: Failures::default(),
        is_told: false,
    };
    let count = count_left(&app, &lane, &caller);
    tokio::select! {
        () = &mut stopping => return,
        counted = count => if let Err(fault) = counted {
            let status = fault.status().as_u16();
            tracing::warn!(status, "what waits for delivery is not counted");
        }
    }
    let mut audio = app.deliveries().audio.changed();
    loop {
        audio.mark_unchanged();
        // What is cut off by a stop is sent again after the next start.
        let next = tokio::select! {
            () = &mut stopping => return,
            next = step(&app, &lane, &caller, &mut walk) => next,
        };
        let next = next.unwrap_or_else(|fault| {
            tracing::warn!(
                status = fault.status().as_u16(),
                "a delivery waits for the store"
            );
            Next::After(STORE_PAUSE)
        });
        let pause = match next {
            Next::Again => continue,
            Next::Rest | Next::Audio => REST,
            Next::After(pause) => pause,
        };
        let is_resting = next == Next::Rest;
        tokio::select! {
            () = &mut stopping => return,
            () = lane.wake.notified(), if is_resting => {}
            () = lane.asked.notified() => {}
            _ = audio.changed(), if next == Next::Audio => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Counts what waits since before the process began.
async fn count_left(app: &App, lane: &Lane, caller: &Caller) -> Result<(), Fault> {
    let n_dead = dead::of_lane(app, lane).await?.len();
    lane.set_dead(|_| u64::try_from(n_dead).unwrap_or(u64::MAX));
    let mut load = Load::default();
    let mut after = lane.begin;
    loop {
        let step = app
            .query()
            .scan(caller, lane.filter(), after, Some(lane.left_upto), STEP_MAX);
        let step = step.await?;
        for record in &step.records {
            load.add(n_bytes(&record.draft.raw));
        }
        if step.done {
            lane.found(load);
            return Ok(());
        }
        after = step.reached;
    }
}

/// Sends what the next step of the walk brings.
async fn step(app: &App, lane: &Lane, caller: &Caller, walk: &mut Walk) -> Result<Next, Fault> {
    let is_retry_left = retry(app, lane, caller).await?;
    let ended = lane.ended();
    // No erasure looks between what is read here and the note that it is being sent.
    let looking = app.deliveries().take_up().await;
    let scanned = app
        .query()
        .scan(caller, lane.filter(), walk.after, None, walk.n_step);
    let scanned = scanned.await?;
    let n_read = scanned
        .records
        .iter()
        .map(|record| record.draft.raw.as_str().len());
    walk.n_step = fitting_step(scanned.records.len().max(1), n_read.sum(), STEP_MAX);
    let mut entries = Vec::new();
    let mut waits = false;
    for record in &scanned.records {
        if walk.done.contains(&record.position) {
            continue;
        }
        let Some(proven) = prove(app, lane, record) else {
            walk.done.insert(record.position);
            continue;
        };
        waits = link(app, record) == Link::Waits;
        if waits {
            break;
        }
        entries.push(proven.entry(app));
    }
    let last = entries.iter().map(|entry| entry.position).max();
    let sent_before = lane.note_sending(last.unwrap_or_default());
    drop(looking);
    let result = send_all(app, lane, walk, (entries, sent_before)).await;
    let left = scanned.records.iter().map(|record| record.position);
    let left = left.filter(|position| !walk.done.contains(position)).min();
    let reached = match left {
        Some(first) => Position(first.0.saturating_sub(1)),
        None => scanned.reached,
    };
    if reached > walk.after {
        let has_sent = walk.done.iter().any(|position| *position <= reached);
        if has_sent {
            lane.keep(app, reached).await?;
        }
        walk.after = reached;
        walk.done.retain(|position| *position > reached);
    }
    match result? {
        Some(pause) => Ok(Next::After(pause)),
        None if is_retry_left => Ok(Next::Again),
        None if waits => Ok(Next::Audio),
        None if !scanned.done => Ok(Next::Again),
        None => {
            lane.settle(ended);
            Ok(Next::Rest)
        }
    }
}

/// Sends entries; how long to wait when one call failed that will be made again.
async fn send_all(
    app: &App,
    lane: &Lane,
    walk: &mut Walk,
    (entries, sent_before): (Vec<Entry>, Position),
) -> Result<Option<Duration>, Fault> {
    let mut tried = sent_before;
    let (large, entries): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .partition(|entry| batch::is_too_large(entry.text.len()));
    for entry in &large {
        give_up(app, lane, &[entry], &Failure::permanent("too_large"), 1).await?;
        walk.done.insert(entry.position);
    }
    for batch in cut(&entries) {
        let last = batch.iter().map(|entry| entry.position).max();
        tried = tried.max(last.unwrap_or_default());
        match send(app, lane, &batch).await {
            Ok(rejected) => {
                take(app, lane, &batch, &rejected).await?;
                if walk.is_told {
                    tell_recovered(app, lane, walk.failures.n_tries).await;
                }
                walk.is_told = false;
                walk.failures = Failures::default();
            }
            Err(failure) => {
                let is_last = walk.failures.note(&failure);
                let n_tries = walk.failures.n_tries;
                if !is_last {
                    walk.is_told = true;
                    tell(
                        app,
                        lane,
                        events::LOG_DELIVERY_FAILED,
                        &failure,
                        (n_tries, batch.len()),
                    )
                    .await;
                    // The other calls are not made: what they would send is read again first.
                    lane.end_sending(tried);
                    return Ok(Some(walk.failures.pause(app)));
                }
                give_up(app, lane, &batch, &failure, n_tries).await?;
                walk.failures.n_tries = 0;
            }
        }
        walk.done.extend(batch.iter().map(|entry| entry.position));
    }
    Ok(None)
}

/// One call, of entries of one stream.
pub(super) async fn send(
    app: &App,
    lane: &Lane,
    batch: &[&Entry],
) -> Result<Vec<(usize, &'static str)>, Failure> {
    let lines: Vec<Line<'_>> = batch
        .iter()
        .map(|entry| Line {
            at_ms: entry.at_ms,
            text: &entry.text,
        })
        .collect();
    let stream = batch.first().map_or("", |entry| entry.stream.as_str());
    let clients = &app.deliveries().clients;
    let to = (lane.group_name(), stream);
    clients.put_events(app, &lane.role, to, &lines).await
}

/// Counts what a call has brought about; what was not taken is given up, since it never will be.
async fn take(
    app: &App,
    lane: &Lane,
    batch: &[&Entry],
    rejected: &[(usize, &'static str)],
) -> Result<(), Fault> {
    for (index, class) in rejected {
        if let Some(entry) = batch.get(*index) {
            give_up(app, lane, &[entry], &Failure::permanent(class), 1).await?;
        }
    }
    let mut load = Load::default();
    for (index, entry) in batch.iter().enumerate() {
        if rejected.iter().all(|(refused, _)| *refused != index) {
            count_text(app, &lane.instance, &entry.owner, true);
            load.add(entry.n_bytes);
        }
    }
    lane.handled(load);
    Ok(())
}

/// Makes dead letters of entries.
async fn give_up(
    app: &App,
    lane: &Lane,
    batch: &[&Entry],
    failure: &Failure,
    n_tries: u32,
) -> Result<(), Fault> {
    bury(app, lane, batch, failure, n_tries).await?;
    let mut load = Load::default();
    for entry in batch {
        load.add(entry.n_bytes);
    }
    lane.handled(load);
    Ok(())
}

/// Makes dead letters of entries whose records are still there; others were erased or expired while
/// they were sent.
pub(super) async fn bury(
    app: &App,
    lane: &Lane,
    batch: &[&Entry],
    failure: &Failure,
    n_tries: u32,
) -> Result<(), Fault> {
    let caller = system(&lane.instance);
    let mut n_buried = 0;
    for entry in batch {
        let _looking = app.deliveries().take_up().await;
        if app.query().get(&caller, entry.id).await?.is_none() {
            dead::remove(app, lane, entry.id).await?;
            continue;
        }
        dead::bury(app, lane, entry.id, (&failure.class, n_tries)).await?;
        count_text(app, &lane.instance, &entry.owner, false);
        n_buried += 1;
    }
    if n_buried > 0 {
        let kind = events::LOG_DELIVERY_DEAD;
        tell(app, lane, kind, failure, (n_tries, n_buried)).await;
    }
    Ok(())
}

async fn tell(
    app: &App,
    lane: &Lane,
    kind: events::EventType,
    failure: &Failure,
    (n_tries, n_entries): (u32, usize),
) {
    let subject = format!("{}/{}/{}", kind.name, lane.id, failure.class);
    let event = event(app, &lane.instance, kind, lane.key())
        .with("kind", "text")
        .with("class", failure.class.as_str())
        .with("attempts", n_tries.to_string())
        .with("entries", n_entries.to_string());
    events::record_failure(app, &subject, event).await;
}

async fn tell_recovered(app: &App, lane: &Lane, n_tries: u32) {
    let event = event(app, &lane.instance, events::LOG_DELIVERY_SENT, lane.key())
        .with("kind", "text")
        .with("attempts", n_tries.saturating_add(1).to_string());
    events::record_or_warn(app, event).await;
}
