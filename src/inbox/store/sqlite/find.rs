//! What people ask.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};

use super::super::history::{self, Step};
use super::super::{EventId, Filter, History, ReceiverStats, Stats, Stored, StoredState};
use super::ledger::Ledger;
use super::row::{Micros, number};
use super::{lease, names, steps, suspects};

pub(super) const NEXT_DUE: &str = "SELECT min(due) FROM webhook_events WHERE due IS NOT NULL AND unended = 0";
pub(super) const HEAD: &str = "SELECT id FROM webhook_events WHERE lane = ?1 AND (state <= 1 OR blocks = 1) \
                               AND (due IS NOT NULL OR blocks = 1) LIMIT 1";
const COLUMNS: &str = "id, readable, receiver, provider, event, lane, state, attempts, fence, received, due, reason, \
                       replayed_by, ended";

pub(super) fn next_due(connection: &Connection) -> rusqlite::Result<Option<Micros>> {
    Ok(earlier(next_of_others(connection)?, suspects::next_due(connection)?))
}

fn next_of_others(connection: &Connection) -> rusqlite::Result<Option<Micros>> {
    connection.prepare_cached(NEXT_DUE)?.query_row([], |row| row.get(0))
}

fn earlier(one: Option<Micros>, other: Option<Micros>) -> Option<Micros> {
    one.into_iter().chain(other).min()
}

pub(super) fn stats(connection: &Connection, now: Micros) -> rusqlite::Result<Stats> {
    let since = earlier(next_of_others(connection)?, suspects::waits_since(connection)?);
    Ok(Ledger::read(connection)?.stats(since.map_or(0.0, |due| age(due, now))))
}

/// Those that wait, by when they are due; suspects apart.
pub(super) const FIRST_READY: &str = "SELECT receiver, due FROM webhook_events WHERE due IS NOT NULL AND unended = 0 AND \
                                      state = 0 ORDER BY due LIMIT ?1";
pub(super) const FIRST_SUSPECTS: &str = "SELECT receiver, due FROM webhook_events WHERE state = 0 AND due IS NOT NULL AND \
                                         unended = 1 ORDER BY due LIMIT ?1";
pub(super) const FIRST_DEAD: &str = "SELECT receiver, NULL FROM webhook_events WHERE state = 3 AND state >= 3 LIMIT ?1";

pub(super) fn stats_by_receiver(
    connection: &Connection,
    most: usize,
    now: Micros,
) -> rusqlite::Result<Vec<ReceiverStats>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut all = BTreeMap::<String, ReceiverStats>::new();
    for sql in [FIRST_READY, FIRST_SUSPECTS, FIRST_DEAD] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([most])?;
        while let Some(row) = rows.next()? {
            let receiver = text(row, 0)?.unwrap_or_default();
            let due: Option<Micros> = row.get(1)?;
            let one = all.entry(receiver).or_insert_with_key(|receiver| ReceiverStats::new(receiver.as_str()));
            match due {
                None => one.dead = one.dead.saturating_add(1),
                Some(due) => {
                    one.ready = one.ready.saturating_add(1);
                    one.oldest_age = one.oldest_age.max(age(due, now));
                }
            }
        }
    }
    Ok(all.into_values().collect())
}

fn age(due: Micros, now: Micros) -> f64 {
    let waited = now.0.saturating_sub(due.0).max(0);
    Duration::from_micros(u64::try_from(waited).unwrap_or(0)).as_secs_f64()
}

pub(super) fn list(connection: &Connection, filter: &Filter, most: usize) -> rusqlite::Result<Vec<Stored>> {
    let (condition, mut values) = condition(filter);
    values.push(Value::Integer(i64::try_from(most).unwrap_or(i64::MAX)));
    let text = format!("SELECT {COLUMNS} FROM webhook_events WHERE {condition} ORDER BY id LIMIT ?");
    let mut statement = connection.prepare_cached(&text)?;
    statement.query_map(params_from_iter(values), stored)?.collect()
}

