//! A lease is ended or extended by whoever holds it, and by nobody else.

use rusqlite::{OptionalExtension, params};

use super::super::end::End;
use super::super::{Ended, EventId, LeaseToken, StoredState};
use super::fault::Fault;
use super::row::Micros;
use super::task::Write;
use super::{lanes, steps};

pub(super) const END: &str = "UPDATE webhook_events SET state = ?4, due = ?5, reason = coalesce(?6, reason), ended = ?7, \
                              attempts = attempts - ?8, blocks = ?9, token = NULL, unended = 0 \
                              WHERE id = ?1 AND token = ?2 AND fence = ?3 AND state = 1 RETURNING lane, attempts";
pub(super) const EXTEND: &str =
    "UPDATE webhook_events SET due = ?4 WHERE id = ?1 AND token = ?2 AND fence = ?3 AND state = 1";

pub(super) fn end(
    write: &mut Write<'_>,
    id: EventId,
    token: LeaseToken,
    fence: u64,
    end: &End<Micros>,
    now: Micros,
) -> Result<Ended, Fault> {
    let due = end.due(now);
    let ended = due.is_none().then_some(now);
    let uncounted = i64::from(end.is_uncounted());
    let blocks = end.blocks();
    let values = params![id.0, token.0, fence_of(fence), end.state(), due, end.reason(), ended, uncounted, blocks];
    let row = write
        .connection
        .prepare_cached(END)?
        .query_row(values, |row| Ok((row.get::<_, Option<String>>(0)?, row.get::<_, u32>(1)?)))
        .optional()?;
    let Some((lane, attempt)) = row else { return Ok(Ended::Lost) };
    write.ledger.moves(StoredState::Running, end.state());
    if let Some(step) = end.step() {
        steps::add(write.connection, id.0, now, &step.replace("%s", &attempt.to_string()), end.reason())?;
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
