//! One event, claimed, held while its work runs, and settled.
//!
//! Time-outs are "unknown" and repeated with the token of the first try. What the store says of a claim is believed,
//! and what it could not say is never taken for a yes.

mod hold;
mod patient;
mod settle;
mod unprotected;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::num::NonZeroU64;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::settings::{Mismatch, Settings};
use super::store::{Claim, DedupeStore, RecordState, StoreError, StoreErrorKind, StoredResponse, Token};
use crate::clock::NoEntropy;
use crate::delivery::{Drain, Fingerprint, Handled, KeyHash, LeaseLost, at_once};
use crate::error::{BoxError, Rejection, RejectionKind};
use crate::fail_point::reach;
use crate::observe::{Fact, Scope};
use patient::{Patient, Pauses};

/// The longest wait that a sender is asked for, in seconds.
const LONGEST_RETRY_AFTER: u64 = 30;

/// How events are claimed from a store.
pub(crate) struct Claims<S> {
    store: Patient<S>,
    settings: Settings,
    /// What still waits to be marked in a store that cannot be reached.
    drain: Drain,
}

/// What the work is given.
pub(crate) struct Grant {
    /// `None` when nothing was claimed.
    pub(crate) fence: Option<NonZeroU64>,
    /// When it was claimed, where that has just been, so that the work need not look at the clock again.
    pub(crate) at: Option<Instant>,
    /// The loss is reported to the work, which is not stopped.
    pub(crate) lost: LeaseLost,
}

/// How the event ended.
#[derive(Debug)]
pub(crate) enum Settled<T> {
    /// The work ran, and its event is done.
    Done(T),
    /// The work ran, and its event is not done.
    NotDone(T),
    /// It was done before.
    Replayed(StoredResponse),
    /// Its key was done with another payload: not run, and acknowledged, since the route says so.
    Acknowledged(Rejection),
    /// It may not run now, or nobody can say whether it is done.
    Refused(Rejection),
}

impl<T> Settled<T> {
    /// The rejection of an event whose store did not answer. A full one has answered, and may know other events.
    pub(crate) fn store_away(&self) -> Option<&Rejection> {
        let Self::Refused(rejection) = self else { return None };
        let error: &StoreError = std::error::Error::source(rejection)?.downcast_ref()?;
        matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout).then_some(rejection)
    }
}

/// Why there is no claim.
enum NotHeld {
    Settled(Settled<Infallible>),
    /// The store cannot say.
    Unknown(StoreError),
}

/// A claim that was granted, or is about to be.
struct Holding<'a> {
    key: &'a KeyHash,
    fingerprint: &'a Fingerprint,
    scope: &'a Scope<'a>,
    token: Token,
    fence: u64,
    /// When the store was last asked to hold the key: the lease ends no earlier than a lease after this.
    since: Instant,
    /// Whether it said so without being waited for.
    at_once: bool,
}

impl Holding<'_> {
    fn report(&self, fact: Fact<'_>) {
        self.scope.report_of(self.key.as_bytes(), self.fence, fact);
    }
}

impl<S: DedupeStore> Claims<S> {
    /// Claims from this store, as the settings say.
    pub(crate) fn new(store: Arc<S>, settings: Settings, drain: Drain) -> Self {
        Self { store: Patient(store), settings, drain }
    }

    /// Runs the work if the event is neither done nor in somebody else's hands, and renews the lease meanwhile.
    ///
    /// The lease is renewed between two polls of the work: work that blocks its thread loses it. Work that reaches its limit
    /// is dropped. Dropped half way, the key comes free when the lease ends.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` has what it was given twice")]
    pub(crate) fn run<T, F, Fut>(
        &self,
        key: &KeyHash,
        fingerprint: &Fingerprint,
        scope: &Scope<'_>,
        work: F,
    ) -> impl Future<Output = Settled<T>>
    where
        F: FnOnce(Grant) -> Fut,
        Fut: Future<Output = Handled<T>>,
    {
        async move {
            let mut holding = match self.unheld(key, fingerprint, scope) {
                Ok(holding) => holding,
                Err(error) => return Settled::Refused(self.unavailable(error)),
            };
            match self.acquire(&mut holding).await {
                Ok(()) => {}
                Err(NotHeld::Settled(settled)) => return settled.widen(),
                Err(NotHeld::Unknown(error)) => {
                    return match &self.settings.unprotected {
                        Some(runs) => Box::pin(self.run_unprotected(runs, error, key, scope, work)).await,
                        None => Settled::Refused(self.unavailable(error)),
                    };
                }
            }
            reach!(Claimed);
            let grant = self.grant(&holding);
            let lost = grant.lost.clone();
            // Here, since a future of its own would have room for the work once more.
            let ended = self.hold(&mut holding, &lost, pin!(async move { work(grant).await })).await;
            self.settle(&holding, ended).await
        }
    }

