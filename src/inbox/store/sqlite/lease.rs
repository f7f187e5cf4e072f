//! What is due is held.

use std::time::Duration;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::super::{EventId, LeaseToken, Leased, NewEvent, StoredState};
use super::fault::{Fault, is_unreadable};
use super::row::{self, Micros};
use super::task::Write;
use super::{lanes, steps, suspects};
use crate::delivery::{Fingerprint, KeyHash};

/// Only heads of lanes are due, so one of a lane at most.
pub(super) const DUE: &str =
    "SELECT id, state FROM webhook_events WHERE due <= ?1 AND unended = 0 ORDER BY due LIMIT ?2";
/// The same but for those of some receivers: it goes through all of theirs that are due before.
pub(super) const DUE_BUT_OF: &str = "SELECT id FROM webhook_events WHERE due <= ?1 AND unended = 0 \
                                     AND receiver NOT IN (SELECT value FROM json_each(?3)) ORDER BY due LIMIT ?2";
/// Whether it is so still.
pub(super) const STILL_DUE: &str = "SELECT state FROM webhook_events WHERE id = ?1 AND due <= ?2 AND unended = 0";
pub(super) const HOLD: &str = "UPDATE webhook_events SET state = 1, due = ?2, token = ?3, fence = ?4, attempts = attempts + 1 \
                               WHERE id = ?1 \
                               RETURNING attempts, key, fingerprint, until, occurred, readable, receiver, provider, event, \
                               lane, key_id, tenant, headers";
pub(super) const BODY: &str = "SELECT payload FROM webhook_bodies WHERE id = ?1";
pub(super) const GIVE_UP: &str =
    "UPDATE webhook_events SET state = 3, due = NULL, token = NULL, unended = 0, reason = ?2, ended = ?3 WHERE id = ?1";

pub(super) fn lease(
    write: &mut Write<'_>,
    token: LeaseToken,
    most: usize,
    lease: Duration,
    now: Micros,
) -> Result<Vec<Leased>, Fault> {
    let others = due(write, most, now)?;
    hold_all(write, others, token, most, lease, now)
}

/// Those that are due, but for those of some receivers.
pub(super) fn find_but_of(
    connection: &Connection,
    but_of: &[String],
    most: usize,
    now: Micros,
) -> rusqlite::Result<Vec<i64>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let names = serde_json::Value::from(but_of).to_string();
    let mut statement = connection.prepare_cached(DUE_BUT_OF)?;
    statement.query_map(params![now, most, names], |row| row.get(0))?.collect()
}

/// Of those that were found, the ones that are due still.
pub(super) fn lease_found(
    write: &mut Write<'_>,
    found: &[i64],
    token: LeaseToken,
    most: usize,
    lease: Duration,
    now: Micros,
) -> Result<Vec<Leased>, Fault> {
    let mut others = Vec::new();
    for id in found {
        let mut statement = write.connection.prepare_cached(STILL_DUE)?;
        match statement.query_row(params![id, now], |row| Ok(row.get(0))).optional()? {
            Some(Ok(StoredState::Running)) => suspects::add(write, *id, now)?,
            Some(Ok(_)) => others.push(*id),
            Some(Err(error)) => set_aside(write, *id, &unreadable(&error), now)?,
            None => {}
        }
    }
    hold_all(write, others, token, most, lease, now)
}

/// These, and a suspect.
fn hold_all(
    write: &mut Write<'_>,
    others: Vec<i64>,
    token: LeaseToken,
    most: usize,
    lease: Duration,
    now: Micros,
) -> Result<Vec<Leased>, Fault> {
    // First: were it last, it would wait for as long as there are always enough others.
    let suspect = suspects::due(write, now)?.map(|id| (id, true));
    let mut held = Vec::new();
    for (id, outcome_unknown) in suspect.into_iter().chain(others.into_iter().map(|id| (id, false))).take(most) {
        let leased = hold(write, id, token, now, now.after(lease))?;
        held.extend(leased.map(|leased| Leased { outcome_unknown, ..leased }));
    }
    Ok(held)
}

