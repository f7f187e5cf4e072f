//! How a claim ends: marked as done, in the background if need be, asked about when it was lost, or released.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::runtime::Handle;

use super::super::store::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms};
use super::hold::Unfinished;
use super::patient::{Marking, within};
use super::{Claims, Holding, Settled};
use crate::delivery::{Handled, at_once};
use crate::error::{Rejection, RejectionKind};
use crate::fail_point::reach;
use crate::observe::Fact;

/// A claim that only wants to know holds no longer than this.
pub(super) const ASKING_LEASE: Duration = Duration::from_secs(1);

impl<S: DedupeStore> Claims<S> {
    /// Tells the store how the work ended. By itself, so that nothing has room for this while the work is done.
    pub(super) async fn settle<T>(&self, holding: &Holding<'_>, ended: Result<Handled<T>, Unfinished>) -> Settled<T> {
        let (delay, settled) = match ended {
            Ok(Handled::Done { answer, remember }) => {
                reach!(Handled);
                let marked = self.complete(holding, &StoredResponse::of(remember)).await;
                return marked.map_or_else(Settled::widen, |()| {
                    reach!(Completed);
                    Settled::Done(answer)
                });
            }
            Ok(Handled::NotDone { answer, delay }) => (delay, Settled::NotDone(answer)),
            Err(unfinished) => (unfinished.delay(self.settings.terms.lease), Settled::Refused(unfinished.rejection())),
        };
        Box::pin(self.release(holding, delay)).await;
        settled
    }

    /// Marks the event as done. The effect is there by now, so that the answer waits no longer than is set, and the marking
    /// goes on without it.
    async fn complete(&self, holding: &Holding<'_>, remember: &StoredResponse) -> Result<(), Settled<Infallible>> {
        let marking = self.marking(holding, remember);
        let mut first = pin!(self.store.complete(&marking));
        match at_once(first.as_mut()).await {
            Some(Ok(Held::Ok)) => Ok(()),
            begun => Box::pin(self.complete_on(holding, &marking, first, begun)).await,
        }
    }

    fn marking<'a>(&self, holding: &'a Holding<'_>, remember: &'a StoredResponse) -> Marking<'a> {
        let Holding { key, ref token, since, .. } = *holding;
        let Terms { retention, lease, .. } = self.settings.terms;
        Marking { key, token, remember, retention, since, time: lease }
    }

    /// Goes on with a marking that was begun, or did not come about at once.
    async fn complete_on(
        &self,
        holding: &Holding<'_>,
        marking: &Marking<'_>,
        first: Pin<&mut impl Future<Output = Result<Held, StoreError>>>,
        begun: Option<Result<Held, StoreError>>,
    ) -> Result<(), Settled<Infallible>> {
        let tries = pin!(self.store.complete_on(marking, first, begun));
        match within(self.settings.mark_within, tries).await {
            Some(Ok(Held::Ok)) => return Ok(()),
            Some(Ok(Held::Lost(_))) => return Err(self.ask(holding).await),
            Some(Err(error)) => holding.report(Fact::CompletionUnknown(&error)),
            None => self.complete_later(holding, marking.remember),
        }
        Ok(())
    }

    /// Until the lease ends: after that another may have the key, and has to run what the store does not know.
    fn complete_later(&self, holding: &Holding<'_>, remember: &StoredResponse) {
        let Holding { key, token, since, fence, .. } = *holding;
        let (key, remember, store, scope) = (*key, remember.clone(), self.store.clone(), holding.scope.keep());
        let Terms { retention, lease, .. } = self.settings.terms;
        holding.report(Fact::CompletionLate);
        let entered = self.drain.enter();
        let marking = async move {
            let _entered = entered;
            let marking = Marking { key: &key, token: &token, remember: &remember, retention, since, time: lease };
            let first = pin!(store.complete(&marking));
            match store.complete_on(&marking, first, None).await {
                Ok(Held::Ok) => {}
                Ok(Held::Lost(_)) => scope.scope().report_of(key.as_bytes(), fence, Fact::CompletionLost),
                Err(error) => scope.scope().report_of(key.as_bytes(), fence, Fact::CompletionUnknown(&error)),
            }
        };
        // There is a runtime: a timer of its own has just gone off.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(marking);
        }
    }

    /// Whether somebody else has done the event that was taken from us. Leaves no claim behind: what asking acquires is
    /// released at once, and would end soon by itself.
    async fn ask(&self, holding: &Holding<'_>) -> Settled<Infallible> {
        let refused = |detail: &'static str| Settled::Refused(Rejection::new(RejectionKind::LeaseLost, detail));
        let Ok(token) = self.store.token(&*self.settings.entropy) else {
            return refused("there are no random bytes to ask with");
        };
        let terms = self.settings.terms.lease(ASKING_LEASE.min(self.settings.terms.lease));
        let answer = self.store.claim(holding.key, &token, holding.fingerprint, &terms).await;
        if matches!(answer, Ok(Claim::Acquired { .. }) | Err(_)) {
            self.release(&Holding { token, ..*holding }, Duration::ZERO).await;
        }
        match answer {
            Ok(Claim::Done { response, .. }) => Settled::Replayed(response),
            Ok(Claim::InFlight { .. }) => refused("the lease was lost, and another holds it"),
            Ok(_) => refused("the lease was lost, and nobody has finished"),
            Err(_) => refused("the lease was lost, and the store cannot say who has it"),
        }
    }

    /// Frees the key after the delay. When that fails, the lease's end does it.
    async fn release(&self, holding: &Holding<'_>, delay: Duration) {
        if let Err(error) = self.store.release(holding.key, &holding.token, delay).await {
            holding.report(Fact::ReleaseFailed(&error));
        }
    }
}
