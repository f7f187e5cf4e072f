//! Stopping without losing what is in hand.

use std::future::Future;

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TrackedFuture;

/// Drains a receiver: what is in hand finishes and is answered, what comes new is told to come again.
///
/// Call [`begin`](Self::begin) on the signal to stop, keep the server running until [`finished`](Self::finished), then
/// stop it. Clones drain the same receiver.
#[derive(Clone, Debug)]
pub struct Drain(TaskTracker);

impl Drain {
    pub(crate) fn new() -> Self {
        Self(TaskTracker::new())
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

    /// Completes when draining has begun and no delivery is in hand, even one whose sender has hung up.
    pub async fn finished(&self) {
        self.0.wait().await;
    }

    /// The same work, in hand until it is done or dropped.
    pub(crate) fn track<F: Future>(&self, work: F) -> TrackedFuture<F> {
        self.0.track_future(work)
    }
}
