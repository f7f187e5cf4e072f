//! One event, claimed, held while its work runs, and settled.
//!
//! Time-outs are "unknown" and repeated with the token of the first try. What the store says of a claim is believed,
//! and what it could not say is never taken for a yes.

mod patient;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU64;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::poll_immediate;
use tokio::time::{Instant, sleep};

use super::key::{Fingerprint, Key};
use super::received::LeaseLost;
use super::store::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use super::unprotected::UnprotectedRuns;
use crate::clock::Entropy;
use crate::error::{BoxError, Rejection, RejectionKind};
use crate::trace;
use patient::{Patient, Pauses};

/// The lease is lost after this many failed renewals in a row.
const MISSES: u32 = 3;
/// However short a lease is, its renewals are not closer together.
const SHORTEST_THIRD: Duration = Duration::from_millis(10);
/// A key whose work panicked is free after this.
const PANIC_DELAY: Duration = Duration::from_secs(1);
/// A claim that only wants to know holds no longer than this.
const ASKING_LEASE: Duration = Duration::from_secs(1);
/// The longest wait that a sender is asked for, in seconds.
const LONGEST_RETRY_AFTER: u64 = 30;

/// How events are claimed from a store.
pub(crate) struct Claims<S> {
    store: Patient<S>,
    terms: Terms,
    entropy: Arc<dyn Entropy>,
    in_flight_wait: Duration,
    unprotected: Option<UnprotectedRuns>,
}

/// What the work is given.
pub(crate) struct Grant {
    /// `None` when nothing was claimed.
    pub(crate) fence: Option<NonZeroU64>,
    /// The work is told of the loss, not stopped.
    pub(crate) lost: LeaseLost,
}

/// How the work ended.
pub(crate) enum Work<T> {
    /// For good: a repeat gets what is to be remembered.
    Done { answer: T, remember: StoredResponse },
    /// The event is to be tried again, not before the delay.
    NotDone { answer: T, delay: Duration },
}

/// How the event ended.
#[derive(Debug)]
pub(crate) enum Settled<T> {
    /// The work ran.
    Ran(T),
    /// It was done before.
    Replayed(StoredResponse),
    /// It may not run now, or nobody can say whether it is done.
    Refused(Rejection),
}

/// Why there is no claim.
enum NotHeld {
    Settled(Settled<Infallible>),
    /// The store cannot say.
    Unknown(StoreError),
}

/// A claim that was granted.
struct Holding<'a> {
    key: &'a Key,
    fingerprint: &'a Fingerprint,
    token: Token,
    fence: u64,
    /// When the store was last asked to hold the key: the lease ends no earlier than a lease after this.
    since: Instant,
}

impl<S: DedupeStore> Claims<S> {
    /// Claims from this store on these terms, waiting 500 ms for an event that is in flight.
    pub(crate) fn new(store: Arc<S>, terms: Terms, entropy: Arc<dyn Entropy>) -> Self {
        Self { store: Patient(store), terms, entropy, in_flight_wait: Duration::from_millis(500), unprotected: None }
    }

    /// With this wait for an event that is in flight. Zero: none.
    pub(crate) fn in_flight_wait(mut self, wait: Duration) -> Self {
        self.in_flight_wait = wait;
        self
    }

    /// Runs the work without a claim, and counts it, where the store cannot say. `None`: refuses.
    pub(crate) fn unprotected(mut self, runs: Option<UnprotectedRuns>) -> Self {
        self.unprotected = runs;
        self
    }

    /// Runs the work if the event is neither done nor in somebody else's hands.
    ///
    /// The lease is renewed between two polls of the work: work that blocks its thread loses it. Dropped half way, the key
    /// comes free when the lease ends.
    pub(crate) async fn run<T, F, Fut>(&self, key: &Key, fingerprint: &Fingerprint, work: F) -> Settled<T>
    where
        F: FnOnce(Grant) -> Fut,
        Fut: Future<Output = Work<T>>,
    {
        let mut holding = match self.acquire(key, fingerprint).await {
            Ok(holding) => holding,
            Err(NotHeld::Settled(settled)) => return settled.widen(),
            Err(NotHeld::Unknown(error)) => {
                return match &self.unprotected {
                    Some(runs) => runs.run(error, work).await,
                    None => Settled::Refused(self.unavailable(error)),
                };
            }
        };
        let Some(work) = self.work(&mut holding, work).await else {
            self.release(&holding, PANIC_DELAY).await;
            return Settled::Refused(Rejection::new(RejectionKind::HandlerFailed, "the handler panicked"));
        };
        let settled = match work {
            Work::Done { ref remember, .. } => self.complete(&holding, remember).await,
            Work::NotDone { delay, .. } => {
                self.release(&holding, delay).await;
                Ok(())
            }
        };
        let (Work::Done { answer, .. } | Work::NotDone { answer, .. }) = work;
        settled.map_or_else(Settled::widen, |()| Settled::Ran(answer))
    }

