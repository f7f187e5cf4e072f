//! The store, called within deadlines, and again with the same token when it could not say.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::poll_immediate;
use tokio::time::{Instant, sleep, timeout};

use super::super::store::StoreErrorKind::{Full, Timeout, Unavailable};
use super::super::store::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};

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
        let mut last = StoreError::new(Timeout);
        let tries = async {
            let mut pauses = Pauses::between_tries();
            loop {
                match S::claim(&self.0, key, token, fingerprint, terms).await {
                    Err(error) if matches!(error.kind(), Unavailable | Timeout) => last = error,
                    answer => return answer,
                }
                sleep(pauses.next()).await;
            }
        };
        let answer = within(OPERATION, pin!(tries)).await;
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

    /// At least one try, and as many as begin within this time after `since`.
    pub(super) async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        remember: &StoredResponse,
        retention: Duration,
        since: Instant,
        time: Duration,
    ) -> Result<Held, StoreError> {
        let mut pauses = Pauses::between_tries();
        loop {
            let error = match in_time(OPERATION, S::complete(&self.0, key, token, remember, retention)).await {
                Err(error) if matches!(error.kind(), Unavailable | Timeout | Full) => error,
                answer => return answer,
            };
            let pause = pauses.next();
            if since.elapsed().saturating_add(pause) >= time {
                return Err(error);
            }
            sleep(pause).await;
        }
    }

    /// One try: the lease's end does the same.
    pub(super) async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        in_time(OPERATION, S::release(&self.0, key, token, delay)).await
    }
}

async fn in_time<T>(time: Duration, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    within(time, pin!(call)).await.unwrap_or(Err(Timeout.into()))
}

/// What comes out within the time. What comes at once, as from a store in memory, is spared the timer and its room.
pub(super) async fn within<T>(time: Duration, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match poll_immediate(&mut call).await {
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
