//! What an event said goes at a person's request, and its key stays.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::StoredState;
use super::fault::{Fault, is_unreadable};
use super::row::Micros;
use super::task::Write;
use super::{lanes, names, retain, steps};

pub(super) const IN_HAND: &str = "SELECT due IS NOT NULL OR blocks = 1, state, lane FROM webhook_events WHERE id = ?1 \
                                  AND (state <> 2 OR reason IS NOT 'erased' \
                                  OR EXISTS (SELECT 1 FROM webhook_bodies WHERE webhook_bodies.id = webhook_events.id))";
pub(super) const ERASE: &str = "UPDATE webhook_events SET state = ?2, due = NULL, token = NULL, unended = 0, ended = coalesce(ended, ?3), \
                                reason = 'erased', lane = NULL, occurred = NULL, headers = NULL, blocks = 0 WHERE id = ?1";
pub(super) const ERASE_WHY: &str = "UPDATE webhook_steps SET why = NULL WHERE event = ?1";

/// What was not handled yet never will be: it counts as done, and so does what was kept apart.
pub(super) fn erase(write: &mut Write<'_>, key: &str, now: Micros) -> Result<u64, Fault> {
    let mut erased: u64 = 0;
    for id in of_key(write.connection, key)? {
        if erase_one(write, id, now)? {
            erased = erased.saturating_add(1);
        }
    }
    Ok(erased)
}

/// How many of this key say something.
pub(super) fn erasable(connection: &Connection, key: &str) -> rusqlite::Result<u64> {
    let mut sayings: u64 = 0;
    for id in of_key(connection, key)? {
        let says = connection.prepare_cached(IN_HAND)?.exists([id])?;
        sayings = sayings.saturating_add(says.into());
    }
    Ok(sayings)
}

fn of_key(connection: &Connection, key: &str) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(names::OF_KEY)?;
    statement.query_map(params![key, names::hash(key.as_bytes())], |row| row.get(0))?.collect()
}

/// Of a file that was damaged: a lane that cannot be read keeps nothing from being erased.
fn lane(row: &Row<'_>) -> rusqlite::Result<Option<String>> {
    match row.get(2) {
        Err(error) if is_unreadable(&error) => Ok(None),
        lane => lane,
    }
}

/// Whether there was anything to erase: retention drops the body alone, and not the lane, the headers and the reasons.
fn erase_one(write: &mut Write<'_>, id: i64, now: Micros) -> rusqlite::Result<bool> {
    let found = write
        .connection
        .prepare_cached(IN_HAND)?
        .query_row([id], |row| Ok((row.get::<_, bool>(0)?, row.get(1)?, lane(row)?)))
        .optional()?;
    let Some((has_turn, state, lane)) = found else { return Ok(false) };
    write.connection.prepare_cached(retain::DROP_BODY)?.execute([id])?;
    write.connection.prepare_cached(ERASE)?.execute(params![id, StoredState::Done, now])?;
    write.connection.prepare_cached(ERASE_WHY)?.execute([id])?;
    steps::add(write.connection, id, now, "erased", None)?;
    write.ledger.moves(state, StoredState::Done);
    if has_turn {
        lanes::go_on(write, lane.as_deref(), now)?;
    }
    Ok(true)
}
