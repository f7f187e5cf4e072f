//! Where an inbox keeps its events: the trait, and what it speaks in.
//!
//! # Laws
//!
//! 1. [`accept`](InboxStore::accept) is one durable transaction: when it returns, all new events of the delivery are on disk, or none is.
//! 2. A key that is known is no new event: with the same fingerprint it is a duplicate, with another it is quarantined, and the
//!    first is never changed.
//! 3. An event is leased to one holder at a time. Each lease has a token of its holder's and a fence that is higher than every
//!    earlier one of the event; attempts are counted by the lease, before anything is handled.
//! 4. Whoever ends a lease (`complete`, `retry`, `bury`, `release`) or extends it names token and fence. When either is not the event's
//!    current one, nothing changes, and the answer is [`Ended::Lost`].
//! 5. Of a lane the next is leased when the one before it is done, parked or dead; after a dead one by its [`LanePolicy`].
//! 6. Keys outlive bodies. A fence never goes back, whatever is replayed, purged or restarted.

mod any;
mod aside;
mod delegated;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod end;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod history;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod types;

use std::future::Future;
use std::time::Duration;

pub use any::AnyInbox;
pub(super) use aside::tell as tell_set_aside;
pub(crate) use delegated::delegated;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use postgres::{PostgresInbox, PostgresSetup, PostgresTransaction, tokio_postgres};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use sqlite::{Disk, SqliteInbox, SqliteSetup, SqliteTransaction, Undone, rusqlite};
pub use types::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, LanePolicy, LeaseToken, Leased, NewEvent,
    Quota, ReceiverStats, Replayed, Stats, Stored, StoredState,
};

/// A durable inbox's engine. All times are wall-clock times that the caller passes.
pub trait InboxStore: Send + Sync + 'static {
    /// Stores the events of one delivery, all or none, and says of each what it is.
    ///
    /// Dropped half-way it has happened or not, and a repeat finds out which.
    ///
    /// # Errors
    ///
    /// [`InboxError`]: nothing is stored, or nobody can say ([`InboxErrorKind::Poisoned`]): the sender must not be answered 2xx.
    fn accept(
        &self,
        events: Vec<NewEvent>,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Vec<Accepted>, InboxError>> + Send;

    /// Leases up to `most` events that are due, the longest due first, fair between lanes, one of a lane at a time, and counts
    /// the attempt. Leases that have run out are due again; an engine may lease these one at a time, since one of them may be what
    /// ends its processes.
    ///
    /// # Errors
    ///
    /// [`InboxError`]; what may have been leased comes back when the lease ends.
    fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Vec<Leased>, InboxError>> + Send;

    /// The same, but none of these receivers' events, of which as many are in hand as may be. One of these that is leased all the
    /// same is handled all the same.
    ///
    /// Default: [`lease`](Self::lease), which passes over nobody.
    ///
    /// # Errors
    ///
    /// [`InboxError`]; what may have been leased comes back when the lease ends.
    fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Vec<Leased>, InboxError>> + Send {
        let _ = receivers;
        self.lease(token, most, lease, now)
    }

    /// Holds a lease for so much longer.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn extend(
        &self,
        held: &Leased,
        lease: Duration,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Ended, InboxError>> + Send;

    /// The event is done.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn complete(&self, held: &Leased, now: jiff::Timestamp) -> impl Future<Output = Result<Ended, InboxError>> + Send;

    /// Another attempt is due at this time. `reason`: what went wrong, never a secret or a payload.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn retry(
        &self,
        held: &Leased,
        due: jiff::Timestamp,
        reason: &str,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Ended, InboxError>> + Send;

    /// No further attempt: a dead letter, for people. `lane`: what becomes of the others of its lane.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn bury(
        &self,
        held: &Leased,
        reason: &str,
        lane: LanePolicy,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Ended, InboxError>> + Send;

    /// No further attempt for now: nobody here knows what to do with it. Its lane goes on.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn park(
        &self,
        held: &Leased,
        reason: &str,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Ended, InboxError>> + Send;

    /// Gives a lease back: due at once, and the attempt is not counted.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn release(&self, held: &Leased, now: jiff::Timestamp) -> impl Future<Output = Result<Ended, InboxError>> + Send;

    /// When the next event is due that nobody holds, or the next lease ends. `None`: nothing waits.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn next_due(&self) -> impl Future<Output = Result<Option<jiff::Timestamp>, InboxError>> + Send;

    /// Waits until an event was accepted or replayed in this process since the last call.
    fn woken(&self) -> impl Future<Output = ()> + Send;

    /// How many events stand where.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn stats(&self, now: jiff::Timestamp) -> impl Future<Output = Result<Stats, InboxError>> + Send;

    /// Whose they are: of those that wait and have a time, the first `most` to be due, and of the dead letters as many. So it costs
    /// the same however many there are. Default: nobody's.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn stats_by_receiver(
        &self,
        most: usize,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Vec<ReceiverStats>, InboxError>> + Send {
        let _ = (most, now);
        async { Ok(Vec::new()) }
    }

    /// The events that fit, oldest first, up to `most`.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn list(&self, filter: &Filter, most: usize) -> impl Future<Output = Result<Vec<Stored>, InboxError>> + Send;

    /// One event with its history, and its payload where it is still there.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn show(&self, id: EventId) -> impl Future<Output = Result<Option<History>, InboxError>> + Send;

    /// Makes events that fit due again, up to `most`, with their key, a fence that goes on growing, and who asked for it. With
    /// `is_dry_run` it counts alone.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<Replayed, InboxError>> + Send;

    /// Drops bodies and keys whose time is over, and returns how many of each. What was quarantined goes when the time of its
    /// own key is over.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn purge(
        &self,
        bodies_before: jiff::Timestamp,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<(u64, u64), InboxError>> + Send;

    /// How many bodies and keys a [`purge`](Self::purge) at these times would drop. Nothing changes.
    ///
    /// Default: an error, of an engine that cannot say.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn purgeable(
        &self,
        bodies_before: jiff::Timestamp,
        now: jiff::Timestamp,
    ) -> impl Future<Output = Result<(u64, u64), InboxError>> + Send {
        let _ = (bodies_before, now);
        async { Err(InboxError::new(InboxErrorKind::Unusable).caused_by("it does not count what is over")) }
    }

    /// Drops what an event said, at a person's request, and keeps its key, so that a repeat stays one: its body, where it is
    /// still there, lane, headers and reasons. What was not handled, or was quarantined, counts as done. Returns how many.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn erase(&self, key: &str, now: jiff::Timestamp) -> impl Future<Output = Result<u64, InboxError>> + Send;

    /// How many events an [`erase`](Self::erase) of this key would erase. Nothing changes.
    ///
    /// Default: an error, of an engine that cannot say.
    ///
    /// # Errors
    ///
    /// [`InboxError`].
    fn erasable(&self, key: &str) -> impl Future<Output = Result<u64, InboxError>> + Send {
        let _ = key;
        async { Err(InboxError::new(InboxErrorKind::Unusable).caused_by("it does not count what can be erased")) }
    }
}
