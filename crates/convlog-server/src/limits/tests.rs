//! Rates, by a clock that the test moves.

use convlog_model::testkit::TestClock;

use super::*;
use crate::testing::OWNER;

fn limits(change: impl Fn(&mut Limits)) -> (RateLimits, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let mut limits = Limits::default();
    change(&mut limits);
    let shared: Arc<dyn Clock> = clock.clone();
    (RateLimits::new(&limits, &shared), clock)
}

#[test]
fn nothing_is_limited_unless_it_is_asked_for() {
    let (limits, _) = limits(|_| {});
    for _ in 0..1000 {
        assert_eq!(limits.list(&OWNER), Ok(UNLIMITED));
        assert_eq!(limits.ingest(&OWNER.instance, 1_000_000), Ok(()));
    }
}

#[test]
fn the_narrower_of_two_limits_is_shown() {
    let (limits, _) = limits(|limits| {
        limits.list_per_minute = 10;
        limits.list_per_minute_instance = 5;
    });
    let shown = Allowance {
        limit: 5,
        remaining: 4,
    };
    assert_eq!(limits.list(&OWNER), Ok(shown));
}

#[test]
fn what_a_large_batch_takes_beyond_the_rate_is_owed() {
    let (limits, clock) = limits(|limits| limits.ingest_per_second = 10);
    assert_eq!(limits.ingest(&OWNER.instance, 50), Ok(()));
    let fault = limits.ingest(&OWNER.instance, 1).unwrap_err();
    assert_eq!(fault.retry_after_s(), Some(4));
    clock.step(4_000_000);
    assert!(limits.ingest(&OWNER.instance, 1).is_err());
    clock.step(100_000);
    assert_eq!(limits.ingest(&OWNER.instance, 1), Ok(()));
}

#[test]
fn idle_callers_are_forgotten() {
    let (limits, clock) = limits(|limits| limits.list_per_minute = 1);
    assert!(limits.list(&OWNER).is_ok());
    clock.step(120_000_000);
    limits.tidy();
    let (_, limiter) = limits.by_key.as_ref().unwrap();
    assert!(limiter.is_empty());
}
