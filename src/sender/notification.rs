//! A notification: what is delivered, where it stands, and what came of each try.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::Timestamp;

use super::transport::NoAnswer;

/// The number of a notification among those of its webhook, from 0.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Id(pub(super) usize);

impl Id {
    /// The notification of this number.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}

/// Where a notification stands. The names are those of Mambu's communication log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// A try is under way.
    Sending,
    /// It waits for its next try, or for its webhook to be switched on.
    Waiting,
    /// It was delivered.
    Sent,
    /// Its ladder is at its end, or it was deleted with its webhook's queue.
    Failed,
}

/// One try.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// When it began, counted from the webhook's beginning.
    pub at: Duration,
    /// When its answer was there, or it was clear that none would be.
    pub ended: Duration,
    /// What came of it.
    pub came: Came,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Came {
    /// An answer that counts.
    Delivered(StatusCode),
    /// An answer that does not count.
    Refused(StatusCode),
    /// An answer that counts by its status, without the acknowledgement that the provider reads.
    Unacknowledged(StatusCode),
    /// None.
    Nothing(NoAnswer),
}

/// What is delivered, and its history.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notification {
    /// Which one it is.
    pub id: Id,
    /// Where it stands.
    pub state: State,
    /// What was sent at the last try, as it was sealed.
    pub request: Request<Bytes>,
    /// Every try, in order.
    pub attempts: Vec<Attempt>,
    /// The notification that this one resends, where it was resent by hand.
    pub resends: Option<Id>,
    /// When it was sent first, as its webhook's time has it.
    pub created: Timestamp,
    /// Its idempotency key, where it was given one.
    pub idempotency_key: Option<String>,
}
