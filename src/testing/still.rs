//! An inbox for tests that pause tokio's clock.

use std::future::Future;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::inbox::{
    Accepted, Ended, EventId, Filter, History, InboxError, InboxStore, LanePolicy, LeaseToken, Leased, NewEvent,
    ReceiverStats, Replayed, Stats, Stored, delegated,
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

/// Asks the inbox while the clock stands still.
macro_rules! stands {
    ($still:expr, $inbox:ident => $call:expr) => {{
        let (_still, $inbox) = (still(), &$still.0);
        $call
    }};
}

impl<S: InboxStore> InboxStore for StillInbox<S> {
    delegated!(stands: accept lease lease_but_of extend complete retry bury park release next_due stats stats_by_receiver list show replay purge purgeable erase erasable);

    /// Whoever waits here waits for what may never come: the clock goes on.
    async fn woken(&self) {
        self.0.woken().await;
    }
}
