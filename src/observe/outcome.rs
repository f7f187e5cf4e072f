//! What became of a delivery or of an event, in words from closed sets.

use super::fact::Fact;
use crate::error::RejectionKind;

/// From the best to the worst.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Outcome {
    Replayed,
    Accepted,
    Stored,
    Retry,
    Failed,
    Refused,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Stored => "stored",
            Self::Replayed => "replayed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Retry => "retry",
        }
    }
}

/// Why, from a closed set: nothing that a peer says gets in.
#[derive(Clone, Copy)]
pub(super) enum Reason {
    None,
    Quarantined,
    DeadLetter,
    Parked,
    Kind(RejectionKind),
}

impl Reason {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Quarantined => "quarantined",
            Self::DeadLetter => "dead_letter",
            Self::Parked => "parked",
            Self::Kind(kind) => kind.as_str(),
        }
    }
}

/// What of a fact counts as an outcome.
pub(super) fn counted(fact: &Fact<'_>) -> Option<(Outcome, Reason)> {
    Some(match fact {
        Fact::Handled => (Outcome::Accepted, Reason::None),
        Fact::Stored { .. } => (Outcome::Stored, Reason::None),
        Fact::Quarantined { .. } => (Outcome::Stored, Reason::Quarantined),
        Fact::Replayed => (Outcome::Replayed, Reason::None),
        Fact::Rejected(rejection) => (Outcome::Refused, Reason::Kind(rejection.kind())),
        Fact::Failed(rejection) | Fact::AcknowledgedUnhandled(rejection) => {
            (Outcome::Failed, Reason::Kind(rejection.kind()))
        }
        Fact::Buried { .. } => (Outcome::Failed, Reason::DeadLetter),
        Fact::Parked { .. } => (Outcome::Failed, Reason::Parked),
        Fact::RetryLater { .. } => (Outcome::Retry, Reason::None),
        _ => return None,
    })
}