/// Those that are no suspects. Whose lease has run out is one from now on, and takes no other's place.
fn due(write: &mut Write<'_>, most: usize, now: Micros) -> rusqlite::Result<Vec<i64>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    loop {
        let mut statement = write.connection.prepare_cached(DUE)?;
        let rows = statement
            .query_map(params![now, most], |row| Ok((row.get(0)?, row.get(1))))?
            .collect::<rusqlite::Result<Vec<(i64, rusqlite::Result<StoredState>)>>>()?;
        let mut is_sound = true;
        for (id, state) in &rows {
            match state {
                Ok(StoredState::Running) => suspects::add(write, *id, now)?,
                Err(error) => set_aside(write, *id, &unreadable(error), now)?,
                Ok(_) => continue,
            }
            is_sound = false;
        }
        if is_sound {
            return Ok(rows.into_iter().map(|(id, _)| id).collect());
        }
    }
}

/// `None`: it can be of no more use, since its body is gone, though nobody dropped it, or its row says nothing.
fn hold(
    write: &mut Write<'_>,
    id: i64,
    token: LeaseToken,
    now: Micros,
    until: Micros,
) -> rusqlite::Result<Option<Leased>> {
    let fence = write.ledger.next_fence();
    let (attempt, event) = match read(write.connection, params![id, until, token.0, fence]) {
        Ok(Some(whole)) => whole,
        Ok(None) => return set_aside(write, id, "its body is gone", now).map(|()| None),
        // Were it an error, nobody would get any event until somebody has mended the file.
        Err(error) if is_unreadable(&error) => return set_aside(write, id, &unreadable(&error), now).map(|()| None),
        Err(error) => return Err(error),
    };
    write.ledger.moves(StoredState::Ready, StoredState::Running);
    let follows_dead = lanes::has_dead(write.connection, event.lane.as_deref(), id)?;
    let fence = u64::try_from(fence).unwrap_or(0);
    Ok(Some(Leased { follows_dead, ..Leased::new(EventId(id), token, fence, attempt, until.time(), event) }))
}

/// An event that is held from now on, and its attempt. `None`: it has no body.
fn read(connection: &Connection, values: &[&dyn ToSql]) -> rusqlite::Result<Option<(u32, NewEvent)>> {
    let (attempt, mut event) =
        connection.prepare_cached(HOLD)?.query_row(values, |row| Ok((row.get(0)?, event(row)?)))?;
    let body: Option<Vec<u8>> =
        connection.prepare_cached(BODY)?.query_row(values.get(..1).unwrap_or_default(), |row| row.get(0)).optional()?;
    let Some(body) = body else { return Ok(None) };
    event.payload = Bytes::from(body);
    Ok(Some((attempt, event)))
}

fn unreadable(error: &rusqlite::Error) -> String {
    format!("its row cannot be read: {error}")
}

/// A dead letter that was never handed over, for people to look at. Others of its lane go on.
fn set_aside(write: &mut Write<'_>, id: i64, why: &str, now: Micros) -> rusqlite::Result<()> {
    write.connection.prepare_cached(GIVE_UP)?.execute(params![id, why, now])?;
    steps::add(write.connection, id, now, "set aside", Some(why))?;
    write.ledger.moves(StoredState::Ready, StoredState::Dead);
    write.aside.push((EventId(id), why.to_owned()));
    lanes::go_on_after(write, id, now)
}

fn event(row: &Row<'_>) -> rusqlite::Result<NewEvent> {
    let until: Micros = row.get(3)?;
    let occurred: Option<Micros> = row.get(4)?;
    Ok(NewEvent {
        key: KeyHash::from_bytes(row.get(1)?),
        fingerprint: Fingerprint::from_bytes(row.get(2)?),
        key_until: until.time(),
        occurred_at: occurred.map(Micros::time),
        readable_key: row.get(5)?,
        receiver: row.get(6)?,
        provider: row.get(7)?,
        event: row.get(8)?,
        lane: row.get(9)?,
        key_id: row.get(10)?,
        tenant: row.get(11)?,
        headers: row::headers_of(row.get(12)?)?,
        payload: Bytes::new(),
    })
}
