//! Where idempotency keys live: the trait, what it speaks in, and the stores that this crate brings.

pub(crate) mod any;
mod boxed;
mod claim;
mod dedupe;
mod error;
pub(crate) mod memory;
#[cfg(test)]
mod memory_tests;
#[cfg(feature = "redis")]
pub mod redis;
mod response;

pub use boxed::BoxStore;
pub use claim::{Claim, Held, LostReason, RecordState, Terms, Token};
pub use dedupe::DedupeStore;
pub use error::{StoreError, StoreErrorKind};
pub use response::StoredResponse;
