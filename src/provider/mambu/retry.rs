//! When Mambu tries again, which its documents state in two ways.

use std::time::Duration;

use crate::provider::Retries;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Assumed: who looks at failed messages at all does so within a week.
pub(super) const RESEND_WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often Mambu tries, as its documents of two times state. Neither states the waits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RetryPolicy {
    /// Exponential back-off "according to platform policy", behind a circuit breaker that holds deliveries back while
    /// a destination is down. The default, taken to end after 5 days.
    #[default]
    PlatformPolicy,
    /// Five attempts with exponential back-off (2023), taken to wait 1, 10, 100 and 1000 minutes between them, which is
    /// as steep as back-off gets. The horizon is a day.
    FiveAttempts,
}

impl RetryPolicy {
    pub(crate) fn retries(self) -> Retries {
        match self {
            Self::PlatformPolicy => Retries::unpublished(5 * DAY),
            Self::FiveAttempts => {
                Retries { until: Some(DAY), ..Retries::steps([1, 10, 100, 1000].map(|minutes| minutes * MINUTE)) }
            }
        }
    }
}
