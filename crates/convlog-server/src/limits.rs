//! Limits of rate: list calls a minute by key and by instance, records a second by instance.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use convlog_model::clock::Clock;
use convlog_model::ids::InstanceId;
use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::auth::Caller;
use crate::config::Limits;
use crate::error::Fault;

/// Our clock in the form that the limiter reads.
#[derive(Clone, Debug)]
struct Monotonic(Arc<dyn Clock>);

impl GovernorClock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Duration::from_micros(self.0.monotonic_us()))
    }
}

type Limiter =
    RateLimiter<String, HashMapStateStore<String>, Monotonic, StateInformationMiddleware>;

/// What a list call shows in its `X-RateLimit-…` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Calls a minute.
    pub(crate) limit: u32,
    /// Calls left.
    pub(crate) remaining: u32,
}

/// What is shown where nothing is limited; some clients fail without the headers.
pub(crate) const UNLIMITED: Allowance = Allowance {
    limit: 100_000,
    remaining: 99_999,
};

/// The limits of this process.
#[derive(Debug)]
pub(crate) struct RateLimits {
    by_key: Option<(u32, Limiter)>,
    by_instance: Option<(u32, Limiter)>,
    records_per_second: u32,
    ingest: Mutex<BTreeMap<InstanceId, Debt>>,
    clock: Arc<dyn Clock>,
}

/// Records taken beyond what has been refilled.
#[derive(Clone, Copy, Debug)]
struct Debt {
    records: f64,
    at_us: u64,
}

impl RateLimits {
    pub(crate) fn new(limits: &Limits, clock: &Arc<dyn Clock>) -> Self {
        let per_minute = |n: u32| {
            let limiter = RateLimiter::hashmap_with_clock(
                Quota::per_minute(NonZeroU32::new(n)?),
                Monotonic(Arc::clone(clock)),
            );
            Some((n, limiter.with_middleware::<StateInformationMiddleware>()))
        };
        RateLimits {
            by_key: per_minute(limits.list_per_minute),
            by_instance: per_minute(limits.list_per_minute_instance),
            records_per_second: limits.ingest_per_second,
            ingest: Mutex::default(),
            clock: Arc::clone(clock),
        }
    }

    /// Counts one list call.
    ///
    /// # Errors
    /// 429 when it is one too many, and what is shown with it.
    pub(crate) fn list(&self, caller: &Caller) -> Result<Allowance, (Fault, Allowance)> {
        let by_key = (&self.by_key, caller.key_id.clone());
        let by_instance = (&self.by_instance, caller.instance.to_string());
        let mut shown = UNLIMITED;
        for (limiter, who) in [by_instance, by_key] {
            let Some((limit, limiter)) = limiter else {
                continue;
            };
            let remaining = match limiter.check_key(&who) {
                Ok(state) => state.remaining_burst_capacity(),
                Err(not_until) => {
                    let wait = not_until.wait_time_from(Monotonic(Arc::clone(&self.clock)).now());
                    let spent = Allowance {
                        limit: *limit,
                        remaining: 0,
                    };
                    return Err((too_many(LISTS_EXCEEDED, wait.as_secs_f64()), spent));
                }
            };
            if remaining < shown.remaining {
                shown = Allowance {
                    limit: *limit,
                    remaining,
                };
            }
        }
        Ok(shown)
    }

    /// Counts records. A request larger than a second's share is let in when nothing is owed, and
    /// what it takes beyond is owed.
    ///
    /// # Errors
    /// 429 while records are owed.
    pub(crate) fn ingest(&self, instance: &InstanceId, n_records: usize) -> Result<(), Fault> {
        if self.records_per_second == 0 {
            return Ok(());
        }
        let rate = f64::from(self.records_per_second);
        let now_us = self.clock.monotonic_us();
        let mut all = self.ingest.lock().unwrap_or_else(PoisonError::into_inner);
        let debt = all.entry(instance.clone()).or_insert(Debt {
            records: 0.0,
            at_us: now_us,
        });
        let passed = Duration::from_micros(now_us.saturating_sub(debt.at_us)).as_secs_f64();
        debt.records = (debt.records - passed * rate).max(0.0);
        debt.at_us = now_us;
        if debt.records >= rate {
            return Err(too_many(RECORDS_EXCEEDED, (debt.records - rate) / rate));
        }
        debt.records += f64::from(u32::try_from(n_records).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Forgets keys that have not called for long.
    pub(crate) fn tidy(&self) {
        for (_, limiter) in self.by_key.iter().chain(&self.by_instance) {
            limiter.retain_recent();
        }
    }
}

/// What is said to whoever lists too often.
pub(crate) const LISTS_EXCEEDED: &str = "Rate limit exceeded";
/// What is said to whoever writes too much.
pub(crate) const RECORDS_EXCEEDED: &str = "Rate limit of records exceeded";

fn too_many(message: &str, wait_s: f64) -> Fault {
    let retry_after_s = Duration::from_secs_f64(wait_s.max(0.0).ceil()).as_secs();
    Fault::TooManyRequests {
        message: message.to_owned(),
        retry_after_s: retry_after_s.max(1),
    }
}

#[cfg(test)]
mod tests;
