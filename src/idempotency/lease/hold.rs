//! Work under a lease: renewed while it runs, warned when the lease is lost, and dropped when it takes too long.

use std::convert::Infallible;
use std::future::Future;
use std::num::NonZeroU64;
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::store::{DedupeStore, Held};
use super::{Claims, Grant, Holding};
use crate::delivery::{Handled, LeaseLost, at_once, caught_in_place, until};
use crate::error::{Rejection, RejectionKind};
use crate::observe::Fact;

/// The lease is lost after this many failed renewals in a row.
const MISSES: u32 = 3;
/// However short a lease is, its renewals are not closer together.
const SHORTEST_THIRD: Duration = Duration::from_millis(10);
/// At the renewal of this number, which is three leases after the first, a handler is reported as slow.
const SLOW: u32 = 9;
/// A key whose work panicked is free after this.
pub(super) const PANIC_DELAY: Duration = Duration::from_secs(1);
/// So long a handler may still look after its affairs when its limit was reported to it.
const GRACE: Duration = Duration::from_secs(1);

/// Why work has no outcome.
#[derive(Debug)]
pub(super) enum Unfinished {
    Panicked,
    TimedOut,
}

impl Unfinished {
    /// When the key is free again. What a dropped handler had begun elsewhere may go on: it gets the time of a crash.
    pub(super) fn delay(&self, lease: Duration) -> Duration {
        match self {
            Self::Panicked => PANIC_DELAY,
            Self::TimedOut => lease,
        }
    }

    pub(super) fn rejection(&self) -> Rejection {
        match self {
            Self::Panicked => Rejection::new(RejectionKind::HandlerFailed, "the handler panicked"),
            Self::TimedOut => Rejection::new(RejectionKind::HandlerTimedOut, "the handler was dropped at its limit"),
        }
    }
}

/// Runs the work, and drops it when its limit completes first. The limit is not begun for work that is done at once.
pub(super) fn run_until<T, L>(
    work: Pin<&mut impl Future<Output = Handled<T>>>,
    limit: impl FnOnce() -> L,
) -> impl Future<Output = Result<Handled<T>, Unfinished>>
where
    L: Future<Output = ()>,
{
    let mut work = caught_in_place(work);
    async move {
        let outcome = match at_once(Pin::new(&mut work)).await {
            Some(outcome) => Some(outcome),
            None => until(Pin::new(&mut work), Box::pin(limit()).as_mut()).await,
        };
        outcome.ok_or(Unfinished::TimedOut)?.map_err(|_| Unfinished::Panicked)
    }
}

/// What happens at the limit: it is reported to the handler, which is dropped a moment later.
pub(super) async fn at_limit(report: impl FnOnce(Fact<'_>), limit: Duration, lost: &LeaseLost) {
    report(Fact::HandlerTimedOut { after: limit });
    lost.report();
    sleep(GRACE).await;
}

impl<S: DedupeStore> Claims<S> {
    /// What the work of a claim is given.
    pub(super) fn grant(&self, holding: &Holding<'_>) -> Grant {
        let fence = NonZeroU64::new(holding.fence);
        let lost = match fence {
            Some(_) => LeaseLost::of(holding.since, self.settings.terms.lease),
            None => LeaseLost::unclaimed(),
        };
        Grant { fence, at: holding.at_once.then_some(holding.since), lost }
    }

    /// Runs the work and renews the lease meanwhile.
    pub(super) fn hold<T>(
        &self,
        holding: &mut Holding<'_>,
        lost: &LeaseLost,
        work: Pin<&mut impl Future<Output = Handled<T>>>,
    ) -> impl Future<Output = Result<Handled<T>, Unfinished>> {
        run_until(work, move || self.keep(holding, lost))
    }

    /// Holds the lease until the handler has reached its limit and is to be dropped.
    async fn keep(&self, holding: &mut Holding<'_>, lost: &LeaseLost) {
        let limit = self.settings.handler_limit;
        let left = limit.saturating_sub(holding.since.elapsed());
        until(pin!(sleep(left)), pin!(self.renew(holding, lost))).await;
        at_limit(|fact| holding.report(fact), limit, lost).await;
    }

    /// Renews the lease at each third, and reports when it is lost.
    async fn renew(&self, holding: &mut Holding<'_>, lost: &LeaseLost) -> Infallible {
        let lease = self.settings.terms.lease;
        let third = (lease / 3).max(SHORTEST_THIRD);
        let (mut number, mut misses, mut last) = (0_u32, 0, holding.since);
        while misses < MISSES {
            sleep(third.saturating_sub(last.elapsed())).await;
            last = Instant::now();
            match self.store.renew(holding.key, &holding.token, lease, third).await {
                Ok(Held::Ok) => {
                    if lost.is_lost() {
                        holding.report(Fact::RenewedLate);
                    }
                    lost.renewed(last, lease);
                    (holding.since, misses) = (last, 0);
                }
                Ok(Held::Lost(_)) => break,
                Err(_) => misses += 1,
            }
            number = number.saturating_add(1);
            if number == SLOW {
                holding.report(Fact::HandlerSlow { after: third.saturating_mul(SLOW) });
            }
        }
        holding.report(Fact::LeaseLost { failed_renewals: misses });
        lost.report();
        std::future::pending().await
    }
}
