//! Receivers in front of an inbox, and workers behind it: with the engine in a file, under a paused clock.

mod accepting;
mod contract;
#[cfg(unix)]
mod crash;
mod drained;
mod flow;
mod harness;
mod kept;
mod many;
mod relay;
mod storm;
mod traced;
mod typed;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tower_webhook::clock::Timestamp;
use tower_webhook::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxErrorKind, InboxStore, LanePolicy, LeaseToken, Leased,
    NewEvent, Replayed, SqliteInbox, SqliteSetup, Stats, Stored,
};

use crate::delegated::delegated;

/// A file's inbox, that can be away. While it is asked, a paused clock stands still: the engine works in a thread of its own.
#[derive(Clone)]
struct Inbox {
    engine: SqliteInbox,
    is_away: Arc<AtomicBool>,
    _place: Arc<Place>,
}

/// A file that goes with this.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tower-webhook-it-{}-{}.db", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", ".lock"] {
            drop(std::fs::remove_file(format!("{}{end}", self.0.display())));
        }
    }
}

/// As long as it lives, a paused clock stands still.
struct Still(#[expect(dead_code, reason = "its drop is what counts")] Sender<()>);

fn still() -> Still {
    let (sender, receiver) = channel();
    drop(spawn_blocking(move || receiver.recv()));
    Still(sender)
}

impl Inbox {
    async fn open() -> Self {
        Self::open_as(SqliteInbox::setup()).await
    }

    async fn open_as(setup: SqliteSetup) -> Self {
        let place = Place::new();
        let _still = still();
        let engine = setup.open(&place.0).await.unwrap();
        Self { engine, is_away: Arc::default(), _place: Arc::new(place) }
    }

    fn away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<Still, InboxError> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(InboxError::new(InboxErrorKind::Unavailable)),
            false => Ok(still()),
        }
    }

    /// All that is stored: keys, events, states, attempts.
    async fn all(&self) -> Vec<Stored> {
        self.list(&Filter::default(), 10_000).await.unwrap()
    }
}

/// Where it can be reached.
macro_rules! reached {
    ($this:expr, $inbox:ident => $call:expr) => {{
        let _still = $this.reach()?;
        let $inbox = &$this.engine;
        $call
    }};
}

impl InboxStore for Inbox {
    async fn woken(&self) {
        self.engine.woken().await;
    }

    delegated!(reached: accept lease extend complete retry bury park release next_due stats list show replay purge erase);
}
