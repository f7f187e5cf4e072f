//! A store of any type.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::claim::{Claim, Held, Terms, Token};
use super::dedupe::DedupeStore;
use super::error::StoreError;
use super::response::StoredResponse;
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};

/// A store whose type was forgotten, for those who choose one by configuration. Clones are the same store.
///
/// Each operation allocates once, for its future.
///
/// ```
/// use tower_webhook::MemoryStore;
/// use tower_webhook::idempotency::BoxStore;
///
/// # async fn open(configured: Option<&str>) -> Result<BoxStore, Box<dyn std::error::Error>> {
/// Ok(match configured {
#[cfg_attr(
    feature = "redis",
    doc = "    Some(url) => BoxStore::new(tower_webhook::idempotency::RedisStore::connect(url).await?),"
)]
#[cfg_attr(not(feature = "redis"), doc = "    Some(other) => return Err(other.into()),")]
///     None => BoxStore::new(MemoryStore::new(1_000_000)),
/// })
/// # }
/// ```
#[derive(Clone)]
pub struct BoxStore(Arc<dyn Erased>);

impl BoxStore {
    /// This store, as one of any type.
    #[must_use]
    pub fn new(store: impl DedupeStore) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for BoxStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxStore").finish_non_exhaustive()
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// [`DedupeStore`] as an object. Its names are others, so that no call finds itself.
trait Erased: Send + Sync {
    fn erased_token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy>;

    fn erased_forgets_at_exit(&self) -> bool;

    fn erased_claim<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        fingerprint: &'a Fingerprint,
        terms: &'a Terms,
    ) -> BoxFuture<'a, Result<Claim, StoreError>>;

    fn erased_renew<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>>;

    fn erased_complete<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        response: &'a StoredResponse,
        retention: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>>;

    fn erased_release<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        delay: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>>;
}

impl<D: DedupeStore> Erased for D {
    fn erased_token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        self.token(entropy)
    }

    fn erased_forgets_at_exit(&self) -> bool {
        self.forgets_at_exit()
    }

    fn erased_claim<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        fingerprint: &'a Fingerprint,
        terms: &'a Terms,
    ) -> BoxFuture<'a, Result<Claim, StoreError>> {
        Box::pin(self.claim(key, token, fingerprint, terms))
    }

    fn erased_renew<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(self.renew(key, token, lease))
    }

    fn erased_complete<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        response: &'a StoredResponse,
        retention: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(self.complete(key, token, response, retention))
    }

    fn erased_release<'a>(
        &'a self,
        key: &'a KeyHash,
        token: &'a Token,
        delay: Duration,
    ) -> BoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(self.release(key, token, delay))
    }
}

impl DedupeStore for BoxStore {
    fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        self.0.erased_token(entropy)
    }

    fn forgets_at_exit(&self) -> bool {
        self.0.erased_forgets_at_exit()
    }

    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        self.0.erased_claim(key, token, fingerprint, terms).await
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        self.0.erased_renew(key, token, lease).await
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        self.0.erased_complete(key, token, response, retention).await
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        self.0.erased_release(key, token, delay).await
    }
}
