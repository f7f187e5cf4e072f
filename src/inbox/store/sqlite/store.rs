//! The inbox itself: each call goes to the writer or to a reader.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::end::End;
use super::super::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy, LeaseToken, Leased,
    NewEvent, ReceiverStats, Replayed, Stats, Stored,
};
use super::disk::Disk;
use super::end;
use super::fault::Fault;
use super::handle::Handle;
use super::row::Micros;
use super::task::Write;
use super::{accept, erase, find, lease, replay, retain, room};

/// A durable inbox in a file. A clone is the same inbox; the file is closed when the last is dropped.
#[derive(Clone, Debug)]
pub struct SqliteInbox(pub(super) Arc<Handle>);

impl SqliteInbox {
    pub(super) fn of(handle: Handle) -> Self {
        Self(Arc::new(handle))
    }

    /// What its disk was like when it was opened; `None` for a visitor, who does not ask.
    #[must_use]
    pub fn disk(&self) -> Option<Disk> {
        self.0.disk
    }

    /// Whether an event would be stored now: its writer writes, and there is room.
    ///
    /// # Errors
    ///
    /// [`InboxError`], as a delivery would get it.
    pub async fn check(&self) -> Result<(), InboxError> {
        let room = |write: &mut Write<'_>| match room::is_left(write) {
            true => Ok(()),
            false => Err(Fault::Refused(InboxError::new(InboxErrorKind::Full).caused_by("a quota is reached"))),
        };
        self.0.write(0, room).await
    }

    async fn end(&self, held: &Leased, end: End<Micros>, now: Timestamp) -> Result<Ended, InboxError> {
        let (id, token, fence) = (held.id, held.token, held.fence);
        self.0.write(0, move |write| end::end(write, id, token, fence, &end, Micros::of(now))).await
    }
}

impl InboxStore for SqliteInbox {
    fn accept(
        &self,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Accepted>, InboxError>> + Send {
        let weight = events.iter().map(|event| event.payload.len()).fold(0, usize::saturating_add);
        self.0.write(weight, move |write| accept::accept(write, &events, Micros::of(now)))
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        self.0.write(0, move |write| lease::lease(write, token, most, lease, Micros::of(now))).await
    }

    async fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        let (but_of, now) = (receivers.to_vec(), Micros::of(now));
        // To go through what waits of the others may take a while, and whoever writes does not wait for it.
        let found = self.0.read(move |connection| lease::find_but_of(connection, &but_of, most, now)).await?;
        self.0.write(0, move |write| lease::lease_found(write, &found, token, most, lease, now)).await
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        let (id, token, fence) = (held.id, held.token, held.fence);
        let until = Micros::of(now).after(lease);
        self.0.write(0, move |write| end::extend(write, id, token, fence, until)).await
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Complete, now).await
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Retry { due: Micros::of(due), reason: reason.to_owned() }, now).await
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Bury { reason: reason.to_owned(), lane }, now).await
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Park { reason: reason.to_owned() }, now).await
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.end(held, End::Release, now).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        self.0.read(find::next_due).await.map(|due| due.map(Micros::time))
    }

    async fn woken(&self) {
        self.0.woken.notified().await;
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        self.0.read(move |connection| find::stats(connection, Micros::of(now))).await
    }

    async fn stats_by_receiver(&self, most: usize, now: Timestamp) -> Result<Vec<ReceiverStats>, InboxError> {
        self.0.read(move |connection| find::stats_by_receiver(connection, most, Micros::of(now))).await
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        let filter = filter.clone();
        self.0.read(move |connection| find::list(connection, &filter, most)).await
    }

    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        self.0.read(move |connection| find::show(connection, id)).await
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        replay::replay(&self.0, filter.clone(), most, is_dry_run, by, Micros::of(now)).await
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        retain::purge(&self.0, Micros::of(bodies_before), Micros::of(now)).await
    }

    async fn purgeable(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        let (before, now) = (Micros::of(bodies_before), Micros::of(now));
        self.0.read(move |connection| retain::purgeable(connection, before, now)).await
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        let key = key.to_owned();
        self.0.write(0, move |write| erase::erase(write, &key, Micros::of(now))).await
    }

    async fn erasable(&self, key: &str) -> Result<u64, InboxError> {
        let key = key.to_owned();
        self.0.read(move |connection| erase::erasable(connection, &key)).await
    }
}
