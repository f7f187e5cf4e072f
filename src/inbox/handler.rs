//! [`InboxHandler`]: a function from a stored event to a [`Verdict`].

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::store::{Ended, EventId, LeaseToken, NewEvent};
use crate::clock::Clock;
use crate::delivery::{LeaseLost, Outcome};

/// A stored event in the hands of its handler, whatever its type.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Handed {
    /// The event as it was stored: its readable key, its name, its payload.
    pub event: NewEvent,
    /// Its number in the inbox.
    pub id: EventId,
    /// Who holds it: with the fence, what an engine ends the lease by.
    pub token: LeaseToken,
    /// Grows with each lease of the event. It keeps a late writer from overwriting a newer one.
    pub fence: u64,
    /// How many attempts there were, this one among them.
    pub attempt: u32,
    /// An event of its lane before it is a dead letter, which was skipped: [`LanePolicy::SkipAndFlag`](super::LanePolicy).
    pub follows_dead: bool,
    /// The attempt before has no end: nobody knows how far it came. See [`OnUnknown`](super::OnUnknown).
    pub outcome_unknown: bool,
    /// When it was leased.
    pub leased_at: Timestamp,
    /// Reports when the lease is lost: somebody else may be handling the event now.
    pub lease_lost: LeaseLost,
    pub(super) clock: WallClock,
}

impl Handed {
    /// The time by the worker's clock. `None`: the clock failed.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.0.now()
    }
}

/// The clock of whoever leased it.
#[derive(Clone)]
pub(super) struct WallClock(pub(super) Arc<dyn Clock>);

impl Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

/// What became of a stored event in its handler's hands.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is done, for good.
    Done,
    /// It is not done, and is to be tried again, as long as there are attempts.
    Retry {
        /// From now. `None`: by the back-off.
        after: Option<Duration>,
        /// What went wrong. Never a secret or a payload: it is stored, and people read it.
        reason: String,
    },
    /// It is a dead letter at once: no further attempt helps.
    Dead {
        /// What is wrong with it. Never a secret or a payload.
        reason: String,
    },
    /// Nobody here knows what to do with it: it waits, for people or for a newer version, until it is
    /// [replayed](super::InboxStore::replay).
    Park {
        /// Why. Never a secret or a payload.
        reason: String,
    },
    /// Its lease was ended by whoever handled it, in the transaction of the effect: done, or lost, and then the effect was
    /// undone. For the handlers of engines, such as [`SqliteInbox::in_transaction`](super::SqliteInbox::in_transaction): said
    /// without being so, the event comes again when its lease ends.
    Ended(Ended),
}

impl Verdict {
    /// It is to be tried again by the back-off.
    #[must_use]
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { after: None, reason: reason.into() }
    }

    /// It is to be tried again after this time.
    #[must_use]
    pub fn retry_in(after: Duration, reason: impl Into<String>) -> Self {
        Self::Retry { after: Some(after), reason: reason.into() }
    }

    /// It waits for people to decide.
    #[must_use]
    pub fn park(reason: impl Into<String>) -> Self {
        Self::Park { reason: reason.into() }
    }

    /// It is a dead letter.
    #[must_use]
    pub fn dead(reason: impl Into<String>) -> Self {
        Self::Dead { reason: reason.into() }
    }
}

/// What a handler of stored events may return: `()`, a [`Verdict`], an [`Outcome`], or a `Result` of one of them with any
/// error that prints, by which it is tried again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a verdict",
    note = "a handler of stored events yields `()`, a `Verdict`, an `Outcome`, or a `Result` of one of them"
)]
pub trait IntoVerdict {
    /// As a verdict.
    fn into_verdict(self) -> Verdict;
}

impl IntoVerdict for Verdict {
    fn into_verdict(self) -> Verdict {
        self
    }
}

impl IntoVerdict for () {
    fn into_verdict(self) -> Verdict {
        Verdict::Done
    }
}

impl IntoVerdict for Outcome {
    fn into_verdict(self) -> Verdict {
        match self {
            Self::Done => Verdict::Done,
            Self::Retry(after) => Verdict::retry_in(after, "the handler asked for a later try"),
            Self::Failed(error) => Verdict::retry(error.to_string()),
        }
    }
}

impl<T: IntoVerdict, E: Display> IntoVerdict for Result<T, E> {
    fn into_verdict(self) -> Verdict {
        self.map_or_else(|error| Verdict::retry(error.to_string()), T::into_verdict)
    }
}

/// Whoever handles stored events. Functions from [`Handed`] do; [`Typed`](super::Typed) makes a handler of one provider's
/// events such a one, and [`Routes`](super::Routes) of several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of stored events",
    note = "such a handler is `Fn(Handed) -> impl Future` that is `Send + Sync + 'static`, a `Typed`, or `Routes`",
    note = "its future is `Send` and yields `()`, a `Verdict`, an `Outcome`, or a `Result` of one of them"
)]
pub trait InboxHandler: Send + Sync + 'static {
    /// Handles one event. A panic is a retry.
    fn handle(&self, event: Handed) -> impl Future<Output = Verdict> + Send;
}

impl<F, Fut> InboxHandler for F
where
    F: Fn(Handed) -> Fut + Send + Sync + 'static,
    Fut: Future + Send,
    Fut::Output: IntoVerdict,
{
    async fn handle(&self, event: Handed) -> Verdict {
        self(event).await.into_verdict()
    }
}