    /// A claim that the store is about to be asked for.
    fn unheld<'a>(
        &self,
        key: &'a KeyHash,
        fingerprint: &'a Fingerprint,
        scope: &'a Scope<'a>,
    ) -> Result<Holding<'a>, NoEntropy> {
        let token = self.store.token(&*self.settings.entropy)?;
        Ok(Holding { key, fingerprint, scope, token, fence: 0, since: Instant::now(), at_once: false })
    }

    async fn acquire(&self, holding: &mut Holding<'_>) -> Result<(), NotHeld> {
        let (claim, at_once) = {
            let mut asked = pin!(self.claim(holding));
            match at_once(asked.as_mut()).await {
                Some(claim) => (claim, true),
                None => (asked.await, false),
            }
        };
        holding.at_once = at_once;
        let claim = match claim {
            Ok(Claim::InFlight { retry_in }) => Box::pin(self.look_again(holding, retry_in)).await,
            claim => claim,
        };
        self.judge(holding, claim)
    }

    fn claim(&self, holding: &Holding<'_>) -> impl Future<Output = Result<Claim, StoreError>> {
        let Holding { key, token, fingerprint, .. } = holding;
        self.store.claim(key, token, fingerprint, &self.settings.terms)
    }

    /// Waits for somebody else's work on the event, for as long as is set.
    async fn look_again(&self, holding: &mut Holding<'_>, mut retry_in: Duration) -> Result<Claim, StoreError> {
        let start = holding.since;
        holding.at_once = false;
        let mut pauses = Pauses::between_looks();
        loop {
            let left = self.settings.in_flight_wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(Claim::InFlight { retry_in });
            }
            sleep(pauses.next().min(left)).await;
            holding.since = Instant::now();
            match self.claim(holding).await {
                Ok(Claim::InFlight { retry_in: later }) => retry_in = later,
                claim => return claim,
            }
        }
    }

    fn judge(&self, holding: &mut Holding<'_>, claim: Result<Claim, StoreError>) -> Result<(), NotHeld> {
        let Holding { key, scope, .. } = *holding;
        Err(refused(match claim {
            Ok(Claim::Acquired { fence, other_payload }) => {
                holding.fence = fence;
                if other_payload {
                    holding.report(Fact::OtherPayload);
                }
                return Ok(());
            }
            Ok(Claim::Done { response, .. }) => return Err(NotHeld::Settled(Settled::Replayed(response))),
            Err(error) => {
                scope.report_of(key.as_bytes(), 0, Fact::StoreDown(&error));
                return Err(NotHeld::Unknown(error));
            }
            Ok(Claim::InFlight { retry_in }) => {
                later(RejectionKind::InFlight, "another delivery of this event is being handled", retry_in)
            }
            Ok(Claim::Resting { retry_in }) => {
                later(RejectionKind::Resting, "an earlier try was not done, and its pause runs", retry_in)
            }
            Ok(Claim::Mismatch { state }) => return Err(NotHeld::Settled(self.mismatch(key, scope, state))),
            Ok(Claim::Poison { attempts }) => {
                Rejection::new(RejectionKind::Poisoned, format!("poisoned after {attempts} attempts"))
            }
        }))
    }

    fn mismatch(&self, key: &KeyHash, scope: &Scope<'_>, state: RecordState) -> Settled<Infallible> {
        let of_it = match state {
            RecordState::Pending => "not completed",
            RecordState::Done => "completed",
            RecordState::Poison => "claimed too often",
        };
        let detail = format!("the key is known with another payload, {of_it}");
        let rejection = Rejection::new(RejectionKind::PayloadMismatch, detail);
        match (self.settings.on_mismatch, state) {
            (Mismatch::AcknowledgeUnhandled, RecordState::Done) => {
                scope.report_of(key.as_bytes(), 0, Fact::AcknowledgedUnhandled(&rejection));
                Settled::Acknowledged(rejection.received_by(Arc::clone(scope.reporter.receiver())))
            }
            _ => Settled::Refused(rejection),
        }
    }

    fn unavailable(&self, error: impl Into<BoxError>) -> Rejection {
        let mut random = [0; 2];
        let jitter = match self.settings.entropy.fill(&mut random) {
            Ok(()) => u64::from(u16::from_be_bytes(random)) % (LONGEST_RETRY_AFTER - 4),
            Err(_) => LONGEST_RETRY_AFTER / 2,
        };
        Rejection::new(RejectionKind::StoreUnavailable, "the event could not be claimed")
            .retry_in(Duration::from_secs(5 + jitter))
            .caused_by(error)
    }
}

impl<S> fmt::Debug for Claims<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Settled<Infallible> {
    fn widen<T>(self) -> Settled<T> {
        match self {
            Self::Done(never) | Self::NotDone(never) => match never {},
            Self::Replayed(response) => Settled::Replayed(response),
            Self::Acknowledged(rejection) => Settled::Acknowledged(rejection),
            Self::Refused(rejection) => Settled::Refused(rejection),
        }
    }
}

fn refused(rejection: Rejection) -> NotHeld {
    NotHeld::Settled(Settled::Refused(rejection))
}

fn later(kind: RejectionKind, detail: &'static str, retry_in: Duration) -> Rejection {
    let seconds = retry_in.as_secs().saturating_add(u64::from(retry_in.subsec_nanos() > 0));
    Rejection::new(kind, detail).retry_in(Duration::from_secs(seconds.clamp(1, LONGEST_RETRY_AFTER)))
}

#[cfg(test)]
mod tests;
