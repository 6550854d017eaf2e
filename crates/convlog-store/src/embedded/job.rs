//! What the other threads and the maintenance thread tell each other: what is asked for, what was
//! done, and whether the clock can be trusted with what cannot be undone.

use std::sync::{Mutex, MutexGuard, PoisonError};

use convlog_model::clock::Clock;
use convlog_model::store::{ErasureState, StoreError, Upkeep};
use convlog_model::time::{DAY_US, Timestamp};

use super::bytes::to_u64;
use super::error::failed;
use super::shared::Shared;

/// So far may the clock be beyond the last moment that a former run knew.
const AHEAD_US: i64 = 7 * DAY_US;
/// So far may it move while the monotonic clock stands still.
const JUMP_US: i64 = 3_600_000_000;

/// What both clocks showed at one moment.
#[derive(Clone, Copy, Debug)]
struct Shown {
    wall: Timestamp,
    monotonic_us: u64,
}

impl Shown {
    fn of(clock: &dyn Clock) -> Self {
        Shown {
            wall: clock.now(),
            monotonic_us: clock.monotonic_us(),
        }
    }

    /// Microseconds that the wall clock has moved against the monotonic one until `later`.
    fn jump(&self, later: Shown) -> i64 {
        let wall = later.wall.micros().saturating_sub(self.wall.micros());
        let monotonic = later.monotonic_us.saturating_sub(self.monotonic_us);
        wall.saturating_sub(i64::try_from(monotonic).unwrap_or(i64::MAX))
    }
}

#[derive(Debug)]
struct State {
    /// Whether a pass of retention is asked for.
    is_wanted: bool,
    figures: Upkeep,
    /// The last moment that a former run knew, until it is compared.
    former: Option<Timestamp>,
    shown: Shown,
}

/// The maintenance job as others see it.
#[derive(Debug)]
pub(crate) struct Job(Mutex<State>);

impl Job {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Job(Mutex::new(State {
            is_wanted: false,
            figures: Upkeep::default(),
            former: None,
            shown: Shown::of(clock),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pass of retention was asked for since the last call.
    pub(crate) fn take_wanted(&self) -> bool {
        std::mem::take(&mut self.lock().is_wanted)
    }

    /// Notes what was done, or waits.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Upkeep)) {
        change(&mut self.lock().figures);
    }

    /// What former runs knew: the last moment, when a pass last ended, and why retention was held.
    pub(crate) fn recall(
        &self,
        former: Option<Timestamp>,
        last_pass: Option<Timestamp>,
        held: Option<String>,
    ) {
        let mut state = self.lock();
        state.former = former.max(last_pass);
        state.figures.last_pass = last_pass;
        state.figures.held = held;
    }

    /// Looks at the clocks: the time, or why it is not trusted and whether that is new.
    fn look(&self, clock: &dyn Clock) -> Result<Timestamp, (String, bool)> {
        let mut state = self.lock();
        if let Some(held) = &state.figures.held {
            return Err((held.clone(), false));
        }
        let shown = Shown::of(clock);
        let jump = state.shown.jump(shown);
        let ahead = state
            .former
            .take()
            .map(|former| (former, former.plus_micros(AHEAD_US)));
        let why = match ahead {
            Some((former, limit)) if shown.wall > limit => format!(
                "the clock shows {}, more than 7 days beyond {}, the last moment known before \
                 this start",
                shown.wall.to_millis_text(),
                former.to_millis_text()
            ),
            _ if jump.abs() >= JUMP_US => format!(
                "the clock has jumped by {} seconds while the server ran, to {}",
                jump / 1_000_000,
                shown.wall.to_millis_text()
            ),
            _ => {
                state.shown = shown;
                return Ok(shown.wall);
            }
        };
        state.figures.held = Some(why.clone());
        Err((why, true))
    }

    fn confirm(&self, clock: &dyn Clock) {
        let mut state = self.lock();
        state.shown = Shown::of(clock);
        state.former = None;
        state.figures.held = None;
    }
}

impl Shared {
    /// Asks for a pass of retention, and for everything else that maintenance may have to do.
    pub(crate) fn want_retention(&self) {
        self.job.lock().is_wanted = true;
        self.maintenance.want();
    }

    /// The time, unless the clock cannot be trusted with what cannot be undone.
    pub(crate) fn trusted_now(&self) -> Option<Timestamp> {
        match self.job.look(self.clock.as_ref()) {
            Ok(now) => Some(now),
            Err((_, false)) => None,
            Err((why, true)) => {
                tracing::error!(
                    reason = %why,
                    "retention removes nothing until `convlog retention --confirm`"
                );
                if let Err(error) = self.catalog.hold_retention(Some(&why)) {
                    tracing::warn!(%error, "that retention is held could not be recorded");
                }
                None
            }
        }
    }

    /// Trusts the clock as it is now.
    pub(crate) fn confirm_retention(&self) -> Result<(), StoreError> {
        let released = self.catalog.hold_retention(None);
        released.map_err(|error| failed("catalog", &error))?;
        self.job.confirm(self.clock.as_ref());
        self.expire(&self.rules())?;
        self.want_retention();
        Ok(())
    }

    /// The figures of the job.
    pub(crate) fn upkeep(&self) -> Upkeep {
        let erasures = self.erasures();
        let pending = erasures
            .iter()
            .filter(|erasure| erasure.state != ErasureState::Done);
        let erasures_pending = to_u64(pending.count());
        drop(erasures);
        Upkeep {
            erasures_pending,
            ..self.job.lock().figures.clone()
        }
    }
}
