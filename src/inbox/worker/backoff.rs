//! When the next attempt is due.

use std::time::Duration;

/// How long a failed event rests: after the n-th attempt at random up to `min(cap, base * 2^(n-1))`, so that events which
/// failed together do not come back together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Backoff {
    /// The longest rest after the first attempt. Default: 1 second.
    pub base: Duration,
    /// The longest rest of all. Default: 1 hour.
    pub cap: Duration,
    /// After so many attempts an event is a dead letter. At least 1. Default: 20.
    pub attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_hours(1), attempts: 20 }
    }
}

impl Backoff {
    /// The longest rest after the first attempt.
    #[must_use]
    pub fn base(mut self, base: Duration) -> Self {
        self.base = base;
        self
    }

    /// The longest rest of all.
    #[must_use]
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// After so many attempts an event is a dead letter. At least 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// The longest rest after an attempt, counted from 1.
    #[must_use]
    pub fn longest(&self, attempt: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(doubled).min(self.cap)
    }

    /// The rest after an attempt, by a random number.
    pub(super) fn rest(&self, attempt: u32, random: u64) -> Duration {
        let nanos = self.longest(attempt).as_nanos().min(u64::MAX.into());
        let share = (nanos * u128::from(random)) >> u64::BITS;
        Duration::from_nanos(u64::try_from(share).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rest_doubles_up_to_the_cap() {
        let backoff = Backoff::default();
        for (attempt, seconds) in [(0, 1), (1, 1), (2, 2), (3, 4), (12, 2048), (13, 3600), (40, 3600), (u32::MAX, 3600)]
        {
            assert_eq!(backoff.longest(attempt), Duration::from_secs(seconds), "{attempt}");
        }
        let endless = backoff.base(Duration::MAX).cap(Duration::MAX);
        assert_eq!(endless.longest(u32::MAX), Duration::MAX);
    }

    #[test]
    fn the_rest_is_anything_up_to_the_longest() {
        let backoff = Backoff::default();
        assert_eq!(backoff.rest(3, 0), Duration::ZERO);
        assert_eq!(backoff.rest(3, u64::MAX / 2 + 1), Duration::from_secs(2));
        let most = backoff.rest(3, u64::MAX);
        assert!(Duration::from_millis(3999) < most && most < Duration::from_secs(4), "{most:?}");
    }
}
