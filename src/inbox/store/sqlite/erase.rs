//! What an event said goes at a person's request, and its key stays.

use rusqlite::{Connection, Row, params};

use super::super::StoredState;
use super::fault::Fault;
use super::row::Micros;
use super::task::Write;
use super::{lanes, retain, steps};

pub(super) const OF_KEY: &str = "SELECT id, state <= 1 OR blocks = 1, state, lane FROM events WHERE readable = ?1 \
                                 AND EXISTS (SELECT 1 FROM bodies WHERE bodies.id = events.id)";
pub(super) const ERASE: &str = "UPDATE events SET state = ?2, due = NULL, token = NULL, ended = coalesce(ended, ?3), \
                                reason = 'erased', lane = NULL, occurred = NULL, headers = NULL, blocks = 0 WHERE id = ?1";
pub(super) const ERASE_WHY: &str = "UPDATE steps SET why = NULL WHERE event = ?1";

/// What was not handled yet never will be: it counts as done. What was kept apart stays so.
pub(super) fn erase(write: &mut Write<'_>, key: &str, now: Micros) -> Result<u64, Fault> {
    let mut erased: u64 = 0;
    for Found { id, has_turn, state, lane } in of_key(write.connection, key)? {
        let after = if state == StoredState::Quarantined { state } else { StoredState::Done };
        write.connection.prepare_cached(retain::DROP_BODY)?.execute([id])?;
        write.connection.prepare_cached(ERASE)?.execute(params![id, after, now])?;
        write.connection.prepare_cached(ERASE_WHY)?.execute([id])?;
        steps::add(write.connection, id, now, "erased", None)?;
        write.ledger.moves(state, after);
        if has_turn {
            lanes::go_on(write, lane.as_deref(), now)?;
        }
        erased = erased.saturating_add(1);
    }
    Ok(erased)
}

struct Found {
    id: i64,
    /// Its lane waits for it.
    has_turn: bool,
    state: StoredState,
    lane: Option<String>,
}

fn of_key(connection: &Connection, key: &str) -> rusqlite::Result<Vec<Found>> {
    let mut statement = connection.prepare_cached(OF_KEY)?;
    let found =
        |row: &Row<'_>| Ok(Found { id: row.get(0)?, has_turn: row.get(1)?, state: row.get(2)?, lane: row.get(3)? });
    statement.query_map([key], found)?.collect()
}
