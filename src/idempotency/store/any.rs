//! The store that a configuration names, as one type.

use std::time::Duration;

use super::memory::MemoryStore;
use super::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};
#[cfg(feature = "redis")]
use crate::idempotency::store::redis::RedisStore;

/// A store of this crate, for who chooses one when the program runs. Clones share their keys.
///
/// ```
/// use tower_webhook::idempotency::{AnyStore, DedupeStore as _, MemoryStore};
///
/// let store = AnyStore::Memory(MemoryStore::new(1_000_000));
/// assert!(store.forgets_at_exit());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyStore {
    /// In memory.
    Memory(MemoryStore),
    /// In Redis or Valkey.
    #[cfg(feature = "redis")]
    Redis(RedisStore),
}

/// Calls the store that is there.
macro_rules! each {
    ($any:expr, $store:ident => $call:expr) => {
        match $any {
            AnyStore::Memory($store) => $call,
            #[cfg(feature = "redis")]
            AnyStore::Redis($store) => $call,
        }
    };
}

impl DedupeStore for AnyStore {
    fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        each!(self, store => store.token(entropy))
    }

    fn forgets_at_exit(&self) -> bool {
        each!(self, store => store.forgets_at_exit())
    }

    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        each!(self, store => store.claim(key, token, fingerprint, terms).await)
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        each!(self, store => store.renew(key, token, lease).await)
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        each!(self, store => store.complete(key, token, response, retention).await)
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        each!(self, store => store.release(key, token, delay).await)
    }
}
