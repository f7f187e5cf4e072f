//! A lease is ended or extended by whoever holds it, and by nobody else.

use super::super::{Ended, EventId, InboxError, LanePolicy, Leased, StoredState};
use super::call::{Values, values};
use super::handle::Handle;
use super::row::{column, number, put};

pub(super) const END: &str = "SELECT inbox.end_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
pub(super) const EXTEND: &str = "UPDATE inbox.turns SET due = $4 \
                                 WHERE id = $1 AND token = $2 AND fence = $3 AND state = 1 RETURNING id";

/// How a lease ends.
pub(super) enum End<'a> {
    Complete,
    /// Due by the caller's clock.
    Retry {
        due: i64,
        reason: &'a str,
    },
    Bury {
        reason: &'a str,
        lane: LanePolicy,
    },
    Park {
        reason: &'a str,
    },
    Release,
}

impl End<'_> {
    fn state(&self) -> StoredState {
        match self {
            Self::Complete => StoredState::Done,
            Self::Retry { .. } | Self::Release => StoredState::Ready,
            Self::Bury { .. } => StoredState::Dead,
            Self::Park { .. } => StoredState::Parked,
        }
    }

    fn due(&self, now: i64) -> Option<i64> {
        match self {
            Self::Retry { due, .. } => Some(*due),
            Self::Release => Some(now),
            Self::Complete | Self::Bury { .. } | Self::Park { .. } => None,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Retry { reason, .. } | Self::Bury { reason, .. } | Self::Park { reason } => Some(reason),
            Self::Complete | Self::Release => None,
        }
    }

    /// What is written down of it; `%s` is the attempt's number.
    fn step(&self) -> Option<&'static str> {
        match self {
            Self::Complete => None,
            Self::Retry { .. } => Some("attempt %s failed"),
            Self::Bury { .. } => Some("dead after attempt %s"),
            Self::Park { .. } => Some("parked after attempt %s"),
            Self::Release => Some("given back"),
        }
    }
}

pub(super) async fn end(inbox: &Handle, held: &Leased, end: &End<'_>, now: i64) -> Result<Ended, InboxError> {
    let lease = (held.id, held.token.0.to_vec(), fence_of(held.fence));
    let values = values_of(lease, end, now, inbox.skew.offset());
    let row = inbox.ask_one(END, values).await?;
    if !column::<bool>(&row, 0)? {
        return Ok(Ended::Lost);
    }
    if held.event.lane.is_some() || end.due(now).is_some() {
        inbox.bell.ring();
    }
    Ok(Ended::Done)
}

/// What [`END`] asks for.
pub(super) fn values_of((id, token, fence): (EventId, Vec<u8>, i64), end: &End<'_>, now: i64, offset: i64) -> Values {
    values![
        id.0,
        token,
        fence,
        number(end.state()),
        end.due(now).map(|due| due.saturating_add(offset)),
        end.reason().map(put),
        i32::from(matches!(end, End::Release)),
        matches!(end, End::Bury { lane: LanePolicy::BlockLane, .. }),
        end.step(),
        now,
        now.saturating_add(offset),
    ]
}

pub(super) async fn extend(inbox: &Handle, held: &Leased, until: i64) -> Result<Ended, InboxError> {
    let until = until.saturating_add(inbox.skew.offset());
    let values = values![held.id.0, held.token.0.to_vec(), fence_of(held.fence), until];
    let changed = inbox.ask(EXTEND, values).await?;
    Ok(if changed.is_empty() { Ended::Lost } else { Ended::Done })
}

/// A fence that was never given fits none.
pub(super) fn fence_of(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(-1)
}
