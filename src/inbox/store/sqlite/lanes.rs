//! Lanes: of the events of one, the head alone has a time at which it is due.

use rusqlite::{Connection, OptionalExtension, params};

use super::row::Micros;
use super::task::Write;

pub(super) const IS_TAKEN: &str = "SELECT 1 FROM webhook_events WHERE lane = ?1 AND (state <= 1 OR blocks = 1) LIMIT 1";
/// A head that blocks the lane stays what it is.
pub(super) const NEXT: &str = "UPDATE webhook_events SET due = ?2 WHERE blocks = 0 AND id = \
                               (SELECT id FROM webhook_events WHERE lane = ?1 AND (state <= 1 OR blocks = 1) ORDER BY id LIMIT 1)";
/// The same, of the lane that an event has, whatever it says.
pub(super) const NEXT_AFTER: &str = "UPDATE webhook_events SET due = ?2 WHERE blocks = 0 AND id = \
                                     (SELECT id FROM webhook_events WHERE lane = (SELECT lane FROM webhook_events WHERE id = ?1) \
                                     AND (state <= 1 OR blocks = 1) ORDER BY id LIMIT 1)";
pub(super) const DEAD: &str = "SELECT 1 FROM webhook_events WHERE lane = ?1 AND state = 3 AND id < ?2 LIMIT 1";

pub(super) const HAS_TURN: &str = "SELECT 1 FROM webhook_events WHERE lane = ?1 AND id <> ?2 AND (state <= 1 OR blocks = 1) \
                                   AND (due IS NOT NULL OR blocks = 1) LIMIT 1";

/// When a new event may be leased. `None`: when another of its lane has ended.
pub(super) fn due(connection: &Connection, lane: Option<&str>, now: Micros) -> rusqlite::Result<Option<Micros>> {
    let Some(lane) = lane else { return Ok(Some(now)) };
    let taken = connection.prepare_cached(IS_TAKEN)?.query_row([lane], |_| Ok(())).optional()?;
    Ok(taken.is_none().then_some(now))
}

/// When an event may be leased that is ready again. `None`: when another of its lane has ended.
pub(super) fn due_again(
    connection: &Connection,
    lane: Option<&str>,
    id: i64,
    now: Micros,
) -> rusqlite::Result<Option<Micros>> {
    let Some(lane) = lane else { return Ok(Some(now)) };
    let taken = connection.prepare_cached(HAS_TURN)?.query_row(params![lane, id], |_| Ok(())).optional()?;
    Ok(taken.is_none().then_some(now))
}

/// The lane's head has ended: the next one's turn.
pub(super) fn go_on(write: &mut Write<'_>, lane: Option<&str>, now: Micros) -> rusqlite::Result<()> {
    let Some(lane) = lane else { return Ok(()) };
    if write.connection.prepare_cached(NEXT)?.execute(params![lane, now])? > 0 {
        write.is_woken = true;
    }
    Ok(())
}

/// The same, after an event that cannot be read.
pub(super) fn go_on_after(write: &mut Write<'_>, id: i64, now: Micros) -> rusqlite::Result<()> {
    if write.connection.prepare_cached(NEXT_AFTER)?.execute(params![id, now])? > 0 {
        write.is_woken = true;
    }
    Ok(())
}

/// Whether one of its lane before it is a dead letter.
pub(super) fn has_dead(connection: &Connection, lane: Option<&str>, id: i64) -> rusqlite::Result<bool> {
    let Some(lane) = lane else { return Ok(false) };
    let dead = connection.prepare_cached(DEAD)?.query_row(params![lane, id], |_| Ok(())).optional()?;
    Ok(dead.is_some())
}
