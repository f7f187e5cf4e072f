//! Each event handled as often as the money moved: once.
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
mod drain;
mod identity;
mod in_hand;
mod key;
mod layer;
mod lease;
mod lost;
mod memory;
#[cfg(test)]
mod memory_tests;
mod received;
#[cfg(feature = "redis")]
pub mod redis;
mod service;
mod settings;
mod store;
mod unclaimed;
mod unprotected;

pub use answer::{REPLAYED, Repeats};
pub use drain::{Drain, StillInHand};
pub use identity::{NameTaken, ReceiverIdentity};
pub use key::{Fingerprint, Key, Namespace};
pub use layer::IdempotencyLayer;
pub use lost::LeaseLost;

#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use memory::MemoryStore;
pub use received::{Delivery, Received};
pub use service::{Idempotency, ResponseFuture};
pub use settings::{Mismatch, Settings};
pub use store::{Claim, DedupeStore, Held, LostWhy, StateTag, StoreError, StoredResponse, Terms, Token};
pub use unclaimed::Unclaimed;
pub use unprotected::UnprotectedRuns;
