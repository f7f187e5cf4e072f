//! The memory store in every interleaving of two threads, by loom.
//!
//! This compiles the store's own source once more, in a crate whose `std` is the crate itself: there, `std::sync` has
//! loom's locks and atomics, which try every order of the steps between them, and every value that a relaxed load may
//! see. What two threads are told must be what some order of their calls, one by one, would have told them.
#![allow(missing_docs, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test: a panic is a failure")]

extern crate self as std;
extern crate std as real;

pub use real::{array, cmp, collections, fmt, hash, mem, num, ops, time};

pub mod sync {
    pub use loom::sync::{Arc, Mutex, MutexGuard};
    pub use real::sync::{LazyLock, PoisonError};

    pub mod atomic {
        pub use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    }
}

/// What the source looks for above it.
mod clock {
    pub(crate) use tower_webhook::clock::{Entropy, NoEntropy};
}

mod delivery {
    pub(crate) use tower_webhook::delivery::{Fingerprint, KeyHash};
}

pub(crate) use tower_webhook::idempotency::{
    Claim, DedupeStore, Held, LostReason, RecordState, StoreError, StoreErrorKind, StoredResponse, Terms, Token,
};

#[allow(unreachable_pub, reason = "here the store is nobody's API")]
#[path = "../../src/idempotency/store/memory/mod.rs"]
mod memory;

mod interleavings;
