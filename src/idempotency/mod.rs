//! Each event handled as often as the money moved: once.
//!
//! A [`DedupeStore`] keeps one record per event key and moves it by four operations, each a compare-and-set on a token
//! that the caller made before the first try. So a time-out is safe to repeat, a late reply does no damage, and a
//! crash frees the key when its lease ends.

mod answer;
mod drain;
mod identity;
mod in_hand;
mod key;
mod layer;
mod lease;
mod memory;
#[cfg(test)]
mod memory_tests;
mod received;
#[cfg(feature = "redis")]
pub mod redis;
mod service;
mod store;
mod unclaimed;
mod unprotected;

pub use answer::{REPLAYED, Repeats};
pub use drain::Drain;
pub use identity::{NameTaken, ReceiverIdentity};
pub use key::{Fingerprint, Key, Namespace};
pub use layer::{IdempotencyLayer, Settings};

#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use memory::MemoryStore;
pub use received::{Delivery, LeaseLost, Received};
pub use service::{Idempotency, ResponseFuture};
pub use store::{Claim, DedupeStore, Held, LostWhy, StateTag, StoreError, StoredResponse, Terms, Token};
pub use unclaimed::Unclaimed;
pub use unprotected::UnprotectedRuns;
