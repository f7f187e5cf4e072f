//! The end of a lease, as a handler sees it: by the store's word, and by the clock.

use std::fmt;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::{Instant, sleep};

use super::waiting::until;

/// Reports to a handler that its lease is lost, or that it has reached its limit and is about to be dropped.
///
/// A lease is lost when the store says so, when renewals fail in a row, and by the clock: when it has run out and was not
/// renewed, as happens where a handler blocks its thread. Another may hold the event then. A late renewal that the store
/// confirms takes the last one back: nobody did.
#[derive(Clone)]
pub struct LeaseLost(Arc<Lease>);

struct Lease {
    reported: SetOnce<()>,
    start: Instant,
    /// Until so many nanoseconds after the start. The largest is never.
    until: AtomicU64,
    is_told: AtomicBool,
}

impl LeaseLost {
    /// Of what was not claimed, and so is not lost by the clock.
    pub(crate) fn unclaimed() -> Self {
        Self::ending(Instant::now(), u64::MAX)
    }

    /// Of a lease that holds for this time.
    pub(crate) fn of(since: Instant, lease: Duration) -> Self {
        Self::ending(since, nanos(lease))
    }

    fn ending(start: Instant, until: u64) -> Self {
        Self(Arc::new(Lease {
            reported: SetOnce::new(),
            start,
            until: AtomicU64::new(until),
            is_told: AtomicBool::new(false),
        }))
    }

    /// The store has confirmed it for this time more.
    pub(crate) fn renewed(&self, since: Instant, lease: Duration) {
        let until = nanos(since.duration_since(self.0.start).saturating_add(lease));
        self.0.until.fetch_max(until, Ordering::Relaxed);
        self.0.is_told.store(false, Ordering::Relaxed);
    }

    /// Whether observers are still to be told that it is lost: once, until it is renewed.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn is_news(&self) -> bool {
        !self.0.is_told.swap(true, Ordering::Relaxed)
    }

    /// Wakes all that wait for it.
    pub(crate) fn report(&self) {
        // Reported twice is reported.
        drop(self.0.reported.set(()));
    }

    /// Whether it is lost by now.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.reported.initialized() || self.left().is_some_and(|left| left.is_zero())
    }

    /// Waits until it is lost; for ever, while it holds. It needs a tokio runtime with its timer.
    pub async fn wait(&self) {
        until(pin!(self.0.reported.wait()), pin!(self.run_out())).await;
    }

    async fn run_out(&self) {
        loop {
            match self.left() {
                Some(left) if left.is_zero() => return,
                Some(left) => sleep(left).await,
                None => pending().await,
            }
        }
    }

    /// What is left by the clock. `None`: it has no end.
    pub(crate) fn left(&self) -> Option<Duration> {
        let until = self.0.until.load(Ordering::Relaxed);
        let left = || Duration::from_nanos(until.saturating_sub(nanos(self.0.start.elapsed())));
        (until != u64::MAX).then(left)
    }
}

impl fmt::Debug for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseLost").field("is_lost", &self.is_lost()).finish()
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
