//! A durable inbox: answer when an event is stored, handle it later, lose nothing.
//!
//! An event and its idempotency key are committed in one transaction, and only then is the sender answered 2xx. Workers lease
//! events, count the attempt before they handle, and end the lease with token and fence, so that a late one changes nothing.

mod accepting;
mod entries;
mod handler;
mod store;
#[cfg(test)]
mod tests;
mod typed;
mod worker;

pub(crate) use accepting::Engine as AcceptingEngine;
pub use accepting::{AcceptFuture, Accepting};
pub(crate) use entries::Entries;
pub use handler::{Handed, InboxHandler, IntoVerdict, Verdict};
pub use store::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LeaseToken, Leased, NewEvent,
    Quota, Replayed, SqliteInbox, SqliteSetup, Stats, Stored, StoredState,
};
pub use typed::{Routes, Typed};
pub use worker::{Backoff, Ending, Running, Worker};
