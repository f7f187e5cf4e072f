//! How long until a provider switches a webhook off, by its own ladder and by what it was answered.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// So many events that fail are kept apart. Of more the oldest are, which are the next to come to the ladder's end.
const EVENTS: usize = 1024;

/// A provider that switches off does so when one notification has come to its ladder's end. Which one a refused delivery
/// was nobody knows; so of these the first counts since any was taken. Of events that failed each counts by itself.
pub(super) struct Countdown {
    after: Duration,
    refused_since: Option<Instant>,
    failing: HashMap<[u8; 32], Instant>,
}

impl Countdown {
    pub(super) fn new(after: Duration) -> Self {
        Self { after, refused_since: None, failing: HashMap::new() }
    }

    pub(super) fn ends_after(&mut self, after: Duration) {
        self.after = after;
    }

    pub(super) fn refused(&mut self) {
        self.refused_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn failed(&mut self, key: &[u8; 32]) {
        if self.failing.len() < EVENTS {
            self.failing.entry(*key).or_insert_with(Instant::now);
        }
    }

    /// An event was taken. Where others had come to their end the webhook is on all the same, and they are forgotten.
    pub(super) fn taken(&mut self, key: Option<&[u8; 32]>) {
        self.refused_since = None;
        if self.failing.is_empty() {
            return;
        }
        if let Some(key) = key {
            self.failing.remove(key);
        }
        let after = self.after;
        self.failing.retain(|_, since| since.elapsed() < after);
    }

    /// Whether anything was refused or failed that nothing has made up for.
    pub(super) fn runs(&self) -> bool {
        self.refused_since.is_some() || !self.failing.is_empty()
    }

    pub(super) fn left(&self) -> Duration {
        let oldest = self.failing.values().copied().chain(self.refused_since).min();
        oldest.map_or(self.after, |since| self.after.saturating_sub(since.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test(start_paused = true)]
    async fn it_runs_from_the_first_refusal_until_one_is_taken() {
        let mut countdown = Countdown::new(5 * HOUR);
        tokio::time::advance(HOUR).await;
        assert_eq!(countdown.left(), 5 * HOUR, "nothing was refused");
        countdown.refused();
        tokio::time::advance(HOUR).await;
        countdown.refused();
        assert_eq!(countdown.left(), 4 * HOUR);
        tokio::time::advance(9 * HOUR).await;
        assert_eq!(countdown.left(), Duration::ZERO);
        countdown.taken(None);
        assert_eq!(countdown.left(), 5 * HOUR);
    }

    #[tokio::test(start_paused = true)]
    async fn one_event_that_keeps_failing_counts_though_others_are_taken() {
        let mut countdown = Countdown::new(5 * HOUR);
        countdown.failed(&[1; 32]);
        tokio::time::advance(HOUR).await;
        countdown.failed(&[2; 32]);
        countdown.failed(&[1; 32]);
        countdown.taken(Some(&[3; 32]));
        assert_eq!(countdown.left(), 4 * HOUR);
        countdown.taken(Some(&[1; 32]));
        assert_eq!(countdown.left(), 5 * HOUR, "the second has just begun");
        tokio::time::advance(6 * HOUR).await;
        assert_eq!(countdown.left(), Duration::ZERO);
        countdown.taken(Some(&[3; 32]));
        assert_eq!(countdown.left(), 5 * HOUR, "it was switched on again");
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_fail_the_first_are_kept() {
        let mut countdown = Countdown::new(5 * HOUR);
        for number in 0..10_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            countdown.failed(&key);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(countdown.failing.len(), EVENTS);
        assert_eq!(countdown.left(), 5 * HOUR - Duration::from_secs(10));
    }
}
