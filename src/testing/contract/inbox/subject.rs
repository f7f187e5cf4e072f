//! What the suite runs against.

use std::future::Future;

use crate::inbox::InboxStore;

/// An inbox under test.
pub trait Subject: Sync {
    /// Its type.
    type Store: InboxStore;

    /// A fresh inbox with nothing in it.
    fn store(&self) -> impl Future<Output = Self::Store> + Send;

    /// The same inbox after its process was restarted. Default: there is none, and that part of the laws is not checked.
    fn restarted(&self, store: Self::Store) -> impl Future<Output = Option<Self::Store>> + Send {
        drop(store);
        std::future::ready(None)
    }
}
