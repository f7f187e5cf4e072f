//! What `listen` says while it serves: no line of it is written on the runtime's threads.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;
use tower_webhook::{Rejection, RejectionKind};

use crate::lines;
use crate::outlet::{Outlet, Room, Unsaid};

/// For lines of events, and so for the memory that a stalled reader costs.
const ROOM: Room = Room { lines: 16_384, bytes: 16 * 1024 * 1024 };
/// For lines that anybody can cause.
const SPARE: Room = Room { lines: 4096, bytes: 2 * 1024 * 1024 };
/// For words on stderr.
const WORDS: Room = Room { lines: 256, bytes: 256 * 1024 };

/// How long an event waits for somebody to read, well within what senders wait for an answer.
const PATIENCE: Duration = Duration::from_secs(2);
const RETRY_IN: Duration = Duration::from_secs(5);
/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Stdout and stderr, shared by everything that serves.
#[derive(Clone)]
pub(super) struct Voice {
    out: Arc<Outlet>,
    err: Arc<Outlet>,
    /// An event waits to be said, and nobody will ever read it.
    unheard: Arc<Notify>,
}

impl Voice {
    pub(super) fn start() -> std::io::Result<Self> {
        let out = Outlet::start(std::io::stdout(), ROOM, SPARE)?;
        let err = Outlet::start(std::io::stderr(), WORDS, WORDS)?;
        Ok(Self { out: Arc::new(out), err: Arc::new(err), unheard: Arc::default() })
    }

    /// Writes the first line: nothing is served before it is out.
    pub(super) async fn begin(&self, line: &impl Serialize) -> std::io::Result<()> {
        let said = self.out.say_surely(lines::text(line)?, Duration::MAX).await;
        said.map_err(|_| std::io::Error::other("stdout is gone"))
    }

    /// Waits, not for long, until an event may be begun whose line will count. Nothing has become of it yet.
    pub(super) async fn ready(&self) -> Result<(), Rejection> {
        self.out.ready(PATIENCE).await.map_err(unsaid)
    }

    /// Waits until there is room for a line that counts, for as long as it takes.
    pub(super) async fn room(&self) {
        // It is stalled for ever at most.
        let _ = self.out.ready(Duration::MAX).await;
    }

    /// Says what has been done. Its line holds nobody.
    pub(super) fn say(&self, line: &impl Serialize) {
        if let Ok(text) = lines::text(line) {
            self.out.say(text);
        }
    }

    /// Says what is done by being said. Not said is not done.
    pub(super) async fn say_surely(&self, line: &impl Serialize) -> Result<(), Rejection> {
        let text = lines::text(line).map_err(|error| {
            Rejection::new(RejectionKind::HandlerFailed, "the event cannot be written").caused_by(error)
        })?;
        self.out.say_surely(text, PATIENCE).await.map_err(unsaid)
    }

    /// Says what is done by being said, for as long as it takes. Where stdout is gone that is for ever, and
    /// [`unheard`](Self::unheard) is over. An error: it cannot be written.
    pub(super) async fn say_at_last(&self, line: &impl Serialize) -> std::io::Result<()> {
        if self.out.say_surely(lines::text(line)?, Duration::MAX).await.is_ok() {
            return Ok(());
        }
        self.unheard.notify_one();
        std::future::pending().await
    }

    /// Until an event waits for a reader, and none will ever come.
    pub(super) async fn unheard(&self) {
        self.unheard.notified().await;
    }

    /// Whether nobody will ever read stdout again, as far as a line has shown.
    pub(super) fn is_gone(&self) -> bool {
        self.out.is_gone()
    }

    /// Says what is on disk by now, or counts it.
    pub(super) fn note(&self, line: &impl Serialize) {
        if let Ok(text) = lines::text(line) {
            self.out.note(text);
        }
    }

    /// Says a repeat or a reject, or counts it.
    pub(super) fn mention(&self, line: &impl Serialize) {
        if let Ok(text) = lines::text(line) {
            self.out.mention(text);
        }
    }

    /// Words for the operator.
    pub(super) fn warn(&self, words: impl Display) {
        self.err.mention(lines::words(words));
    }

    /// Says how many lines of these were left out, each time that there is room again. It never ends.
    pub(super) async fn count(self, what: &str) {
        loop {
            let count = self.out.left_out().await;
            self.warn(format_args!("warning: {count} lines of {what} were left out: stdout was not read fast enough"));
        }
    }

    /// Says once that nobody reads stdout any more, when that is so.
    pub(super) async fn miss(self) {
        self.out.gone().await;
        self.warn(
            "warning: stdout is gone: no line is written any more, and an event whose line is all that becomes of it is \
             not handled",
        );
    }

    /// Waits for what is still to be written, until then.
    pub(super) async fn finish(&self, deadline: Instant) {
        let unread = self.out.finish(deadline.saturating_duration_since(Instant::now())).await;
        if unread > 0 {
            self.warn(format_args!("warning: {unread} lines on stdout were not read, and are lost"));
        }
        self.last_words().await;
    }

    /// Waits a moment for stderr.
    pub(super) async fn last_words(&self) {
        self.err.finish(LAST_WORDS).await;
    }
}

fn unsaid(why: Unsaid) -> Rejection {
    match why {
        Unsaid::Stalled => Rejection::new(RejectionKind::HandlerRetry, "stdout is not read").retry_in(RETRY_IN),
        Unsaid::Gone => Rejection::new(RejectionKind::HandlerFailed, "stdout is gone"),
    }
}
