//! Why a delivery failed, and whether another try could help.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::app::App;

/// Tries after which a failure that looks permanent is one.
pub(super) const TRIES_MAX: u32 = 5;
const PAUSE_MS: u64 = 200;
const PAUSE_MS_MAX: u64 = 60_000;
/// Longest name of a failure that is taken from an answer.
const CLASS_BYTES_MAX: usize = 64;

/// Codes of answers below 500 that another try may turn into a success.
const TRANSIENT: &[&str] = &[
    "EC2ThrottledException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalError",
    "LimitExceededException",
    "OperationAborted",
    "OperationAbortedException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
];

/// Classes of answers that credentials get which are not taken, or not any more.
const CREDENTIALS: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
    "status_401",
    "status_403",
];

/// A failed try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Its name: the code of the answer, or how there was none.
    pub(super) class: String,
    /// Whether the same try again looks useless.
    pub(super) is_permanent: bool,
}

impl Failure {
    pub(super) fn permanent(class: &str) -> Self {
        Failure {
            class: class.to_owned(),
            is_permanent: true,
        }
    }

    pub(super) fn transient(class: &str) -> Self {
        Failure {
            class: class.to_owned(),
            is_permanent: false,
        }
    }

    /// The failure of a call.
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        match error {
            SdkError::TimeoutError(_) => Failure::transient("timeout"),
            SdkError::DispatchFailure(why) if why.is_timeout() => Failure::transient("timeout"),
            SdkError::DispatchFailure(why) if why.is_user() => {
                Failure::permanent("target_forbidden")
            }
            SdkError::DispatchFailure(_) => Failure::transient("unreachable"),
            SdkError::ConstructionFailure(_) => Failure::permanent("bad_request"),
            SdkError::ResponseError(_) => Failure::transient("bad_answer"),
            SdkError::ServiceError(why) => {
                Self::of_answer(why.raw().status().as_u16(), why.err().code())
            }
            _ => Failure::transient("unknown"),
        }
    }

    fn of_answer(status: u16, code: Option<&str>) -> Self {
        let is_name = |code: &&str| {
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !code.is_empty() && code.len() <= CLASS_BYTES_MAX && code.chars().all(legal)
        };
        // Some servers write the status where the code belongs.
        let is_code = |code: &&str| !code.chars().all(|c| c.is_ascii_digit());
        let code = code.filter(is_name).filter(is_code);
        let is_transient = status >= 500
            || matches!(status, 408 | 429)
            || code.is_some_and(|code| TRANSIENT.contains(&code));
        Failure {
            class: code.map_or_else(|| format!("status_{status}"), str::to_owned),
            is_permanent: !is_transient,
        }
    }

    /// Whether what is missing may be the stream.
    pub(super) fn is_missing(&self) -> bool {
        self.class == "ResourceNotFoundException"
    }

    /// Whether other credentials of the same role may be taken: these have ended, or belong to a
    /// role that was deleted and perhaps made again.
    pub(super) fn is_of_credentials(&self) -> bool {
        CREDENTIALS.contains(&self.class.as_str())
    }
}

/// How tries one after the other have failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    /// Tries since the last success.
    pub(super) n_tries: u32,
    n_permanent: u32,
    /// What the last delivery was given up for.
    given_up: Option<String>,
}

impl Failures {
    /// Notes a failed try; whether it was the last one. Where a delivery was given up already, the
    /// next ones to the same place are after one try.
    pub(super) fn note(&mut self, failure: &Failure) -> bool {
        self.n_tries = self.n_tries.saturating_add(1);
        if !failure.is_permanent {
            return false;
        }
        self.n_permanent = self.n_permanent.saturating_add(1);
        let is_last = self.n_permanent >= TRIES_MAX
            || self
                .given_up
                .as_ref()
                .is_some_and(|class| *class == failure.class);
        if is_last {
            self.given_up = Some(failure.class.clone());
            self.n_permanent = 0;
        }
        is_last
    }

    /// How long to wait before the next try: twice as long each time, and a part of it by chance, so
    /// that not all come at once.
    pub(super) fn pause(&self, app: &App) -> Duration {
        let doubled = PAUSE_MS << self.n_tries.saturating_sub(1).min(16);
        let pause_ms = doubled.min(PAUSE_MS_MAX);
        let chance = u64::try_from(app.ids().random_u128() % 1024).unwrap_or_default();
        Duration::from_millis(pause_ms / 2 + pause_ms * chance / 2048)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_permanent_or_not() {
        let of = |status, code| Failure::of_answer(status, code);
        for (status, code) in [
            (500, None),
            (503, Some("ServiceUnavailable")),
            (429, None),
            (400, Some("ThrottlingException")),
            (400, Some("ExpiredTokenException")),
        ] {
            assert!(!of(status, code).is_permanent, "{status} {code:?}");
        }
        for (status, code, class) in [
            (
                400,
                Some("ResourceNotFoundException"),
                "ResourceNotFoundException",
            ),
            (404, Some("NoSuchBucket"), "NoSuchBucket"),
            (403, None, "status_403"),
            (403, Some("403"), "status_403"),
            (301, Some("PermanentRedirect"), "PermanentRedirect"),
            (400, Some("what a user\nsaid"), "status_400"),
        ] {
            assert_eq!(of(status, code), Failure::permanent(class));
        }
    }

    #[test]
    fn permanent_failures_are_given_up_and_transient_ones_never() {
        let mut failures = Failures::default();
        for _ in 0..100 {
            assert!(!failures.note(&Failure::transient("timeout")));
        }
        let missing = Failure::permanent("NoSuchBucket");
        for _ in 1..TRIES_MAX {
            assert!(!failures.note(&missing));
        }
        assert!(failures.note(&missing));
        assert!(failures.note(&missing), "the next is not tried as often");
        assert!(!failures.note(&Failure::permanent("AccessDenied")));
    }

    #[test]
    fn credentials_that_are_not_taken_are_told_from_other_failures() {
        let of = |status, code| Failure::of_answer(status, code).is_of_credentials();
        for (status, code) in [
            (400, Some("ExpiredTokenException")),
            (400, Some("UnrecognizedClientException")),
            (403, Some("InvalidAccessKeyId")),
            (403, Some("AccessDenied")),
            (403, Some("403")),
        ] {
            assert!(of(status, code), "{status} {code:?}");
        }
        for (status, code) in [
            (400, Some("ResourceNotFoundException")),
            (404, Some("NoSuchBucket")),
            (503, None),
        ] {
            assert!(!of(status, code), "{status} {code:?}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute() {
        let rig = crate::testing::rig();
        let pause = |n_tries| {
            let failures = Failures {
                n_tries,
                ..Failures::default()
            };
            u64::try_from(failures.pause(&rig.app).as_millis()).unwrap()
        };
        assert!((100..=200).contains(&pause(1)));
        assert!((200..=400).contains(&pause(2)));
        for n_tries in [10, 60, u32::MAX] {
            assert!((30_000..=60_000).contains(&pause(n_tries)));
        }
    }
}
