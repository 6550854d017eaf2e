//! The real clock and the real randomness: the only place that asks the operating system for them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use convlog_model::clock::{Clock, IdSource};
use convlog_model::time::Timestamp;

/// Time as the operating system tells it.
#[derive(Debug)]
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for time; everybody else gets a Clock"
    )]
    pub(crate) fn new() -> Self {
        SystemClock {
            start: Instant::now(),
        }
    }

    /// Time since this clock was made.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks for time; everybody else gets a Clock"
    )]
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        };
        Timestamp::from_micros(micros)
    }

    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The operating system's random numbers.
#[derive(Debug)]
pub(crate) struct SystemIds;

impl IdSource for SystemIds {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Guessable keys would be worse than no server.
            tracing::error!(%error, "the operating system gives no random numbers");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_after_this_program_was_written_and_goes_on() {
        let clock = SystemClock::new();
        assert!(clock.now().to_micros_text().as_str() > "2026-01-01");
        let first = clock.monotonic_us();
        assert!(clock.monotonic_us() >= first);
    }

    #[test]
    fn random_numbers_differ() {
        assert_ne!(SystemIds.random_u128(), SystemIds.random_u128());
    }
}
