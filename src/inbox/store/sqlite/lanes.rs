//! Lanes: of the events of one, the head alone has a time at which it is due.

use rusqlite::{Connection, OptionalExtension, params};

use super::row::Micros;
use super::task::Write;

pub(super) const IS_TAKEN: &str = "SELECT 1 FROM events WHERE lane = ?1 AND state <= 1 LIMIT 1";
pub(super) const NEXT: &str =
    "UPDATE events SET due = ?2 WHERE id = (SELECT id FROM events WHERE lane = ?1 AND state <= 1 ORDER BY id LIMIT 1)";

/// When an event may be leased that is ready from now on. `None`: when another of its lane has ended.
pub(super) fn due(connection: &Connection, lane: Option<&str>, now: Micros) -> rusqlite::Result<Option<Micros>> {
    let Some(lane) = lane else { return Ok(Some(now)) };
    let taken = connection.prepare_cached(IS_TAKEN)?.query_row([lane], |_| Ok(())).optional()?;
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
