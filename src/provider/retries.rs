//! When a provider tries again.

use std::time::Duration;

/// A sender's schedule: the waits between tries, and then a steady rhythm to a horizon.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Retries {
    /// The wait before each further try.
    pub steps: Vec<Duration>,
    /// After the steps: again and again with this wait, until the horizon.
    pub then_every: Option<Duration>,
    /// The last moment of an automatic try, counted from the first. `None`: the sum of the steps.
    pub until: Option<Duration>,
}

impl Retries {
    /// These waits, and then no more.
    #[must_use]
    pub fn steps(steps: impl Into<Vec<Duration>>) -> Self {
        Self { steps: steps.into(), then_every: None, until: None }
    }

    /// A schedule that the provider does not publish, taken to end after this time.
    #[must_use]
    pub fn unpublished(until: Duration) -> Self {
        Self { steps: Vec::new(), then_every: None, until: Some(until) }
    }

    /// After the steps, again with this wait until the horizon.
    #[must_use]
    pub fn then_every(mut self, wait: Duration, until: Duration) -> Self {
        self.then_every = Some(wait);
        self.until = Some(until);
        self
    }

    /// The last moment of an automatic try, where it is not the sum of the steps.
    #[must_use]
    pub fn until(mut self, last: Duration) -> Self {
        self.until = Some(last);
        self
    }

    /// The time from the first try to the last.
    #[must_use]
    pub fn horizon(&self) -> Duration {
        self.until.unwrap_or_else(|| self.steps.iter().sum())
    }
}
