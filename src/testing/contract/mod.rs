//! The laws of a dedupe store, as a suite that any [`DedupeStore`](crate::idempotency::DedupeStore) can run, and those of a
//! durable inbox beside them.
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

mod check;
mod holding;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub mod inbox;
mod keeping;
mod law;
mod probe;
mod subject;

pub use check::check;
pub use law::Law;
pub use subject::Subject;
