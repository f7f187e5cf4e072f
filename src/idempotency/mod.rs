//! Handles each event at most once per idempotency key: claims, leases, and the stores that keep them.
//!
//! A [`DedupeStore`] keeps one record per event key and moves it by four operations, each a compare-and-set on a token
//! that the caller made before the first try. So a time-out is safe to repeat, a late reply does no damage, and a
//! crash frees the key when its lease ends.
//!
//! Two windows stay open, and no lease can close them: an event is handled again when the process dies between its effect
//! and its mark, and when the store cannot be reached until the lease ends ([`Settings::mark_within`]).
//!
#![doc = include_str!("effects.md")]

mod answer;
pub(crate) mod identity;
mod layer;
mod lease;
mod service;
mod settings;
mod store;
mod unprotected;
mod without_dedupe;

pub use answer::Repeats;
pub use identity::{NameTaken, ReceiverIdentity};
pub use layer::IdempotencyLayer;

pub use crate::delivery::REPLAYED;

#[cfg(feature = "redis")]
pub use self::store::redis::{self, RedisStore};
pub use service::{Idempotency, ResponseFuture};
pub use settings::{Mismatch, Settings};
pub use store::any::AnyStore;
pub use store::memory::MemoryStore;
pub use store::{
    BoxStore, Claim, DedupeStore, Held, LostReason, RecordState, StoreError, StoreErrorKind, StoredResponse, Terms,
    Token,
};
pub use unprotected::UnprotectedRuns;
pub use without_dedupe::WithoutDedupe;
