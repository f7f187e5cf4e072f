//! What has been kept for long enough goes: bodies first, and their events with the keys.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::{InboxError, StoredState};
use super::fault::Fault;
use super::handle::Handle;
use super::row::Micros;
use super::task::Write;
use super::{keys, names};

/// So many in a transaction, for others wait for it.
const CHUNK: i64 = 256;

/// From the oldest body on, up to the first that came too late to be over.
pub(super) const OLD_BODIES: &str = "SELECT webhook_bodies.id, webhook_events.received, webhook_events.state = 2 AND webhook_events.ended < ?2 \
                                     FROM webhook_bodies CROSS JOIN webhook_events ON webhook_events.id = webhook_bodies.id \
                                     WHERE webhook_bodies.id > ?1 ORDER BY webhook_bodies.id LIMIT ?3";
pub(super) const OLD_KEYS: &str = "SELECT id FROM webhook_events WHERE state = 2 AND until <= ?1 LIMIT ?2";
pub(super) const OLD_OTHERS: &str =
    "SELECT id FROM webhook_events WHERE state = 5 AND state >= 3 AND until <= ?1 ORDER BY id LIMIT ?2";
const OVER: &str = "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM webhook_bodies WHERE webhook_bodies.id = webhook_events.id)), \
                    count(*) FILTER (WHERE until <= ?2) FROM webhook_events \
                    WHERE (state IN (2, 5) AND until <= ?2) OR (state = 2 AND ended < ?1 AND received < ?1)";
pub(super) const DROP_BODY: &str = "DELETE FROM webhook_bodies WHERE id = ?1";
const DROP_STEPS: &str = "DELETE FROM webhook_steps WHERE event = ?1";
pub(super) const DROP_EVENT: &str = "DELETE FROM webhook_events WHERE id = ?1 RETURNING key";

pub(super) async fn purge(inbox: &Handle, before: Micros, now: Micros) -> Result<(u64, u64), InboxError> {
    let (mut bodies, mut keys): (u64, u64) = (0, 0);
    let mut after = Some(i64::MIN);
    while let Some(from) = after {
        let (dropped, last) = inbox.write(0, move |write| drop_bodies(write, from, before)).await?;
        bodies = bodies.saturating_add(dropped);
        after = last;
    }
    loop {
        let (dropped, with_bodies) = inbox.write(0, move |write| drop_keys(write, now)).await?;
        bodies = bodies.saturating_add(with_bodies);
        keys = keys.saturating_add(dropped);
        if dropped == 0 {
            inbox.write(0, |write| Ok(names::purge(write.connection)?)).await?;
            return Ok((bodies, keys));
        }
    }
}

/// How many bodies and keys are over.
pub(super) fn purgeable(connection: &Connection, before: Micros, now: Micros) -> rusqlite::Result<(u64, u64)> {
    let count = |row: &Row<'_>, at| row.get(at).map(|count: i64| u64::try_from(count).unwrap_or(0));
    connection.query_row(OVER, params![before, now], |row| Ok((count(row, 0)?, count(row, 1)?)))
}

/// How many, and where to go on. Events come in the order of their numbers, as far as the clock did not go back.
fn drop_bodies(write: &mut Write<'_>, after: i64, before: Micros) -> Result<(u64, Option<i64>), Fault> {
    let mut statement = write.connection.prepare_cached(OLD_BODIES)?;
    let rows = statement
        .query_map(params![after, before, CHUNK], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Micros>(1)?, row.get::<_, Option<bool>>(2)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut dropped: u64 = 0;
    for (id, received, is_over) in &rows {
        if *received >= before {
            return Ok((dropped, None));
        }
        if *is_over == Some(true) {
            write.connection.prepare_cached(DROP_BODY)?.execute([id])?;
            dropped = dropped.saturating_add(1);
        }
    }
    // In a damaged table it need not go on.
    Ok((dropped, rows.last().map(|(id, ..)| *id).filter(|last| *last > after)))
}

/// How many keys, and how many bodies that were still there. What was kept apart goes too when its time is over. The
/// key of another event that is not done stays.
pub(super) fn drop_keys(write: &mut Write<'_>, now: Micros) -> Result<(u64, u64), Fault> {
    let (keys, bodies) = drop_old(write, OLD_KEYS, StoredState::Done, now)?;
    if keys > 0 {
        return Ok((keys, bodies));
    }
    drop_old(write, OLD_OTHERS, StoredState::Quarantined, now)
}

fn drop_old(write: &mut Write<'_>, old: &str, state: StoredState, now: Micros) -> Result<(u64, u64), Fault> {
    let ids = write
        .connection
        .prepare_cached(old)?
        .query_map(params![now, CHUNK], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let (mut keys, mut bodies): (u64, u64) = (0, 0);
    for id in ids {
        // An index that is damaged names what is not there: counted as dropped, it would be found for ever.
        let mut statement = write.connection.prepare_cached(DROP_EVENT)?;
        let prefix = |row: &Row<'_>| Ok(keys::prefix(row.get_ref(0)?.as_bytes().unwrap_or_default()));
        let Some(prefix) = statement.query_row([id], prefix).optional()? else { continue };
        write.keys.forget(write.connection, (prefix, id), &mut write.ledger.numbers)?;
        let body = write.connection.prepare_cached(DROP_BODY)?.execute([id])?;
        write.connection.prepare_cached(DROP_STEPS)?.execute([id])?;
        write.ledger.leaves(state);
        keys = keys.saturating_add(1);
        bodies = bodies.saturating_add(u64::try_from(body).unwrap_or(0));
    }
    Ok((keys, bodies))
}
