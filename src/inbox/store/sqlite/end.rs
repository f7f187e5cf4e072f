//! A lease is ended or extended by whoever holds it, and by nobody else.

use rusqlite::{OptionalExtension, params};

use super::super::{Ended, EventId, LanePolicy, LeaseToken, StoredState};
use super::fault::Fault;
use super::row::Micros;
use super::task::Write;
use super::{lanes, steps};

pub(super) const END: &str = "UPDATE events SET state = ?4, due = ?5, reason = coalesce(?6, reason), ended = ?7, \
                              attempts = attempts - ?8, blocks = ?9, token = NULL, unended = 0 \
                              WHERE id = ?1 AND token = ?2 AND fence = ?3 AND state = 1 RETURNING lane, attempts";
pub(super) const EXTEND: &str = "UPDATE events SET due = ?4 WHERE id = ?1 AND token = ?2 AND fence = ?3 AND state = 1";

/// How a lease ends.
#[derive(Debug)]
pub(super) enum End {
    Complete,
    Retry { due: Micros, reason: String },
    Bury { reason: String, lane: LanePolicy },
    Park { reason: String },
    Release,
}

impl End {
    fn state(&self) -> StoredState {
        match self {
            Self::Complete => StoredState::Done,
            Self::Retry { .. } | Self::Release => StoredState::Ready,
            Self::Bury { .. } => StoredState::Dead,
            Self::Park { .. } => StoredState::Parked,
        }
    }

    fn due(&self, now: Micros) -> Option<Micros> {
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
}

pub(super) fn end(
    write: &mut Write<'_>,
    id: EventId,
    token: LeaseToken,
    fence: u64,
    end: &End,
    now: Micros,
) -> Result<Ended, Fault> {
    let due = end.due(now);
    let ended = due.is_none().then_some(now);
    let uncounted = i64::from(matches!(end, End::Release));
    let blocks = matches!(end, End::Bury { lane: LanePolicy::BlockLane, .. });
    let values = params![id.0, token.0, fence_of(fence), end.state(), due, end.reason(), ended, uncounted, blocks];
    let row = write
        .connection
        .prepare_cached(END)?
        .query_row(values, |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, u32>(1)?)))
        .optional()?;
    let Some((lane, attempt)) = row else { return Ok(Ended::Lost) };
    write.ledger.moves(StoredState::Running, end.state());
    match end {
        End::Complete => {}
        End::Release => steps::add(write.connection, id.0, now, "given back", None)?,
        End::Retry { reason, .. } => {
            steps::add(write.connection, id.0, now, &format!("attempt {attempt} failed"), Some(reason))?;
        }
        End::Bury { reason, .. } => {
            steps::add(write.connection, id.0, now, &format!("dead after attempt {attempt}"), Some(reason))?;
        }
        End::Park { reason } => {
            steps::add(write.connection, id.0, now, &format!("parked after attempt {attempt}"), Some(reason))?;
        }
    }
    if due.is_some() {
        write.is_woken = true;
    } else if !blocks {
        lanes::go_on(write, lane.as_deref(), now)?;
    }
    Ok(Ended::Done)
}

pub(super) fn extend(
    write: &mut Write<'_>,
    id: EventId,
    token: LeaseToken,
    fence: u64,
    until: Micros,
) -> Result<Ended, Fault> {
    let values = params![id.0, token.0, fence_of(fence), until];
    let changed = write.connection.prepare_cached(EXTEND)?.execute(values)?;
    Ok(if changed > 0 { Ended::Done } else { Ended::Lost })
}

/// A fence that was never given fits none.
fn fence_of(fence: u64) -> i64 {
    i64::try_from(fence).unwrap_or(-1)
}
