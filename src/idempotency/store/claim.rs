//! What a store is asked, and what it answers.

use std::num::NonZeroU32;
use std::time::Duration;

use super::response::StoredResponse;
use crate::clock::{Entropy, NoEntropy};

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

/// Names a claim: 16 bytes, mostly random, made before the first try and the same in every retry.
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

/// The answer to a claim.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Claim {
    /// The key is the token's for the lease. The fence is 1 for the first claim and grows with every other.
    Acquired {
        /// The fencing token, for the handler's own writes: a downstream that has seen a larger one must refuse.
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

/// The state of a record, as far as others may know it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RecordState {
    /// Not done: under a lease, resting after a release, or free for the next claim.
    Pending,
    /// Completed. It stays so until its retention ends.
    Done,
    /// Claimed as often as [`Terms::max_attempts`] allows, and never completed. It is claimed no more until its retention
    /// ends: an operator has to look.
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

/// Why a renewal, completion or release did not find its claim: the lease ended, and what happened to the key then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LostReason {
    /// There is no record: its retention ended, or the store forgot it, as after a failover. The next claim's fence is 1.
    Gone,
    /// The record is in this state, and the token is not its holder's: another claimed or completed the key, or it was
    /// released. Of a [done](RecordState::Done) one, a claim says what was answered.
    Taken(RecordState),
}
