//! How a lease ends, for every engine.

use super::{LanePolicy, StoredState};

/// How a lease ends, with times as the engine writes them.
#[derive(Debug)]
pub(super) enum End<T> {
    Complete,
    Retry { due: T, reason: String },
    Bury { reason: String, lane: LanePolicy },
    Park { reason: String },
    Release,
}

impl<T: Copy> End<T> {
    pub(super) fn state(&self) -> StoredState {
        match self {
            Self::Complete => StoredState::Done,
            Self::Retry { .. } | Self::Release => StoredState::Ready,
            Self::Bury { .. } => StoredState::Dead,
            Self::Park { .. } => StoredState::Parked,
        }
    }

    /// `None`: it is due no more.
    pub(super) fn due(&self, now: T) -> Option<T> {
        match self {
            Self::Retry { due, .. } => Some(*due),
            Self::Release => Some(now),
            Self::Complete | Self::Bury { .. } | Self::Park { .. } => None,
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Retry { reason, .. } | Self::Bury { reason, .. } | Self::Park { reason } => Some(reason),
            Self::Complete | Self::Release => None,
        }
    }

    /// The attempt is not counted.
    pub(super) fn is_uncounted(&self) -> bool {
        matches!(self, Self::Release)
    }

    /// The others of its lane wait for it.
    pub(super) fn blocks(&self) -> bool {
        matches!(self, Self::Bury { lane: LanePolicy::BlockLane, .. })
    }

    /// What is written down of it; `%s` is the attempt's number.
    pub(super) fn step(&self) -> Option<&'static str> {
        match self {
            Self::Complete => None,
            Self::Retry { .. } => Some("attempt %s failed"),
            Self::Bury { .. } => Some("dead after attempt %s"),
            Self::Park { .. } => Some("parked after attempt %s"),
            Self::Release => Some("given back"),
        }
    }
}
