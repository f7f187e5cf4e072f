//! An inbox for tests that pause tokio's clock.

use std::future::Future;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    Replayed, Stats, Stored,
};

/// An inbox, for tests that pause tokio's clock: while it is asked, the clock stands still.
///
/// Engines work in threads or over connections of their own. A paused clock jumps whenever the runtime has nothing to do,
/// and to whoever asks an engine every answer would be too late. See [`Harness::watched`](super::Harness::watched) for an example.
#[derive(Clone, Debug)]
pub struct StillInbox<S>(S);

impl<S> StillInbox<S> {
    /// This inbox.
    #[must_use]
    pub fn new(inbox: S) -> Self {
        Self(inbox)
    }

    /// The inbox that this opens, such as [`SqliteInbox::open`](crate::inbox::SqliteInbox::open): the clock stands still meanwhile.
    ///
    /// # Errors
    ///
    /// Those of whoever opens it.
    pub async fn of<E>(opening: impl Future<Output = Result<S, E>>) -> Result<Self, E> {
        let _still = still();
        opening.await.map(Self)
    }

    /// The inbox itself.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.0
    }
}

/// As long as it lives, a paused clock stands still.
struct Still(#[expect(dead_code, reason = "its drop is what counts")] Sender<()>);

fn still() -> Still {
    let (sender, receiver) = channel();
    drop(spawn_blocking(move || receiver.recv()));
    Still(sender)
}

impl<S: InboxStore> InboxStore for StillInbox<S> {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        let _still = still();
        self.0.accept(events, now).await
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        let _still = still();
        self.0.lease(token, most, lease, now).await
    }

    async fn lease_but_of(
        &self,
        receivers: &[String],
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        let _still = still();
        self.0.lease_but_of(receivers, token, most, lease, now).await
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        let _still = still();
        self.0.extend(held, lease, now).await
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        let _still = still();
        self.0.complete(held, now).await
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        let _still = still();
        self.0.retry(held, due, reason, now).await
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        let _still = still();
        self.0.bury(held, reason, lane, now).await
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        let _still = still();
        self.0.park(held, reason, now).await
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        let _still = still();
        self.0.release(held, now).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        let _still = still();
        self.0.next_due().await
    }

    /// Whoever waits here waits for what may never come: the clock goes on.
    async fn woken(&self) {
        self.0.woken().await;
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        let _still = still();
        self.0.stats(now).await
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        let _still = still();
        self.0.list(filter, most).await
    }

    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        let _still = still();
        self.0.show(id).await
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        let _still = still();
        self.0.replay(filter, most, is_dry_run, by, now).await
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        let _still = still();
        self.0.purge(bodies_before, now).await
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        let _still = still();
        self.0.erase(key, now).await
    }
}
