//! Running on while the store is away: said by name, and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the events that ran without a claim, because the store could not say. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct UnprotectedRuns(Arc<AtomicU64>);

impl UnprotectedRuns {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