    async fn acquire<'a>(&self, key: &'a Key, fingerprint: &'a Fingerprint) -> Result<Holding<'a>, NotHeld> {
        let refused = |rejection| NotHeld::Settled(Settled::Refused(rejection));
        let token = self.store.token(&*self.entropy).map_err(|error| refused(self.unavailable(error)))?;
        let start = Instant::now();
        let mut since = start;
        let mut pauses = Pauses::between_looks();
        loop {
            let claim = self.store.claim(key, &token, fingerprint, &self.terms).await;
            if matches!(claim, Ok(Claim::InFlight { .. })) {
                let left = self.in_flight_wait.saturating_sub(start.elapsed());
                if !left.is_zero() {
                    sleep(pauses.next().min(left)).await;
                    since = Instant::now();
                    continue;
                }
            }
            return Err(refused(match claim {
                Ok(Claim::Acquired { fence, other_payload }) => {
                    if other_payload {
                        trace::other_payload(fence);
                    }
                    return Ok(Holding { key, fingerprint, token, fence, since });
                }
                Ok(Claim::Done { response, .. }) => return Err(NotHeld::Settled(Settled::Replayed(response))),
                Err(error) => return Err(NotHeld::Unknown(error)),
                Ok(Claim::InFlight { retry_in }) => in_flight(retry_in),
                Ok(Claim::Mismatch { state }) => {
                    let detail = format!("the key is known with another payload, {state:?}");
                    Rejection::new(RejectionKind::PayloadMismatch, detail)
                }
                Ok(Claim::Poison { attempts }) => {
                    Rejection::new(RejectionKind::Poisoned, format!("poisoned after {attempts} attempts"))
                }
            }));
        }
    }

    /// Runs the work and renews the lease meanwhile. `None`: it panicked.
    async fn work<T, F, Fut>(&self, holding: &mut Holding<'_>, work: F) -> Option<Work<T>>
    where
        F: FnOnce(Grant) -> Fut,
        Fut: Future<Output = Work<T>>,
    {
        let lost = LeaseLost::new();
        let grant = Grant { fence: NonZeroU64::new(holding.fence), lost: lost.clone() };
        let mut work = pin!(AssertUnwindSafe(async move { work(grant).await }).catch_unwind());
        if let Some(outcome) = poll_immediate(&mut work).await {
            return outcome.ok();
        }
        tokio::select! {
            biased;
            outcome = work => outcome.ok(),
            never = Box::pin(self.keep(holding, &lost)) => match never {},
        }
    }

    /// Renews the lease at each third, and says so when it is lost.
    async fn keep(&self, holding: &mut Holding<'_>, lost: &LeaseLost) -> Infallible {
        let third = (self.terms.lease / 3).max(SHORTEST_THIRD);
        let mut misses = 0;
        let mut last = holding.since;
        while misses < MISSES {
            sleep(third.saturating_sub(last.elapsed())).await;
            last = Instant::now();
            match self.store.renew(holding.key, &holding.token, self.terms.lease, third).await {
                Ok(Held::Ok) => (holding.since, misses) = (last, 0),
                Ok(Held::Lost(_)) => break,
                Err(_) => misses += 1,
            }
        }
        trace::lease_lost(holding.fence, misses);
        lost.tell();
        std::future::pending().await
    }

    /// Repeated until the lease ends, since the effect is done and only the mark is missing.
    async fn complete(&self, holding: &Holding<'_>, remember: &StoredResponse) -> Result<(), Settled<Infallible>> {
        let Holding { key, token, since, .. } = *holding;
        let Terms { retention, lease, .. } = self.terms;
        match self.store.complete(key, &token, remember, retention, since, lease).await {
            Ok(Held::Ok) => Ok(()),
            Ok(Held::Lost(_)) => Err(Box::pin(self.ask(holding)).await),
            Err(error) => {
                trace::completion_unknown(holding.fence, &error);
                Ok(())
            }
        }
    }

    /// Whether somebody else has done the event that was taken from us. Leaves no claim behind: what asking acquires is
    /// released at once, and would end soon by itself.
    async fn ask(&self, holding: &Holding<'_>) -> Settled<Infallible> {
        let refused = |detail: &'static str| Settled::Refused(Rejection::new(RejectionKind::LeaseLost, detail));
        let Ok(token) = self.store.token(&*self.entropy) else {
            return refused("there are no random bytes to ask with");
        };
        let terms = self.terms.lease(ASKING_LEASE.min(self.terms.lease));
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
            trace::release_failed(holding.fence, &error);
        }
    }

    fn unavailable(&self, error: impl Into<BoxError>) -> Rejection {
        let mut random = [0; 2];
        let jitter = match self.entropy.fill(&mut random) {
            Ok(()) => u64::from(u16::from_be_bytes(random)) % (LONGEST_RETRY_AFTER - 4),
            Err(_) => LONGEST_RETRY_AFTER / 2,
        };
        Rejection::new(RejectionKind::StoreUnavailable, "the event could not be claimed")
            .with_retry_after(Duration::from_secs(5 + jitter))
            .with_source(error)
    }
}

impl<S> fmt::Debug for Claims<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("terms", &self.terms)
            .field("in_flight_wait", &self.in_flight_wait)
            .finish_non_exhaustive()
    }
}

impl Settled<Infallible> {
    fn widen<T>(self) -> Settled<T> {
        match self {
            Self::Ran(never) => match never {},
            Self::Replayed(response) => Settled::Replayed(response),
            Self::Refused(rejection) => Settled::Refused(rejection),
        }
    }
}

fn in_flight(retry_in: Duration) -> Rejection {
    let seconds = retry_in.as_secs().saturating_add(u64::from(retry_in.subsec_nanos() > 0));
    Rejection::new(RejectionKind::InFlight, "another delivery of this event is being handled")
        .with_retry_after(Duration::from_secs(seconds.clamp(1, LONGEST_RETRY_AFTER)))
}

#[cfg(test)]
mod tests;
