//! Suspects: events whose last lease was never ended by its holder. One of them may be what ended the process.
//!
//! They are leased one at a time in the whole store, and others beside them. So what kills its process takes its own attempts,
//! and of what was in hand along with it hardly any.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::StoredState;
use super::row::Micros;
use super::steps;
use super::task::Write;

/// Of the one that is held, until when.
pub(super) const HELD: &str =
    "SELECT due, id FROM webhook_events WHERE state = 1 AND due IS NOT NULL AND unended = 1 LIMIT 1";
/// Of those that wait, the one that is due first.
pub(super) const FIRST: &str =
    "SELECT due, id FROM webhook_events WHERE state = 0 AND due IS NOT NULL AND unended = 1 ORDER BY due LIMIT 1";
pub(super) const ADD: &str = "UPDATE webhook_events SET state = 0, unended = 1 WHERE id = ?1";

/// The lease of this one has run out.
pub(super) fn add(write: &mut Write<'_>, id: i64, now: Micros) -> rusqlite::Result<()> {
    steps::add(write.connection, id, now, "lease ended", Some("its holder was not heard of again"))?;
    write.connection.prepare_cached(ADD)?.execute(params![id])?;
    write.ledger.moves(StoredState::Running, StoredState::Ready);
    Ok(())
}

/// The one that may be leased now. `None`: there is none, or another is held.
pub(super) fn due(write: &mut Write<'_>, now: Micros) -> rusqlite::Result<Option<i64>> {
    match find(write.connection, HELD)? {
        Some((until, _)) if until > now => return Ok(None),
        Some((_, id)) => add(write, id, now)?,
        None => {}
    }
    Ok(find(write.connection, FIRST)?.filter(|(due, _)| *due <= now).map(|(_, id)| id))
}

/// When the next may be leased: when the one that is held is held no longer.
pub(super) fn next_due(connection: &Connection) -> rusqlite::Result<Option<Micros>> {
    let next = match find(connection, HELD)? {
        None => find(connection, FIRST)?,
        held => held,
    };
    Ok(next.map(|(due, _)| due))
}

/// Since when the first of those that wait is due.
pub(super) fn waits_since(connection: &Connection) -> rusqlite::Result<Option<Micros>> {
    Ok(find(connection, FIRST)?.map(|(due, _)| due))
}

fn find(connection: &Connection, sql: &str) -> rusqlite::Result<Option<(Micros, i64)>> {
    connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Those whom owners that are gone have held: due at once. Their attempts stay counted, and their token, which ends nothing
/// any more.
pub(super) fn of_owners_gone(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "BEGIN IMMEDIATE;
         CREATE TEMP TABLE gone AS
             SELECT id, due FROM webhook_events WHERE due IS NOT NULL AND unended = 0 AND state = 1 UNION ALL
             SELECT id, due FROM webhook_events WHERE due IS NOT NULL AND unended = 1 AND state = 1;
         INSERT INTO webhook_steps (event, at, what, why) SELECT id, due, 'lease ended', 'its owner was gone' FROM gone;
         UPDATE webhook_ledger SET ready = ready + running, running = 0;
         UPDATE webhook_events SET state = 0, due = received, unended = 1 WHERE id IN (SELECT id FROM gone);
         DROP TABLE gone;
         COMMIT",
    )
}
