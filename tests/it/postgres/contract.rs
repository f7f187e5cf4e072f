//! The contract suite against a real server: with one inbox, and with two that take turns, as two processes would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    PostgresInbox, Replayed, Stats, Stored,
};
use tower_webhook::testing::contract::inbox::{self, Subject};

use super::server::Server;
use super::{opened, schema};

/// Handles of one inbox, each with connections of its own. Calls go to each in turn.
struct Turns {
    schema: String,
    handles: Vec<PostgresInbox>,
    calls: AtomicUsize,
}

impl Turns {
    async fn on(schema: String, handles: usize) -> Self {
        let server = Server::shared().await;
        let mut opened_now = Vec::new();
        for _ in 0..handles {
            opened_now.push(opened(server, &schema).await);
        }
        Self { schema, handles: opened_now, calls: AtomicUsize::new(0) }
    }

    fn next(&self) -> &PostgresInbox {
        &self.handles[self.calls.fetch_add(1, Ordering::Relaxed) % self.handles.len()]
    }
}

impl InboxStore for Turns {
    async fn accept(&self, events: Vec<NewEvent>, now: Timestamp) -> Result<Vec<Accepted>, InboxError> {
        self.next().accept(events, now).await
    }

    async fn lease(
        &self,
        token: LeaseToken,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Leased>, InboxError> {
        self.next().lease(token, most, lease, now).await
    }

    async fn extend(&self, held: &Leased, lease: Duration, now: Timestamp) -> Result<Ended, InboxError> {
        self.next().extend(held, lease, now).await
    }

    async fn complete(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.next().complete(held, now).await
    }

    async fn retry(&self, held: &Leased, due: Timestamp, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.next().retry(held, due, reason, now).await
    }

    async fn bury(&self, held: &Leased, reason: &str, lane: LanePolicy, now: Timestamp) -> Result<Ended, InboxError> {
        self.next().bury(held, reason, lane, now).await
    }

    async fn park(&self, held: &Leased, reason: &str, now: Timestamp) -> Result<Ended, InboxError> {
        self.next().park(held, reason, now).await
    }

    async fn release(&self, held: &Leased, now: Timestamp) -> Result<Ended, InboxError> {
        self.next().release(held, now).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, InboxError> {
        self.next().next_due().await
    }

    async fn woken(&self) {
        self.next().woken().await;
    }

    async fn stats(&self, now: Timestamp) -> Result<Stats, InboxError> {
        self.next().stats(now).await
    }

    async fn list(&self, filter: &Filter, most: usize) -> Result<Vec<Stored>, InboxError> {
        self.next().list(filter, most).await
    }

    async fn show(&self, id: EventId) -> Result<Option<History>, InboxError> {
        self.next().show(id).await
    }

    async fn replay(
        &self,
        filter: &Filter,
        most: usize,
        is_dry_run: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<Replayed, InboxError> {
        self.next().replay(filter, most, is_dry_run, by, now).await
    }

    async fn purge(&self, bodies_before: Timestamp, now: Timestamp) -> Result<(u64, u64), InboxError> {
        self.next().purge(bodies_before, now).await
    }

    async fn erase(&self, key: &str, now: Timestamp) -> Result<u64, InboxError> {
        self.next().erase(key, now).await
    }
}

struct InPostgres {
    handles: usize,
}

impl Subject for InPostgres {
    type Store = Turns;

    async fn store(&self) -> Turns {
        Turns::on(schema(), self.handles).await
    }

    async fn restarted(&self, store: Turns) -> Option<Turns> {
        let schema = store.schema.clone();
        drop(store);
        Some(Turns::on(schema, self.handles).await)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_in_postgres_keeps_every_law() {
    inbox::check(&InPostgres { handles: 1 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_inbox_keep_every_law() {
    inbox::check(&InPostgres { handles: 2 }).await;
}
