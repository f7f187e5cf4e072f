//! The laws of a dedupe store, as a suite that any [`DedupeStore`] can run.
//!
//! [`check`] panics at the first broken law and names it and the case. What it cannot see it does not promise: that a
//! record outlives a crash or a failover is for the store's own tests, and law L10 is kept by the types.
//!
//! ```
//! use tower_webhook::idempotency::MemoryStore;
//! use tower_webhook::testing::contract::{self, Subject};
//!
//! struct Memory;
//!
//! impl Subject for Memory {
//!     type Store = MemoryStore;
//!
//!     async fn store(&self) -> MemoryStore {
//!         MemoryStore::new(100_000)
//!     }
//!
//!     async fn bounded(&self, keys: usize) -> Option<MemoryStore> {
//!         Some(MemoryStore::new(keys))
//!     }
//! }
//!
//! // In a test of your own: #[tokio::test(start_paused = true)]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # tokio::time::pause();
//! contract::check(&Memory).await;
//! # }
//! ```
//!
//! A store that counts time by itself needs real time: give it a `tick` that it can tell from none, and run the suite
//! without pausing the clock. It takes about 200 ticks.

mod holding;
mod keeping;
mod probe;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::idempotency::DedupeStore;
use probe::Probe;

/// A store under test.
pub trait Subject: Sync {
    /// Its type.
    type Store: DedupeStore;

    /// A fresh store that holds no key.
    fn store(&self) -> impl Future<Output = Self::Store> + Send;

    /// A fresh store with room for exactly that many keys. Default: there is none, and that part of L7 is not checked.
    fn bounded(&self, keys: usize) -> impl Future<Output = Option<Self::Store>> + Send {
        let _ = keys;
        std::future::ready(None)
    }

    /// Lets time pass for the store. Default: tokio's sleep, which is no wait at all when the clock is paused.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(time)
    }

    /// The unit of time, in which leases are 4 and retentions 20. Answers must be quicker. Default: 100 ms.
    fn tick(&self) -> Duration {
        Duration::from_millis(100)
    }
}

/// The laws that the suite checks. Their numbers are those of [`DedupeStore`]'s contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Law {
    /// L1: only the holder completes, and only one does.
    OneCompletion,
    /// L2: done stays done until the retention ends.
    DoneStays,
    /// L3: one holder at a time, and the fence grows.
    FenceGrows,
    /// L4: a token that is not the record's own changes nothing.
    StrangersChangeNothing,
    /// L5: a repeated call is answered as before.
    RepeatsAgree,
    /// L6: after a call whose answer was lost, a later one decides.
    UnknownIsDecided,
    /// L7: a live record is never evicted.
    NothingIsEvicted,
    /// L8: another fingerprint is never replayed, and gets a free key with a word about it.
    OtherEventsAreTold,
    /// L9: a key comes free.
    KeysComeFree,
    /// L11: too many claims poison a key.
    TooManyClaimsPoison,
    /// L12: every duration is taken.
    AnyDurationIsTaken,
}

impl Law {
    /// All of them, in the order in which [`check`] runs them.
    pub const ALL: &'static [Self] = &[
        Self::OneCompletion,
        Self::DoneStays,
        Self::FenceGrows,
        Self::StrangersChangeNothing,
        Self::RepeatsAgree,
        Self::UnknownIsDecided,
        Self::NothingIsEvicted,
        Self::OtherEventsAreTold,
        Self::KeysComeFree,
        Self::TooManyClaimsPoison,
        Self::AnyDurationIsTaken,
    ];

    /// Checks this law alone.
    ///
    /// # Panics
    ///
    /// When the store breaks it. The message begins with the law.
    pub async fn check<B: Subject>(self, subject: &B) {
        let probe = Probe::new(self, subject, subject.store().await);
        match self {
            Self::OneCompletion => keeping::one_completion(&probe).await,
            Self::DoneStays => keeping::done_stays(&probe).await,
            Self::FenceGrows => holding::fence_grows(&probe).await,
            Self::StrangersChangeNothing => holding::strangers_change_nothing(&probe).await,
            Self::RepeatsAgree => holding::repeats_agree(&probe).await,
            Self::UnknownIsDecided => holding::unknown_is_decided(&probe).await,
            Self::NothingIsEvicted => keeping::nothing_is_evicted(&probe).await,
            Self::OtherEventsAreTold => keeping::other_events_are_told(&probe).await,
            Self::KeysComeFree => holding::keys_come_free(&probe).await,
            Self::TooManyClaimsPoison => keeping::too_many_claims_poison(&probe).await,
            Self::AnyDurationIsTaken => keeping::any_duration_is_taken(&probe).await,
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneCompletion => "L1, one completion",
            Self::DoneStays => "L2, done stays done",
            Self::FenceGrows => "L3, one holder and a growing fence",
            Self::StrangersChangeNothing => "L4, strangers change nothing",
            Self::RepeatsAgree => "L5, repeats agree",
            Self::UnknownIsDecided => "L6, unknown is decided later",
            Self::NothingIsEvicted => "L7, nothing live is evicted",
            Self::OtherEventsAreTold => "L8, another event is told",
            Self::KeysComeFree => "L9, keys come free",
            Self::TooManyClaimsPoison => "L11, too many claims poison",
            Self::AnyDurationIsTaken => "L12, any duration is taken",
        })
    }
}

/// Checks every law.
///
/// # Panics
///
/// At the first law that the store breaks. The message begins with the law.
pub async fn check<B: Subject>(subject: &B) {
    for law in Law::ALL {
        law.check(subject).await;
    }
}
