//! How an attempt ended, for those who are told.

use std::time::Duration;

/// How an attempt ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Ending {
    /// The event is done.
    Done,
    /// It is due again.
    Retry {
        /// After this time.
        after: Duration,
        /// What went wrong.
        reason: String,
    },
    /// It is a dead letter.
    Dead {
        /// What went wrong.
        reason: String,
    },
    /// It waits for people to decide.
    Parked {
        /// Why.
        reason: String,
    },
    /// The worker stopped, and gave it back.
    Released,
    /// The lease was lost before the end, which changed nothing: somebody else handles the event, or has.
    Lost,
    /// The store could not be told before the lease ended: the event will be handled again, whether or not it was done.
    Unknown,
}
