//! The contract suite against a real server: with one inbox, and with two that take turns, as two processes would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    PostgresInbox, ReceiverStats, Replayed, Sealed, Stats, Stored,
};
use tower_webhook::testing::contract::inbox::{self, Subject};

use super::sealed::ring;
use super::server::Server;
use super::{opened, schema};
use crate::delegated::delegated;

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

/// Calls the one whose turn it is.
macro_rules! next {
    ($this:expr, $inbox:ident => $call:expr) => {{
        let $inbox = $this.next();
        $call
    }};
}

impl InboxStore for Turns {
    delegated!(next: accept lease lease_but_of extend complete retry bury park release next_due woken stats stats_by_receiver list show replay purge purgeable erase erasable);
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

/// The same with payloads that are sealed.
struct SealedInPostgres;

/// A sealed inbox that knows where it is.
struct Kept {
    schema: String,
    sealed: Sealed<PostgresInbox>,
}

macro_rules! sealed {
    ($this:expr, $inbox:ident => $call:expr) => {{
        let $inbox = &$this.sealed;
        $call
    }};
}

impl InboxStore for Kept {
    delegated!(sealed: accept lease lease_but_of extend complete retry bury park release next_due woken stats stats_by_receiver list show replay purge purgeable erase erasable);
}

impl Kept {
    async fn on(schema: String) -> Self {
        let sealed =
            Sealed::new(opened(Server::shared().await, &schema).await, ring(&[("new", 2), ("old", 1)])).unwrap();
        Self { schema, sealed }
    }
}

impl Subject for SealedInPostgres {
    type Store = Kept;

    async fn store(&self) -> Kept {
        Kept::on(schema()).await
    }

    async fn restarted(&self, store: Kept) -> Option<Kept> {
        let Kept { schema, sealed } = store;
        drop(sealed);
        Some(Kept::on(schema).await)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_inbox_in_postgres_keeps_every_law() {
    inbox::check(&SealedInPostgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_in_postgres_keeps_every_law() {
    inbox::check(&InPostgres { handles: 1 }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_inbox_keep_every_law() {
    inbox::check(&InPostgres { handles: 2 }).await;
}
