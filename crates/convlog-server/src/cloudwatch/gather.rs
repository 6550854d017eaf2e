//! Pages of events: bounded in events, bytes and work, and the tokens between them.

use convlog_dialects::cloudwatch::event::Shown;
use convlog_model::filter::Filter;
use convlog_model::ids::{Position, RecordId};
use convlog_model::query::{After, Sort};
use convlog_model::time::Timestamp;
use sha2::{Digest as _, Sha256};

use super::asked::bad_token;
use super::view::View;
use crate::app::App;
use crate::aws::AwsError;
use crate::error::Fault;
use crate::query::{CursorState, fitting_step};

/// Most bytes of a page, but for its first event.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// Most records that are looked at for a page.
const LOOKED_AT_MAX: usize = 20_000;
/// Most bytes of messages that are looked at for a page.
const LOOKED_BYTES_MAX: usize = 32 << 20;
/// Steps through what comes in, most of which may be of other streams, for a page.
const TAIL_STEPS_MAX: usize = 16;
/// Records of the first step, and of any.
const FIRST_STEP: usize = 64;
const STEP_MAX: usize = 1000;

/// Before every event.
pub(super) const BEGIN: After = After {
    value: Some(Timestamp::from_micros(0)),
    id: RecordId::from_bytes([0; 16]),
    position: Position::START,
};

/// The place behind all that happened up to that of `at`, for a walk back.
pub(super) fn behind(at: After) -> After {
    After {
        value: at.value.map(|value| value.plus_micros(1)),
        ..BEGIN
    }
}

/// What a page found.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    pub(super) events: Vec<Shown>,
    /// The place of the first record that was looked at.
    pub(super) first: Option<After>,
    /// The place of the last one.
    pub(super) last: Option<After>,
    /// Whether there is nothing behind it.
    pub(super) is_done: bool,
    /// Where the log ended.
    pub(super) upto: Position,
}

/// Looks for at most `limit` events that `keeps` keeps.
///
/// # Errors
/// 503 when it takes too long.
pub(super) async fn gather(
    view: &mut View,
    filter: &Filter,
    sort: Sort,
    (after, upto): (Option<After>, Option<Position>),
    limit: usize,
    mut keeps: impl FnMut(&Shown) -> bool + Send,
) -> Result<Gathered, Fault> {
    let mut found = Gathered {
        events: Vec::new(),
        first: None,
        last: after,
        is_done: false,
        upto: upto.unwrap_or_default(),
    };
    let (mut n_looked, mut looked_bytes, mut page_bytes) = (0, 0, 0);
    let mut upto = upto;
    // Later steps do not shrink with the limit: few of their records may be kept.
    let mut n = FIRST_STEP.min(limit.max(1));
    loop {
        let step = view.step(filter.clone(), sort, (found.last, upto), n);
        let step = step.await?;
        // The walk goes on through what was there when it began.
        upto = Some(step.upto);
        found.upto = step.upto;
        found.is_done = step.is_done;
        let mut rest = step.seen.into_iter();
        while let Some(seen) = rest.next() {
            n_looked += 1;
            if let Some(event) = seen.event {
                looked_bytes += event.message.len();
                if keeps(&event) {
                    page_bytes += event.message.len();
                    if page_bytes > PAGE_BYTES_MAX && !found.events.is_empty() {
                        found.is_done = false;
                        return Ok(found);
                    }
                    found.events.push(event);
                }
            }
            found.first = found.first.or(Some(seen.at));
            found.last = Some(seen.at);
            if found.events.len() >= limit {
                found.is_done &= rest.as_slice().is_empty();
                return Ok(found);
            }
        }
        let is_enough = n_looked >= LOOKED_AT_MAX || looked_bytes >= LOOKED_BYTES_MAX;
        if found.is_done || is_enough {
            return Ok(found);
        }
        n = fitting_step(n_looked, looked_bytes, STEP_MAX);
    }
}

/// Looks for at most `limit` events that were committed behind a position: in the order in which
/// they happened, with the position that was reached. It stays where nothing has come.
///
/// # Errors
/// 503 when it takes too long.
pub(super) async fn tail(
    view: &mut View,
    filter: &Filter,
    after: Position,
    limit: usize,
) -> Result<(Vec<(After, Shown)>, Position), Fault> {
    let limit = limit.max(1);
    let (mut events, mut reached, mut upto) = (Vec::new(), after, None);
    let (mut n_looked, mut looked_bytes, mut page_bytes) = (0, 0, 0);
    let mut n = FIRST_STEP.min(limit);
    'page: for _ in 0..TAIL_STEPS_MAX {
        let step = view.step_committed(filter.clone(), (reached, upto), n);
        let (step, step_end) = step.await?;
        upto = Some(step.upto);
        for seen in step.seen {
            n_looked += 1;
            if let Some(event) = seen.event {
                looked_bytes += event.message.len();
                page_bytes += event.message.len();
                let is_too_large = page_bytes > PAGE_BYTES_MAX && !events.is_empty();
                if events.len() >= limit || is_too_large {
                    break 'page;
                }
                events.push((seen.at, event));
            }
            reached = seen.at.position;
        }
        if step.is_done && events.is_empty() {
            return Ok((events, after));
        }
        reached = step_end;
        let is_enough = n_looked >= LOOKED_AT_MAX || looked_bytes >= LOOKED_BYTES_MAX;
        if step.is_done || is_enough || events.len() >= limit {
            break;
        }
        n = fitting_step(n_looked, looked_bytes, STEP_MAX);
    }
    events.sort_by_key(|(at, _)| (at.value, at.position));
    Ok((events, reached))
}

/// A question as a number, so that no token answers another.
pub(super) fn question(parts: &[&str]) -> u64 {
    let digest = Sha256::digest(parts.join("\u{0}").as_bytes());
    let head = digest.first_chunk::<8>().copied();
    u64::from_be_bytes(head.unwrap_or_default())
}

/// The text of a place.
pub(super) fn token(app: &App, question: u64, after: After, upto: Option<Position>) -> String {
    let state = CursorState {
        after,
        upto,
        timeline: app.store().timeline(),
        question,
    };
    state.encode()
}

/// The place of a text.
///
/// # Errors
/// A text that is none, or of another question or history.
pub(super) fn place(
    app: &App,
    question: u64,
    token: &str,
) -> Result<(After, Option<Position>), AwsError> {
    let state = CursorState::decode(token).map_err(|_| bad_token())?;
    let newest = app.store().newest();
    let is_legal = state.question == question
        && state.timeline == app.store().timeline()
        && state.after.position <= state.upto.unwrap_or(newest)
        && state.upto.is_none_or(|upto| upto <= newest);
    match is_legal {
        true => Ok((state.after, state.upto)),
        false => Err(bad_token()),
    }
}
