//! The inbox that a configuration names, as one type.

use std::time::Duration;

use jiff::Timestamp;

#[cfg(feature = "postgres")]
use super::postgres::PostgresInbox;
#[cfg(feature = "sqlite")]
use super::sqlite::SqliteInbox;
use super::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    ReceiverStats, Replayed, Stats, Stored, delegated,
};

/// An inbox of this crate, for who chooses one when the program runs. Clones are one inbox.
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
/// use tower_webhook::inbox::{AnyInbox, InboxStore as _, SqliteInbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("tower-webhook-any-{}.doc", std::process::id()));
/// let inbox = AnyInbox::Sqlite(SqliteInbox::open(&path).await?);
/// assert_eq!(inbox.next_due().await?, None);
/// # drop(inbox);
/// # for end in ["", "-wal", "-shm", ".lock"] {
/// #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
/// # }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyInbox {
    /// In a file.
    #[cfg(feature = "sqlite")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
    Sqlite(SqliteInbox),
    /// In Postgres.
    #[cfg(feature = "postgres")]
    #[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
    Postgres(PostgresInbox),
}

/// Calls the inbox that is there.
macro_rules! each {
    ($any:expr, $inbox:ident => $call:expr) => {
        match $any {
            #[cfg(feature = "sqlite")]
            AnyInbox::Sqlite($inbox) => $call,
            #[cfg(feature = "postgres")]
            AnyInbox::Postgres($inbox) => $call,
        }
    };
}

impl AnyInbox {
    /// Whether an event would be stored now.
    ///
    /// # Errors
    ///
    /// [`InboxError`], as a delivery would get it.
    pub async fn check(&self) -> Result<(), InboxError> {
        each!(self, inbox => inbox.check().await)
    }
}

impl InboxStore for AnyInbox {
    delegated!(each: accept lease lease_but_of extend complete retry bury park release next_due woken stats stats_by_receiver list show replay purge purgeable erase erasable);
}
