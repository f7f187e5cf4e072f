//! Stopping without losing what is in hand.

use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TrackedFuture;

/// Drains receivers: what is in hand finishes and is answered, what comes new is answered 503 and comes again.
///
/// One drain serves any number of receivers and layers, by `.drain(&drain)` on each. Call [`begin`](Self::begin) on the signal to stop, keep the server running until [`finished`](Self::finished), then
/// stop it. Clones are one drain.
///
/// A handler that hangs is dropped at [`Settings::handler_limit`](crate::idempotency::Settings::handler_limit), 5 minutes unless it was
/// set, so that a drain ends. One that blocks its thread cannot be dropped: [`finish_within`](Self::finish_within) ends all
/// the same.
#[derive(Clone, Debug, Default)]
pub struct Drain(TaskTracker);

impl Drain {
    /// A drain that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every new delivery is answered 503.
    pub fn begin(&self) {
        self.0.close();
    }

    /// Whether [`begin`](Self::begin) was called.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.is_closed()
    }

    /// Completes when draining has begun and nothing is in hand: no delivery, even one whose sender has hung up, and no
    /// answered event that is still to be marked in the store.
    pub async fn finished(&self) {
        self.0.wait().await;
    }

    /// Begins, and waits until nothing is in hand, but no longer than this. It needs a tokio runtime with its timer.
    ///
    /// What is left hears nothing of it and goes on; its lease is renewed as before, so that nobody else runs it meanwhile. When
    /// the process ends, the lease ends by itself, and the sender's next try runs.
    ///
    /// # Errors
    ///
    /// [`StillInHand`] when something is left.
    pub async fn finish_within(&self, time: Duration) -> Result<(), StillInHand> {
        self.begin();
        if timeout(time, self.finished()).await.is_ok() {
            return Ok(());
        }
        NonZeroUsize::new(self.0.len()).map_or(Ok(()), |count| Err(StillInHand { count }))
    }

    /// The same work, in hand until it is done or dropped.
    pub(crate) fn track<F: Future>(&self, work: F) -> TrackedFuture<F> {
        self.0.track_future(work)
    }
}

/// What a drain left in hand: deliveries, and answered events that are not yet marked in the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StillInHand {
    count: NonZeroUsize,
}

impl StillInHand {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.get()
    }
}

impl fmt::Display for StillInHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} still in hand", self.count)
    }
}

impl std::error::Error for StillInHand {}
