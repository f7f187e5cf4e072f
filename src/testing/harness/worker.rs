//! A worker behind the app: what it handles is looked on, and waited for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Harness;
use super::book::Book;
use super::shelf::Stands;
use crate::inbox::{Ended, Ending, Handed, InboxHandler, InboxStore, Leased, Stats, Verdict, Worker};

/// So often it is looked at least what is left: somebody else may handle it.
const GLANCE: Duration = Duration::from_mins(1);

/// A worker's handler, and a harness that looks on. Made by [`Harness::watched`].
pub struct Watched<H> {
    handler: H,
    book: Arc<Book>,
}

impl<H> fmt::Debug for Watched<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}

impl<H: InboxHandler> InboxHandler for Watched<H> {
    async fn handle(&self, handed: Handed) -> Verdict {
        // Dropped in a panic, it says that the call was broken off.
        let ended = self.book.shelf.called(&handed.event.key, handed.fence);
        let verdict = self.handler.handle(handed).await;
        if let Some(ended) = ended {
            ended(matches!(verdict, Verdict::Done | Verdict::Ended(Ended::Done)));
        }
        verdict
    }
}

impl Harness {
    /// The worker of the app's inbox, before it is started: the harness looks on while it handles events. A receiver that
    /// stores them may be answered before they are handled, and in the end each has to be handled all the same.
    ///
    /// Under a paused clock the receiver, the worker and the harness go by one [`TokioClock`](crate::testing::TokioClock), and the
    /// inbox is [`StillInbox`](crate::testing::StillInbox)'s. Hours of back-off take no time then.
    ///
    #[cfg_attr(feature = "sqlite", doc = "```")]
    #[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
    /// use std::time::Duration;
    ///
    /// use tower_webhook::clock::Timestamp;
    /// use tower_webhook::inbox::{Backoff, SqliteInbox, Typed, Worker};
    /// use tower_webhook::testing::events::aella;
    /// use tower_webhook::testing::{Harness, StillInbox, TokioClock};
    /// # use tower_webhook::provider::aella::{Aella, Event};
    /// # use tower_webhook::{Received, Receiver, secret::Secret};
    /// # fn provider() -> Aella { Aella::new(Secret::utf8("ae_sk_test_example").unwrap()).unwrap() }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// # let path = std::env::temp_dir().join(format!("tower-webhook-harness-{}.doc", std::process::id()));
    /// let clock = TokioClock::starting_at("2026-11-21T12:00:00Z".parse().unwrap());
    /// let inbox = StillInbox::of(SqliteInbox::open(&path)).await.unwrap();
    /// let receiver = Receiver::new("aella-ng", provider()).clock(clock).inbox(&inbox);
    /// let harness = Harness::start(receiver).provider("/", provider()).clock(clock);
    ///
    /// // It fails twice, and works then.
    /// let handler = Typed::new(provider(), |event: Received<Event>| async move {
    ///     let attempt = event.delivery().attempt().map_or(0, |attempt| attempt.get());
    ///     if attempt < 3 { Err("the books are closed") } else { Ok(()) }
    /// });
    /// let worker = Worker::new(inbox.clone(), handler).clock(clock).retry(Backoff::default().attempts(5));
    /// let running = harness.watched(worker).start();
    ///
    /// let sent = harness.send("/", aella::transfer()).await.accepted();
    /// let stats = harness.settled(&inbox, Duration::from_secs(3600)).await;
    /// assert_eq!((stats.done, stats.dead, sent.calls()), (1, 0, 3));
    /// sent.handled_once();
    /// running.stop().await;
    /// // Dropped, the harness panics where an event was lost, handled by an old fence, or is a dead letter that nobody expected.
    /// # drop((harness, inbox));
    /// # for end in ["", "-wal", "-shm", ".lock"] {
    /// #     let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    /// # }
    /// # }
    /// ```
    pub fn watched<S: InboxStore, H: InboxHandler>(&self, worker: Worker<S, H>) -> Worker<S, Watched<H>> {
        let (book, told) = (Arc::clone(&self.line.book), Arc::clone(&self.line.book));
        let worker = worker.map_handler(|handler| Watched { handler, book });
        worker.on_ended(move |held, ending| told.attempted(held, ending))
    }

    /// Waits until the inbox has nothing left to handle, and counts what is in it.
    ///
    /// # Panics
    ///
    /// When it has after this time, which is tokio's, and where the inbox cannot be asked.
    #[allow(clippy::panic, reason = "an assertion of a test is there to panic")]
    pub async fn settled(&self, inbox: &impl InboxStore, within: Duration) -> Stats {
        let end = Instant::now() + within;
        loop {
            let stats = match inbox.stats(self.now()).await {
                Ok(stats) => stats,
                Err(error) => panic!("the harness cannot ask the inbox: {error}"),
            };
            if stats.ready + stats.running == 0 {
                return stats;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("the inbox had to be settled within {within:?}, and is not: {stats:?}");
            }
            drop(timeout(GLANCE.min(left), self.line.book.shelf.changed.notified()).await);
        }
    }
}

impl Book {
    /// A worker's attempt has ended so.
    fn attempted(&self, held: &Leased, ending: &Ending) {
        let stands = match ending {
            Ending::Done => Some(Stands::Done),
            Ending::Dead { reason } => Some(Stands::Dead(reason.clone())),
            Ending::Parked { reason } => Some(Stands::Parked(reason.clone())),
            _ => None,
        };
        let note = match &stands {
            Some(Stands::Dead(reason)) => Some(format!("a dead letter, {reason}")),
            Some(Stands::Parked(reason)) => Some(format!("parked, {reason}")),
            _ => None,
        };
        if let (Some(number), Some(note)) = (self.shelf.ended(&held.event.key, stands), note) {
            self.ledger.note(number, note);
        }
    }
}
