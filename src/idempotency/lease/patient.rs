//! The store, called within deadlines, and again with the same token when it could not say.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::super::store::StoreErrorKind::{Full, Timeout, Unavailable};
use super::super::store::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash, at_once};

/// The time for one operation of the store; all tries of one claim together.
const OPERATION: Duration = Duration::from_secs(2);

pub(super) struct Patient<S>(pub(super) Arc<S>);

impl<S> Clone for Patient<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: DedupeStore> Patient<S> {
    pub(super) fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        S::token(&self.0, entropy)
    }

    pub(super) async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let mut first = pin!(S::claim(&self.0, key, token, fingerprint, terms));
        match at_once(first.as_mut()).await {
            Some(answer) if !answer.as_ref().is_err_and(is_unknown) => answer,
            begun => Box::pin(self.claim_on(first, begun, key, token, fingerprint, terms)).await,
        }
    }

    /// Goes on with a claim that was begun, or could not say at once.
    async fn claim_on(
        &self,
        first: Pin<&mut impl Future<Output = Result<Claim, StoreError>>>,
        begun: Option<Result<Claim, StoreError>>,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let mut last = StoreError::new(Timeout);
        let tries = async {
            let mut pauses = Pauses::between_tries();
            let mut answer = match begun {
                Some(answer) => answer,
                None => first.await,
            };
            loop {
                match answer {
                    Err(error) if is_unknown(&error) => last = error,
                    answer => return answer,
                }
                sleep(pauses.next()).await;
                answer = S::claim(&self.0, key, token, fingerprint, terms).await;
            }
        };
        let answer = timeout(OPERATION, tries).await;
        answer.unwrap_or(Err(last))
    }

    /// One try, no longer than until the next is due.
    pub(super) async fn renew(
        &self,
        key: &KeyHash,
        token: &Token,
        lease: Duration,
        due: Duration,
    ) -> Result<Held, StoreError> {
        in_time(OPERATION.min(due), S::renew(&self.0, key, token, lease)).await
    }

    /// The first try, which nothing limits yet.
    pub(super) fn complete(&self, marking: &Marking<'_>) -> impl Future<Output = Result<Held, StoreError>> {
        S::complete(&self.0, marking.key, marking.token, marking.remember, marking.retention)
    }

    /// Goes on with a first try: to its end, and with as many more as there is time for.
    pub(super) async fn complete_on(
        &self,
        marking: &Marking<'_>,
        first: Pin<&mut impl Future<Output = Result<Held, StoreError>>>,
        begun: Option<Result<Held, StoreError>>,
    ) -> Result<Held, StoreError> {
        let mut pauses = Pauses::between_tries();
        let mut answer = match begun {
            Some(answer) => answer,
            None => in_time(OPERATION, first).await,
        };
        loop {
            let error = match answer {
                Err(error) if matches!(error.kind(), Unavailable | Timeout | Full) => error,
                answer => return answer,
            };
            let pause = pauses.next();
            if marking.since.elapsed().saturating_add(pause) >= marking.time {
                return Err(error);
            }
            sleep(pause).await;
            answer = in_time(OPERATION, self.complete(marking)).await;
        }
    }

    /// One try: the lease's end does the same.
    pub(super) async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        in_time(OPERATION, S::release(&self.0, key, token, delay)).await
    }
}

/// Whether the claim may have happened or not, so that the same is asked again.
fn is_unknown(error: &StoreError) -> bool {
    matches!(error.kind(), Unavailable | Timeout)
}

/// An event that is to be marked as done.
pub(super) struct Marking<'a> {
    pub(super) key: &'a KeyHash,
    pub(super) token: &'a Token,
    pub(super) remember: &'a StoredResponse,
    pub(super) retention: Duration,
    /// Tries begin within this time after.
    pub(super) since: Instant,
    pub(super) time: Duration,
}

async fn in_time<T>(time: Duration, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    within(time, pin!(call)).await.unwrap_or(Err(Timeout.into()))
}

/// What comes out within the time. What comes at once, as from a store in memory, is spared the timer and its room.
pub(super) async fn within<T>(time: Duration, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match at_once(call.as_mut()).await {
        None => Box::pin(timeout(time, call)).await.ok(),
        at_once => at_once,
    }
}

/// Pauses that double up to the longest.
pub(super) struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    /// Between two looks at a key that is in flight.
    pub(super) fn between_looks() -> Self {
        Self { next: Duration::from_millis(10), longest: Duration::from_millis(160) }
    }

    fn between_tries() -> Self {
        Self { next: Duration::from_millis(50), longest: Duration::from_secs(1) }
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        pause
    }
}