/// What a filter says, as a condition and its values.
pub(super) fn condition(filter: &Filter) -> (String, Vec<Value>) {
    let mut text = "true".to_owned();
    let mut values = Vec::new();
    // First, since its values have numbers.
    if let Some(key) = &filter.key {
        text = format!("id IN ({})", names::OF_KEY);
        values = vec![Value::Text(key.clone()), Value::Blob(names::hash(key.as_bytes()).to_vec())];
    }
    let mut and = |more: &str, value: Value| {
        text.push_str(" AND ");
        text.push_str(more);
        values.push(value);
    };
    if let Some(id) = filter.id {
        and("id = ?", Value::Integer(id.0));
    }
    if let Some(after) = filter.after {
        and("id > ?", Value::Integer(after.0));
    }
    if let Some(event) = &filter.event {
        and("+event = ?", Value::Text(event.clone()));
    }
    if let Some(reason) = &filter.reason {
        // What begins so has nothing before it.
        and("instr(reason, ?) = 1", Value::Text(reason.clone()));
    }
    if let Some(since) = filter.since {
        and("received >= ?", Value::Integer(Micros::of(since).0));
    }
    if let Some(state) = filter.state {
        text.push_str(" AND ");
        text.push_str(&in_state(state));
    }
    (text, values)
}

/// With what lets SQLite take the index of that state.
fn in_state(state: StoredState) -> String {
    let number = number(state);
    match state {
        StoredState::Dead | StoredState::Parked | StoredState::Quarantined => {
            format!("state = {number} AND state >= 3")
        }
        StoredState::Ready | StoredState::Running => format!(
            "state = {number} AND id IN (SELECT id FROM webhook_events WHERE due IS NOT NULL AND unended = 0 UNION ALL \
             SELECT id FROM webhook_events WHERE due IS NOT NULL AND unended = 1 UNION ALL \
             SELECT id FROM webhook_events WHERE lane IS NOT NULL AND state <= 1)"
        ),
        StoredState::Done => format!("state = {number}"),
    }
}

/// What is no UTF-8 is shown as far as it is.
fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(row.get_ref(column)?.as_bytes_or_null()?.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let (received, due): (Micros, Option<Micros>) = (row.get(9)?, row.get(10)?);
    let fence: i64 = row.get(8)?;
    Ok(Stored {
        id: EventId(row.get(0)?),
        key: text(row, 1)?.unwrap_or_default(),
        receiver: text(row, 2)?.unwrap_or_default(),
        provider: text(row, 3)?.unwrap_or_default(),
        event: text(row, 4)?.unwrap_or_default(),
        lane: text(row, 5)?,
        state: row.get(6)?,
        attempts: u32::try_from(row.get::<_, i64>(7)?).unwrap_or(u32::MAX),
        fence: u64::try_from(fence).unwrap_or(0),
        received_at: received.time(),
        due_at: due.map(Micros::time),
        reason: row.get(11)?,
        replayed_by: row.get(12)?,
    })
}

pub(super) fn show(connection: &Connection, id: EventId) -> rusqlite::Result<Option<History>> {
    let text = format!("SELECT {COLUMNS} FROM webhook_events WHERE id = ?1");
    let mut statement = connection.prepare_cached(&text)?;
    let row = statement.query_row([id.0], |row| Ok((stored(row)?, row.get::<_, Option<Micros>>(13)?)));
    let Some((stored, ended)) = row.optional()? else { return Ok(None) };
    let payload: Option<Vec<u8>> =
        connection.prepare_cached(lease::BODY)?.query_row([id.0], |row| row.get(0)).optional()?;
    Ok(Some(History {
        steps: history::whole(&stored, ended.map(Micros::time), steps_of(connection, id)?),
        waits_for: waits_for(connection, &stored)?,
        payload: payload.map(Bytes::from),
        stored,
    }))
}

fn steps_of(connection: &Connection, id: EventId) -> rusqlite::Result<Vec<Step>> {
    let mut statement = connection.prepare_cached(steps::OF)?;
    let step = |row: &Row<'_>| Ok((row.get::<_, Micros>(0)?.time(), row.get(1)?, row.get(2)?));
    statement.query_map([id.0], step)?.collect()
}

/// The head of its lane, where that is another.
fn waits_for(connection: &Connection, stored: &Stored) -> rusqlite::Result<Option<EventId>> {
    let Some(lane) = stored.lane.as_ref().filter(|_| stored.state == StoredState::Ready && stored.due_at.is_none())
    else {
        return Ok(None);
    };
    let lane: &dyn ToSql = lane;
    connection.prepare_cached(HEAD)?.query_row([lane], |row| row.get(0).map(EventId)).optional()
}
