//! The contract of a dedupe store: four operations, twelve laws.
//!
//! | law | promise |
//! |---|---|
//! | L1 | at most one `complete` per key answers [`Held::Ok`] for the first time within the retention |
//! | L2 | after it, no `claim` answers [`Claim::Acquired`] until the retention ends |
//! | L3 | while a lease runs no other token gets `Acquired`; two `Acquired` with different tokens have different fences, the later one larger |
//! | L4 | a call with a token that is not the record's own changes nothing |
//! | L5 | the same call with the same token again gives the same class of answer; only a `release` may say [`Held::Lost`], since it is done. A claim with the same token and another fingerprint is another claim |
//! | L6 | [`StoreError::Timeout`] means "unknown": a later call decides |
//! | L7 | a live record is never evicted; a full store answers [`StoreError::Full`] |
//! | L8 | another fingerprint never gets `Done`; it gets `Acquired` only for a key that is free and was never completed, and that answer, its repeats and every later `Acquired` of the record say so |
//! | L9 | without new faults, a key becomes claimable or done within one lease |
//! | L10 | the store sees no plaintext identity |
//! | L11 | with as many claims as [`Terms::max_attempts`] and no lease running, a key is poisoned, and stays so until its retention ends |
//! | L12 | any duration is taken; one that is too long counts as the longest that the store knows |

pub(crate) mod any;
pub(crate) mod memory;
#[cfg(test)]
mod memory_tests;
#[cfg(feature = "redis")]
pub mod redis;

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};

/// Where idempotency keys live. `testing::contract` runs the laws against any implementation.
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
    /// [`StoreError`]; after [`StoreError::Timeout`] the claim may have happened.
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
    /// [`StoreError`]; after [`StoreError::Timeout`] repeat it with the same token.
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

/// How long a claim holds, how long its key is remembered, and how often it may be tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Terms {
    /// How long a claim holds without renewal. Default: 30 seconds.
    pub lease: Duration,
    /// How long the record is kept, counted from the last claim that was granted, or the completion. A running lease
    /// or delay is outlived in any case.
    pub retention: Duration,
    /// After this many claims the key is poisoned. Default: no such number, since the sender's own schedule ends.
    pub max_attempts: Option<NonZeroU32>,
}

impl Terms {
    /// The default lease.
    pub const LEASE: Duration = Duration::from_secs(30);

    /// Terms with this retention.
    #[must_use]
    pub fn new(retention: Duration) -> Self {
        Self { lease: Self::LEASE, retention, max_attempts: None }
    }

    /// With this lease.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// With this many claims at most.
    #[must_use]
    pub fn max_attempts(mut self, most: NonZeroU32) -> Self {
        self.max_attempts = Some(most);
        self
    }
}

/// Who claims: 16 bytes, mostly random, made before the first try and the same in every retry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token([u8; 16]);

impl Token {
    /// A new token.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when there are no random bytes.
    pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A token of these bytes, for stores and tests.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The token's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// What a claim is told.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Claim {
    /// The key is yours for the lease. The fence is 1 for the first claim and grows with every other.
    Acquired {
        /// For the handler's own writes: a downstream that has seen a larger one must refuse.
        fence: u64,
        /// Whether the key was known with another payload, which nobody completed: the event runs, and somebody should
        /// look.
        other_payload: bool,
    },
    /// Somebody else holds the key.
    InFlight {
        /// When it comes free at the latest, without renewal.
        retry_in: Duration,
    },
    /// Nobody holds the key: it was released, and is not to be tried before. A store that cannot tell this from a key that is
    /// held answers `InFlight`.
    Resting {
        /// When it comes free.
        retry_in: Duration,
    },
    /// The event is done.
    Done {
        /// The fence of the claim that did it.
        fence: u64,
        /// What was answered then.
        response: StoredResponse,
    },
    /// The key is done, with another fingerprint.
    Mismatch {
        /// What state the known record is in. By the laws that is [`RecordState::Done`].
        state: RecordState,
    },
    /// The key was claimed too often.
    Poison {
        /// How often.
        attempts: u64,
    },
}

/// The state of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RecordState {
    /// Claimed, or free for the next claim.
    Pending,
    /// Done.
    Done,
    /// Claimed too often.
    Poison,
}

/// Whether a renewal, completion or release found its claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Held {
    /// It did.
    Ok,
    /// It did not, and nothing was changed. An answer, not an error.
    Lost(LostReason),
}

/// Why a claim is not yours any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LostReason {
    /// There is no such record: it expired, or the store forgot it.
    Gone,
    /// The record is in this state, under another token.
    Taken(RecordState),
}

/// Why a store could not say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached.
    Unavailable,
    /// It did not answer in time. What was asked may have happened.
    Timeout,
    /// It has no room, and evicts no live record.
    Full,
    /// It is set up so that it cannot keep its promises.
    Misconfigured(&'static str),
    /// It holds something that it did not write.
    Corrupt,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => f.write_str("the store cannot be reached"),
            Self::Timeout => f.write_str("the store did not answer in time"),
            Self::Full => f.write_str("the store is full"),
            Self::Misconfigured(why) => write!(f, "the store is misconfigured: {why}"),
            Self::Corrupt => f.write_str("the store holds a record that it did not write"),
        }
    }
}

impl std::error::Error for StoreError {}

/// The answer that a repeat gets again: status, content type, and a short body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredResponse {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

impl StoredResponse {
    /// The longest body that is stored, in bytes. A longer one is not.
    pub const MAX_BODY: usize = 4096;

    /// A response to remember. A body over [`MAX_BODY`](Self::MAX_BODY) is left out.
    #[must_use]
    pub fn new(status: StatusCode, content_type: Option<HeaderValue>, body: Bytes) -> Self {
        let body = if body.len() > Self::MAX_BODY { Bytes::new() } else { body };
        Self { status, content_type, body }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The type of the body, where there is one.
    #[must_use]
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.content_type.as_ref()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}
