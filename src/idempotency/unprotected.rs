//! Running on while the store is away: said by name, counted, and without a fence.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::lease::{Grant, Settled, Work, at_limit, run_until};
use super::lost::LeaseLost;
use super::store::StoreError;
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
    pub(super) async fn run<T, F, Fut>(&self, why: StoreError, receiver: &str, limit: Duration, work: F) -> Settled<T>
    where
        F: FnOnce(Grant) -> Fut,
        Fut: Future<Output = Work<T>>,
    {
        self.0.fetch_add(1, Ordering::Relaxed);
        trace::unprotected(receiver, &why);
        let lost = LeaseLost::unclaimed();
        let grant = Grant { fence: None, lost: lost.clone() };
        let limit = || async {
            sleep(limit).await;
            at_limit(receiver, None, limit, &lost).await;
        };
        match run_until(async move { work(grant).await }, limit).await {
            Ok(Work::Done { answer, .. } | Work::NotDone { answer, .. }) => Settled::Ran(answer),
            Err(unfinished) => Settled::Refused(unfinished.rejection()),
        }
    }
}
