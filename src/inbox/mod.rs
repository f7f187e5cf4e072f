//! A durable inbox: answer when an event is stored, handle it later, lose nothing.
//!
//! An event and its idempotency key are committed in one transaction, and only then is the sender answered 2xx. Workers lease
//! events, count the attempt before they handle, and end the lease with token and fence, so that a late one changes nothing.

mod store;

pub use store::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LeaseToken, Leased, NewEvent,
    Quota, Replayed, SqliteInbox, SqliteSetup, Stats, Stored, StoredState,
};
