//! How an attempt ended, for those who are told.

use std::time::Duration;

use crate::observe::Fact;

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

impl Ending {
    /// What became of the event, where it was decided here.
    pub(super) fn fact(&self) -> Option<Fact<'_>> {
        match self {
            Self::Done => Some(Fact::Handled),
            Self::Retry { after, reason } => Some(Fact::RetryLater { after: *after, reason }),
            Self::Dead { reason } => Some(Fact::Buried { reason }),
            Self::Parked { reason } => Some(Fact::Parked { reason }),
            Self::Released | Self::Lost | Self::Unknown => None,
        }
    }
}
