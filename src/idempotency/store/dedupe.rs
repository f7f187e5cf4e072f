//! The trait of a dedupe store.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::claim::{Claim, Held, Terms, Token};
use super::error::StoreError;
use super::response::StoredResponse;
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};

/// Keeps one record for each idempotency key, and moves it by four operations, each a compare-and-set on a token.
///
/// A receiver claims a key before its handler runs, renews the claim's lease while it runs, and completes or releases it
/// after. A call whose answer was lost is repeated with the same token, and is safe to repeat. The suite in `testing::contract`
/// (feature `testing`) checks any implementation. [`MemoryStore`](super::memory::MemoryStore) is one, `RedisStore` another;
/// an [`Arc`] of a store is a store, and a [`BoxStore`](super::BoxStore) one of any type.
///
#[doc = include_str!("contract.md")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a dedupe store",
    note = "call `.dedupe(store)` on the receiver, or `.dangerous_without_dedupe()` if handlers may run twice"
)]
pub trait DedupeStore: Send + Sync + 'static {
    /// A token for a claim, which no other claim of this store gets. Default: [`Token::new`].
    ///
    /// Only a store that lives and dies with the process may count instead of drawing: processes that come from one
    /// image, forked or restored, would count alike and take each other's claims for their own.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when there are no random bytes.
    fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        Token::new(entropy)
    }

    /// Whether the store forgets everything when the process ends: what was handled before is handled again after that.
    /// Receivers log a warning when they are built with such a store. Default: `false`.
    fn forgets_at_exit(&self) -> bool {
        false
    }

    /// Takes the key for the lease, or says why not. Safe to repeat with the same token.
    ///
    /// A key that is free and that nobody completed goes to another fingerprint too, and the record takes that: of an
    /// event that was never handled nothing is lost when its next delivery was written differently. While somebody holds
    /// the key, or a delay runs, that claim waits like any other.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; after [`StoreErrorKind::Timeout`](super::StoreErrorKind::Timeout) the claim may have happened.
    fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> impl Future<Output = Result<Claim, StoreError>> + Send;

    /// Holds the key for another lease from now.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    fn renew(
        &self,
        key: &KeyHash,
        token: &Token,
        lease: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// The event is done: remembers the response for the retention.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; after [`StoreErrorKind::Timeout`](super::StoreErrorKind::Timeout) repeat it with the same token.
    fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send;

    /// The event is not done: frees the key after the delay. The record stays, so that the fence never goes back.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the lease's end frees the key anyway.
    fn release(
        &self,
        key: &KeyHash,
        token: &Token,
        delay: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send;
}

/// The same store, shared.
impl<D: DedupeStore> DedupeStore for Arc<D> {
    fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        D::token(self, entropy)
    }

    fn forgets_at_exit(&self) -> bool {
        D::forgets_at_exit(self)
    }

    fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> impl Future<Output = Result<Claim, StoreError>> + Send {
        D::claim(self, key, token, fingerprint, terms)
    }

    fn renew(
        &self,
        key: &KeyHash,
        token: &Token,
        lease: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send {
        D::renew(self, key, token, lease)
    }

    fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send {
        D::complete(self, key, token, response, retention)
    }

    fn release(
        &self,
        key: &KeyHash,
        token: &Token,
        delay: Duration,
    ) -> impl Future<Output = Result<Held, StoreError>> + Send {
        D::release(self, key, token, delay)
    }
}
