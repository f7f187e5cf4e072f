//! What the suite runs against.

use std::future::Future;
use std::time::Duration;

use crate::idempotency::DedupeStore;

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
