//! Work without a claim, where a route says so: nothing is remembered, and a repeat runs it again.

use std::future::Future;
use std::pin::pin;

use tokio::time::sleep;

use super::super::store::StoreError;
use super::super::unprotected::UnprotectedRuns;
use super::hold::{at_limit, run_until};
use super::{Claims, Grant, Settled};
use crate::delivery::{Handled, KeyHash, LeaseLost};
use crate::fail_point::reach;
use crate::observe::{Fact, Scope};

impl<S> Claims<S> {
    /// Runs the work, with no fence and within its limit, and counts it.
    pub(super) async fn run_unprotected<T, F, Fut>(
        &self,
        runs: &UnprotectedRuns,
        why: StoreError,
        key: &KeyHash,
        scope: &Scope<'_>,
        work: F,
    ) -> Settled<T>
    where
        F: FnOnce(Grant) -> Fut,
        Fut: Future<Output = Handled<T>>,
    {
        let report = |fact: Fact<'_>| scope.report_of(key.as_bytes(), 0, fact);
        runs.add();
        report(Fact::Unprotected(&why));
        let lost = LeaseLost::unclaimed();
        let grant = Grant { fence: None, at: None, lost: lost.clone() };
        let limit = || async {
            sleep(self.settings.handler_limit).await;
            at_limit(report, self.settings.handler_limit, &lost).await;
        };
        match run_until(pin!(async move { work(grant).await }), limit).await {
            Ok(Handled::Done { answer, .. }) => {
                reach!(Handled);
                Settled::Done(answer)
            }
            Ok(Handled::NotDone { answer, .. }) => Settled::NotDone(answer),
            Err(unfinished) => Settled::Refused(unfinished.rejection()),
        }
    }
}
