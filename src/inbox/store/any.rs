//! The inbox that a configuration names, as one type.

use std::time::Duration;

use jiff::Timestamp;

#[cfg(feature = "postgres")]
use super::postgres::PostgresInbox;
#[cfg(feature = "sqlite")]
use super::sqlite::SqliteInbox;
use super::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    Replayed, Stats, Stored,
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

impl InboxStore for AnyInbox {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        each!(self, inbox => inbox.accept(events, now).await)
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        each!(self, inbox => inbox.lease(token, most, lease, now).await)
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        each!(self, inbox => inbox.extend(held, lease, now).await)
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        each!(self, inbox => inbox.complete(held, now).await)
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        each!(self, inbox => inbox.retry(held, due, reason, now).await)
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        each!(self, inbox => inbox.bury(held, reason, lane, now).await)
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        each!(self, inbox => inbox.park(held, reason, now).await)
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        each!(self, inbox => inbox.release(held, now).await)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        each!(self, inbox => inbox.next_due().await)
    }

    async fn woken(&self) {
        each!(self, inbox => inbox.woken().await);
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        each!(self, inbox => inbox.stats(now).await)
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        each!(self, inbox => inbox.list(filter, most).await)
    }

    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        each!(self, inbox => inbox.show(id).await)
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        each!(self, inbox => inbox.replay(filter, most, is_dry_run, by, now).await)
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        each!(self, inbox => inbox.purge(bodies_before, now).await)
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        each!(self, inbox => inbox.erase(key, now).await)
    }
}
