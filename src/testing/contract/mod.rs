//! The laws of a dedupe store, as a suite that any [`DedupeStore`](crate::idempotency::DedupeStore) can run.
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
mod law;
mod probe;

pub use law::{Law, Subject};
use probe::Probe;

impl Law {
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
