//! The inbox itself: each call is one statement.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::end::End;
use super::super::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy, LeaseToken, Leased,
    NewEvent, ReceiverStats, Replayed, Stats, Stored,
};
use super::end;
use super::handle::Handle;
use super::row::{long, micros};
use super::setup::PostgresSetup;
use super::{connect, find, lease, people};

/// A durable inbox in Postgres. A clone is the same inbox; its connections are closed when the last is dropped.
#[derive(Clone)]
pub struct PostgresInbox(pub(super) Arc<Handle>);

impl fmt::Debug for PostgresInbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresInbox").field("schema", &self.0.schema()).finish_non_exhaustive()
    }
}

impl PostgresInbox {
    /// How to open one.
    pub fn setup() -> PostgresSetup {
        PostgresSetup::default()
    }

    /// Opens the inbox at this URL, with defaults: [`PostgresSetup::connect`].
    ///
    /// # Errors
    ///
    /// The server cannot be reached, its commits are not durable, or its schema is of a version that this does not know.
    pub async fn connect(url: &str) -> Result<Self, InboxError> {
        Self::setup().connect(url).await
    }

    /// Whether an event would be stored now: the server answers, and no quota was reached when it was last looked.
    ///
    /// # Errors
    ///
    /// [`InboxError`], as a delivery would get it.
    pub async fn check(&self) -> Result<(), InboxError> {
        if self.0.is_full() {
            return Err(InboxError::new(InboxErrorKind::Full).caused_by("a quota is reached"));
        }
        self.next_due().await.map(drop)
    }
}

impl PostgresSetup {
    /// Whether these settings can be used at all. It connects nowhere.
    ///
    /// # Errors
    ///
    /// The schema's name is none, or the certificate.
    pub fn check(&self) -> Result<(), InboxError> {
        connect::check(self)
    }

    /// Whether this is a URL that can be used. It connects nowhere.
    ///
    /// # Errors
    ///
    /// It is none, or names no server. Nothing of it is quoted, since a password may stand in it.
    pub fn check_url(&self, url: &str) -> Result<(), InboxError> {
        connect::config(url, self).map(drop)
    }

    /// Opens the inbox at this URL, `postgres://user:password@host:port/database`. What its schema lacks is made, by one at a
    /// time.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, its commits are not durable, or its schema is of a version that this does not know.
    pub async fn connect(self, url: &str) -> Result<PostgresInbox, InboxError> {
        Handle::start(self, url).await.map(|handle| PostgresInbox(Arc::new(handle)))
    }
}

impl InboxStore for PostgresInbox {
    /// Calls at the same time share a statement, and with it a commit. One whose events cannot be stored, or wait for their lane,
    /// takes none of the others along.
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        self.0.accept(events, micros(now)).await
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        lease::lease(&self.0, &[], token, most, long(lease), micros(now)).await
    }

    async fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        lease::lease(&self.0, receivers, token, most, long(lease), micros(now)).await
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        end::extend(&self.0, held, micros(now).saturating_add(long(lease))).await
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        end::end(&self.0, held, &End::Complete, micros(now)).await
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        end::end(&self.0, held, &End::Retry { due: micros(due), reason: reason.to_owned() }, micros(now)).await
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        end::end(&self.0, held, &End::Bury { reason: reason.to_owned(), lane }, micros(now)).await
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        end::end(&self.0, held, &End::Park { reason: reason.to_owned() }, micros(now)).await
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        end::end(&self.0, held, &End::Release, micros(now)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        find::next_due(&self.0).await
    }

    /// And until another process said so, at most 50 ms later. What gets lost on the way a worker finds when it looks again.
    async fn woken(&self) {
        self.0.bell().woken().await;
    }

    /// Up to 100,000 of a kind are counted; of more the numbers are what the server estimated last, which knows of what is dead,
    /// parked and quarantined together.
    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        find::stats(&self.0, micros(now)).await
    }

    async fn stats_by_receiver(&self, most: usize, now: Timestamp) -> Result<Vec<ReceiverStats>, InboxError> {
        find::stats_by_receiver(&self.0, most, micros(now)).await
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        find::list(&self.0, filter, most).await
    }

    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        find::show(&self.0, id).await
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        people::replay(&self.0, filter, if is_dry_run { 0 } else { most }, by, micros(now)).await
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        people::purge(&self.0, micros(bodies_before), micros(now)).await
    }

    async fn purgeable(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        people::purgeable(&self.0, micros(bodies_before), micros(now)).await
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        people::erase(&self.0, key, micros(now)).await
    }

    async fn erasable(&self, key: &str) -> Result<u64, InboxError> {
        people::erasable(&self.0, key).await
    }
}
