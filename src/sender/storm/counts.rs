//! How far a run is, while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far a run is. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Counts(Arc<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    sent: AtomicU64,
    requests: AtomicU64,
    refused: AtomicU64,
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Counts {
    /// Events in requests so far, in every try and every copy.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Deliveries that were refused as they had to be, so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Events that are under way or have come to an end.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Deliveries that have come to an end, well or not.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.0.ended.load(Ordering::Relaxed)
    }

    /// How many there were before.
    pub(super) fn count_request(&self, events: usize) -> u64 {
        self.0.sent.fetch_add(events as u64, Ordering::Relaxed);
        self.0.requests.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn count_refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_begun(&self) {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_ended(&self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}
