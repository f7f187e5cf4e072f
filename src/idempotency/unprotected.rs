//! Running on while the store is away: said by name, counted, and without a fence.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;

use super::lease::{Grant, Settled, Work};
use super::received::LeaseLost;
use super::store::StoreError;
use crate::error::{Rejection, RejectionKind};
use crate::trace;

/// Counts the events that ran without a claim, because the store could not say. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct UnprotectedRuns(Arc<AtomicU64>);

impl UnprotectedRuns {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs the work without a claim: nothing is remembered, and a repeat runs it again.
    pub(super) async fn run<T, F, Fut>(&self, why: StoreError, work: F) -> Settled<T>
    where
        F: FnOnce(Grant) -> Fut,
        Fut: Future<Output = Work<T>>,
    {
        self.0.fetch_add(1, Ordering::Relaxed);
        trace::unprotected(&why);
        let grant = Grant { fence: None, lost: LeaseLost::new() };
        match AssertUnwindSafe(async move { work(grant).await }).catch_unwind().await {
            Ok(Work::Done { answer, .. } | Work::NotDone { answer, .. }) => Settled::Ran(answer),
            Err(_) => Settled::Refused(Rejection::new(RejectionKind::HandlerFailed, "the handler panicked")),
        }
    }
}
